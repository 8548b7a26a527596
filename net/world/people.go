package world

import (
	"context"
	"crypto/rand"
	"errors"
	"net/netip"
	"sync"
	"time"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

// Person is somebody in a world: an identity made for it, on one of its relays.
type Person struct {
	Account call.Account
	Network call.Network
	Address netip.Addr // on the virtual network
	card    identity.Card
}

// NewPerson makes somebody on relay 0 or 1.
func (w *World) NewPerson(i int, name string) (*Person, error) {
	self, err := identity.New()
	if err != nil {
		return nil, err
	}
	address, network, err := w.join()
	if err != nil {
		return nil, err
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	card := self.Card(w.Relay(i), name, secret, 1)
	return &Person{
		Account: call.Account{Self: self, Card: self.Sign(card), Relay: card.Relay},
		Network: network, Address: address, card: card,
	}, nil
}

// Contact is how others in the world know the person. Their keys were made and
// exchanged inside this process, so they are verified.
func (p *Person) Contact() call.Contact {
	return call.Contact{Name: p.card.Name, Card: p.card, Verified: true, Reached: true}
}

// Engine puts the person on their relay and waits until they can be called.
func (p *Person) Engine(ctx context.Context, config call.Config) (*call.Engine, error) {
	config.Network = p.Network
	engine := call.New(config)
	events, unsubscribe := engine.Subscribe()
	defer unsubscribe()
	if err := engine.Configure(p.Account); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	for {
		select {
		case event := <-events:
			if event.Kind == call.EventLine && event.Line == call.LineReady {
				return engine, nil
			}
			if event.LineError != nil {
				return nil, errors.Join(event.LineError, engine.Close())
			}
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), engine.Close())
		}
	}
}

// Book is an address book in memory, for somebody who lives as long as the world.
type Book struct {
	contacts []call.Contact
	who      settings.Who

	mu   sync.Mutex // guards the following
	seen map[[16]byte]bool
}

// NewBook makes an address book of those contacts under that policy.
func NewBook(who settings.Who, contacts ...call.Contact) *Book {
	return &Book{contacts: contacts, who: who, seen: make(map[[16]byte]bool)}
}

func (b *Book) Policy() call.Policy                { return call.Policy{Who: b.who, Ringing: true} }
func (b *Book) Contacts() []call.Contact           { return b.contacts }
func (b *Book) Reached(identity.Key, []byte) error { return nil }

func (b *Book) PresenceTold(identity.Key, bool) error         { return nil }
func (b *Book) PresenceHeard(identity.Key, bool, int64) error { return nil }

func (b *Book) Seen(id [16]byte, _ time.Time) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	already := b.seen[id]
	b.seen[id] = true
	return already, nil
}
