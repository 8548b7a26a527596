package call

import (
	"crypto/ed25519"
	"time"

	"sotto/net/identity"
	"sotto/net/wire"
	"sotto/settings"
)

// door is a drop that stands open by policy: one contact's, or the card's.
type door struct {
	contact Contact // zero for the card drop
	card    bool
}

// openDoors derives the drops that policy leaves open: for each contact who may
// call the pair drop, and for "anyone" the card drop too, each for the weeks
// before, of and after now, so that clocks may differ.
func openDoors(account Account, book Book, now time.Time) map[wire.DropID]door {
	doors := make(map[wire.DropID]door)
	policy := book.Policy()
	if policy.Who == settings.Nobody {
		return doors
	}
	contacts := book.Contacts()
	this := identity.Week(now)
	self := account.Self
	for week := this - 1; week <= this+1; week++ {
		for _, contact := range contacts {
			if mayCall(policy, contact) {
				doors[dropID(self.PairDrop(contact.Card.Key, self.Key(), week))] = door{contact: contact}
			}
		}
		if card, err := identity.ParseCardBytes(account.Card); policy.Who == settings.Anyone && err == nil {
			doors[dropID(identity.CardDrop(self.Key(), card.Secret, week))] = door{card: true}
		}
	}
	return doors
}

func dropID(key ed25519.PrivateKey) wire.DropID {
	return wire.DropOf(key.Public().(ed25519.PublicKey))
}

// mayCall reports whether policy lets a contact ring here. Blocking a contact is the
// strongest word, then "nobody"; one who may always ring comes before the rest.
func mayCall(policy Policy, contact Contact) bool {
	if contact.Blocked {
		return false
	}
	switch policy.Who {
	case settings.Verified:
		return contact.Verified || contact.Ring == settings.RingAlways
	case settings.Contacts, settings.Anyone:
		return true
	}
	return false
}

// whyItRings is the rule that let a call through, in words.
func whyItRings(policy Policy, from Contact, known bool) string {
	switch {
	case !known:
		return "anyone with your card may call you"
	case policy.Who == settings.Verified && !from.Verified:
		return "you let this contact ring always"
	case policy.Who == settings.Verified:
		return "verified contacts may call you"
	case from.Verified:
		return "a verified contact"
	default:
		return "in your contacts"
	}
}

// showContacts gives the calls under way the name and mark that their contact has now.
// One that rings and may no longer do so stops, and the caller is told nothing.
func (e *Engine) showContacts() {
	contacts, policy := e.cfg.Book.Contacts(), e.cfg.Book.Policy()
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.live {
		if c.info.Phase == Incoming && !c.mayRing(policy, contacts) {
			c.end(&ended{reason: Missed})
		}
		for _, contact := range contacts {
			if contact.Card.Key != c.peerKey {
				continue
			}
			now := Peer{Name: identity.CleanName(contact.Name), Known: true, Verified: contact.Verified}
			if now != c.info.Peer {
				c.info.Peer = now
				e.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
			}
		}
	}
}

// mayRing reports whether a call that rings could still begin to.
func (c *call) mayRing(policy Policy, contacts []Contact) bool {
	for _, contact := range contacts {
		if contact.Card.Key == c.peerKey {
			return mayCall(policy, contact)
		}
	}
	return policy.Who == settings.Anyone && !policy.Blocked[c.peerKey]
}
