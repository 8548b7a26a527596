package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/net/call"
)

var (
	spaceDown   = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
	spaceRepeat = tea.KeyPressMsg{Code: tea.KeySpace, Text: " ", IsRepeat: true}
	spaceUp     = tea.KeyReleaseMsg{Code: tea.KeySpace}
	kitty       = tea.KeyboardEnhancementsMsg{Flags: ansi.KittyDisambiguateEscapeCodes | ansi.KittyReportEventTypes}
)

// pushing is a call with push to talk.
func pushing(t *testing.T) *driver {
	t.Helper()
	profile := newFakeProfile(true, someContacts...)
	profile.settings["sound.talk"] = "push"
	d := newDriver(t, &fakeCalls{snap: ready}, profile)
	for _, phase := range []call.Phase{call.Connecting, call.Connected} {
		d.calls.change(func(s *call.Snapshot) {
			muted := s.Call != nil && s.Call.Muted
			s.Call = aCall()
			s.Call.Phase, s.Call.Muted = phase, muted
		})
		d.happen()
		d.happen() // what the engine says once the microphone is closed
		if !d.calls.Snapshot().Call.Muted {
			t.Fatalf("the microphone is open while the call is %v", phase)
		}
	}
	d.now = d.now.Add(time.Second)
	return d
}

func (d *driver) wantsOpen(open bool) {
	d.t.Helper()
	if muted := d.calls.Snapshot().Call.Muted; muted == open {
		d.t.Fatalf("muted is %v:\n%s", muted, d.seen())
	}
}

func TestPushToTalkOpensTheMicrophoneWhileSpaceIsHeld(t *testing.T) {
	d := pushing(t)
	d.send(kitty)
	d.wants("bob hears you only while you hold space", "space hold to talk")
	d.send(spaceDown)
	d.wantsOpen(true)
	d.wants("bob hears you until you let go of space")
	for range 20 {
		d.now = d.now.Add(300 * time.Millisecond)
		d.send(spaceRepeat)
	}
	d.wantsOpen(true)
	d.send(tea.KeyReleaseMsg{Code: 'x'})
	d.wantsOpen(true)
	d.send(spaceUp)
	d.wantsOpen(false)
	d.press("m")
	d.wantsOpen(false)
}

func TestPushToTalkTakesTurnsWhereNoReleaseIsTold(t *testing.T) {
	d := pushing(t)
	d.wants("press space to talk, and again to stop")
	d.send(spaceDown)
	d.wantsOpen(true)
	d.wants("Press space again to stop")
	d.now = d.now.Add(30 * time.Millisecond)
	d.send(spaceDown) // the key repeats
	d.wantsOpen(true)
	d.now = d.now.Add(time.Second)
	d.send(spaceDown)
	d.wantsOpen(false)
}

func TestPushToTalkClosesWhenTheKeysGoElsewhere(t *testing.T) {
	for name, away := range map[string]func(d *driver){
		"blur":            func(d *driver) { d.send(tea.BlurMsg{}) },
		"a line of text":  func(d *driver) { d.press("t") },
		"the palette":     func(d *driver) { d.press(":") },
		"no more release": func(d *driver) { d.send(tea.KeyboardEnhancementsMsg{Flags: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			d := pushing(t)
			d.send(kitty)
			d.send(spaceDown)
			d.wantsOpen(true)
			away(d)
			d.wantsOpen(false)
		})
	}
}

func TestPushToTalkStaysClosedAfterDeafening(t *testing.T) {
	d := pushing(t)
	d.send(kitty)
	d.calls.change(func(s *call.Snapshot) { s.Call.Deafened = true })
	d.happen()
	d.send(spaceDown)
	d.wantsOpen(false)
	d.send(spaceUp)
	d.calls.change(func(s *call.Snapshot) { s.Call.Deafened, s.Call.Muted = false, false })
	d.happen()
	d.wantsOpen(false)
}

func TestSpaceIsABlankInALineOfText(t *testing.T) {
	d := pushing(t)
	d.press("t")
	if view := d.m.View(); view.KeyboardEnhancements.ReportEventTypes || view.ReportFocus {
		t.Error("a text field has the keys, and key releases are asked for")
	}
	d.write("a")
	d.press("space")
	d.write("b")
	d.press("enter")
	if asked := d.calls.requests(); asked[len(asked)-1] != "send a b" {
		t.Errorf("asked for %q", asked)
	}
	d.wantsOpen(false)
	d.press("esc")
	if view := d.m.View(); !view.KeyboardEnhancements.ReportEventTypes || !view.ReportFocus {
		t.Error("key releases are not asked for in a call with push to talk")
	}
}

func TestNothingIsAskedOfTheTerminalWithoutPushToTalk(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	if view := d.m.View(); view.KeyboardEnhancements != (tea.KeyboardEnhancements{}) || view.ReportFocus {
		t.Errorf("asked for %+v", view.KeyboardEnhancements)
	}
	d.send(kitty)
	d.send(spaceDown)
	d.send(spaceUp)
	d.wantsOpen(false) // the space bar mutes
	if asked := strings.Join(d.calls.requests(), ", "); asked != "mute" {
		t.Errorf("asked for %q", asked)
	}
}

// The newest wish holds although commands end in any order.
func TestTheGateBringsTheNewestWish(t *testing.T) {
	calls := &fakeCalls{snap: with(nil)}
	var g gate
	g.open.Store(true)
	g.open.Store(false)
	for range 2 { // the command of the press comes last
		if err := g.set(calls); err != nil {
			t.Fatal(err)
		}
	}
	if !calls.Snapshot().Call.Muted {
		t.Error("the microphone stays open")
	}
}
