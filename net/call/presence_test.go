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
	"sotto/net/world"
	"sotto/settings"
)

// together is the policy of somebody who shows chosen contacts that they are here.
var together = call.Policy{Who: settings.Contacts, Ringing: true, Presence: true}

// agreed is a contact with that said of presence.
func agreed(p *world.Person, said settings.Presence) call.Contact {
	contact := p.Contact()
	contact.Presence = said
	return contact
}

var both = settings.Presence{Agreed: true, Told: true, Theirs: true}

// keepEvery is keep for somebody who says so often that they are here.
func keepEvery(t *testing.T, p *world.Person, every time.Duration, policy call.Policy, contacts ...call.Contact) *side {
	t.Helper()
	return keepWith(t, p, func(config *call.Config) { config.PresenceEvery = every }, policy, contacts...)
}

// sees waits until the person's screen has, or has not, the mark of another.
func (s *side) sees(other *world.Person, here bool) {
	s.t.Helper()
	s.until("the mark of "+other.Contact().Name, func() bool { return s.marked(other) == here })
}

func (s *side) marked(other *world.Person) bool {
	return s.engine.Snapshot().Here[other.Contact().Card.Key.String()]
}

// said is what the person's book has of another.
func (s *side) said(other *world.Person) settings.Presence {
	for _, contact := range s.book.Contacts() {
		if contact.Card.Key == other.Contact().Card.Key {
			return contact.Presence
		}
	}
	return settings.Presence{}
}

// ears hear whatever comes into drops of people at one relay, beside those people's own lines.
type ears struct {
	mu    sync.Mutex // guards the following
	heard map[string][]wire.PresenceState
	other int // envelopes that hold no word of presence
}

// listenIn is ears on from's envelopes for each of the people, all at one relay. It has
// their keys, as they have.
func listenIn(t *testing.T, from *world.Person, people ...*world.Person) *ears {
	t.Helper()
	e := &ears{heard: make(map[string][]wire.PresenceState)}
	a := newAttacker(t, people[0])
	var drops []ed25519.PrivateKey
	for _, p := range people {
		drops = append(drops, dropFor(from, p, a.line.Now()))
	}
	a.listen(drops...)
	go func() { // ends with the line
		for envelope := range a.line.Deliveries() {
			e.mu.Lock()
			opened := false
			for _, p := range people {
				if _, word, err := handshake.OpenPresence(p.Account.Self, envelope.Body[:]); err == nil {
					e.heard[p.Contact().Name], opened = append(e.heard[p.Contact().Name], word.State), true
				}
			}
			if !opened {
				e.other++
			}
			e.mu.Unlock()
		}
	}()
	return e
}

func dropFor(from, to *world.Person, now time.Time) ed25519.PrivateKey {
	self := from.Account.Self
	return self.PairDrop(self.Key(), to.Contact().Card.Key, identity.Week(now))
}

func (e *ears) words(of *world.Person) []wire.PresenceState {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]wire.PresenceState(nil), e.heard[of.Contact().Name]...)
}

func (e *ears) last(of *world.Person) wire.PresenceState {
	if words := e.words(of); len(words) > 0 {
		return words[len(words)-1]
	}
	return 0
}

// counted counts the lines that a person's program opens: the first is the receiving
// one, and each word of presence, like each call, has one of its own.
func counted(p *world.Person) *tap {
	n := &tap{Net: p.Network.Media, dial: p.Network.Dial}
	p.Network.Dial = n.Dial
	return n
}

func TestContactsWhoBothAgreeSeeEachOtherUntilOneLeaves(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	heard := listenIn(t, b, a)
	const every = 20 * time.Second // no mark ends by itself in this test
	alice := keepEvery(t, a, every, together, agreed(b, both))
	bob := keepEvery(t, b, every, together, agreed(a, both))
	alice.sees(b, true)
	bob.sees(a, true)
	event := alice.next(call.EventPresence, func(event call.Event) bool { return event.Presence.Here })
	if mark := event.Presence; mark.Name != "bob" || mark.Key != b.Contact().Card.Key.String() || event.Call != nil {
		t.Errorf("%+v", event.Presence)
	}
	bob.do(bob.engine.Close())
	alice.sees(b, false)
	alice.until("his last word is that he leaves", func() bool { return heard.last(a) == wire.PresenceGone })
	for _, s := range []*side{alice, bob} {
		if len(s.book.history) != 0 || s.rings.Load() != 0 || s.engine.Snapshot().Call != nil {
			t.Errorf("%s: a word of presence left a trace of a call", s.name())
		}
	}
}

