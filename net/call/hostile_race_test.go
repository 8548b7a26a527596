package call_test

import (
	"crypto/ed25519"
	"sync"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
	"sotto/settings"
)

// witness counts the ends of each call, on a subscription of its own.
type witness struct {
	engine *call.Engine
	events <-chan call.Event
	ends   map[string]int
}

func newWitness(t *testing.T, of *call.Engine) *witness {
	t.Helper()
	events, unsubscribe := of.Subscribe()
	t.Cleanup(unsubscribe)
	return &witness{engine: of, events: events, ends: map[string]int{}}
}

// check reads what has been told so far and fails unless each of so many calls ended once.
func (w *witness) check(t *testing.T, calls int, after any) {
	t.Helper()
	_ = w.engine.Snapshot() // waits until an event that another listener has is told to all
	for more := true; more; {
		select {
		case event := <-w.events:
			if event.Kind == call.EventEnded {
				w.ends[event.Call.ID]++
			}
		default:
			more = false
		}
	}
	if len(w.ends) != calls {
		t.Errorf("%v: %d calls ended, not %d", after, len(w.ends), calls)
	}
	for id, ends := range w.ends {
		if ends != 1 {
			t.Errorf("%v: call %s ended %d times", after, id, ends)
		}
	}
}

// atOnce does all at the same moment.
func atOnce(all ...func()) {
	var ready, done sync.WaitGroup
	ready.Add(len(all))
	for _, do := range all {
		done.Go(func() {
			ready.Done()
			ready.Wait()
			do()
		})
	}
	done.Wait()
}

// TestAnswerMeetsCancel: one picks up as the other gives up.
func TestAnswerMeetsCancel(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := newPrey(t, a, settings.Contacts, b.Contact()), newPrey(t, b, settings.Contacts, a.Contact())
	hers, his := newWitness(t, alice.engine), newWitness(t, bob.engine)
	for round := range 8 {
		alice.do(alice.engine.Dial("bob"))
		bob.await(call.EventIncoming)
		alice.await(call.EventRinging)
		atOnce(
			func() { _ = alice.engine.HangUp() },
			func() {
				time.Sleep(time.Duration(round) * time.Millisecond) // before, as and after her word comes
				_ = bob.engine.Answer()                             // by then there may be nothing to answer
			},
		)
		alice.ended(call.Cancelled)
		if reason := bob.await(call.EventEnded).Call.Reason; reason != call.Missed {
			t.Errorf("round %d: bob's call ended with %s", round, reason)
		}
		hers.check(t, round+1, "alice")
		his.check(t, round+1, "bob")
	}
	bob.do(bob.engine.Close())
	bob.unspoken("all rounds")
}

// TestHangUpMeetsBye: both hang up at once.
func TestHangUpMeetsBye(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := newPrey(t, a, settings.Contacts, b.Contact()), newPrey(t, b, settings.Contacts, a.Contact())
	hers, his := newWitness(t, alice.engine), newWitness(t, bob.engine)
	for round := range 5 {
		alice.do(alice.engine.Dial("bob"))
		bob.await(call.EventIncoming)
		bob.do(bob.engine.Answer())
		alice.await(call.EventConnected)
		bob.await(call.EventConnected)
		atOnce(
			func() { _ = alice.engine.HangUp() },
			func() {
				time.Sleep(time.Duration(round) * time.Millisecond)
				_ = bob.engine.HangUp() // it may be over already
			},
		)
		for _, s := range []*prey{alice, bob} {
			if reason := s.await(call.EventEnded).Call.Reason; reason != call.HungUp && reason != call.PeerHungUp {
				t.Errorf("round %d: %s's call ended with %s", round, s.name(), reason)
			}
		}
		hers.check(t, round+1, "alice")
		his.check(t, round+1, "bob")
	}
}

// TestHangUpWhileConnecting: who gives up between the answer and the sound says so, and
// no microphone of the other's stays open. Mallory's offer leads nowhere.
func TestHangUpWhileConnecting(t *testing.T) {
	w := newWorld(t)
	a, m := person(t, w, 0, "alice"), person(t, w, 1, "mallory")
	alice := newPrey(t, a, settings.Contacts, m.Contact())
	mallory := newAttacker(t, m)
	bye := wire.Signal{Kind: wire.SignalBye}

	in := alice.dials(mallory)
	body, drop, callee, err := in.Answer(someOffer(), m.Account.Card)
	alice.do(err)
	answers := identity.EphemeralDrop(in.Knock().CallSecret)
	mallory.listen(drop)
	mallory.post(a.Account.Relay, answers, body)
	alice.await(call.EventConnecting)
	alice.do(alice.engine.HangUp())
	alice.ended(call.HungUp)
	mallory.leaves(callee)

	in = alice.dials(mallory)
	body, _, callee, err = in.Answer(someOffer(), m.Account.Card)
	alice.do(err)
	answers = identity.EphemeralDrop(in.Knock().CallSecret)
	mallory.post(a.Account.Relay, answers, body)
	alice.await(call.EventConnecting)
	mallory.post(a.Account.Relay, answers, callee.SealSignal(bye))
	alice.ended(call.PeerHungUp)

	_, caller := answeredBy(alice, mallory)
	alice.do(alice.engine.HangUp())
	alice.ended(call.HungUp)
	mallory.leaves(caller)

	answer, caller := answeredBy(alice, mallory)
	mallory.post(a.Account.Relay, ed25519.NewKeyFromSeed(answer.DropSeed[:]), caller.SealSignal(bye))
	alice.ended(call.PeerHungUp)

	// The same once all is confirmed, and her connecting, to an offer that leads nowhere, would
	// take seconds yet: neither a second confirmation nor another word holds the bye up.
	answer, caller = answeredBy(alice, mallory)
	talk := ed25519.NewKeyFromSeed(answer.DropSeed[:])
	for range 2 {
		mallory.post(a.Account.Relay, talk, caller.SealConfirm(someOffer(), m.Account.Card))
		mallory.hears(caller, wire.SignalConfirmed)
	}
	mallory.post(a.Account.Relay, talk, caller.SealSignal(wire.Signal{Kind: wire.SignalHold}))
	mallory.post(a.Account.Relay, talk, caller.SealSignal(bye))
	alice.ended(call.PeerHungUp)

	// The caller gave up before it had the answer: its word comes to the drop it knocked at.
	self, card := m.Account.Self, a.Contact().Card
	knock, drop := mallory.knock(card.Key, time.Minute), pairDrop(self, self.Key(), card.Key)
	mallory.post(card.Relay, drop, knock.Knock())
	alice.await(call.EventIncoming)
	alice.do(alice.engine.Answer())
	alice.await(call.EventConnecting)
	mallory.post(card.Relay, drop, knock.SealCancel())
	alice.ended(call.Missed)
	alice.do(alice.engine.Close())
	alice.unspoken("six calls")
}

