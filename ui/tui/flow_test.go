package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
)

func TestEnterAloneGetsThroughTheFirstRun(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(false))
	d.wants("What shall people call you?", "alice")
	if d.m.View().Cursor == nil {
		t.Error("the name does not have the focus")
	}
	d.press("enter")
	d.wants("› On this machine", "It reaches only people on this computer, and such a relay has your address.")
	d.press("enter")
	d.wants("Does your microphone hear you?", "Nothing is recorded, and nothing is sent.")
	mic := d.m.stack[0].(*setup).mic
	mic.levels = nil // what follows is said here
	d.m.update(heard{mic, -70, true})
	d.m.update(listens{mic, make(chan float64), nil})
	d.wants("Say something")
	d.m.update(heard{mic, -20, true})
	d.wants("It hears you.", "━━━")
	d.press("enter")
	d.wants("› Not now", "Your relay sees your address and that Sotto is open.")
	d.press("enter")
	d.wants("› echo")
	if got := d.profile.chosen; len(got) != 1 || got[0] != (Choices{Name: "alice", Relay: "local"}) {
		t.Errorf("the profile was set up with %+v", got)
	}
}

func TestTheFirstRunTakesOtherAnswers(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(false))
	d.press("ctrl+u")
	d.write("Zoë q")
	d.press("enter", "down", "enter")
	d.wants("Type the relay's address")
	d.write("not:an:address")
	d.press("enter")
	d.wants("Which relay carries your calls?", "! ", "not:an:address")
	d.press("ctrl+u")
	d.write("relay.example.org:8443")
	d.press("enter", "enter", "down", "enter")
	d.wants("› echo")
	if got := d.profile.chosen; len(got) != 1 || got[0] != (Choices{Name: "Zoë q", Relay: "relay.example.org:8443", Calls: true}) {
		t.Errorf("the profile was set up with %+v", got)
	}
}

func TestTheFirstRunTakesACode(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(false))
	d.press("enter", "down", "down", "enter")
	d.wants("Type the code that somebody told you")
	d.write("42 apple river stone clou")
	d.press("tab", "enter")
	d.wants("Ask for the name of their relay too")
	d.press("home")
	d.write("relay.example.org ")
	d.press("enter")
	d.wants("Does your microphone hear you?")
	d.press("esc", "enter", "enter", "enter")
	if got := d.profile.chosen; len(got) != 1 || got[0] != (Choices{Name: "alice", Relay: "relay.example.org"}) {
		t.Errorf("the profile was set up with %+v", got)
	}
	if got := d.profile.joined; len(got) != 1 || got[0] != "relay.example.org 42 apple river stone cloud" {
		t.Errorf("joined with %q", got)
	}
	d.wants("is in your contacts, verified.", "Contacts")
}

func TestTheMicrophoneIsClosedWhenItsScreenIsLeft(t *testing.T) {
	for _, leaving := range []string{"enter", "esc"} {
		d := newDriver(t, &fakeCalls{}, newFakeProfile(false))
		d.press("enter", "enter")
		screen := d.m.stack[0].(*setup)
		closed := false
		screen.mic.cancel = func() { closed = true }
		d.press(leaving)
		if !closed || screen.mic != nil {
			t.Errorf("%s leaves the microphone open", leaving)
		}
	}
}

func TestAFirstRunThatFailsKeepsEveryAnswer(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(false))
	d.profile.fails = errors.New("the disk is full; make room and try again")
	d.write("!")
	d.press("enter", "enter", "enter", "down", "enter")
	d.wants("! The disk is full; make room and try again.", "› Turn on")
	d.profile.fails = nil
	d.press("enter")
	if got := d.profile.chosen; len(got) != 1 || got[0] != (Choices{Name: "alice!", Relay: "local", Calls: true}) {
		t.Errorf("the profile was set up with %+v", got)
	}
}

// dialsAtOnce makes dialling a call that exists as soon as Dial returns.
func dialsAtOnce(s *call.Snapshot) {
	info := aCall()
	before(call.Dialling)(info)
	info.Peer = call.Peer{Name: "echo", Echo: true}
	s.Call = info
}

func TestEnterCallsEchoOnce(t *testing.T) {
	d := newDriver(t, &fakeCalls{onDial: dialsAtOnce}, newFakeProfile(true))
	d.press("enter")
	d.wants("Calling", "echo inside Sotto")
	d.press("enter", "enter")
	d.wantsAsked("dial echo")

	d.calls.change(func(s *call.Snapshot) { s.Call.Phase, s.Call.ConnectedAt = call.Connected, d.now })
	d.happen()
	d.wants("Call 0:00")
	d.press("enter", "tab", "enter", "enter")
	d.wants("› echo", "in a call 0:00")
	d.wantsAsked("dial echo")

	d.press("tab", "m", "o", "h")
	d.wantsAsked("dial echo, mute, hold, hang up")
	d.wants("You hung up.")
	d.press("enter")
	d.wants("› echo")
	d.press("enter")
	d.wantsAsked("dial echo, mute, hold, hang up, dial echo")
}

