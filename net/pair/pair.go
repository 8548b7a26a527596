package pair

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/wire"
	"sotto/settings/advice"
)

const (
	// patience bounds everything behind the first message, and how long a joiner
	// waits for the second: the inviter may have to stretch the words for another
	// day first.
	patience = 20 * time.Second

	envelopeLife = 60 * time.Second
)

// The ways a pairing ends without a contact. Each is a finished sentence.
var (
	ErrWrongCode = advice.New("the code did not match, and it is used up now: a word was wrong, or somebody stands in between", advice.InviteAndTell)
	ErrExpired   = advice.New("nobody used the code in its ten minutes, and it is void now", advice.InviteAgain)
	ErrNobody    = errors.New("nobody answers at that number: the code may be used up, older than ten minutes, or from another relay whose name belongs in front; ask for a new code")
	ErrBroken    = errors.New("the other side stopped in the middle; add each other again with a new code")
	ErrTheyKnow  = errors.New("the other side has a contact of that name with another key, so they did not add you; ask them about it in person")
	ErrTheyLost  = errors.New("the other side could not keep your card; ask them what their Sotto says, then add each other again with a new code")
	ErrForged    = errors.New("the other side sent a card that is not theirs, so nobody was added; tell them, and look at which Sotto they use")
)

// Config is who pairs, where, and what becomes of the other's card.
type Config struct {
	Self      *identity.Identity
	Card      []byte // own, signed
	Relay     identity.Address
	Admission string

	// Dial connects to Relay; nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Check tells whether the card could be kept; Keep puts it among the verified
	// contacts. KnowsOther tells their errors that mean: this is not the key that
	// the contact of that name has.
	Check, Keep func(signed []byte) error
	KnowsOther  func(error) bool

	// nil or zero but in tests
	stretch                    func(code Code, host string, day uint32) [32]byte
	day                        func(time.Time) uint32
	answerWithin, finishWithin time.Duration
}

// session is one side of one pairing.
type session struct {
	Config
	line  *line.Line
	drop  ed25519.PrivateKey // where this side waits
	there ed25519.PrivateKey // where the other does
	relay identity.Address   // of the other
	noise *handshake.Pairing
}

// Invite asks the relay for a box, gives its code to onCode, which must not block
// for long, and waits until somebody uses it, once. It returns when the other
// person is a contact, with an error of this package, line or Keep, or with ctx.
func Invite(ctx context.Context, config Config, onCode func(code Code, expires time.Time)) error {
	s, err := config.open(ctx)
	if err != nil {
		return err
	}
	defer s.line.Close()
	box, err := s.line.OpenBox(ctx)
	if err != nil {
		return err
	}
	code, day := newCode(s.Relay, box.Number), s.day(s.line.Now())
	psk := s.stretch(code, s.Relay.HostPort(), day)
	onCode(code, time.Now().Add(box.Expires.Sub(s.line.Now())))
	key := wire.DropOf(wire.BoxKey(s.Relay.HostPort(), box.Number).Public().(ed25519.PublicKey))
	first, err := s.receive(ctx, key, box.Expires.Sub(s.line.Now()), ErrExpired)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, s.finishWithin, ErrBroken)
	defer cancel()
	h, err := parseHello(first[:clearSize])
	if err != nil {
		return ErrWrongCode
	}
	if h.day != day {
		if h.day+1 != day && h.day != day+1 {
			return ErrWrongCode
		}
		psk = s.stretch(code, s.Relay.HostPort(), h.day)
	}
	return s.answer(ctx, psk, h, first)
}

// answer is the inviter's side from the first message on.
func (s *session) answer(ctx context.Context, psk [32]byte, h hello, first []byte) (err error) {
	s.there, s.relay = ed25519.NewKeyFromSeed(h.reply[:]), h.relay
	if s.noise, err = handshake.NewPairing(s.Self, psk, first[:clearSize], false); err != nil {
		return err
	}
	if _, err := s.noise.Open(first[clearSize:]); err != nil {
		refusal := make([]byte, wire.BodySize)
		rand.Read(refusal)          // never fails
		_ = s.deliver(ctx, refusal) // the joiner learns it from silence else
		return ErrWrongCode
	}
	offer := payload{verdict: goOn, drop: [ed25519.SeedSize]byte(s.drop.Seed()), card: s.Card}
	if err := s.say(ctx, 2, offer); err != nil {
		return err
	}
	theirs, err := s.hear(ctx, s.finishWithin, ErrBroken)
	if err != nil {
		return err
	}
	if theirs.verdict != goOn {
		return theirs.verdict.err()
	}
	if err := s.sound(theirs.card); err != nil {
		return err
	}
	kept := s.Keep(theirs.card)
	said := s.say(ctx, 4, payload{verdict: s.judge(kept)})
	if kept != nil {
		return kept
	}
	return said
}

