package call

import (
	"context"
	"crypto/ed25519"
	"errors"
	"time"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/peer"
	"sotto/net/wire"
	"sotto/settings/advice"
)

const (
	ringFor = 45 * time.Second
	// knockEvery: a knock is repeated while nothing has come back, for somebody who comes online meanwhile.
	knockEvery = 10 * time.Second
	// connectWithin bounds everything between an answer and sound.
	connectWithin = 20 * time.Second
)

// target is whom a call is placed to.
type target struct {
	Contact
	known bool
	echo  bool
}

func (t target) peer() Peer {
	return Peer{Name: t.Name, Known: t.known, Verified: t.Verified, Echo: t.echo}
}

// resolve finds whom a word names: the echo, a card, or a contact.
func (e *Engine) resolve(who string) (target, error) {
	if who == EchoName {
		return target{Contact: Contact{Name: EchoName, Verified: true}, echo: true}, nil // its key is made in this process
	}
	card, _, err := identity.ParseCard(who)
	isCard := err == nil
	if !isCard && !errors.Is(err, identity.ErrNotACard) {
		return target{}, err
	}
	for _, contact := range e.cfg.Book.Contacts() {
		if contact.Name == who || isCard && contact.Card.Key == card.Key {
			return target{Contact: contact, known: true}, nil
		}
	}
	if isCard {
		return target{Contact: Contact{Name: card.Name, Card: card}}, nil
	}
	return target{}, ErrNoContact
}

// dialEcho calls the echo contact in its own small world.
func (c *call) dialEcho(ctx context.Context) error {
	world, err := c.engine.cfg.Echo(ctx)
	if err != nil {
		return err
	}
	defer world.Close()
	s, err := openStation(ctx, world.Account, world.Network, nil)
	if err != nil {
		return err
	}
	defer s.close()
	return c.dial(ctx, s, world.Contact)
}

// dialOrGiveWay dials a contact; when their knock crosses ours and wins, dialling
// them counts as the answer to it.
func (c *call) dialOrGiveWay(ctx context.Context, s *station, to Contact) error {
	err := c.dial(c.dialling, s, to)
	var crossed *glareLost
	if errors.As(err, &crossed) {
		return c.take(ctx, crossed.knock)
	}
	return err
}

// dial carries an outgoing call from its knock to its end.
func (c *call) dial(ctx context.Context, s *station, to Contact) error {
	c.setStation(s)
	if err := context.Cause(ctx); err != nil {
		return err
	}
	c.move(Dialling, EventDialling)

	// The line of this call comes first: a relay out of reach is known at once, and its
	// clock is the one that counts, however wrong this machine's is.
	sending, err := s.sendingLine(ctx)
	if err != nil {
		return err
	}
	defer sending.Close()
	expiry := sending.Now().Add(envelopeLife)
	out, err := handshake.Call(s.account.Self, to.Card.Key, handshake.Params{CallID: c.callID, Expiry: expiry.Unix(), Flags: wire.FlagShortFrames, Card: s.account.Card})
	if err != nil {
		return err
	}
	if err := c.setKnock(out.Ephemeral()); err != nil {
		return err
	}
	inbox, forget, err := s.openInbox(ctx, out.AnswerDrop())
	if err != nil {
		return err
	}
	defer forget()
	// The relayed address is asked for while it rings there, so that the answer finds it ready.
	media := newMedia()
	prepared := async(ctx, func(ctx context.Context) (*peer.Peer, error) { return s.newPeer(ctx, sending, media, false) }, closePeer)
	defer prepared.discard()

	knockers := c.knockers(s, sending, to)
	answer, session, err := c.awaitAnswer(ctx, out, knockers, inbox)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, connectWithin, &ended{reason: Failed, detail: advice.Text{What: "the other side answered, but no connection came about within 20 s; try again"}})
	defer cancel()
	c.keepWay()
	c.move(Connecting, EventConnecting)
	answeredAt := time.Now()
	sound := async(ctx, func(context.Context) (Sound, error) { return c.engine.cfg.OpenSound() }, closeSound)
	defer sound.discard()
	card, err := c.newestCard(to.Card, answer.Card)
	if err != nil {
		return err
	}
	talk := &conversation{
		call: c, media: media, keys: session, inbox: inbox, answeredAt: answeredAt, remoteCard: card,
		mail: mail{line: sending, to: card.Relay, key: ed25519.NewKeyFromSeed(answer.DropSeed[:])},
	}
	if talk.peer, err = prepared.wait(ctx); err != nil {
		return talk.abandon(ctx, err) // they have answered and are waiting
	}
	defer talk.peer.Close()
	if err = c.confirm(ctx, talk, answer.Offer, s.account.Card); err == nil {
		talk.sound, err = sound.wait(ctx)
	}
	if err != nil {
		return talk.abandon(ctx, err)
	}
	cancel()
	return talk.run(c.ctx)
}

