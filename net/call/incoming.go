package call

import (
	"bytes"
	"context"
	"time"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
	"sotto/settings"
	"sotto/settings/advice"
)

// A stranger's knock may ring this often; the relay has a limit of its own for what it
// delivers into one drop.
const (
	strangerEvery = 10 * time.Second
	strangerBurst = 4
)

// clockSkew is how far two machines' clocks may be apart (both use their relay's).
const clockSkew = 120 * time.Second

// knock is an opened first message that policy lets through.
type knock struct {
	*handshake.Incoming
	station *station
	from    Contact // as stored, or as the card in the knock says
	known   bool
	policy  Policy
}

// glareLost ends our own dialling in favour of the knock that crossed it.
type glareLost struct{ knock knock }

func (g *glareLost) Error() string { return "both sides called at once; their call goes on" }

// knocked handles an envelope at a door. Whoever may not call gets nothing back.
func (e *Engine) knocked(s *station, at door, envelope *wire.Envelope) {
	body := envelope.Body[:]
	if e.cancelled(body) {
		return
	}
	in, err := handshake.OpenKnock(s.account.Self, body)
	if err != nil {
		e.presenceCame(s, at, body)
		return
	}
	k, allowed := e.admit(s, at, in)
	if !allowed {
		return
	}
	e.mu.Lock()
	current := e.current
	e.mu.Unlock()
	switch {
	case current == nil:
		if e.ring(k) == nil {
			return
		}
	case current.crossedBy(k):
		return
	case k.known && k.policy.Waiting:
		if e.ringWaiting(k) == nil {
			return
		}
	}
	e.reply(k, wire.Control{Kind: wire.ControlBusy})
	e.recordBusy(k)
}

// cancelled reports whether body takes back the call that rings here, and ends it. It
// may cross the answer: then nobody is there to connect to.
func (e *Engine) cancelled(body []byte) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range []*call{e.current, e.waiting} {
		if c == nil || c.knock == nil || !c.knock.OpenCancel(body) {
			continue
		}
		if phase := c.info.Phase; phase == Incoming || phase == Connecting {
			c.end(&ended{reason: Missed})
		}
		return true
	}
	return false
}

// admit checks a knock against the clock, the door it came to, the policy as it
// is now (the relay may lag or lie) and the knocks seen before.
func (e *Engine) admit(s *station, at door, in *handshake.Incoming) (knock, bool) {
	message, now := in.Knock(), s.now()
	expiry := time.Unix(message.Expiry, 0)
	if now.After(expiry.Add(clockSkew)) || expiry.After(now.Add(envelopeLife+clockSkew)) {
		return knock{}, false
	}
	k := knock{Incoming: in, station: s, policy: e.cfg.Book.Policy()}
	for _, contact := range e.cfg.Book.Contacts() {
		if contact.Card.Key.Montgomery() == in.PeerStatic() {
			k.from, k.known = contact, true
		}
	}
	switch {
	case !k.known && (!at.card || k.policy.Who != settings.Anyone || k.policy.Blocked[in.Card().Key]):
		return knock{}, false
	case k.known && !mayCall(k.policy, k.from):
		return knock{}, false
	case k.known && !at.card && at.contact.Card.Key != k.from.Card.Key:
		return knock{}, false // one contact's drop, another's key
	}
	if !k.known {
		card, err := identity.ParseCardBytes(message.Card)
		if err != nil {
			return knock{}, false
		}
		k.from = Contact{Name: card.Name, Card: card}
	}
	if !k.known && !e.strangers.Allow() {
		return knock{}, false // whoever has the card can make any number of keys
	}
	seen, err := e.cfg.Book.Seen(message.CallID, now)
	if err != nil { // a full disk must not make a person unreachable; knocks are still remembered in memory
		e.cfg.Log.Warn("a knock could not be written down", "error", err)
	}
	if seen {
		return knock{}, false
	}
	return k, true
}

// crossedBy settles glare: when both dialled each other, the knock with the lower
// ephemeral key wins, and dialling that same person counts as the answer.
func (c *call) crossedBy(k knock) bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	dialling := c.info.Phase == Dialling || c.info.Phase == Ringing
	if !dialling || c.giveWay == nil || c.peerStatic != k.PeerStatic() {
		return false
	}
	mine, theirs := c.ephemeral, k.Ephemeral()
	if unsent := mine == [32]byte{}; unsent || bytes.Compare(theirs[:], mine[:]) < 0 {
		c.giveWay(&glareLost{knock: k})
	}
	return true
}

// ring makes a knock the live call and rings the person.
func (e *Engine) ring(k knock) error {
	c := e.incoming(k)
	if err := e.begin(c); err != nil {
		return err
	}
	e.mu.Lock()
	close(c.promoted) // nothing to wait for
	e.publish(Event{Kind: EventIncoming, Call: c.copyLocked()})
	e.mu.Unlock()
	e.serve(c, k)
	return nil
}

// ringWaiting lets a knock wait while another call talks.
func (e *Engine) ringWaiting(k knock) error {
	c := e.incoming(k)
	if err := e.beginWaiting(c); err != nil {
		return err
	}
	e.serve(c, k)
	return nil
}

func (e *Engine) serve(c *call, k knock) {
	e.run(c, func(ctx context.Context) error {
		if err := c.awaitPerson(ctx, k); err != nil {
			return err
		}
		return c.take(ctx, k)
	})
}

