package tui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/ui/notify"
	"sotto/ui/term"
)

// noticed is a driver on a terminal; told is what was written beside the frames.
func noticed(t *testing.T, level string) (d *driver, told func() string) {
	t.Helper()
	profile := newFakeProfile(true)
	profile.settings["look.notify"] = level
	d = newDriver(t, &fakeCalls{snap: ready}, profile)
	d.m.notices.on, d.m.notices.kind = true, term.NoticesFor([]string{"TERM=xterm-kitty"})
	return d, func() string {
		before := d.m.snap
		d.m.snap = d.calls.Snapshot()
		command := d.m.noteCalls(&before)
		if command == nil {
			return ""
		}
		return command().(tea.RawMsg).Msg.(string)
	}
}

func (d *driver) rings(name string, silenced bool) {
	d.calls.change(func(s *call.Snapshot) {
		s.Call = with(before(call.Incoming)).Call
		s.Call.Incoming, s.Call.Peer.Name, s.Call.Silenced = true, name, silenced
	})
}

func (d *driver) wantsTitle(want string) {
	d.t.Helper()
	if got := d.m.View().WindowTitle; got != want {
		d.t.Errorf("the title is %q, want %q", got, want)
	}
}

func TestAnIncomingCallIsTold(t *testing.T) {
	d, told := noticed(t, "full")
	d.wantsTitle("Sotto")
	d.rings("b\x1b]0;owned\a\u202eob\u009b", false)
	got := told()
	if !strings.HasPrefix(got, "\a\x1b]99;") || !strings.Contains(got, "b]0;ownedob is calling") || strings.Count(got, "\a") != 1 || strings.ContainsAny(got, "\u202e\u009b") {
		t.Errorf("told %q", got)
	}
	d.wantsTitle("b]0;ownedob is calling - Sotto")
	if again := told(); again != "" {
		t.Errorf("told again: %q", again)
	}
	d.calls.change(func(s *call.Snapshot) { s.Call.Phase = call.Connecting })
	if got := told(); !strings.Contains(got, "p=close") || strings.Contains(got, "\a") {
		t.Errorf("after the answer: %q", got)
	}
	d.wantsTitle("Sotto")
}

func TestAMissedCallIsToldUntilAKeyIsPressed(t *testing.T) {
	d, told := noticed(t, "full")
	d.rings("bob", false)
	told()
	d.calls.change(func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.Missed })
	if got := told(); !strings.Contains(got, "Missed call") {
		t.Errorf("told %q", got)
	}
	d.wantsTitle("Missed call from bob - Sotto")
	d.press("enter")
	d.wantsTitle("Sotto")
}

func TestNoNameLeavesTheScreenUnlessAsked(t *testing.T) {
	d, told := noticed(t, "bell")
	d.rings("bob", false)
	if got := told(); got != "\a" {
		t.Errorf("told %q", got)
	}
	d.wantsTitle("Incoming call - Sotto")
}

func TestWhatIsSilencedOrOffOrNoTerminalIsNotTold(t *testing.T) {
	for _, level := range []string{"off", "full", "pipe"} {
		d, told := noticed(t, level)
		d.m.notices.on = level != "pipe"
		d.rings("bob", level == "full")
		if got := told(); got != "" {
			t.Errorf("%s: told %q", level, got)
		}
		if title := d.m.View().WindowTitle; strings.Contains(title, "call") {
			t.Errorf("%s: the title is %q", level, title)
		}
	}
}

// The desktop was found but cannot be reached.
func TestWithoutADesktopTheTerminalTells(t *testing.T) {
	d, _ := noticed(t, "full")
	desktop := notify.Start("unix:path="+t.TempDir()+"/none", func(work func()) <-chan struct{} {
		done := make(chan struct{})
		go func() { defer close(done); work() }()
		return done
	})
	defer desktop.End()
	d.m.notices.desktop = desktop
	before := d.m.snap
	d.rings("bob", false)
	d.m.snap = d.calls.Snapshot()
	if out := d.m.noteCalls(&before)().(tea.RawMsg).Msg; out != "\a" {
		t.Errorf("told %q before the desktop had its turn", out)
	}
	d.m.settleDesktop()
	event := <-desktop.Events()
	if event != (notify.Event{Kind: notify.NotShown, Call: d.m.snap.Call.ID}) {
		t.Fatalf("%+v", event)
	}
	if out, _ := d.m.heardDesktop(event)().(tea.RawMsg).Msg.(string); !strings.Contains(out, "bob is calling") {
		t.Errorf("told %q", out)
	}
	d.calls.change(func(s *call.Snapshot) { s.Call.Phase = call.Connecting })
	d.happen()
	if d.m.heardDesktop(event) != nil {
		t.Error("a call that rings no more was told")
	}
}

func TestAClickActsOnItsOwnCall(t *testing.T) {
	d, _ := noticed(t, "full")
	d.rings("bob", false)
	d.happen()
	d.send(deskTold{notify.Event{Kind: notify.Declined, Call: "1"}})
	d.wantsAsked("decline 1")
	d.calls.fails = call.ErrNoCall
	d.send(deskTold{notify.Event{Kind: notify.Answered, Call: "1"}})
	d.wantsAsked("decline 1, answer 1")
	d.wantsNot("There is no call")
}

func TestWhatTheDesktopShows(t *testing.T) {
	d, _ := noticed(t, "full")
	wants := func(body, answer string) {
		t.Helper()
		if got := d.m.deskNotice(); got.Body != body || got.Answer != answer {
			t.Errorf("%+v, want %q and %q", got, body, answer)
		}
	}
	wants("", "")
	d.rings("b\x1b]0;owned\a\u202eob\u009b", false)
	d.happen()
	wants("b]0;ownedob is calling.", "Answer")
	d.calls.change(func(s *call.Snapshot) { s.Call.Peer.Verified = false })
	d.happen()
	wants("b]0;ownedob is calling. Not verified.", "Answer")
	d.calls.change(func(s *call.Snapshot) { s.Call.Peer.Known = false })
	d.happen()
	wants("b]0;ownedob is calling. Not in your contacts: anybody can take a name.", "Answer")
	d.calls.change(func(s *call.Snapshot) { s.Call.Silenced = true })
	d.happen()
	wants("", "")
	d.calls.change(func(s *call.Snapshot) {
		s.Call = aCall()
		s.Waiting = &call.Info{ID: "2", Phase: call.Incoming, Peer: call.Peer{Name: "carol", Known: true, Verified: true}}
	})
	d.happen()
	wants("carol is calling.", "Hang up and answer")
	d.m.settings["look.notify"] = "bell"
	wants("", "")
}
