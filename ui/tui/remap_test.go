package tui

import (
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestAKeyIsChosenAndWorks(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.press("tab", "s")
	d.seek("Mute")
	d.wants("› Mute m")
	d.press("enter")
	d.wants("Press the new key for: mute or unmute your microphone.")
	d.press("h")
	d.wants(`h is already "hang up" in a call. Take another key.`)
	d.press("f1")
	d.wants("That key cannot be used here.")
	d.press("u")
	d.wants("› Mute • u", "Saved.")
	if got := d.profile.settings["look.keys"]; got != "mute=u" {
		t.Errorf("look.keys is %q", got)
	}
	d.press("esc", "tab")
	d.wants("u mute")
	d.press("m", "u")
	d.wantsAsked("mute")

	d.press("tab", "s")
	d.seek("Mute")
	d.press("x")
	d.wants("› Mute m")
	if got := d.profile.settings["look.keys"]; got != "" {
		t.Errorf("look.keys is %q", got)
	}
}

func TestKeysThatWereLeftAloneStay(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.press("tab", "s")
	d.seek("Mute")
	d.press("enter", "esc")
	d.wants("› Mute m")
	if got := d.profile.settings["look.keys"]; got != "" {
		t.Errorf("look.keys is %q", got)
	}
}

func TestKeysFromTheFile(t *testing.T) {
	for _, test := range []struct{ text, mute, hangUp, says string }{
		{"", "m", "h", ""},
		{"mute=h, hang-up=m", "h", "m", ""},
		{" mute = Ж ,", "Ж", "h", ""},
		{"mute=h", "m", "h", `h is already "hang up" in a call, so mute keeps m`},
		{"mute=q", "m", "h", `q is already "leave"`},
		{"mute=enter", "m", "h", `"enter" is no key for mute`},
		{"mute=世", "m", "h", `is no key for mute`},
		{"sing=s, mute=u", "u", "h", `nothing with a key is called "sing"`},
		{"mute", "m", "h", `"" is no key for mute`},
	} {
		profile := newFakeProfile(true)
		profile.settings["look.keys"] = test.text
		d := newDriver(t, &fakeCalls{snap: with(nil)}, profile)
		if d.m.keymap.key(mute) != test.mute || d.m.keymap.key(hangUp) != test.hangUp {
			t.Errorf("%q: mute is %q and hang up %q", test.text, d.m.keymap.key(mute), d.m.keymap.key(hangUp))
		}
		d.press("tab")
		if test.says == "" {
			d.wantsNot("look.keys")
		} else {
			d.wants(test.says)
		}
		if err := CheckKeys(test.text); (err == nil) != (test.says == "") {
			t.Errorf("%q: %v", test.text, err)
		}
		if again, err := parseKeys(d.m.keymap.String()); err != nil || again.String() != d.m.keymap.String() {
			t.Errorf("%q becomes %q, %v", test.text, again.String(), err)
		}
	}
}

// TestContextsNameWhatMeets holds the table of contexts to the screens: whatever
// shows a key with a letter is in one of them, whole.
func TestContextsNameWhatMeets(t *testing.T) {
	for _, one := range scenes() {
		d := one.build(t, 80, 24)
		if d.m.helping || d.m.palette != nil {
			continue
		}
		var acts []action
		for _, entry := range d.m.screenBinds() {
			if letter, _ := letterOf(entry.keys); letter != "" && !slices.Contains(everywhere, entry.act) {
				acts = append(acts, entry.act)
			}
		}
		found := len(acts) == 0
		for _, place := range contexts {
			whole := true
			for _, act := range acts {
				whole = whole && slices.Contains(place, act)
			}
			found = found || whole
		}
		if !found {
			t.Errorf("%s: no context holds %v", one.name, acts)
		}
	}
}

func TestTheMouseOnlySelects(t *testing.T) {
	profile := newFakeProfile(true, someContacts...)
	d := newDriver(t, &fakeCalls{}, profile)
	click := func(text string) {
		t.Helper()
		for y, line := range strings.Split(d.seen(), "\n") {
			if slices.Contains(strings.Fields(line), text) {
				d.send(tea.MouseClickMsg{X: 5, Y: y, Button: tea.MouseLeft})
				return
			}
		}
		t.Fatalf("%q is not on the screen", text)
	}
	click("carol")
	d.wants("› echo")
	if d.m.View().MouseMode != tea.MouseModeNone {
		t.Error("the mouse is taken from the terminal although it is off")
	}
	profile.settings["look.mouse"] = "on"
	d.send(changed{})
	click("carol")
	d.wants("› carol")
	d.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
	d.wants("› bob")
	d.wantsAsked("")
	if d.m.View().MouseMode != tea.MouseModeCellMotion {
		t.Error("the mouse is not asked for")
	}
	d.press("s")
	click("Speaker")
	d.wants("› Speaker")
	d.press("esc", ":")
	click("settings")
	d.wants("› settings and privacy")
}
