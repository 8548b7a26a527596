package call_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"sotto/audio/fake"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/nettest"
	"sotto/net/world"
	"sotto/settings"
	"sotto/settings/advice"
)

// patience bounds every wait; nothing is asserted to be fast.
const patience = 20 * time.Second

// side is a person in a test with their engine and what it opened.
type side struct {
	t      *testing.T
	person *world.Person
	engine *call.Engine
	events <-chan call.Event
	opened atomic.Int32 // how often a microphone was opened
	rings  atomic.Int32 // how many rings sound now, of somebody made by keep
	book   *ledger      // of somebody made by keep
}

func newWorld(t *testing.T) *world.World {
	t.Helper()
	nettest.Leaks(t)
	w, err := world.New(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func person(t *testing.T, w *world.World, relay int, name string) *world.Person {
	t.Helper()
	p, err := w.NewPerson(relay, name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// start puts a person on their relay with that policy and those contacts.
func start(t *testing.T, p *world.Person, who settings.Who, auto bool, contacts ...call.Contact) *side {
	t.Helper()
	s := &side{t: t, person: p}
	config := call.Config{
		Book: world.NewBook(who, contacts...),
		OpenSound: func() (call.Sound, error) {
			s.opened.Add(1)
			tone, err := fake.NewTone(440)
			return call.Sound{Source: tone, Sink: fake.NewNullSink()}, err
		},
		AutoAnswer: func(identity.Key) bool { return auto },
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if s.engine, err = p.Engine(ctx, config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.engine.Close() })
	events, unsubscribe := s.engine.Subscribe()
	t.Cleanup(unsubscribe)
	s.events = events
	return s
}

// await reads events until one of that kind.
func (s *side) await(kind call.EventKind) call.Event {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case event := <-s.events:
			if event.Kind == kind {
				return event
			}
			if event.Kind == call.EventEnded {
				s.t.Fatalf("%s: the call ended (%s, %s) before %s", s.name(), event.Call.Reason, event.Call.Detail, kind)
			}
		case <-timeout:
			s.t.Fatalf("%s: no %s", s.name(), kind)
		}
	}
}

func (s *side) name() string { return s.person.Contact().Name }

func (s *side) ended(reason call.Reason) {
	s.t.Helper()
	if event := s.await(call.EventEnded); event.Call.Reason != reason {
		s.t.Errorf("%s: ended with %s (%s), not %s", s.name(), event.Call.Reason, event.Call.Detail, reason)
	}
}

// quiet reports an incoming call that should not be.
func (s *side) quiet(during time.Duration) {
	s.t.Helper()
	timeout := time.After(during)
	for {
		select {
		case event := <-s.events:
			if event.Kind == call.EventIncoming {
				s.t.Fatalf("%s: it rings, by the rule %q", s.name(), event.Call.WhyItRings)
			}
		case <-timeout:
			return
		}
	}
}

func (s *side) do(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestACallAnsweredByAPerson(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice := start(t, a, settings.Contacts, false, b.Contact())
	bob := start(t, b, settings.Contacts, false, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	alice.await(call.EventRinging)
	if opened := bob.opened.Load(); opened != 0 {
		t.Errorf("bob's microphone was opened %d times while it rang", opened)
	}
	if seen := w.Seen(b.Address); len(seen) != 1 {
		t.Errorf("while it rang, bob's machine had packets with %v", seen)
	}
	bob.do(bob.engine.Answer())
	alice.await(call.EventConnected)
	bob.await(call.EventConnected)
	alice.await(call.EventAudio)
	bob.await(call.EventAudio)
	hers, his := alice.engine.Snapshot().Call, bob.engine.Snapshot().Call
	if !hers.Proof.Encrypted || !hers.Proof.PostQuantum || hers.Proof.Route != "relay" || hers.Proof.SameRelay {
		t.Errorf("alice's proof: %+v", hers.Proof)
	}
	for i := range hers.Proof.Words {
		if hers.Proof.Words[i] != his.Proof.Words[i] {
			t.Errorf("the words differ: %v and %v", hers.Proof.Words, his.Proof.Words)
		}
	}
	if hers.Proof.PeerSees != his.Proof.RelayRemote {
		t.Errorf("alice is shown that bob sees %s; bob sees %s", hers.Proof.PeerSees, his.Proof.RelayRemote)
	}
	alice.do(alice.engine.SetHeld(true))
	if event := bob.await(call.EventChanged); !event.Call.PeerHeld {
		t.Errorf("bob was not told of the hold: %+v", event.Call)
	}
	bob.do(bob.engine.HangUp())
	bob.ended(call.HungUp)
	alice.ended(call.PeerHungUp)
	if receipt := alice.engine.Snapshot().Call.Receipt(); receipt == "" {
		t.Error("no receipt")
	}
}

func TestDeclined(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice := start(t, a, settings.Contacts, false, b.Contact())
	bob := start(t, b, settings.Contacts, false, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Decline())
	bob.ended(call.DeclinedHere)
	alice.ended(call.Declined)
	if bob.opened.Load() != 0 {
		t.Error("a declined call opened the microphone")
	}
}

// TestHangingUpBeforeTheAnswerHasLeft: bob answers, his new line to the relay does
// not come up, and he thinks better of it. Alice must not ring on.
func TestHangingUpBeforeTheAnswerHasLeft(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	dial, lines := b.Network.Dial, new(atomic.Int32)
	b.Network.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if lines.Add(1) > 1 { // the receiving line is the first
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return dial(ctx, network, address)
	}
	alice := start(t, a, settings.Contacts, false, b.Contact())
	bob := start(t, b, settings.Contacts, false, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Answer())
	bob.await(call.EventConnecting)
	bob.do(bob.engine.HangUp())
	bob.ended(call.HungUp)
	alice.ended(call.Declined)
}

func TestCancelledStopsTheRinging(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice := start(t, a, settings.Contacts, false, b.Contact())
	bob := start(t, b, settings.Contacts, false, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	alice.do(alice.engine.HangUp())
	alice.ended(call.Cancelled)
	bob.ended(call.Missed)
}

func TestBusyToContactsSilenceToOthers(t *testing.T) {
	w := newWorld(t)
	a, b, c, d := person(t, w, 0, "alice"), person(t, w, 1, "bob"), person(t, w, 0, "carol"), person(t, w, 0, "dan")
	alice := start(t, a, settings.Contacts, false, b.Contact())
	bob := start(t, b, settings.Anyone, true, a.Contact(), c.Contact())
	carol := start(t, c, settings.Contacts, false, b.Contact())
	stranger := b.Contact()
	stranger.Reached = false // so that he knocks at the card drop too
	dan := start(t, d, settings.Contacts, false, stranger)
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventConnected)
	carol.do(carol.engine.Dial("bob"))
	carol.ended(call.Busy)
	dan.do(dan.engine.Dial("bob"))
	dan.await(call.EventDialling)
	select {
	case event := <-dan.events:
		t.Errorf("a stranger was told %s", event.Kind)
	case <-time.After(time.Second):
	}
	bob.quiet(0)
}

// TestWhoMayCall goes through the policies with somebody verified, a contact, a
// stranger with the card and somebody blocked.
func TestWhoMayCall(t *testing.T) {
	type caller struct {
		name            string
		known, verified bool
		blocked         bool
		may             map[settings.Who]bool
	}
	callers := []caller{
		{"verified", true, true, false, map[settings.Who]bool{settings.Verified: true, settings.Contacts: true, settings.Anyone: true}},
		{"contact", true, false, false, map[settings.Who]bool{settings.Contacts: true, settings.Anyone: true}},
		{"stranger", false, false, false, map[settings.Who]bool{settings.Anyone: true}},
		{"blocked", true, true, true, map[settings.Who]bool{}},
	}
	for _, who := range []settings.Who{settings.Nobody, settings.Verified, settings.Contacts, settings.Anyone} {
		t.Run(string(who), func(t *testing.T) {
			w := newWorld(t)
			b := person(t, w, 1, "bob")
			people := make([]*world.Person, len(callers))
			var contacts []call.Contact
			for i, c := range callers {
				people[i] = person(t, w, 0, c.name)
				if contact := people[i].Contact(); c.known {
					contact.Verified, contact.Blocked = c.verified, c.blocked
					contacts = append(contacts, contact)
				}
			}
			bob := start(t, b, who, false, contacts...)
			for i, c := range callers {
				first := b.Contact()
				first.Reached = false
				from := start(t, people[i], settings.Contacts, false, first)
				from.do(from.engine.Dial("bob"))
				if c.may[who] {
					if event := bob.await(call.EventIncoming); event.Call.Peer.Verified != (c.verified && c.known) {
						t.Errorf("%s is shown as %+v", c.name, event.Call.Peer)
					}
					bob.do(bob.engine.Decline())
					bob.ended(call.DeclinedHere)
				} else {
					bob.quiet(500 * time.Millisecond)
				}
				_ = from.engine.HangUp() // over already where it was declined
			}
			if bob.opened.Load() != 0 {
				t.Error("a microphone was opened")
			}
		})
	}
}

func TestGlareIsOneCall(t *testing.T) {
	for round := range 6 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			w := newWorld(t)
			a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
			alice := start(t, a, settings.Contacts, false, b.Contact())
			bob := start(t, b, settings.Contacts, false, a.Contact())
			dialled := make(chan error, 1)
			go func() { dialled <- bob.engine.Dial("alice") }()
			// Sometimes at once, sometimes while his knock is under way or rings.
			time.Sleep(time.Duration(round) * 2 * time.Millisecond)
			alice.do(alice.engine.Dial("bob"))
			if err := <-dialled; err != nil {
				t.Fatal(err)
			}
			alice.await(call.EventConnected)
			bob.await(call.EventConnected)
			if hers, his := alice.engine.Snapshot().Call.Proof.Words, bob.engine.Snapshot().Call.Proof.Words; len(hers) != 4 || hers[0] != his[0] || hers[3] != his[3] {
				t.Errorf("round %d: the words differ: %v and %v", round, hers, his)
			}
			alice.do(alice.engine.HangUp())
			alice.ended(call.HungUp)
			bob.ended(call.PeerHungUp)
		})
	}
}

func TestOffMeansNoCall(t *testing.T) {
	nettest.Leaks(t)
	engine := call.New(call.Config{Book: world.NewBook(settings.Contacts)})
	defer engine.Close()
	if err := engine.Dial("nobody"); !errors.Is(err, call.ErrNoContact) {
		t.Errorf("%v", err)
	}
	for name, command := range map[string]func() error{"answer": engine.Answer, "decline": engine.Decline, "hang up": engine.HangUp} {
		if err := command(); !errors.Is(err, call.ErrNoCall) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEchoIsACallWithoutARelay(t *testing.T) {
	nettest.Leaks(t)
	engine := call.New(call.Config{
		Book: world.NewBook(settings.Nobody), Echo: world.Echo,
		OpenSound: func() (call.Sound, error) {
			tone, err := fake.NewTone(440)
			return call.Sound{Source: tone, Sink: fake.NewNullSink()}, err
		},
	})
	defer engine.Close()
	events, unsubscribe := engine.Subscribe()
	defer unsubscribe()
	s := &side{t: t, events: events, engine: engine}
	if err := engine.Dial(call.EchoName); err != nil {
		t.Fatal(err)
	}
	timeout := time.After(patience)
	for {
		select {
		case event := <-events:
			if event.Kind == call.EventEnded {
				t.Fatalf("%s %s", event.Call.Reason, event.Call.Detail)
			}
			// The tone comes back as loud as it went.
			if event.Kind == call.EventStats && event.Call.Stats.LevelOut > -20 {
				s.do(engine.HangUp())
				return
			}
		case <-timeout:
			t.Fatal("the echo was not heard")
		}
	}
}

func TestEveryWarningIsToldOnce(t *testing.T) {
	nettest.Leaks(t)
	want := []advice.Text{{What: "no microphone", Do: advice.DoWithoutDevices}, {What: "no speaker"}}
	engine := call.New(call.Config{
		Book: world.NewBook(settings.Nobody), Echo: world.Echo,
		OpenSound: func() (call.Sound, error) {
			return call.Sound{Source: fake.NewNullSource(), Sink: fake.NewNullSink(), Warnings: want}, nil
		},
	})
	defer engine.Close()
	events, unsubscribe := engine.Subscribe()
	defer unsubscribe()
	s := &side{t: t, events: events, engine: engine}
	s.do(engine.Dial(call.EchoName))
	for _, warning := range want {
		if event := s.await(call.EventChanged); event.Warning != warning {
			t.Errorf("told %q, not %q", event.Warning, warning)
		}
	}
	s.await(call.EventConnected)
	s.do(engine.SetMuted(true))
	if event := s.await(call.EventChanged); event.Warning.What != "" || len(event.Call.Warnings) != 2 {
		t.Errorf("muting told %q again, of %v", event.Warning, event.Call.Warnings)
	}
}
