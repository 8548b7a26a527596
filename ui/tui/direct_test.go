package tui

import (
	"errors"
	"testing"

	"sotto/net/call"
)

func TestDirectCallsAreAgreedToWithTheAddressInSight(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: ready}, newFakeProfile(true, someContacts...))
	d.press("down", "i")
	d.wants("all calls go through relays", "e changes that")
	d.press("e")
	d.wants("They would see 198.51.100.7", "switched on in the settings, too")
	d.press("enter")
	d.wants("all calls go through relays") // the first answer is no
	d.press("e", "down", "enter")
	d.wants("agreed to on your side", "switched off in the settings", "e takes it back")
	d.press("e")
	d.wants("go through relays only")
}

func TestADirectCallWithoutARelayToAskShowsNoAddress(t *testing.T) {
	profile := newFakeProfile(true, someContacts...)
	profile.fails = errors.New("no relay is chosen")
	d := newDriver(t, &fakeCalls{snap: ready}, profile)
	d.press("down", "i", "e")
	d.wants("cannot be shown")
}

func TestADirectCallIsMarkedAndGoesBackToRelays(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.wantsNot("to relays")
	d.calls.change(func(s *call.Snapshot) { s.Call.Proof.Route, s.Call.Proof.PeerSees = "direct", "198.51.100.7:50000" })
	d.happen()
	d.wants("Direct: bob sees your own address.", "e to relays")
	d.press("e")
	d.wantsAsked("to relays")
	d.wantsNot("Direct: bob")
}