// Whoever lacks one of the two agreements, or may not call, is sent not one envelope,
// while somebody who has all of it is sent many.
func TestOnlyWhereBothAgreeIsAnythingSent(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	policy := together
	policy.Who = settings.Verified
	contacts, people := []call.Contact{agreed(b, both)}, []*world.Person{b}
	for name, alter := range map[string]func(*call.Contact){
		"she has not chosen":      func(c *call.Contact) { c.Presence.Agreed = false },
		"they have not chosen":    func(c *call.Contact) { c.Presence.Theirs = false },
		"neither has":             func(c *call.Contact) { c.Presence = settings.Presence{} },
		"blocked":                 func(c *call.Contact) { c.Blocked = true },
		"may not call":            func(c *call.Contact) { c.Verified = false },
		"blocked, always to ring": func(c *call.Contact) { c.Blocked, c.Ring = true, settings.RingAlways },
	} {
		p := person(t, w, 1, name)
		contact := agreed(p, both)
		alter(&contact)
		contacts, people = append(contacts, contact), append(people, p)
	}
	heard := listenIn(t, a, people...)
	lines := counted(a)
	alice := keepEvery(t, a, 10*time.Millisecond, policy, contacts...)
	bob := keepEvery(t, b, 10*time.Millisecond, together, agreed(a, both)) // so that he is told often
	alice.until("bob is told often", func() bool { return len(heard.words(b)) >= 8 })
	for _, p := range people[1:] {
		if words := heard.words(p); len(words) != 0 {
			t.Errorf("%s: they were told %v", p.Contact().Name, words)
		}
	}
	bob.do(bob.engine.Close())
	alice.do(alice.engine.Close())
	if told, opened := len(heard.words(b)), len(lines.lines())-1; opened < told || heard.other != 0 {
		t.Errorf("%d lines for %d words, and %d other envelopes", opened, told, heard.other)
	}
	for _, p := range people[1:] {
		if words := heard.words(p); len(words) != 0 {
			t.Errorf("%s: they were told %v when she left", p.Contact().Name, words)
		}
	}
}

// The setting, calling as a whole, and a policy that lets nobody call each stop all of it.
func TestWhileItIsOffNothingIsSent(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	heard, lines := listenIn(t, a, b), counted(a)
	const every = 30 * time.Millisecond
	off := together
	off.Presence = false
	alice := keepEvery(t, a, every, off, agreed(b, both))
	nobody := together
	nobody.Who = settings.Nobody
	for _, policy := range []call.Policy{off, nobody} {
		alice.change(func(l *ledger) { l.policy = policy })
		time.Sleep(10 * every)
		if words := heard.words(b); len(words) != 0 || len(lines.lines()) != 1 {
			t.Fatalf("with %+v she said %v over %d lines", policy, words, len(lines.lines()))
		}
	}
	alice.change(func(l *ledger) { l.policy = together })
	alice.until("bob is told", func() bool { return heard.last(b) == wire.PresenceHere })
	alice.engine.Leave(nil)
	said, opened := len(heard.words(b)), len(lines.lines())
	time.Sleep(10 * every)
	if now := len(heard.words(b)); now > said+1 || len(lines.lines()) != opened { // the last may still have been on its way
		t.Errorf("with calling off she said %d more, over %d more lines", now-said, len(lines.lines())-opened)
	}
}

// Whoever is told no more is told that it is the last time, while they may still believe it.
func TestWhoeverWasToldIsToldTheLastTime(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	heard := listenIn(t, a, b)
	alice := keepEvery(t, a, 20*time.Second, together, agreed(b, both))
	alice.until("bob is told", func() bool { return heard.last(b) == wire.PresenceHere })
	nobody := together
	nobody.Who = settings.Nobody
	alice.change(func(l *ledger) { l.policy = nobody })
	alice.until("bob is told no more", func() bool { return heard.last(b) == wire.PresenceGone })
	alice.change(func(l *ledger) { l.policy = together })
	alice.until("bob is told again", func() bool { return heard.last(b) == wire.PresenceHere })
	alice.engine.Leave(nil)
	alice.until("she says that she leaves", func() bool { return heard.last(b) == wire.PresenceGone })
}

