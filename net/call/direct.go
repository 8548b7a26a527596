package call

import (
	"context"
	"fmt"
	"net/netip"

	"sotto/net/peer"
	"sotto/net/wire"
)

// A direct call: by the consent of two verified people, each of whom has switched it on
// in the settings and for the other, a call may leave the relays once it is connected.
//
//	either side                             consent →   ← consent
//	callee, once it has both: asks its relay how it is seen;  direct {offer} →
//	caller, if it still consents: does the same        ← direct {offer}
//	both connect to the one address of the offer; frames go there; the relays' connection closes
//
// No address leaves a side that has not both its own person's consent and the other's.
// Either side goes back by offering a restart through the relays, which the other always
// follows; a direct way that breaks is never sought again in that call.

// consents reports whether this side's person agrees to a direct connection, as the book
// says right now.
func (t *conversation) consents() bool {
	c := t.call
	if c.stationBook() == nil {
		return false
	}
	c.engine.mu.Lock()
	refused := c.relaysOnly
	c.engine.mu.Unlock()
	if refused || !c.engine.cfg.Book.Policy().Direct {
		return false
	}
	for _, contact := range c.engine.cfg.Book.Contacts() {
		if contact.Card.Key == t.remoteCard.Key {
			return contact.Direct && contact.Verified && !contact.Blocked
		}
	}
	return false
}

// stationBook is nil for a call in the echo's world, which is on no network.
func (c *call) stationBook() Book {
	if c.station == nil || c.station.engine == nil {
		return nil
	}
	return c.engine.cfg.Book
}

// watchDirect tells the other side of a consent, begins a direct connection where both
// consent, and goes back to the relays where this side no longer does.
func (t *conversation) watchDirect(ctx context.Context) {
	r := t.route
	consents := t.consents()
	switch {
	case !consents && (r.direct || r.attempt != nil && r.attempt.direct):
		if r.attempt == nil || r.attempt.direct {
			t.reconnect(ctx, r.generation+1, false)
		}
	case !consents:
	case !r.consented:
		r.consented = true
		t.say(ctx, wire.Signal{Kind: wire.SignalConsent})
	case r.theirConsent && t.call.info.Incoming && !r.directTried && r.attempt == nil && r.broken.IsZero():
		r.directTried = true
		t.reconnect(ctx, r.generation+1, true)
	}
}

// mayGoDirect reports whether the other side's offer of a direct connection is followed:
// both consent, and it is the callee's to offer, once.
func (t *conversation) mayGoDirect() bool {
	r := t.route
	return r.consented && r.theirConsent && !r.directTried && !t.call.info.Incoming && r.broken.IsZero() && t.consents()
}

// newDirect asks the own relay how this machine is seen from outside, once: whatever
// goes wrong, the call stays on the relays.
func (s *station) newDirect(ctx context.Context, m *media, controlling bool) *peer.Peer {
	if s.account.Proxy != "" {
		return nil // nothing goes past the proxy, whatever was agreed
	}
	sending, err := s.sendingLine(ctx)
	if err != nil {
		return nil
	}
	defer sending.Close()
	credential, err := sending.Credential(ctx)
	if err != nil {
		return nil
	}
	fresh, err := peer.NewDirect(ctx, peer.Config{
		Turn: peer.Turn{Address: credential.Turn}, Controlling: controlling, Net: s.network.Media, OnFrame: m.receive,
	})
	if err != nil {
		return nil
	}
	return fresh
}

// ReturnToRelays takes a direct call back to the relays, for the rest of this call.
func (e *Engine) ReturnToRelays() error {
	return e.command(func(c *call) error {
		if c.info.Phase != Connected {
			return ErrNoCall
		}
		c.relaysOnly = true
		return nil
	})
}

// AddressSeen is the network address that a direct call would show to the other side,
// as the account's relay sees it.
func AddressSeen(ctx context.Context, account Account, network Network) (netip.Addr, error) {
	if account.Host != nil {
		return netip.Addr{}, fmt.Errorf("the relay runs on this machine and sees only this machine, so it cannot say")
	}
	if account.Proxy != "" {
		return netip.Addr{}, fmt.Errorf("everything goes through the proxy %s, so no call is direct and nobody sees an address of yours", account.Proxy)
	}
	s := &station{account: account, network: network}
	sending, err := s.sendingLine(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	defer sending.Close()
	credential, err := sending.Credential(ctx)
	if err != nil {
		return netip.Addr{}, err
	}
	return peer.Seen(ctx, network.Media, credential.Turn)
}
