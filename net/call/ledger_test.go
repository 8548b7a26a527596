package call_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"sotto/audio/fake"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/world"
	"sotto/settings"
)

// ledger is an address book that a test can change, as the profile's files can.
type ledger struct {
	*world.Book

	mu       sync.Mutex // guards the following
	policy   call.Policy
	contacts []call.Contact
	history  []settings.HistoryEntry
}

func (l *ledger) record(info call.Info) error {
	entry := info.Entry()
	entry.Why = info.Detail.Error()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history = append(l.history, entry)
	return nil
}

// recorded waits until the history has that many calls, and gives them.
func (s *side) recorded(calls int) []settings.HistoryEntry {
	s.t.Helper()
	var history []settings.HistoryEntry
	s.until("the history is written", func() bool {
		s.book.mu.Lock()
		defer s.book.mu.Unlock()
		history = append([]settings.HistoryEntry(nil), s.book.history...)
		return len(history) >= calls
	})
	if len(history) != calls {
		s.t.Fatalf("%s: %d calls, not %d: %+v", s.name(), len(history), calls, history)
	}
	return history
}

func (l *ledger) Policy() call.Policy {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.policy
}

func (l *ledger) Contacts() []call.Contact {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]call.Contact(nil), l.contacts...)
}

func (l *ledger) PresenceTold(key identity.Key, agreed bool) error {
	return l.presence(key, func(known *settings.Presence) { known.Told = agreed })
}

func (l *ledger) PresenceHeard(key identity.Key, agreed bool, at int64) error {
	return l.presence(key, func(known *settings.Presence) { known.Theirs, known.At = agreed, at })
}

func (l *ledger) presence(key identity.Key, edit func(*settings.Presence)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.contacts {
		if l.contacts[i].Card.Key == key {
			edit(&l.contacts[i].Presence)
		}
	}
	return nil
}

// change edits the book and tells the engine, as whoever writes the files does.
func (s *side) change(edit func(*ledger)) {
	s.book.mu.Lock()
	edit(s.book)
	s.book.mu.Unlock()
	s.engine.PolicyChanged()
}

// keep starts a person with a book that can be changed and a ring that is counted.
func keep(t *testing.T, p *world.Person, policy call.Policy, contacts ...call.Contact) *side {
	t.Helper()
	return keepFor(t, p, 0, policy, contacts...)
}

// keepFor is keep for somebody whose calls are kept so long without a way.
func keepFor(t *testing.T, p *world.Person, lost time.Duration, policy call.Policy, contacts ...call.Contact) *side {
	t.Helper()
	return keepWith(t, p, func(config *call.Config) { config.KeepLost = lost }, policy, contacts...)
}

// keepWith is keep for somebody whose engine is made otherwise.
func keepWith(t *testing.T, p *world.Person, alter func(*call.Config), policy call.Policy, contacts ...call.Contact) *side {
	t.Helper()
	s := &side{t: t, person: p, book: &ledger{Book: world.NewBook(policy.Who), policy: policy, contacts: contacts}}
	config := call.Config{
		Book: s.book, Record: s.book.record,
		OpenSound: func() (call.Sound, error) {
			s.opened.Add(1)
			tone, err := fake.NewTone(440)
			return call.Sound{Source: tone, Sink: fake.NewNullSink()}, err
		},
		Ring: func(incoming bool) func() {
			if !incoming {
				return func() {}
			}
			s.rings.Add(1)
			return func() { s.rings.Add(-1) }
		},
		AutoAnswer: func(identity.Key) bool { return false },
	}
	alter(&config)
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

// everyone is the policy of somebody who answers contacts.
var everyone = call.Policy{Who: settings.Contacts, Ringing: true}

// talking is a call that alice placed and bob answered.
func talking(t *testing.T, alice, bob *side) {
	t.Helper()
	alice.do(alice.engine.Dial(bob.name()))
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Answer())
	alice.await(call.EventConnected)
	bob.await(call.EventConnected)
}

// next reads events until one of that kind that fits.
func (s *side) next(kind call.EventKind, fits func(call.Event) bool) call.Event {
	s.t.Helper()
	for {
		if event := s.await(kind); fits(event) {
			return event
		}
	}
}

// until waits for a state that no event tells of.
func (s *side) until(what string, holds func() bool) {
	s.t.Helper()
	for end := time.Now().Add(patience); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%s: never came to be: %s", s.name(), what)
		}
	}
}
