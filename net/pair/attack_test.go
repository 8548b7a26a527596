package pair

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
)

// soon is how long the victims of an attack wait for what never comes. Should the
// machine be so slow that they give up early, they still keep nobody.
const soon = 100 * time.Millisecond

// relayThatReadsEverything records a whole pairing, is told the words
// afterwards, and still has nothing of either card.
func relayThatReadsEverything(t *testing.T) {
	e := startEvil(t, honest)
	alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
	var code Code
	if a := try(t, alice.config(e.address), bob.config(e.address), func(c *Code) { code = *c }); a != (attempt{}) {
		t.Fatalf("%+v", a)
	}
	if len(alice.kept) != 1 || len(bob.kept) != 1 || !bytes.Equal(alice.kept[0], bob.card) || !bytes.Equal(bob.kept[0], alice.card) {
		t.Fatal("they did not keep each other's cards")
	}
	saw := e.seen()
	if len(saw) != 4 {
		t.Fatalf("%d envelopes for one pairing", len(saw))
	}
	a, b := alice.self.Key(), bob.self.Key()
	aNoise, bNoise := a.Montgomery(), b.Montgomery()
	for i, envelope := range saw {
		for _, secret := range [][]byte{a[:], b[:], aNoise[:], bNoise[:], []byte("alice"), []byte("bob"), alice.card[33:65], []byte(code.Words[0])} {
			if bytes.Contains(envelope.Body[:], secret) {
				t.Errorf("envelope %d shows %q", i, secret)
			}
		}
	}
	// With the words in hand: the first message holds nothing, the others need the
	// keys that were made for the time.
	mallory := newSomeone(t, "mallory", e.address)
	psk := cheap(code, e.address.HostPort(), dayOf(time.Now()))
	context := saw[0].Body[:clearSize]
	responder, err := handshake.NewPairing(mallory.self, psk, context, false)
	if err != nil {
		t.Fatal(err)
	}
	first, err := responder.Open(saw[0].Body[clearSize:])
	if err != nil || len(bytes.Trim(first, "\x00")) != 0 {
		t.Fatalf("the first message says %q, %v", bytes.Trim(first, "\x00"), err)
	}
	for i, envelope := range saw[1:] {
		joiner, err := handshake.NewPairing(mallory.self, psk, context, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := joiner.Seal(nil); err != nil {
			t.Fatal(err)
		}
		if _, err := joiner.Open(envelope.Body[:]); err == nil {
			t.Errorf("message %d opens with the words alone", i+2)
		}
	}
}

// manInTheMiddleHasOneGuess: the relay answers the joiner itself and writes to
// the inviter itself, with words it guessed. Both see an error, nobody is kept, and
// a second guess at the inviter, even the right one, finds nobody.
func manInTheMiddleHasOneGuess(t *testing.T) {
	mallory := newSomeone(t, "mallory", identity.Address{})
	var first *wire.Envelope
	e := startEvil(t, func(e *evil, _ int, envelope *wire.Envelope) []*wire.Envelope {
		boxDrop := wire.DropOf(wire.BoxKey(e.address.HostPort(), evilBox).Public().(ed25519.PublicKey))
		if envelope.Drop() != boxDrop || first != nil {
			return nil
		}
		first = envelope
		guess := [32]byte{1, 2, 3}
		h, err := parseHello(envelope.Body[:clearSize])
		if err != nil {
			t.Errorf("the first message: %v", err)
			return nil
		}
		// To the joiner: as the inviter. Mallory cannot open the first message, so
		// the answer is made from one of its own.
		own, _ := handshake.NewPairing(mallory.self, guess, envelope.Body[:clearSize], true)
		opening, _ := own.Seal(make([]byte, wire.BodySize-clearSize-handshake.PairingOverhead[0]))
		answering, _ := handshake.NewPairing(mallory.self, guess, envelope.Body[:clearSize], false)
		if _, err := answering.Open(envelope.Body[clearSize:]); err == nil {
			t.Error("a guess opened the first message")
		}
		answering, _ = handshake.NewPairing(mallory.self, guess, envelope.Body[:clearSize], false)
		_, _ = answering.Open(opening)
		answer, _ := answering.Seal(payload{verdict: goOn, card: mallory.card}.marshal(2))
		toJoiner, _ := wire.NewEnvelope(ed25519.NewKeyFromSeed(h.reply[:]), e.address.HostPort(), time.Now().Add(time.Minute), answer)
		// To the inviter: as the joiner.
		toInviter, _ := wire.NewEnvelope(wire.BoxKey(e.address.HostPort(), evilBox), e.address.HostPort(), time.Now().Add(time.Minute), append(bytes.Clone(envelope.Body[:clearSize]), opening...))
		return []*wire.Envelope{toJoiner, toInviter, envelope}
	})
	alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
	a := try(t, alice.config(e.address), bob.config(e.address), nil)
	if !errors.Is(a.invited, ErrWrongCode) || !errors.Is(a.joined, ErrWrongCode) {
		t.Errorf("inviter %v, joiner %v", a.invited, a.joined)
	}
	if len(alice.kept)+len(bob.kept) != 0 {
		t.Error("somebody was added")
	}
}

// relayThatChangesAMessage changes one bit of each message in turn: nobody is
// ever kept whose card was touched, and the side that reads it says so.
func relayThatChangesAMessage(t *testing.T) {
	for place := range 4 {
		for _, at := range []int{20, 60, wire.BodySize - 1} {
			count := 0
			e := startEvil(t, func(e *evil, _ int, envelope *wire.Envelope) []*wire.Envelope {
				if count++; count-1 != place {
					return []*wire.Envelope{envelope}
				}
				body := bytes.Clone(envelope.Body[:])
				body[at] ^= 1
				return []*wire.Envelope{e.forge(t, envelope, body)}
			})
			alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
			joiner := bob.config(e.address)
			joiner.answerWithin, joiner.finishWithin = soon, soon
			inviter := alice.config(e.address)
			inviter.finishWithin = soon
			a := try(t, inviter, joiner, nil)
			if a.joined == nil || len(bob.kept) > 0 {
				t.Errorf("message %d, byte %d: the joiner kept somebody (%v)", place+1, at, a.joined)
			}
			if place < 3 && (a.invited == nil || len(alice.kept) > 0) {
				t.Errorf("message %d, byte %d: the inviter kept somebody (%v)", place+1, at, a.invited)
			}
		}
	}
}

// forge signs a changed body for the same drop, as whoever was told its seed, or
// knows the number, can: the drop keys are in the relay's hands here.
func (e *evil) forge(t *testing.T, of *wire.Envelope, body []byte) *wire.Envelope {
	key := wire.BoxKey(e.address.HostPort(), evilBox)
	if of.Drop() != wire.DropOf(key.Public().(ed25519.PublicKey)) {
		h, err := parseHello(e.seen()[0].Body[:clearSize])
		if err != nil {
			t.Errorf("the first message: %v", err)
			return of
		}
		key = ed25519.NewKeyFromSeed(h.reply[:])
		if of.Drop() != wire.DropOf(key.Public().(ed25519.PublicKey)) {
			changed := *of // the inviter's drop: its seed is sealed, so the signature breaks
			copy(changed.Body[:], body)
			return &changed
		}
	}
	forged, err := wire.NewEnvelope(key, e.address.HostPort(), time.Now().Add(time.Minute), body)
	if err != nil {
		t.Error(err)
		return of
	}
	return forged
}

// TestSomebodyElsesCard: whoever knows the words still cannot pass on a card whose
// key they do not hold.
func TestSomebodyElsesCard(t *testing.T) {
	e := startEvil(t, honest)
	victim := newSomeone(t, "victim", e.address)
	for _, liar := range []string{"inviter", "joiner"} {
		alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
		inviter, joiner := alice.config(e.address), bob.config(e.address)
		inviter.finishWithin, joiner.finishWithin = soon, soon
		if liar == "inviter" {
			inviter.Card = victim.card
		} else {
			joiner.Card = victim.card
		}
		a := try(t, inviter, joiner, nil)
		if a.invited == nil || a.joined == nil || len(alice.kept)+len(bob.kept) != 0 {
			t.Errorf("a lying %s: %+v", liar, a)
		}
	}
}

// TestNobodyAtTheNumber waits for an answer that does not come.
func TestNobodyAtTheNumber(t *testing.T) {
	e := startEvil(t, func(*evil, int, *wire.Envelope) []*wire.Envelope { return nil })
	bob := newSomeone(t, "bob", e.address)
	config := bob.config(e.address)
	config.answerWithin = 100 * time.Millisecond
	if err := Join(t.Context(), config, newCode(e.address, 7)); !errors.Is(err, ErrNobody) {
		t.Error(err)
	}
}

// TestGivingUp: an inviter who stops waiting gets the reason they stopped for.
func TestGivingUp(t *testing.T) {
	e := startEvil(t, honest)
	alice := newSomeone(t, "alice", e.address)
	ctx, cancel := context.WithCancel(t.Context())
	err := Invite(ctx, alice.config(e.address), func(Code, time.Time) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
