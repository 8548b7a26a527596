package call

import (
	"context"
	"maps"
	"slices"
	"time"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
)

// presenceCame handles an envelope at a door that is no knock. Nothing is ever sent back
// to somebody whom the person has not chosen, whatever it holds.
func (e *Engine) presenceCame(s *station, at door, body []byte) {
	if at.card {
		return // no stranger has a part in this
	}
	from, word, err := handshake.OpenPresence(s.account.Self, body)
	if err != nil || from != at.contact.Card.Key.Montgomery() {
		return
	}
	contact, known := contactOf(e.cfg.Book, at.contact.Card.Key)
	policy := e.cfg.Book.Policy()
	// That somebody no longer agrees is worth knowing later, too.
	if !known || contact.Blocked || !shows(policy, contact) && word.State != wire.PresenceEnded {
		return
	}
	s.presence.heard(contact, word, s.now(), false)
}

// heard counts a word of a contact by its time, and by now, the relay's. In a call a
// word is one of agreement, and no mark goes on by it. False: it may be said again later.
func (p *presence) heard(contact Contact, word wire.Presence, now time.Time, inCall bool) bool {
	sent := time.UnixMilli(word.At)
	if sent.After(now.Add(clockSkew)) || sent.Before(now.Add(-envelopeLife-clockSkew)) {
		return true
	}
	key, agrees := contact.Card.Key, word.State != wire.PresenceEnded
	e := p.station.engine
	e.mu.Lock()
	m := p.marks[key]
	if word.At <= max(m.at, contact.Presence.At) {
		e.mu.Unlock()
		return true
	}
	if agrees != contact.Presence.Theirs && !p.minds.Allow() {
		e.mu.Unlock()
		return false
	}
	before := m.here(time.Now())
	m.at = word.At
	switch {
	case word.State == wire.PresenceHere && !inCall:
		m.until = time.Now().Add(p.lapse() - max(now.Sub(sent), 0))
	case word.State != wire.PresenceHere:
		m.until = time.Time{}
	}
	p.marks[key] = m
	after := m.here(time.Now())
	if before != after {
		p.publishLocked(contact, after)
	}
	if !before && after {
		p.come[key] = struct{}{}
	}
	e.mu.Unlock()
	if agrees != contact.Presence.Theirs {
		if err := e.cfg.Book.PresenceHeard(key, agrees, word.At); err != nil {
			e.cfg.Log.Warn("what a contact said of presence could not be written down", "error", err)
		}
	}
	p.poke()
	return true
}

// publishLocked tells the listeners of a mark. The caller holds engine.mu.
func (p *presence) publishLocked(contact Contact, here bool) {
	shown := &Mark{Name: identity.CleanName(contact.Name), Key: contact.Card.Key.String(), Here: here}
	p.station.engine.publish(Event{Kind: EventPresence, Presence: shown})
}

// tidyMarks takes away marks that are over, and those of contacts who are shown nothing
// any more, and says how long the next one lasts.
func (p *presence) tidyMarks(policy Policy, known map[identity.Key]Contact) time.Duration {
	e := p.station.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	next := p.lapse()
	for key, m := range p.marks {
		contact, there := known[key]
		switch now := time.Now(); {
		case m.until.IsZero():
		case there && shows(policy, contact) && m.here(now):
			next = min(next, m.until.Sub(now))
		default:
			m.until = time.Time{}
			p.marks[key] = m
			if there {
				p.publishLocked(contact, false)
			}
		}
	}
	return next
}

// newcomers are the contacts whose mark has gone on since the last look.
func (p *presence) newcomers() []identity.Key {
	e := p.station.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	keys := slices.Collect(maps.Keys(p.come))
	clear(p.come)
	return keys
}

func (p *presence) isHere(key identity.Key) bool {
	e := p.station.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	return p.marks[key].here(time.Now())
}

// hereLocked are the marks for a snapshot. The caller holds engine.mu.
func (p *presence) hereLocked(now time.Time) map[string]bool {
	var here map[string]bool
	for key, m := range p.marks {
		if m.here(now) {
			if here == nil {
				here = make(map[string]bool)
			}
			here[key.String()] = true
		}
	}
	return here
}

// agreement is what this side has said of presence in one call. The conversation's
// goroutine owns it.
type agreement struct {
	said   bool // something was
	agreed bool // that the person agrees
	number uint32
}

// watchPresence tells the other side whether the person agrees to presence marks: who
// was never told that they do is not told that they do not, and somebody blocked nothing.
func (t *conversation) watchPresence(ctx context.Context) {
	book := t.call.stationBook()
	if book == nil {
		return
	}
	contact, known := contactOf(book, t.remoteCard.Key)
	if !known || contact.Blocked {
		return
	}
	agrees := shows(book.Policy(), contact)
	switch {
	case t.agreed.said && t.agreed.agreed == agrees:
		return
	case !agrees && !contact.Presence.Told:
		return
	case agrees && book.PresenceTold(contact.Card.Key, true) != nil:
		return // what cannot be remembered could not be taken back
	}
	delete(t.numbered.waiting, t.agreed.number) // an older word must not come after this one
	state := wire.PresenceEnded
	if agrees {
		state = wire.PresenceHere
	}
	t.say(ctx, wire.Signal{Kind: wire.SignalPresence, Presence: t.call.engine.presenceWord(t.mail.line.Now(), state)})
	t.agreed = agreement{said: true, agreed: agrees, number: t.numbered.last}
}

// presenceTaken notes that the other side knows what was said last.
func (t *conversation) presenceTaken(number uint32) {
	if t.agreed.said && number == t.agreed.number && !t.agreed.agreed {
		_ = t.call.engine.cfg.Book.PresenceTold(t.remoteCard.Key, false) // else they are told once more in the next call
	}
}

// readPresence believes what a contact says of presence marks, and says that it has come.
func (t *conversation) readPresence(ctx context.Context, signal wire.Signal) {
	book := t.call.stationBook()
	if book == nil {
		return
	}
	if contact, known := contactOf(book, t.remoteCard.Key); known && !contact.Blocked &&
		!t.call.station.presence.heard(contact, signal.Presence, t.mail.line.Now(), true) {
		return
	}
	t.numbered.take(signal.Number)
	_ = t.post(ctx, wire.Signal{Kind: wire.SignalTaken, Number: signal.Number})
}
