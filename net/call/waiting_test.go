package call_test

import (
	"errors"
	"testing"

	"sotto/net/call"
)

// three are alice and bob, who talk, and carol, who can call bob.
func three(t *testing.T, waiting bool) (alice, bob, carol *side) {
	t.Helper()
	w := newWorld(t)
	a, b, c := person(t, w, 0, "alice"), person(t, w, 1, "bob"), person(t, w, 0, "carol")
	policy := everyone
	policy.Waiting = waiting
	alice, carol = keep(t, a, everyone, b.Contact()), keep(t, c, everyone, b.Contact())
	bob = keep(t, b, policy, a.Contact(), c.Contact())
	talking(t, alice, bob)
	carol.do(carol.engine.Dial("bob"))
	return alice, bob, carol
}

func TestWithoutWaitingASecondCallIsBusy(t *testing.T) {
	_, bob, carol := three(t, false)
	carol.ended(call.Busy)
	if bob.engine.Snapshot().Waiting != nil {
		t.Error("it waits")
	}
	if err := bob.engine.AnswerWaiting(); !errors.Is(err, call.ErrNoCall) {
		t.Error(err)
	}
}

func TestAWaitingCallIsAnswered(t *testing.T) {
	alice, bob, carol := three(t, true)
	bob.await(call.EventWaiting)
	carol.await(call.EventRinging)
	snapshot := bob.engine.Snapshot()
	if snapshot.Waiting == nil || snapshot.Waiting.Peer.Name != "carol" || snapshot.Call.Peer.Name != "alice" || snapshot.Call.Phase != call.Connected {
		t.Fatalf("%+v", snapshot)
	}
	if bob.rings.Load() != 0 || bob.opened.Load() != 1 {
		t.Errorf("%d rings, %d microphones", bob.rings.Load(), bob.opened.Load())
	}
	bob.do(bob.engine.AnswerWaiting())
	alice.ended(call.PeerHungUp)
	carol.await(call.EventConnected)
	bob.until("carol is the call", func() bool {
		s := bob.engine.Snapshot()
		return s.Waiting == nil && s.Call.Peer.Name == "carol" && s.Call.Phase == call.Connected
	})
	carol.await(call.EventAudio)
}

func TestAWaitingCallIsDeclined(t *testing.T) {
	alice, bob, carol := three(t, true)
	bob.await(call.EventWaiting)
	bob.do(bob.engine.DeclineWaiting())
	carol.ended(call.Declined)
	bob.ended(call.DeclinedHere)
	if s := bob.engine.Snapshot(); s.Waiting != nil || s.Call.Phase != call.Connected || s.Call.Peer.Name != "alice" {
		t.Errorf("%+v", s)
	}
	alice.do(alice.engine.HangUp())
}

func TestAWaitingCallRingsWhenTheFirstEnds(t *testing.T) {
	alice, bob, carol := three(t, true)
	bob.await(call.EventWaiting)
	alice.do(alice.engine.HangUp())
	bob.ended(call.PeerHungUp)
	bob.await(call.EventIncoming)
	bob.until("it rings aloud", func() bool { return bob.rings.Load() == 1 })
	bob.do(bob.engine.Answer())
	carol.await(call.EventConnected)
}

func TestAWaitingCallThatIsGivenUpLeavesTheFirstAlone(t *testing.T) {
	_, bob, carol := three(t, true)
	bob.await(call.EventWaiting)
	carol.do(carol.engine.HangUp())
	bob.ended(call.Missed)
	if s := bob.engine.Snapshot(); s.Waiting != nil || s.Call.Phase != call.Connected {
		t.Errorf("%+v", s)
	}
	bob.do(bob.engine.HangUp())
}

func TestACallIsAnsweredOrDeclinedByItsID(t *testing.T) {
	alice, bob, carol := three(t, true)
	bob.await(call.EventWaiting)
	first, second := bob.engine.Snapshot().Call.ID, bob.engine.Snapshot().Waiting.ID
	for _, late := range []string{"", "0011223344556677", first} { // first rings no more
		if err := bob.engine.AnswerCall(late); !errors.Is(err, call.ErrNoCall) {
			t.Errorf("answering %q: %v", late, err)
		}
		if err := bob.engine.DeclineCall(late); !errors.Is(err, call.ErrNoCall) {
			t.Errorf("declining %q: %v", late, err)
		}
	}
	if s := bob.engine.Snapshot(); s.Call.Phase != call.Connected || s.Waiting == nil {
		t.Fatalf("%+v", s)
	}
	bob.do(bob.engine.AnswerCall(second))
	bob.ended(call.HungUp)
	alice.ended(call.PeerHungUp)
	carol.await(call.EventConnected)
	bob.until("carol is the call", func() bool {
		s := bob.engine.Snapshot()
		return s.Waiting == nil && s.Call.ID == second && s.Call.Phase == call.Connected
	})
	bob.do(bob.engine.HangUp())
	bob.ended(call.HungUp)
	carol.ended(call.PeerHungUp)
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	if err := bob.engine.AnswerCall(second); !errors.Is(err, call.ErrNoCall) {
		t.Errorf("a call that is over answered another: %v", err)
	}
	bob.do(bob.engine.DeclineCall(bob.engine.Snapshot().Call.ID))
	bob.ended(call.DeclinedHere)
}