// knockers are the drops at which this call knocks: the pair drop, and the card
// drop as well for somebody who may not have this side's card yet.
func (c *call) knockers(s *station, sending sendingLine, to Contact) []mail {
	week := identity.Week(sending.Now())
	self := s.account.Self
	knockers := []mail{{line: sending, to: to.Card.Relay, key: self.PairDrop(self.Key(), to.Card.Key, week)}}
	if !to.Reached {
		knockers = append(knockers, mail{line: sending, to: to.Card.Relay, key: identity.CardDrop(to.Card.Key, to.Card.Secret, week)})
	}
	return knockers
}

// awaitAnswer knocks and waits for the person at the other end. If the call ends
// before they answer, it tells them so.
func (c *call) awaitAnswer(ctx context.Context, out *handshake.Outgoing, knockers []mail, inbox <-chan *wire.Envelope) (answer *wire.Answer, session *handshake.Session, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, ringFor, &ended{reason: NoAnswer})
	defer cancel()
	toAll := func(ctx context.Context, body []byte) error {
		for _, knocker := range knockers {
			if err := knocker.post(ctx, body); err != nil {
				return err
			}
		}
		return nil
	}
	stopRingback := func() {}
	defer func() { stopRingback() }()
	heard := false
	knock := func(ctx context.Context) error {
		if heard {
			return nil // it rings there; no need to say so again
		}
		return toAll(ctx, out.Knock())
	}
	err = exchange(ctx, knockers[0], inbox, knockEvery, knock, func(body []byte) (bool, error) {
		if control, ok := out.OpenControl(body); ok {
			switch control.Kind {
			case wire.ControlRinging:
				if !heard {
					heard = true
					if c.engine.cfg.Ring != nil {
						stopRingback = c.engine.cfg.Ring(false)
					}
					c.move(Ringing, EventRinging)
				}
			case wire.ControlDeclined:
				if text := identity.CleanText(control.Text, wire.MaxTextBytes); text != "" {
					c.showText(text)
				}
				return true, &ended{reason: Declined}
			case wire.ControlBusy:
				return true, &ended{reason: Busy}
			}
			return false, nil
		}
		opened, keys, openErr := out.ReadAnswer(body)
		if openErr != nil {
			return false, mismatchOnly(openErr) // garbage in the drop is passed over; the true answer may still come
		}
		answer, session = opened, keys
		return true, opened.Offer.Check()
	})
	if err != nil && !errors.As(err, new(*glareLost)) {
		c.finish(reasonOf(c.ctx, err))
		ctx, cancel := after(ctx)
		defer cancel()
		_ = toAll(ctx, out.SealCancel()) // they would stop ringing by themselves at the knock's expiry
	}
	return answer, session, err
}

// confirm opens the commitment, connects, and waits for the other side's word that all held.
func (c *call) confirm(ctx context.Context, talk *conversation, offer wire.Offer, card []byte) error {
	c.attach(talk)
	ctx, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	connected := async(ctx, func(ctx context.Context) (struct{}, error) {
		err := talk.peer.Connect(ctx, offer)
		if err != nil {
			failed(err) // a wrong fingerprint need not wait for a word that will not come
		}
		return struct{}{}, err
	}, nil)
	defer connected.discard()
	body := talk.keys.SealConfirm(talk.peer.Local(), card)
	post := func(ctx context.Context) error { return talk.mail.post(ctx, body) }
	err := exchange(ctx, talk.mail, talk.inbox, repeatEvery, post, func(body []byte) (bool, error) {
		signal, err := talk.keys.OpenSignal(body)
		if err == nil && signal.Kind == wire.SignalBye {
			return true, errPeerLeft
		}
		return err == nil && signal.Kind == wire.SignalConfirmed, nil
	})
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		_, err := connected.wait(ctx)
		done <- err
	}()
	return talk.awaitConnection(ctx, done, failed)
}
