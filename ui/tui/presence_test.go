package tui

import (
	"testing"

	"sotto/net/call"
)

func TestPresenceIsChosenForOneContactInPlainWords(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: ready}, newFakeProfile(true, someContacts...))
	d.press("down", "down", "i") // carol is not verified
	d.wants("Neither sees whether the other is here")
	d.press("p")
	d.wants("May carol see when you are here?", "can tell by it that you two belong together", "may be somebody else", "switched on in the settings, too")
	d.press("enter")
	d.wants("Neither sees whether the other is here") // the first answer is no
	d.press("p", "down", "enter")
	d.wants("once they have chosen the same", "switched off in the settings", "p takes it back")
	d.press("p")
	d.wants("does not see any more when you are here", "Neither sees")
}

// What the screen says of presence follows how things stand, not what was chosen.
func TestWhatPresenceSaysFollowsHowThingsStand(t *testing.T) {
	profile := newFakeProfile(true, friends...)
	profile.settings["calls.enabled"], profile.settings["calls.presence"] = "on", "on"
	d := newDriver(t, &fakeCalls{snap: present}, profile)
	d.wants("bob • ✓ verified here now")
	d.press("down", "i")
	d.wants("✓ verified • here now", "They see that you are, too")
	d.calls.change(func(s *call.Snapshot) { s.Here = nil })
	d.happen()
	d.wants("Not here now. They see when you are.")
	d.wantsNot("• here now")
	d.calls.change(func(s *call.Snapshot) { s.Line = call.LineConnecting })
	d.happen()
	d.wants("While you have no line, neither sees anything")
	for _, who := range [][2]string{{"nobody", "who may not call you sees nothing"}, {"contacts", "Not here now"}} {
		profile.settings["calls.who"] = who[0]
		d := newDriver(t, &fakeCalls{snap: ready}, profile)
		d.press("down", "i")
		d.wants(who[1])
	}
	profile.contacts[0].Presence.Theirs = false
	d = newDriver(t, &fakeCalls{snap: ready}, profile)
	d.press("down", "i")
	d.wants("They have not said in a call that they chose it too")
	profile.contacts[0].Presence.Theirs, profile.contacts[0].Presence.Agreed = true, false
	d = newDriver(t, &fakeCalls{snap: ready}, profile)
	d.press("down", "i")
	d.wants("They let you see it, if you let them.")
	d.press("p", "down", "enter")
	d.wants("You have both chosen it: bob sees when you are here")
}

func TestWhatOthersSeeNamesPresence(t *testing.T) {
	profile := newFakeProfile(true, friends...)
	profile.settings["calls.enabled"], profile.settings["calls.presence"] = "on", "on"
	d := newDriver(t, &fakeCalls{snap: ready}, profile)
	d.press("s", "enter")
	d.wants("3 contacts, bob among them, see that you are here now", "by them it can tell who belongs together")
	profile.settings["calls.presence"] = "off"
	d = newDriver(t, &fakeCalls{snap: ready}, profile)
	d.press("s", "enter")
	d.wantsNot("see that you are here now")
	d.wants("It does not see who your contacts are")
}
