package call_test

import (
	"strings"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/settings"
)

func TestHistoryTellsHowCallsWent(t *testing.T) {
	w := newWorld(t)
	a, b, c := person(t, w, 0, "alice"), person(t, w, 1, "bob"), person(t, w, 0, "carol")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact(), c.Contact())
	carol := keep(t, c, everyone, b.Contact())

	talking(t, alice, bob)
	alice.await(call.EventAudio)
	carol.do(carol.engine.Dial("bob"))
	carol.ended(call.Busy)
	bob.recorded(1) // it is written down after she was told
	bob.do(bob.engine.HangUp())
	alice.ended(call.PeerHungUp)
	bob.ended(call.HungUp)
	bob.recorded(2)

	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Decline())
	alice.ended(call.Declined)
	bob.ended(call.DeclinedHere)
	bob.recorded(3)

	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	alice.do(alice.engine.HangUp())
	bob.ended(call.Missed)
	alice.ended(call.Cancelled)
	bob.recorded(4)

	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Silence())
	alice.do(alice.engine.HangUp())
	bob.ended(call.Missed)

	his, hers := bob.recorded(5), alice.recorded(4)
	for n, want := range []string{"busy", "answered", "declined-here", "missed", "silenced"} {
		if entry := his[n]; entry.Outcome != want || !entry.Incoming || len(entry.Key) != 64 || entry.Time.IsZero() {
			t.Errorf("bob's call %d is no %s: %+v", n, want, entry)
		}
	}
	for n, want := range []string{"answered", "declined", "cancelled", "cancelled"} {
		if entry := hers[n]; entry.Outcome != want || entry.Incoming || entry.Name != "bob" || entry.Key != b.Contact().Card.Key.String() {
			t.Errorf("alice's call %d is no %s: %+v", n, want, entry)
		}
	}
	if got := carol.recorded(1)[0].Outcome; got != "busy" {
		t.Errorf("carol's call: %s", got)
	}
	talked := hers[0]
	if talked.Route != "relay" || talked.Seconds <= 0 || !strings.Contains(talked.Receipt, "two relays") || !strings.Contains(talked.Receipt, "post-quantum") {
		t.Errorf("%+v", talked)
	}
	for _, entry := range append(his, hers...) {
		for _, address := range []string{a.Address.String(), b.Address.String(), c.Address.String()} {
			if strings.Contains(entry.Receipt+" "+entry.Why, address+":") || strings.Contains(entry.Receipt, address+" ") {
				t.Errorf("the history names an address that is not a relay's: %+v", entry)
			}
		}
	}
}

func TestWhoMayNotCallLeavesNothing(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	blocked := a.Contact()
	blocked.Blocked = true
	alice := keep(t, a, everyone, b.Contact())
	bob := keep(t, b, call.Policy{Who: settings.Anyone, Ringing: true}, blocked)
	alice.do(alice.engine.Dial("bob"))
	alice.await(call.EventDialling)
	bob.quiet(500 * time.Millisecond)
	alice.do(alice.engine.HangUp())
	alice.ended(call.Cancelled)
	bob.recorded(0)
}
