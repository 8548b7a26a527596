package tui

import (
	"errors"
	"testing"

	"sotto/net/call"
)

func TestContactsAreFoundByAFewLetters(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press("/")
	d.write("crl")
	d.wants("/ crl", "› carol")
	d.wantsNot("bob")
	if d.m.View().Cursor == nil {
		t.Error("the filter does not have the focus")
	}
	d.write("x")
	d.wants("Nobody is called like that.")
	d.press("enter")
	d.wants("› echo", "bob", "carol")
	d.press("/")
	d.write("malq")
	d.press("backspace", "enter")
	d.wants("› mallory", "bob")
	d.press("enter")
	d.wantsAsked("dial mallory")
}

func TestSettingsAreFoundByAFewLetters(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("s", "/")
	d.write("speak")
	d.press("enter")
	d.wants("› Speaker", "Microphone")
	d.press("/")
	d.write("ring")
	d.wants("Say that it rings")
	d.press("esc", "esc")
	d.wants("› echo")
}

func TestThePaletteDoesWhatItNames(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press(":")
	d.wants("Everything", "call bob")
	d.write("my card")
	d.press("esc")
	d.press("ctrl+p")
	d.write("callbob")
	d.press("enter")
	d.wantsAsked("dial bob")

	d.press("a", "ctrl+p")
	d.write("settings")
	d.press("enter")
	d.wants("Settings", othersSee)
	d.press("esc")
	d.wants("› echo")
}

func TestThePaletteWorksInACall(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true, someContacts...))
	d.press(":")
	d.write("mute")
	d.press("enter")
	d.wantsAsked("mute")
	d.press(":")
	d.write("settings")
	d.press("enter")
	d.wants("Settings", "in a call")
	d.press("esc", "tab")
	d.wants("Call 1:05")
}

func TestAnIncomingCallClosesThePalette(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press(":")
	ringsHere(d)
	d.wants("bob is calling")
	d.now = d.now.Add(grace)
	d.press("d")
	d.wantsAsked("decline")
}

func TestAFileEditedByHandIsPickedUp(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("s")
	d.profile.settings["look.glyphs"] = "ascii"
	d.profile.settings["calls.who"] = "nobody"
	d.send(changed{})
	d.wants("> What do others see now?", "Who may call * nobody")

	d.profile.mistake = errors.New("/home/alice/settings.toml, line 7: look.glyphs is auto, ascii or unicode")
	d.send(changed{})
	d.wants("! settings.toml, line 7:", "the settings from before hold", "Who may call * nobody")
	d.press("esc")
	d.wants("line 7")
	d.profile.mistake = nil
	d.send(changed{})
	d.wantsNot("line 7")
}

func TestAContactIsVerifiedAndBlockedOnlyWhenMeant(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press("down", "down", "i", "v", "enter")
	d.wants("carol ? not verified")
	d.press("v", "down", "enter")
	d.wants("carol is verified.", "carol ✓ verified")
	d.press("b")
	d.wants("carol is blocked", "Calls from carol do not ring here")
	d.press("b", "r", "ctrl+u")
	d.write("Carla")
	d.press("enter")
	d.wants("Sotto Carla", "May call you")
	d.press("d", "down", "enter")
	d.wants("Contacts", "Carla was removed.")
}

func TestWordsThatMatchVerifyInTheCall(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(func(i *call.Info) {
		i.Peer.Name, i.Peer.Verified, i.Proof.Verified = "carol", false, false
	})}, newFakeProfile(true, someContacts...))
	d.press("v", "down", "enter")
	d.wants("Call 1:05", "carol is verified.")
	for _, contact := range d.profile.contacts {
		if contact.Name == "carol" && !contact.Verified {
			t.Error("carol is not verified")
		}
	}
	d.press("p")
	d.wants("Proof", "Read from the connection")
	d.press("esc", "h")
	d.wantsAsked("hang up")
}
