package call_test

import (
	"net/netip"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/settings"
)

// TestCallsThatWentWrongElsewhere attacks this program in the ways in which others were
// broken. The rows are in docs/privacy.md; two more are tests of that name in net/relay/turn
// and net/pair.
func TestCallsThatWentWrongElsewhere(t *testing.T) {
	// CVE-2019-6223, and in 2019 and 2020 Signal for Android, Facebook Messenger, JioChat and
	// Mocha: a message of the caller's put the callee on air.
	t.Run("GroupFaceTimeSignalAndroidMessengerJioChatMocha", func(t *testing.T) {
		t.Run("every order of remote messages", ordersOfRemoteMessages)
		t.Run("true and made-up calls mixed", noRemoteMessageOpensTheMicrophone)
		t.Run("the callee's own words said back", bobsOwnWordsComeBackToHim)
	})
	// Signal, until 2020: ICE and DNS began while it rang and told where the callee was.
	t.Run("SignalRingingRevealedTheAddress", ringingRevealsNothing)
	// "Improving Signal's Sealed Sender" (NDSS 2021): receipts that are sent by themselves link
	// who talks to whom. Bytes and timing of refusal are compared in net/nettest/hosts.
	t.Run("SealedSenderLinkedByReceipts", dropsThatAreNotTheirs)
	// linphone: the other side could switch encryption off in the middle of a call.
	t.Run("LinphoneEncryptionSwitchedOff", framesTheCallDoesNotOpen)
}

// ringingRevealsNothing rings bob, whose caller's card names a relay of the caller's own, and
// goes on knocking while it rings.
func ringingRevealsNothing(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Anyone, m.Contact())
	mallory := newAttacker(t, m)
	moved := m.Contact().Card
	moved.Relay.Host, moved.Serial = m.Address.String(), moved.Serial+1
	m.Account.Card = m.Account.Self.Sign(moved)
	into := mallory.newDoor(b.Contact(), pairDrop(m.Account.Self, m.Account.Self.Key(), b.Account.Self.Key()))
	knock := mallory.knock(b.Account.Self.Key(), time.Minute)
	into.put(knock.Knock())
	bob.await(call.EventIncoming)
	for range 5 {
		into.put(knock.Knock())
		into.put(mallory.knock(b.Account.Self.Key(), time.Minute).Knock())
		time.Sleep(100 * time.Millisecond) // of ringing
	}
	into.settled(bob)
	bob.untouched("ringing")
	if seen := w.Seen(b.Address); len(seen) != 1 || seen[0] != netip.MustParseAddr("203.0.113.2") {
		t.Errorf("while it rang, bob's machine had packets with %v", seen)
	}
	if phase := bob.engine.Snapshot().Call.Phase; phase != call.Incoming {
		t.Errorf("bob's call is %s", phase)
	}
}
