package call_test

import (
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

func TestAChangedPolicyTakesEffectAtOnce(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	rings := func() {
		t.Helper()
		alice.do(alice.engine.Dial("bob"))
		bob.await(call.EventIncoming)
		bob.do(bob.engine.Decline())
		bob.ended(call.DeclinedHere)
		alice.ended(call.Declined)
	}
	refused := func() {
		t.Helper()
		alice.do(alice.engine.Dial("bob"))
		bob.quiet(300 * time.Millisecond)
		alice.do(alice.engine.HangUp())
		alice.ended(call.Cancelled)
	}
	rings()
	bob.change(func(l *ledger) { l.contacts[0].Blocked = true })
	refused()
	bob.change(func(l *ledger) { l.contacts[0].Blocked = false })
	rings()
	bob.change(func(l *ledger) { l.contacts[0].Verified, l.policy.Who = false, settings.Verified })
	refused()
	bob.change(func(l *ledger) { l.contacts[0].Ring = settings.RingAlways })
	rings()
	bob.change(func(l *ledger) { l.policy.Who = settings.Nobody })
	refused()
	bob.change(func(l *ledger) { l.contacts = nil; l.policy.Who = settings.Contacts })
	refused()
	bob.recorded(3)
}

func TestASilencedContactRingsWithoutASoundAndIsInTheHistory(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	silenced := a.Contact()
	silenced.Ring = settings.RingSilence
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, silenced)
	alice.do(alice.engine.Dial("bob"))
	if event := bob.await(call.EventIncoming); !event.Call.Silenced {
		t.Errorf("%+v", event.Call)
	}
	alice.await(call.EventRinging) // the same as for anybody
	if bob.rings.Load() != 0 {
		t.Error("it sounds")
	}
	alice.do(alice.engine.HangUp())
	bob.ended(call.Missed)
	if entry := bob.recorded(1)[0]; entry.Outcome != "silenced" {
		t.Errorf("%+v", entry)
	}
}

func TestBlockingWhileItRingsStopsTheRingingWithoutAWord(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	alice.await(call.EventRinging)
	bob.change(func(l *ledger) { l.contacts[0].Blocked = true })
	bob.ended(call.Missed)
	if phase := alice.engine.Snapshot().Call.Phase; phase != call.Ringing {
		t.Errorf("alice was told: %s", phase)
	}
}

func TestAStrangerRingsByCardUntilBlockedOrTooOften(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	bob := keep(t, b, call.Policy{Who: settings.Anyone, Ringing: true})
	card := b.Contact()
	card.Reached = false
	alice := keep(t, a, everyone, card)
	try := func(want bool) {
		t.Helper()
		alice.do(alice.engine.Dial("bob"))
		if want {
			bob.await(call.EventIncoming)
			alice.do(alice.engine.HangUp())
			bob.ended(call.Missed)
		} else {
			bob.quiet(300 * time.Millisecond)
			alice.do(alice.engine.HangUp())
		}
		alice.ended(call.Cancelled)
	}
	try(true)
	bob.change(func(l *ledger) { l.policy.Blocked = map[identity.Key]bool{a.Contact().Card.Key: true} })
	try(false)
	bob.change(func(l *ledger) { l.policy.Blocked = nil })
	for range 3 {
		try(true)
	}
	try(false) // the fifth in a few seconds
	if entry := bob.recorded(4)[0]; entry.Name != "alice" || entry.Key != a.Contact().Card.Key.String() {
		t.Errorf("%+v", entry)
	}
}

func TestTheMarkOfACallUnderWayFollowsTheBook(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	unverified := b.Contact()
	unverified.Verified = false
	alice, bob := keep(t, a, everyone, unverified), keep(t, b, everyone, a.Contact())
	talking(t, alice, bob)
	if info := alice.engine.Snapshot().Call; info.Peer.Verified || info.Proof.Verified {
		t.Fatalf("%+v", info)
	}
	alice.change(func(l *ledger) { l.contacts[0].Verified, l.contacts[0].Name = true, "robert" })
	event := alice.await(call.EventChanged)
	if p := event.Call.Peer; !p.Verified || p.Name != "robert" || !event.Call.Proof.Verified {
		t.Errorf("%+v", event.Call)
	}
}