func TestEnterTwiceBeforeTheCallShowsDialsOnce(t *testing.T) {
	calls := &fakeCalls{}
	d := newDriver(t, calls, newFakeProfile(true))
	command := d.m.update(keyNamed(t, "enter")) // on its way, not answered yet
	d.press("enter", "enter")
	calls.onDial = dialsAtOnce
	d.run(command)
	d.press("enter")
	d.wantsAsked("dial echo")
}

func TestADialThatFailsSaysWhyAndMayBeTriedAgain(t *testing.T) {
	d := newDriver(t, &fakeCalls{fails: errors.New("calling is off; turn it on in the settings")}, newFakeProfile(true, someContacts...))
	d.press("down", "enter")
	d.wants("! Calling is off; turn it on in the settings.")
	d.press("enter")
	d.wantsAsked("dial bob, dial bob")
}

func TestCallingOffIsSaidInTermsOfTheScreens(t *testing.T) {
	d := newDriver(t, &fakeCalls{fails: call.ErrCallingOff}, newFakeProfile(true, someContacts...))
	d.press("down", "enter")
	d.wants("! Calling is off. Press s and turn it on first; echo can be called without it.")
}

func ringsHere(d *driver) {
	d.calls.change(func(s *call.Snapshot) {
		s.Call = aCall()
		before(call.Incoming)(s.Call)
		s.Call.Incoming, s.Call.WhyItRings = true, "bob is one of your contacts"
	})
	d.happen()
}

func TestKeysOnTheirWayDoNotAnswer(t *testing.T) {
	for _, test := range []struct {
		name  string
		after []time.Duration // from one key to the next, the first from the ringing
		want  string
	}{
		{"at once", []time.Duration{0}, ""},
		{"just within the grace", []time.Duration{399 * time.Millisecond}, ""},
		{"after the grace", []time.Duration{400 * time.Millisecond}, "answer"},
		{"the rest of a word being typed", []time.Duration{350 * time.Millisecond, 90 * time.Millisecond, 90 * time.Millisecond}, ""},
		{"typed, then meant", []time.Duration{350 * time.Millisecond, 90 * time.Millisecond, 200 * time.Millisecond}, "answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
			ringsHere(d)
			d.wants("bob is calling", "bob is one of your contacts.")
			for _, wait := range test.after {
				d.now = d.now.Add(wait)
				d.send(keyNamed(t, "enter"))
			}
			d.wantsAsked(test.want)
		})
	}
}

func TestTheGraceIsRedrawnWhenItEnds(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	ringsHere(d)
	found := false
	for _, one := range d.ticks {
		if _, ok := one.fire(d.now).(redraw); ok {
			found = found || one.wait == grace
		}
	}
	if !found {
		t.Errorf("no tick of %v is waiting", grace)
	}
}

func TestDeclining(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	ringsHere(d)
	d.now = d.now.Add(time.Second)
	d.press("d")
	d.wantsAsked("decline")
	d.wants("You declined the call.")
}

func TestACallDoesNotLoseWhatWasBeingTyped(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("a", "down", "down", "enter")
	d.send(tea.PasteMsg{Content: "sotto:abc\n def "})
	ringsHere(d)
	d.send(tea.PasteMsg{Content: "a pasted answer\n"})
	d.wantsAsked("")
	d.calls.change(func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.Missed })
	d.happen()
	d.wants("You missed a call from bob.")
	d.press("esc")
	d.wants("Add a contact", "sotto:abcdef")
}

func TestCtrlCLeavesFromEveryScreen(t *testing.T) {
	for _, one := range scenes() {
		t.Run(one.name, func(t *testing.T) {
			d := one.build(t, 80, 24)
			set, added := len(d.profile.chosen), len(d.profile.contacts)
			info := d.calls.Snapshot().Call
			outgoing := info != nil && info.Phase != call.Ended && info.Phase != call.Incoming
			d.press("ctrl+c")
			if !d.quit {
				t.Fatal("ctrl+c does not leave")
			}
			if asked := d.calls.requests(); outgoing != (len(asked) > 0 && asked[len(asked)-1] == "hang up") {
				t.Errorf("in %+v the calls were asked %q", info, asked)
			}
			if len(d.profile.chosen) != set || len(d.profile.contacts) != added {
				t.Error("something half-entered was saved")
			}
		})
	}
}

func TestLeavingDoesNotWaitForEver(t *testing.T) {
	calls := &fakeCalls{snap: with(nil), hangs: make(chan struct{})}
	d := newDriver(t, calls, newFakeProfile(true))
	d.ticks = nil
	hanging := make(chan struct{})
	command := d.m.update(keyNamed(t, "ctrl+c"))
	go func() {
		defer close(hanging)
		command() // hangs up, and waits
	}()
	if len(d.ticks) != 1 || d.ticks[0].wait != leaveWithin {
		t.Fatalf("there is no limit to leaving: %v", d.ticks)
	}
	d.send(d.ticks[0].fire(d.now))
	if !d.quit {
		t.Error("the limit does not end the program")
	}
	close(calls.hangs)
	<-hanging
}

