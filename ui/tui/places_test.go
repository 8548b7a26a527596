package tui

import "testing"

func TestThePassphraseIsSetChangedAndTakenAway(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("s")
	d.seek("Passphrase")
	d.wants("› Passphrase none", "Nobody can bring the profile back if you forget it.")
	d.press("enter")
	d.write("blue heron")
	d.wants("**********")
	d.wantsNot("heron")
	d.press("enter")
	d.write("blue hero")
	d.press("enter")
	d.wants("! The two new ones are not the same")
	d.write("n")
	d.press("enter")
	d.wants("› Passphrase set", "Sotto asks for it at the next start.")

	d.press("enter")
	d.write("wrong")
	d.press("enter", "enter", "enter")
	d.wants("Passphrase now", "! ")
	d.press("up", "up", "ctrl+u")
	d.write("blue heron")
	d.press("down", "down", "enter")
	d.wants("› Passphrase none", "There is no passphrase any more.")
	d.press("enter", "enter", "enter")
	d.wants("! Type a new passphrase")
	if d.profile.passphrase != "" {
		t.Errorf("the passphrase is %q", d.profile.passphrase)
	}
}

func TestTheHistoryIsDeletedFromTheSettings(t *testing.T) {
	d := withPast(t)
	d.press("s")
	d.seek("Delete history")
	d.wants("› Delete history 7 calls")
	d.press("enter", "down", "enter")
	d.wants("The history was deleted.", "› Delete history nothing there")
}