func TestAgreementIsSaidInACallAndTakenBackAtOnce(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	const every = 20 * time.Second
	heard := listenIn(t, a, b)
	alice := keepEvery(t, a, every, together, agreed(b, settings.Presence{Agreed: true}))
	bob := keepEvery(t, b, every, together, agreed(a, settings.Presence{Agreed: true}))
	talking(t, alice, bob)
	alice.sees(b, true)
	bob.sees(a, true)
	alice.do(alice.engine.HangUp())
	bob.ended(call.PeerHungUp)
	if hers, his := alice.said(b), bob.said(a); !hers.Theirs || !hers.Told || !his.Theirs || !his.Told {
		t.Errorf("the books have %+v and %+v", hers, his)
	}
	alice.change(func(l *ledger) { l.contacts[0].Presence.Agreed = false })
	alice.sees(b, false)
	bob.sees(a, false)
	bob.until("bob knows that she took it back", func() bool { return !bob.said(a).Theirs })
	bob.until("her last word is that it ended", func() bool { return heard.last(b) == wire.PresenceEnded })
	if !alice.said(b).Theirs {
		t.Error("that she took it back changed what he said")
	}
	alice.change(func(l *ledger) { l.contacts[0].Presence.Agreed = true })
	bob.sees(a, true) // her "here" is her agreement; no call is needed
	alice.sees(b, true)
	bob.change(func(l *ledger) { l.contacts[0].Blocked = true })
	bob.sees(a, false)
	if last := heard.last(b); last != wire.PresenceHere {
		t.Errorf("her last word was %v", last)
	}
}

// Somebody who took it back while they were away is not told so by their coming, but in
// the next call; somebody who never agreed says nothing of it there.
func TestTakenBackWhileAwayIsSaidInTheNextCall(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	const every = 30 * time.Millisecond
	heard := listenIn(t, a, b)
	alice := keepEvery(t, a, every, together, agreed(b, settings.Presence{Told: true, Theirs: true}))
	bob := keepEvery(t, b, every, together, agreed(a, both))
	time.Sleep(10 * every)
	if words := heard.words(b); len(words) != 0 {
		t.Fatalf("she said %v", words)
	}
	if alice.marked(b) {
		t.Error("she took it back, and sees him all the same")
	}
	talking(t, alice, bob)
	bob.until("bob knows", func() bool { return !bob.said(a).Theirs })
	alice.until("she knows that he knows", func() bool { return !alice.said(b).Told })
	alice.do(alice.engine.HangUp())
	bob.ended(call.PeerHungUp)
	if words := heard.words(b); len(words) != 0 {
		t.Errorf("she said %v", words)
	}
}

// A mark ends by itself when nothing more comes.
func TestAMarkLapses(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
	bob := keepEvery(t, b, time.Second, together, agreed(m, both))
	mallory := newAttacker(t, m)
	mallory.says(b, wire.Presence{At: mallory.line.Now().UnixMilli(), State: wire.PresenceHere})
	bob.next(call.EventPresence, func(event call.Event) bool { return event.Presence.Here })
	bob.next(call.EventPresence, func(event call.Event) bool { return !event.Presence.Here })
	bob.sees(m, false)
}

// says puts a word of presence into the pair drop.
func (a *attacker) says(to *world.Person, word wire.Presence) (body []byte) {
	a.t.Helper()
	body, err := handshake.SealPresence(a.person.Account.Self, to.Contact().Card.Key, word)
	if err != nil {
		a.t.Fatal(err)
	}
	a.post(to.Account.Relay, dropFor(a.person, to, a.line.Now()), body)
	return body
}

// settle returns once all that was posted before has been read: a knock that came after it rings.
func (a *attacker) settle(bob *side) {
	a.t.Helper()
	out := a.knock(bob.person.Contact().Card.Key, time.Minute)
	drop := dropFor(a.person, bob.person, a.line.Now())
	a.post(bob.person.Account.Relay, drop, out.Knock())
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Decline())
	bob.ended(call.DeclinedHere)
}

// What somebody says who was not chosen changes nothing and is answered by nothing,
// however it comes; neither is what comes into the card's drop, or with another's key.
func TestWordsOfSomebodyNotChosenAreNothing(t *testing.T) {
	w := newWorld(t)
	m, e, b := person(t, w, 0, "mallory"), person(t, w, 0, "eve"), person(t, w, 1, "bob")
	lines := counted(b)
	policy := together
	policy.Who, policy.Ringing = settings.Anyone, false
	bob := keepEvery(t, b, 20*time.Second, policy, agreed(m, settings.Presence{}), agreed(e, settings.Presence{}))
	mallory, eve := newAttacker(t, m), newAttacker(t, e)
	now := mallory.line.Now()
	for i, state := range []wire.PresenceState{wire.PresenceHere, wire.PresenceGone, wire.PresenceEnded, wire.PresenceHere} {
		mallory.says(b, wire.Presence{At: now.UnixMilli() + int64(i), State: state})
	}
	mallory.settle(bob)
	if said := bob.said(m); said.Theirs || said.Told || bob.marked(m) || len(lines.lines()) != 1 {
		t.Errorf("%+v, over %d lines", said, len(lines.lines()))
	}
	bob.change(func(l *ledger) { l.contacts[1].Presence = both })
	// Mallory, with eve's word for bob or her own key, in drops that are not the sender's.
	word := wire.Presence{At: now.UnixMilli(), State: wire.PresenceHere}
	eves, err := handshake.SealPresence(e.Account.Self, b.Contact().Card.Key, word)
	if err != nil {
		t.Fatal(err)
	}
	mallory.post(b.Account.Relay, dropFor(m, b, now), eves)
	card := b.Contact().Card
	mallory.post(b.Account.Relay, identity.CardDrop(card.Key, card.Secret, identity.Week(now)), eves)
	mallory.settle(bob)
	if bob.marked(e) || bob.marked(m) {
		t.Error("a word counted that came by another's drop")
	}
	eve.post(b.Account.Relay, dropFor(e, b, now), eves)
	bob.sees(e, true)
}