// leaves waits for the other side's bye.
func (a *attacker) leaves(session *handshake.Session) {
	a.t.Helper()
	a.hears(session, wire.SignalBye)
}

// hears waits for a signal of that kind.
func (a *attacker) hears(session *handshake.Session, kind wire.SignalKind) {
	a.t.Helper()
	for {
		if signal, err := session.OpenSignal(a.next()); err == nil && signal.Kind == kind {
			return
		}
	}
}

// dials lets alice call mallory, who opens her knock.
func (v *prey) dials(mallory *attacker) *handshake.Incoming {
	v.t.Helper()
	self := mallory.person.Account.Self
	mallory.listen(pairDrop(self, v.person.Account.Self.Key(), self.Key()))
	v.do(v.engine.Dial("mallory"))
	for {
		// What an earlier call left in the line is passed over; next fails when nothing more comes.
		if in, err := handshake.OpenKnock(self, mallory.next()); err == nil {
			return in
		}
	}
}

// phases bring alice's engine to each phase, in either role, with mallory at the other end.
var phases = []struct {
	name  string
	reach func(alice *prey, mallory *attacker)
}{
	{"the first moment", func(alice *prey, _ *attacker) { alice.do(alice.engine.Dial("mallory")) }},
	{"dialling", func(alice *prey, mallory *attacker) { alice.dials(mallory) }},
	{"ringing", func(alice *prey, mallory *attacker) {
		in := alice.dials(mallory)
		mallory.post(alice.person.Account.Relay, identity.EphemeralDrop(in.Knock().CallSecret), in.SealControl(wire.Control{Kind: wire.ControlRinging}))
		alice.await(call.EventRinging)
	}},
	{"connecting as caller", func(alice *prey, mallory *attacker) {
		in := alice.dials(mallory)
		body, _, _, err := in.Answer(someOffer(), mallory.person.Account.Card)
		alice.do(err)
		mallory.post(alice.person.Account.Relay, identity.EphemeralDrop(in.Knock().CallSecret), body)
		alice.await(call.EventConnecting)
	}},
	{"incoming", func(alice *prey, mallory *attacker) {
		self, card := mallory.person.Account.Self, alice.person.Contact().Card
		mallory.post(card.Relay, pairDrop(self, self.Key(), card.Key), mallory.knock(card.Key, time.Minute).Knock())
		alice.await(call.EventIncoming)
	}},
	{"connecting as callee", func(alice *prey, mallory *attacker) { answeredBy(alice, mallory) }},
	{"connected", func(alice *prey, mallory *attacker) {
		mallory.connectTo(alice, nil)
		alice.await(call.EventConnected)
	}},
}

// TestCloseInEveryPhase closes an engine twice at once, while its person does something.
func TestCloseInEveryPhase(t *testing.T) {
	for _, phase := range phases {
		t.Run(phase.name, func(t *testing.T) {
			w := newWorld(t)
			a, m := person(t, w, 0, "alice"), person(t, w, 1, "mallory")
			alice := newPrey(t, a, settings.Contacts, m.Contact())
			mallory := newAttacker(t, m)
			seen := newWitness(t, alice.engine)
			phase.reach(alice, mallory)
			atOnce(
				func() { _ = alice.engine.Close() },
				func() { _ = alice.engine.Close() },
				func() { _ = alice.engine.Answer() }, // where it rings; elsewhere there is nothing to answer
				func() { _ = alice.engine.HangUp() },
			)
			seen.check(t, 1, phase.name)
			if current := alice.engine.Snapshot().Call; current == nil || current.Phase != call.Ended {
				t.Errorf("the call is %+v", current)
			}
			if opened, closed := alice.mic.opened.Load(), alice.mic.closed.Load(); opened > closed {
				t.Errorf("%d microphones opened, %d closed", opened, closed)
			}
			if err := alice.engine.Dial("mallory"); err == nil {
				t.Error("a closed engine dials")
			}
		})
	}
}