func TestQLeavesOnlyWhereItIsNoLetter(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("a", "down", "down", "enter", "q", "?")
	d.wants("Card q?")
	if d.quit {
		t.Fatal("q left while a card was typed")
	}
	d.press("esc", "q")
	if !d.quit {
		t.Error("q does not leave the contacts")
	}
}

func TestASettingIsSavedAtOnce(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true).onRelay())
	d.press("s")
	d.seek("Calling")
	d.wants("› Calling off", "Who sees what While off: nobody, not even a relay.")
	d.press("enter")
	if got := d.profile.settings["calls.enabled"]; got != "on" {
		t.Errorf("calls.enabled is %q", got)
	}
	d.wants("› Calling • on", "Saved.", "Changed A fresh profile has off.")
	d.press("x")
	d.wants("› Calling off", "Saved.")
	d.wantsNot("Changed")
	d.seek("Who may call")
	d.press("enter", "up", "enter")
	if got := d.profile.settings["calls.who"]; got != "verified" {
		t.Errorf("calls.who is %q", got)
	}
	d.wants("› Who may call • verified contacts")
}

func TestDirectCallsCannotBeSwitched(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("s")
	d.seek("Direct calls")
	d.wants("› Direct calls off")
	d.press("enter")
	if got := d.profile.settings["calls.direct"]; got != "on" {
		t.Errorf("calls.direct is %q", got)
	}
}

func TestASettingThatCannotBeSavedChangesNothing(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true).onRelay())
	d.profile.fails = errors.New("the disk is full; the old settings still hold")
	d.press("s")
	d.seek("Calling")
	d.press("enter")
	d.wants("› Calling off", "! The disk is full; the old settings still hold.")
	d.seek("Relay")
	d.press("enter")
	d.write("relay.example.org")
	d.press("enter")
	d.wants("! The disk is full", "relay.example.org")
	d.profile.fails = nil
	d.press("enter")
	d.wants("› Relay relay.example.org", "Saved.")
}

func TestContactsAreAddedRenamedAndRemoved(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.wants("Nobody else is here yet.")
	d.press("a", "down", "down", "enter")
	d.send(tea.PasteMsg{Content: "sotto:abcdef\n"})
	d.press("enter", "enter")
	d.wants("dora is in your contacts, not verified yet", "dora ? not verified")

	d.press("down", "r", "ctrl+u")
	d.write("Dörte 🎧")
	d.press("enter")
	d.wants("dora is now called Dörte 🎧.", "› Dörte 🎧 ? not verified")

	d.press("d")
	d.wants("Remove Dörte 🎧?", "› Keep")
	d.press("enter")
	d.wants("Dörte 🎧 ?")
	d.press("d", "down", "enter")
	d.wants("Dörte 🎧 was removed.", "Nobody else is here yet.")
	if len(d.profile.contacts) != 0 {
		t.Errorf("%v are still there", d.profile.contacts)
	}
}

func TestEchoIsNeitherRenamedNorRemoved(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("d", "r", "delete")
	d.wants("Contacts", "› echo")
}

func TestTheHelpNamesEveryKeyThatWorks(t *testing.T) {
	for _, one := range scenes() {
		if strings.HasPrefix(one.name, "help") || strings.HasPrefix(one.name, "palette") || one.name == "settings-key" {
			continue
		}
		d := one.build(t, 80, 60)
		binds := d.m.binds()
		d.now = d.now.Add(grace)
		d.press("f1")
		d.wants("Help")
		for _, entry := range binds {
			d.wants(allShown(entry.keys, true))
		}
		d.press("esc")
		d.wantsNot("Sotto Help")
	}
}

func TestNoKeyMeansTwoThingsOnOneScreen(t *testing.T) {
	for _, one := range scenes() {
		d := one.build(t, 80, 24)
		taken := map[string]action{}
		for _, entry := range d.m.binds() {
			for _, key := range entry.keys {
				if other, ok := taken[key]; ok {
					t.Errorf("%s: %s does %d and %d", one.name, key, other, entry.act)
				}
				taken[key] = entry.act
			}
		}
	}
}

func TestEverythingCanBeReachedOnASmallTerminal(t *testing.T) {
	for _, one := range scenes() {
		d := one.build(t, 40, 12)
		if d.m.typing() != nil || d.m.moves() && !d.m.helping {
			continue
		}
		body, _ := d.m.body()
		var all []string
		for _, line := range append(body.fixed, body.lines...) {
			all = append(all, strings.Fields(ansiStrip(line))...)
		}
		seen := d.flat()
		for range len(body.lines) {
			d.press("down")
			seen += " " + d.flat()
		}
		for _, word := range all {
			if !strings.Contains(seen, word) {
				t.Errorf("%s: %q cannot be scrolled to", one.name, word)
			}
		}
	}
}