// incoming is a call for a knock that may ring.
func (e *Engine) incoming(k knock) *call {
	from := Peer{Name: identity.CleanName(k.from.Name), Known: k.known, Verified: k.from.Verified}
	return &call{
		callID: k.Knock().CallID, station: k.station, knock: k.Incoming, peerKey: k.from.Card.Key, peerStatic: k.PeerStatic(),
		info: Info{
			Phase: Incoming, Incoming: true, Peer: from, Key: k.from.Card.Key.String(),
			WhyItRings: whyItRings(k.policy, k.from, k.known), Silenced: k.from.Ring == settings.RingSilence,
		},
	}
}

// awaitPerson rings until a person (or their rule) answers. Until then nothing
// leaves this machine but "ringing", over the line that is already there, to the
// relay in a stored contact's card.
func (c *call) awaitPerson(ctx context.Context, k knock) error {
	ctx, cancel := context.WithTimeoutCause(ctx, ringFor, &ended{reason: Missed})
	defer cancel()
	if k.policy.Ringing {
		c.engine.reply(k, wire.Control{Kind: wire.ControlRinging})
	}
	quiet := func() {}
	defer func() { quiet() }()
	first := c.promoted
	for {
		select {
		case <-first: // nobody else is talking
			first = nil
			if auto := c.engine.cfg.AutoAnswer; auto != nil && auto(k.from.Card.Key) {
				return nil
			}
			if c.engine.cfg.Ring != nil && !c.isSilenced() {
				quiet = c.engine.cfg.Ring(true)
			}
		case <-c.silenced:
			quiet()
			quiet = func() {}
		case <-c.answered:
			return c.awaitFirst(ctx)
		case <-ctx.Done():
			why := reasonOf(ctx, nil)
			c.finish(why)
			if why.reason == DeclinedHere {
				c.engine.reply(k, wire.Control{Kind: wire.ControlDeclined, Text: why.text})
			}
			return why
		}
	}
}

// awaitFirst lets the call that was hung up for this one go first: it has the devices.
func (c *call) awaitFirst(ctx context.Context) error {
	c.engine.mu.Lock()
	first := c.after
	c.engine.mu.Unlock()
	if first == nil {
		return nil
	}
	select {
	case <-first:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *call) isSilenced() bool {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	return c.info.Silenced
}

// reply sends a contact a word before the answer, over the receiving line that is up;
// with no line up nothing is sent.
func (e *Engine) reply(k knock, control wire.Control) {
	up := k.station.keeper.Line()
	if up == nil || !k.known {
		return
	}
	ctx, cancel := context.WithTimeout(e.ctx, farewell)
	defer cancel()
	secret := k.Knock().CallSecret
	m := mail{line: up, to: k.from.Card.Relay, key: identity.EphemeralDrop(secret)}
	if err := m.post(ctx, k.SealControl(control)); err != nil {
		e.cfg.Log.Debug("a word before the answer was not taken", "error", err)
	}
}

// take carries a call that a person has answered to its end. Should the person
// think better of it before the answer has left, a contact hears that as a decline.
func (c *call) take(ctx context.Context, k knock) (err error) {
	left := false // the answer, for the caller
	defer func() {
		if why := reasonOf(c.ctx, err); !left && why.reason == HungUp {
			c.finish(why)
			c.engine.reply(k, wire.Control{Kind: wire.ControlDeclined})
		}
	}()
	s := k.station
	answeredAt := time.Now()
	c.move(Connecting, EventConnecting)
	ctx, cancel := context.WithTimeoutCause(ctx, connectWithin, &ended{reason: Failed, detail: advice.Text{What: "you answered, but no connection came about within 20 s; they may have hung up, or a relay is in trouble"}})
	defer cancel()
	sound := async(ctx, func(context.Context) (Sound, error) { return c.engine.cfg.OpenSound() }, closeSound)
	defer sound.discard()
	sending, err := s.sendingLine(ctx)
	if err != nil {
		return err
	}
	defer sending.Close()
	media := newMedia()
	connection, err := s.newPeer(ctx, sending, media, true)
	if err != nil {
		return err
	}
	defer connection.Close()
	body, drop, keys, err := k.Answer(connection.Local(), s.account.Card)
	if err != nil {
		return err
	}
	inbox, forget, err := s.openInbox(ctx, drop)
	if err != nil {
		return err
	}
	defer forget()
	message := k.Knock()
	card, err := c.newestCard(k.from.Card, message.Card)
	if err != nil {
		return err
	}
	talk := &conversation{
		call: c, peer: connection, media: media, keys: keys, inbox: inbox, answeredAt: answeredAt, remoteCard: card,
		mail: mail{line: sending, to: card.Relay, key: identity.EphemeralDrop(message.CallSecret)},
	}
	left = true
	if err = c.awaitConfirm(ctx, talk, body); err == nil {
		talk.sound, err = sound.wait(ctx)
	}
	if err != nil {
		return talk.abandon(ctx, err)
	}
	cancel()
	return talk.run(c.ctx)
}

// awaitConfirm sends the answer until the caller has opened its commitment, then
// connects. Nothing of DTLS or sound happens before the commitment has held.
func (c *call) awaitConfirm(ctx context.Context, talk *conversation, answer []byte) error {
	post := func(ctx context.Context) error { return talk.mail.post(ctx, answer) }
	var confirm *wire.Confirm
	err := exchange(ctx, talk.mail, talk.inbox, repeatEvery, post, func(body []byte) (bool, error) {
		opened, err := talk.keys.OpenConfirm(body)
		if err != nil {
			if signal, err := talk.keys.OpenSignal(body); err == nil && signal.Kind == wire.SignalBye {
				return true, errPeerLeft
			}
			return false, mismatchOnly(err)
		}
		confirm = opened
		return true, opened.Offer.Check()
	})
	if err != nil {
		return err
	}
	c.attach(talk)
	if err := talk.confirmed(ctx); err != nil {
		return err
	}
	return talk.connect(ctx, confirm.Offer)
}
