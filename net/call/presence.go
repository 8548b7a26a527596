package call

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/wire"
)

// Presence: two contacts who have both chosen it see of each other that they are here.
//
//	in a call, once connected     I agree →                ← I agree    (presence_words.go)
//	from then on, in envelopes    here → pair drop         ← here       every 4 to 6 minutes
//	leaving, calling goes off     gone →
//	taking it back                ended →                  and no further word from either
//
// An envelope of presence has the size, the seal and the drop of a knock, and a fresh
// nameless line to the own relay brings it there, as it brings a knock. It goes only to
// a contact for whom the person has chosen it, who may call, and who has said that they
// have chosen the same: nobody else is sent anything, and nothing that comes is ever
// answered because it came, except that a contact whose mark goes on here is told "here"
// soon, if both agree. A "here" is also a word of agreement: only who agrees is sent one
// and sends one.
//
// What comes is checked as a knock is: the sender's key against the drop, the clock, the
// book as it is now. It rings nobody, is written into no history, and needs no memory of
// what was seen: a word counts only when it is later than the last, and a mark ends by
// itself a fixed time after its "here" was sent, so that playing one again after a
// restart makes no mark longer than withholding "gone" does, which a relay always can.
const (
	presenceEvery = 5 * time.Minute
	// A contact who seems to be away is told less often: they tell, too, when they come.
	presenceAway = 6
	// presenceWithin bounds one envelope, from dialling the own relay on.
	presenceWithin = 10 * time.Second
	// goneWithin bounds what leaving takes longer because of it.
	goneWithin = 400 * time.Millisecond

	// How often contacts may change their minds and be believed: each time is a write.
	mindsEvery = 10 * time.Second
	mindsBurst = 8
)

// presence is the words of presence that leave one station, and the marks that came. It
// has one goroutine, run.
type presence struct {
	station *station
	every   time.Duration
	minds   *rate.Limiter
	changed chan struct{} // capacity 1
	fresh   atomic.Bool   // the line has come up since the last look
	cancel  context.CancelFunc
	done    chan struct{}

	marks map[identity.Key]mark     // guarded by engine.mu
	come  map[identity.Key]struct{} // whose mark has gone on since the last look; guarded by engine.mu

	// owned by run
	due  map[identity.Key]time.Time // when a contact is told next
	sent map[identity.Key]time.Time // when they were told "here" last, while they may still believe it
}

// mark is what a contact last said.
type mark struct {
	at    int64     // of the latest word that counted, Unix milliseconds by their relay
	until time.Time // when a "here" ends by itself; zero: they are not here
}

// here compares by the wall clock too: the other one stands still while a machine sleeps.
func (m mark) here(now time.Time) bool {
	return now.Before(m.until) && now.Round(0).Before(m.until.Round(0))
}

func newPresence(ctx context.Context, s *station) *presence {
	p := &presence{
		station: s, every: s.engine.cfg.PresenceEvery, minds: rate.NewLimiter(rate.Every(mindsEvery), mindsBurst),
		changed: make(chan struct{}, 1), done: make(chan struct{}), marks: make(map[identity.Key]mark), come: make(map[identity.Key]struct{}),
		due: make(map[identity.Key]time.Time), sent: make(map[identity.Key]time.Time),
	}
	ctx, p.cancel = context.WithCancel(ctx)
	go p.run(ctx)
	return p
}

// lapse is how long a mark outlives its "here": two of the longest intervals, and air.
func (p *presence) lapse() time.Duration { return p.every * 5 / 2 }

// close says "gone" to who was told "here", and waits for the goroutine.
func (p *presence) close() {
	p.cancel()
	<-p.done
}