// A chosen contact who has said nothing yet, and another's word in their drop: neither is here by it.
func TestAnothersWordInAContactsDropShowsNobody(t *testing.T) {
	w := newWorld(t)
	m, e, b := person(t, w, 0, "mallory"), person(t, w, 0, "eve"), person(t, w, 1, "bob")
	policy := together
	policy.Ringing = false
	bob := keepEvery(t, b, 20*time.Second, policy, agreed(m, both), agreed(e, both))
	mallory := newAttacker(t, m)
	heard := listenIn(t, m, b)
	now := mallory.line.Now()
	eves, err := handshake.SealPresence(e.Account.Self, b.Contact().Card.Key, wire.Presence{At: now.UnixMilli(), State: wire.PresenceHere})
	if err != nil {
		t.Fatal(err)
	}
	mallory.post(b.Account.Relay, dropFor(m, b, now), eves)
	bob.until("it has come to his drop", func() bool { return heard.last(b) == wire.PresenceHere })
	mallory.settle(bob)
	if bob.marked(m) || bob.marked(e) {
		t.Errorf("by eve's word in mallory's drop, mallory is here: %v, eve: %v", bob.marked(m), bob.marked(e))
	}
	mallory.says(b, wire.Presence{At: now.UnixMilli() + 1, State: wire.PresenceHere})
	bob.sees(m, true) // her own word counts
	if bob.marked(e) {
		t.Error("eve is here by a word of mallory's")
	}
}

func TestOldRepeatedAndMisdatedWordsCountForNothing(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
	const every = 20 * time.Second
	mallory := newAttacker(t, m)
	now := mallory.line.Now().UnixMilli()
	known := both
	known.At = now - 1000 // his book has a word of then
	policy := together
	policy.Ringing = false
	bob := keepEvery(t, b, every, policy, agreed(m, known))
	const minute = 60_000
	for what, at := range map[string]int64{"before what the book has": now - 1001, "old": now - 4*minute, "from the future": now + 3*minute, "from far away": 1 << 60} {
		mallory.says(b, wire.Presence{At: at, State: wire.PresenceHere})
		mallory.settle(bob)
		if bob.marked(m) {
			t.Fatalf("a word %s made a mark", what)
		}
	}
	here := mallory.says(b, wire.Presence{At: now, State: wire.PresenceHere})
	bob.sees(m, true)
	mallory.says(b, wire.Presence{At: now + 1, State: wire.PresenceGone})
	bob.sees(m, false)
	mallory.post(b.Account.Relay, dropFor(m, b, mallory.line.Now()), here)
	garbage := append([]byte(nil), here...)
	garbage[len(garbage)-1] ^= 1
	mallory.post(b.Account.Relay, dropFor(m, b, mallory.line.Now()), garbage)
	mallory.settle(bob)
	if bob.marked(m) {
		t.Error("a repeated word made a mark")
	}
	mallory.says(b, wire.Presence{At: now + 100_000, State: wire.PresenceHere}) // a clock that is off, within bounds
	bob.sees(m, true)
	if entries := bob.recorded(5); len(entries) != 5 { // of the knocks that settle
		t.Error(entries)
	}
}

// Somebody who changes their mind all the time costs no write each time.
func TestMindsThatChangeAreBelievedNowAndThen(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
	policy := together
	policy.Ringing = false
	bob := keepEvery(t, b, 20*time.Second, policy, agreed(m, both))
	mallory := newAttacker(t, m)
	heard := listenIn(t, m, b)
	now := mallory.line.Now().UnixMilli()
	for i := range int64(16) {
		state := wire.PresenceEnded
		if i%2 == 1 {
			state = wire.PresenceHere
		}
		mallory.says(b, wire.Presence{At: now + i, State: state})
		bob.until("it has come", func() bool { return len(heard.words(b)) == int(i)+1 }) // what is sent at once may change places
	}
	mallory.settle(bob)
	if at := bob.said(m).At; at != now+7 {
		t.Errorf("the last one believed was number %d", at-now)
	}
}