// Join uses a code that somebody said. It returns when the other person is a
// contact, with an error of this package, line or Check or Keep, or with ctx.
func Join(ctx context.Context, config Config, code Code) (err error) {
	if code.Relay.Host == "" {
		code.Relay = config.Relay
	}
	s, err := config.open(ctx)
	if err != nil {
		return err
	}
	defer s.line.Close()
	host := code.Relay.HostPort()
	h := hello{day: s.day(s.line.Now()), reply: [ed25519.SeedSize]byte(s.drop.Seed()), relay: s.Relay}
	s.there, s.relay = wire.BoxKey(host, code.Number), identity.Address{Host: code.Relay.Host, Port: code.Relay.Port}
	context := h.marshal()
	if s.noise, err = handshake.NewPairing(s.Self, s.stretch(code, host, h.day), context, true); err != nil {
		return err
	}
	filler := make([]byte, wire.BodySize-clearSize-handshake.PairingOverhead[0])
	sealed, err := s.noise.Seal(filler)
	if err != nil {
		return err
	}
	if err := s.fillBox(ctx, append(context, sealed...)); err != nil {
		return err
	}
	theirs, err := s.hear(ctx, s.answerWithin, ErrNobody)
	if err != nil {
		return err
	}
	if err := s.sound(theirs.card); err != nil {
		return err
	}
	card, err := identity.ParseCardBytes(theirs.card)
	if err != nil {
		return ErrForged
	}
	s.there, s.relay = ed25519.NewKeyFromSeed(theirs.drop[:]), card.Relay
	if err := s.Check(theirs.card); err != nil {
		_ = s.say(ctx, 3, payload{verdict: s.judge(err)})
		return err
	}
	if err := s.say(ctx, 3, payload{verdict: goOn, card: s.Card}); err != nil {
		return err
	}
	last, err := s.hear(ctx, s.finishWithin, ErrBroken)
	if err != nil {
		return err
	}
	if last.verdict != goOn {
		return last.verdict.err()
	}
	return s.Keep(theirs.card)
}

func (v verdict) err() error {
	if v == otherKey {
		return ErrTheyKnow
	}
	return ErrTheyLost
}

func (s *session) judge(err error) verdict {
	switch {
	case err == nil:
		return goOn
	case s.KnowsOther != nil && s.KnowsOther(err):
		return otherKey
	}
	return notKept
}

// open gets a line that has nothing to do with the person's own: the key it logs
// in with is made for it.
func (c Config) open(ctx context.Context) (*session, error) {
	if c.stretch == nil {
		c.stretch = stretch
	}
	if c.day == nil {
		c.day = dayOf
	}
	if c.answerWithin == 0 {
		c.answerWithin = patience
	}
	if c.finishWithin == 0 {
		c.finishWithin = patience
	}
	_, receive, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	_, drop, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	l, err := line.Open(ctx, line.Config{Relay: c.Relay, Receive: receive, Admission: c.Admission, Dial: c.Dial})
	if err != nil {
		return nil, err
	}
	if err := l.Register(ctx, []wire.DropID{wire.DropOf(drop.Public().(ed25519.PublicKey))}); err != nil {
		l.Close()
		return nil, err
	}
	return &session{Config: c, line: l, drop: drop}, nil
}

// sound checks that a card belongs to whoever holds the other end.
func (s *session) sound(signed []byte) error {
	card, err := identity.ParseCardBytes(signed)
	if errors.Is(err, identity.ErrCardNewer) {
		return err
	}
	if err != nil || !s.noise.IsFrom(card.Key) {
		return ErrForged
	}
	return nil
}

func (s *session) say(ctx context.Context, place int, p payload) error {
	body, err := s.noise.Seal(p.marshal(place))
	if err != nil {
		return err
	}
	return s.deliver(ctx, body)
}

func (s *session) deliver(ctx context.Context, body []byte) error {
	envelope, err := s.envelope(body)
	if err != nil {
		return err
	}
	return s.line.Send(ctx, s.relay, envelope)
}

func (s *session) fillBox(ctx context.Context, body []byte) error {
	envelope, err := s.envelope(body)
	if err != nil {
		return err
	}
	return s.line.FillBox(ctx, s.relay, envelope)
}

func (s *session) envelope(body []byte) (*wire.Envelope, error) {
	return wire.NewEnvelope(s.there, s.relay.HostPort(), s.line.Now().Add(envelopeLife), body)
}

// hear waits for the next message in this side's drop. One that does not open ends
// the pairing: whoever can put something there was told where by the other side, or
// is a relay.
func (s *session) hear(ctx context.Context, within time.Duration, late error) (payload, error) {
	body, err := s.receive(ctx, wire.DropOf(s.drop.Public().(ed25519.PublicKey)), within, late)
	if err != nil {
		return payload{}, err
	}
	opened, err := s.noise.Open(body)
	if err != nil {
		return payload{}, ErrWrongCode
	}
	p, err := parsePayload(opened)
	if err != nil {
		return payload{}, ErrForged
	}
	return p, nil
}

// receive waits for an envelope in that drop.
func (s *session) receive(ctx context.Context, drop wire.DropID, within time.Duration, late error) ([]byte, error) {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	for {
		select {
		case envelope, open := <-s.line.Deliveries():
			if !open {
				<-s.line.Done()
				return nil, s.line.Err()
			}
			if envelope.Drop() == drop {
				return envelope.Body[:], nil
			}
		case relay := <-s.line.Undeliverable():
			return nil, fmt.Errorf("%w: the other relay, %s, is not reached from yours", line.ErrUnreachable, relay.HostPort())
		case <-timeout.C:
			return nil, late
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