// poke makes the goroutine look at everything anew.
func (p *presence) poke() {
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// lineUp is told when the station's line has come up: whoever was told to be here may
// have missed it, and so may this side.
func (p *presence) lineUp() {
	p.fresh.Store(true)
	p.poke()
}

func (p *presence) run(ctx context.Context) {
	defer close(p.done)
	for {
		timer := time.NewTimer(p.round(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			p.leave()
			return
		case <-p.changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// shows reports whether the person lets a contact see that they are here: chosen for all
// and for this one, who may call. Whoever may not call sees the same as if nobody were here.
func shows(policy Policy, contact Contact) bool {
	return policy.Presence && contact.Presence.Agreed && mayCall(policy, contact)
}

// exchanges reports whether a contact is told "here": the person shows it, and the
// contact has said the same.
func exchanges(policy Policy, contact Contact) bool {
	return shows(policy, contact) && contact.Presence.Theirs
}

// round tells whoever is due, takes away marks that are over, and says how long nothing
// further is to be done.
func (p *presence) round(ctx context.Context) time.Duration {
	book := p.station.engine.cfg.Book
	policy, contacts := book.Policy(), book.Contacts()
	together := make(map[identity.Key]Contact)
	known := make(map[identity.Key]Contact)
	for _, contact := range contacts {
		known[contact.Card.Key] = contact
		if exchanges(policy, contact) {
			together[contact.Card.Key] = contact
		}
	}
	next := p.tidyMarks(policy, known)
	p.part(ctx, policy, known, together)
	if p.station.keeper.Line() == nil {
		return next // lineUp comes back
	}
	if p.fresh.Swap(false) {
		for key := range together {
			p.soon(key, p.every/60)
		}
	}
	for _, key := range p.newcomers() {
		if _, both := together[key]; both {
			p.soon(key, p.every/30)
		}
	}
	for key, contact := range together {
		if _, planned := p.due[key]; !planned {
			p.soon(key, p.every/60)
		}
		if !time.Now().Before(p.due[key]) {
			p.tell(ctx, contact)
		}
		next = min(next, time.Until(p.due[key]))
	}
	return next
}

// soon plans a word within a time, at random, so that several do not leave at once; and
// not sooner after the last one than a tenth of the interval.
func (p *presence) soon(key identity.Key, within time.Duration) {
	at := time.Now().Add(rand.N(within + 1))
	if last, told := p.sent[key]; told && at.Before(last.Add(p.every/10)) {
		at = last.Add(p.every / 10)
	}
	if planned, ok := p.due[key]; !ok || at.Before(planned) {
		p.due[key] = at
	}
}

// tell says "here" to a contact and plans the next time.
func (p *presence) tell(ctx context.Context, contact Contact) {
	key := contact.Card.Key
	pause := p.every
	if !p.isHere(key) {
		pause *= presenceAway
	}
	if err := p.send(ctx, key); err != nil {
		p.station.engine.cfg.Log.Debug("a word of presence was not taken", "error", err)
	}
	p.due[key] = time.Now().Add(pause*4/5 + rand.N(pause*2/5+1))
}

// send says "here", unless the book says otherwise by the time the line is there.
func (p *presence) send(ctx context.Context, key identity.Key) error {
	ctx, cancel := context.WithTimeout(ctx, presenceWithin)
	defer cancel()
	sending, err := p.station.sendingLine(ctx)
	if err != nil {
		return err
	}
	defer sending.Close()
	book := p.station.engine.cfg.Book
	contact, known := contactOf(book, key)
	if !known || !exchanges(book.Policy(), contact) {
		return nil
	}
	if err := book.PresenceTold(key, true); err != nil {
		return err // what cannot be remembered could not be taken back
	}
	p.sent[key] = time.Now()
	return p.put(ctx, sending, contact, wire.PresenceHere)
}

// put seals one word into the drop where the contact's knocks arrive.
func (p *presence) put(ctx context.Context, sending *line.Line, to Contact, state wire.PresenceState) error {
	self, now := p.station.account.Self, sending.Now()
	body, err := handshake.SealPresence(self, to.Card.Key, p.station.engine.presenceWord(now, state))
	if err != nil {
		return err
	}
	m := mail{line: sending, to: to.Card.Relay, key: self.PairDrop(self.Key(), to.Card.Key, identity.Week(now))}
	return m.post(ctx, body)
}

// presenceWord dates a word later than any before it.
func (e *Engine) presenceWord(now time.Time, state wire.PresenceState) wire.Presence {
	for {
		last := e.presenceAt.Load()
		at := max(now.UnixMilli(), last+1)
		if e.presenceAt.CompareAndSwap(last, at) {
			return wire.Presence{At: at, State: state}
		}
	}
}

// part says a last word to those with whom no words are exchanged any more: that the
// person took it back, or else that they are gone. Somebody who was blocked or removed
// is told nothing; their mark ends by itself.
func (p *presence) part(ctx context.Context, policy Policy, known, together map[identity.Key]Contact) {
	last := make(map[identity.Key]wire.PresenceState)
	for key := range p.due {
		if _, stay := together[key]; !stay {
			delete(p.due, key)
		}
	}
	for key, at := range p.sent {
		contact, there := known[key]
		_, stay := together[key]
		switch {
		case stay:
			continue
		case !there || contact.Blocked || !contact.Presence.Theirs || time.Since(at) > p.lapse():
		case policy.Presence && contact.Presence.Agreed:
			last[key] = wire.PresenceGone
		default:
			last[key] = wire.PresenceEnded
		}
		delete(p.sent, key)
	}
	p.lastWords(ctx, presenceWithin, known, last)
}

// leave says "gone" to all who were told "here" and may believe it still.
func (p *presence) leave() {
	book := p.station.engine.cfg.Book
	policy, contacts := book.Policy(), book.Contacts()
	known, last := make(map[identity.Key]Contact), make(map[identity.Key]wire.PresenceState)
	for _, contact := range contacts {
		key := contact.Card.Key
		known[key] = contact
		if at, told := p.sent[key]; told && exchanges(policy, contact) && time.Since(at) < p.lapse() {
			last[key] = wire.PresenceGone
		}
	}
	p.lastWords(context.Background(), goneWithin, known, last)
}

// lastWords go over one line: they leave together.
func (p *presence) lastWords(ctx context.Context, within time.Duration, known map[identity.Key]Contact, last map[identity.Key]wire.PresenceState) {
	if len(last) == 0 || p.station.keeper.Line() == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	sending, err := p.station.sendingLine(ctx)
	if err != nil {
		return
	}
	defer sending.Close()
	for key, state := range last {
		_ = p.put(ctx, sending, known[key], state) // what is lost, the other side's clock makes good
	}
}

// contactOf finds a contact in the book as it is now.
func contactOf(book Book, key identity.Key) (Contact, bool) {
	for _, contact := range book.Contacts() {
		if contact.Card.Key == key {
			return contact, true
		}
	}
	return Contact{}, false
}
