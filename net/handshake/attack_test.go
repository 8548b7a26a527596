package handshake

import (
	"bytes"
	"crypto/mlkem"
	"crypto/rand"
	"errors"
	"math/big"
	"slices"
	"testing"

	"sotto/net/identity"
	"sotto/net/wire"
)

// legendre gives 1 if u is the coordinate of a point of Curve25519, -1 if it is one
// of the twist's.
func legendre(u [32]byte) int {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	slices.Reverse(u[:])
	x := new(big.Int).SetBytes(u[:])
	right := new(big.Int).Mul(x, x)                           // u²
	right.Add(right, new(big.Int).Mul(x, big.NewInt(486662))) // u² + Au
	right.Add(right, big.NewInt(1))                           // u² + Au + 1
	right.Mul(right, x)                                       // u³ + Au² + u
	return big.Jacobi(right.Mod(right, p), p)
}

func TestKnockForSomebodyElse(t *testing.T) {
	c := knocked(t)
	if _, err := OpenKnock(newPerson(t, 3).Identity, c.out.Knock()); !errors.Is(err, ErrUnopened) {
		t.Error(err)
	}
	if _, err := OpenKnock(c.alice.Identity, c.out.Knock()); !errors.Is(err, ErrUnopened) {
		t.Error("the caller's own knock, sent back:", err)
	}
}

func TestEveryAlteredByteOfAKnock(t *testing.T) {
	c := knocked(t)
	for position := 0; position < wire.BodySize; position += 5 {
		body := c.out.Knock()
		body[position] ^= 1 << (position % 8)
		if _, err := OpenKnock(c.bob.Identity, body); !errors.Is(err, ErrUnopened) {
			t.Fatalf("byte %d: %v", position, err)
		}
	}
}

// Alterations of the answer are refused, and none of them, nor any other garbage on
// the answer drop, keeps the true answer from being read.
func TestGarbageOnTheAnswerDrop(t *testing.T) {
	c := knocked(t)
	refuse := func(what string, body []byte) {
		t.Helper()
		if _, _, err := c.out.ReadAnswer(body); !errors.Is(err, ErrUnopened) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for position := 0; position < wire.BodySize; position += 11 {
		body := bytes.Clone(c.answer)
		body[position] ^= 1 << (position % 8)
		refuse("altered", body)
	}
	for _, point := range lowOrder(t) {
		body := make([]byte, wire.BodySize)
		copy(body, point)
		refuse("small order", body)
		copy(body[32:], c.answer[32:])
		refuse("small order before the true rest", body)
	}
	random := make([]byte, wire.BodySize)
	rand.Read(random)
	refuse("random", random)
	refuse("empty", nil)
	refuse("short", c.answer[:wire.BodySize-1])
	refuse("long", append(bytes.Clone(c.answer), 0))
	refuse("own knock", c.out.Knock())
	refuse("control", c.in.SealControl(wire.Control{Kind: wire.ControlRinging}))
	if other := knocked(t); other != nil {
		refuse("the answer of another call", other.answer)
	}
	if _, _, err := c.out.ReadAnswer(c.answer); err != nil {
		t.Fatal("the true answer no longer opens:", err)
	}
	refuse("the answer again", c.answer)
}

func TestAnswerOfAnImpostor(t *testing.T) {
	c := knocked(t)
	// Somebody who has the knock's plaintext but not bob's key answers as themselves.
	mallory := newPerson(t, 3)
	toMallory, err := Call(c.alice.Identity, mallory.Key(), c.alice.params())
	if err != nil {
		t.Fatal(err)
	}
	in, err := OpenKnock(mallory.Identity, toMallory.Knock())
	if err != nil {
		t.Fatal(err)
	}
	body, _, _, err := in.Answer(testOffer(50001), mallory.card)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.out.ReadAnswer(body); !errors.Is(err, ErrUnopened) {
		t.Error(err)
	}
}

func TestCardsOfOthers(t *testing.T) {
	alice, bob, mallory := newPerson(t, 1), newPerson(t, 2), newPerson(t, 3)
	out, err := Call(mallory.Identity, bob.Key(), Params{Card: alice.card})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKnock(bob.Identity, out.Knock()); !errors.Is(err, ErrMismatch) {
		t.Error("knock with another's card:", err)
	}
	if out, err = Call(alice.Identity, bob.Key(), Params{Card: []byte("no card")}); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKnock(bob.Identity, out.Knock()); !errors.Is(err, ErrMismatch) {
		t.Error("knock without a card:", err)
	}
	if _, err := Call(alice.Identity, bob.Key(), Params{}); !errors.Is(err, wire.ErrMalformed) {
		t.Error("no card at all:", err)
	}
	for name, card := range map[string][]byte{"another's": mallory.card, "no": []byte("no card")} {
		c := answeredWith(t, card)
		if _, _, err := c.out.ReadAnswer(c.answer); !errors.Is(err, ErrMismatch) {
			t.Errorf("answer with %s card: %v", name, err)
		}
		if _, _, err := c.out.ReadAnswer(knocked(t).answer); !errors.Is(err, ErrUnopened) {
			t.Error("a call goes on after a mismatch:", err)
		}
		full := answered(t)
		if _, err := full.callee.OpenConfirm(full.caller.SealConfirm(testOffer(50002), card)); !errors.Is(err, ErrMismatch) {
			t.Errorf("confirmation with %s card: %v", name, err)
		}
		if full.callee.FrameSealer() != nil {
			t.Error("frames flow after a mismatch")
		}
	}
}

func answeredWith(t *testing.T, card []byte) *call {
	t.Helper()
	c := knocked(t)
	in, err := OpenKnock(c.bob.Identity, c.out.Knock())
	if err != nil {
		t.Fatal(err)
	}
	if c.answer, _, _, err = in.Answer(testOffer(50001), card); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSwappedCommitment(t *testing.T) {
	c := answered(t)
	c.caller.nonceA[0] ^= 1 // a caller who chose nonce A after it saw nonce B
	body := c.caller.SealConfirm(testOffer(50002), c.alice.card)
	if _, err := c.callee.OpenConfirm(body); !errors.Is(err, ErrMismatch) {
		t.Fatal(err)
	}
	if c.callee.Words() != [4]string{} || c.callee.FrameSealer() != nil || c.callee.FrameOpener() != nil {
		t.Error("a callee goes on without the commitment")
	}
}

// The commitment is looked at first: a wrong nonce before a hostile offer is
// reported as the nonce.
func TestCommitmentComesBeforeTheOffer(t *testing.T) {
	c := answered(t)
	message := make([]byte, sealedSize) // a nonce of zeros, and no offer at all
	_, err := c.callee.OpenConfirm(c.caller.confirm.seal(message))
	if !errors.Is(err, ErrMismatch) || !bytes.Contains([]byte(err.Error()), []byte("committed")) {
		t.Error(err)
	}
	copy(message, c.caller.nonceA[:])
	_, err = c.callee.OpenConfirm(c.caller.confirm.seal(message))
	if !errors.Is(err, ErrMismatch) || bytes.Contains([]byte(err.Error()), []byte("committed")) {
		t.Error("a bad offer behind the true nonce:", err)
	}
	if c.callee.committed {
		t.Error("committed by a confirmation that was refused")
	}
}

func TestNothingBeforeTheCommitment(t *testing.T) {
	c := answered(t)
	if c.callee.Words() != [4]string{} || c.callee.FrameSealer() != nil || c.callee.FrameOpener() != nil {
		t.Error("a callee has words or frame keys before the caller confirmed")
	}
	if c.caller.FrameSealer() == nil || c.caller.Words() == [4]string{} {
		t.Error("a caller who was answered has neither")
	}
}

func TestConfirmGarbageAndRepetition(t *testing.T) {
	c := answered(t)
	body := c.caller.SealConfirm(testOffer(50002), c.alice.card)
	for position := 0; position < wire.BodySize; position += 11 {
		altered := bytes.Clone(body)
		altered[position] ^= 1 << (position % 8)
		if _, err := c.callee.OpenConfirm(altered); !errors.Is(err, ErrUnopened) {
			t.Fatalf("byte %d: %v", position, err)
		}
	}
	for range 2 {
		if _, err := c.callee.OpenConfirm(body); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := answered(t).callee.OpenConfirm(body); !errors.Is(err, ErrUnopened) {
		t.Error("a confirmation of another call:", err)
	}
}

func TestRoleSwap(t *testing.T) {
	c := confirmed(t)
	if c.callee.SealConfirm(testOffer(50002), c.bob.card) != nil {
		t.Error("a callee confirms")
	}
	if _, err := c.caller.OpenConfirm(c.caller.SealConfirm(testOffer(50002), c.alice.card)); !errors.Is(err, ErrUnopened) {
		t.Error("a caller takes its own confirmation:", err)
	}
	for _, side := range []*Session{c.caller, c.callee} {
		if _, err := side.OpenSignal(side.SealSignal(wire.Signal{Kind: wire.SignalBye})); !errors.Is(err, ErrUnopened) {
			t.Error("a signal sent back opens:", err)
		}
		if _, _, err := side.FrameOpener().Open(nil, side.FrameSealer().Seal(nil, []byte("x"))); !errors.Is(err, ErrFrame) {
			t.Error("a frame sent back opens:", err)
		}
	}
	if _, _, _, err := c.in.Answer(testOffer(50001), c.bob.card); !errors.Is(err, ErrUnopened) {
		t.Error("a call is answered twice:", err)
	}
}

func TestUnsendableOffers(t *testing.T) {
	c := knocked(t)
	in, err := OpenKnock(c.bob.Identity, c.out.Knock())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := in.Answer(wire.Offer{}, c.bob.card); !errors.Is(err, wire.ErrBadOffer) {
		t.Error(err)
	}
	if _, _, _, err := in.Answer(testOffer(50001), c.bob.card); err != nil {
		t.Error("a refused offer uses the answer up:", err)
	}
	if answered(t).caller.SealConfirm(wire.Offer{}, c.alice.card) != nil {
		t.Error("an empty offer is confirmed")
	}
	if c.callee.SealSignal(wire.Signal{}) != nil {
		t.Error("a signal without a kind is sent")
	}
}

func TestWrongKEM(t *testing.T) {
	c := knocked(t)
	other, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	c.out.kem = other // Noise alone is right, as for somebody who broke X25519
	_, caller, err := c.out.ReadAnswer(c.answer)
	if err != nil {
		t.Fatal(err) // ML-KEM rejects implicitly (FIPS 203 §6.3): it shows in the keys
	}
	if _, err := c.callee.OpenConfirm(caller.SealConfirm(testOffer(50002), c.alice.card)); !errors.Is(err, ErrUnopened) {
		t.Error("confirmed without the ML-KEM secret:", err)
	}
	if _, err := c.callee.OpenSignal(caller.SealSignal(wire.Signal{Kind: wire.SignalBye})); !errors.Is(err, ErrUnopened) {
		t.Error("signalled without the ML-KEM secret:", err)
	}
	if _, _, err := c.callee.frameIn.Open(nil, caller.FrameSealer().Seal(nil, []byte("x"))); !errors.Is(err, ErrFrame) {
		t.Error("heard without the ML-KEM secret:", err)
	}
}

func TestSignalsAnyOrderOnce(t *testing.T) {
	c := confirmed(t)
	var bodies [][]byte
	for range 20 {
		bodies = append(bodies, c.caller.SealSignal(wire.Signal{Kind: wire.SignalHold}))
	}
	for n := len(bodies) - 1; n >= 0; n-- {
		signal, err := c.callee.OpenSignal(bodies[n])
		if err != nil || signal.Seq != uint64(n+1) {
			t.Errorf("%+v, %v", signal, err)
		}
	}
	for _, body := range bodies {
		if _, err := c.callee.OpenSignal(body); !errors.Is(err, ErrUnopened) {
			t.Error("a signal opens twice:", err)
		}
	}
	if _, err := c.callee.OpenSignal(c.callee.signalIn.seal(make([]byte, sealedSize))); !errors.Is(err, ErrMismatch) {
		t.Error("a signal of no kind under the true key:", err)
	}
}

// Somebody in the middle runs two calls, one with each side. Alice dials Mallory's
// card, believing it Bob's; the words give it away.
func TestWordsWithSomebodyInTheMiddle(t *testing.T) {
	alice, bob, mallory := newPerson(t, 1), newPerson(t, 2), newPerson(t, 3)
	left := wordsOf(t, alice, mallory)
	right := wordsOf(t, mallory, bob)
	if left == right {
		t.Error(left)
	}
}

func wordsOf(t *testing.T, from, to person) [4]string {
	t.Helper()
	out, err := Call(from.Identity, to.Key(), from.params())
	if err != nil {
		t.Fatal(err)
	}
	in, err := OpenKnock(to.Identity, out.Knock())
	if err != nil {
		t.Fatal(err)
	}
	body, _, _, err := in.Answer(testOffer(50001), to.card)
	if err != nil {
		t.Fatal(err)
	}
	_, session, err := out.ReadAnswer(body)
	if err != nil {
		t.Fatal(err)
	}
	return session.Words()
}

// FuzzOpeners feeds one body to every reader of a call: none takes it, none panics,
// and the call goes on afterwards.
func FuzzOpeners(f *testing.F) {
	c := knocked(f)
	f.Add(c.out.Knock()[:100])
	f.Add(c.answer)
	f.Add(make([]byte, wire.BodySize))
	f.Add(c.out.SealCancel())
	f.Add([]byte{})
	done := confirmed(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < wire.BodySize && len(body) > 64 {
			body = append(body, make([]byte, wire.BodySize-len(body))...)
		}
		if bytes.Equal(body, c.answer) || c.in.OpenCancel(body) {
			return // the seeds that are true
		}
		if _, _, err := c.out.ReadAnswer(body); !errors.Is(err, ErrUnopened) {
			t.Error("answer:", err)
		}
		if _, err := OpenKnock(c.bob.Identity, body); !errors.Is(err, ErrUnopened) && !bytes.Equal(body, c.out.Knock()) {
			t.Error("knock:", err)
		}
		if _, ok := c.out.OpenControl(body); ok {
			t.Error("control")
		}
		if _, err := done.callee.OpenConfirm(body); !errors.Is(err, ErrUnopened) {
			t.Error("confirmation:", err)
		}
		if _, err := done.caller.OpenSignal(body); !errors.Is(err, ErrUnopened) {
			t.Error("signal:", err)
		}
		if _, _, err := done.caller.FrameOpener().Open(nil, body); !errors.Is(err, ErrFrame) {
			t.Error("frame:", err)
		}
	})
}

// FuzzKnockContent is a caller who seals anything at all with a true key.
func FuzzKnockContent(f *testing.F) {
	alice, bob := newPerson(f, 1), newPerson(f, 2)
	out, err := Call(alice.Identity, bob.Key(), alice.params())
	if err != nil {
		f.Fatal(err)
	}
	message := must(out.knock.Marshal(knockSize))
	f.Add(message)
	f.Add(message[:1500])
	f.Fuzz(func(t *testing.T, content []byte) {
		message := make([]byte, knockSize)
		copy(message, content)
		static := bob.Key().Montgomery()
		state, err := newNoise(alice.Identity, static[:], labelPrologue)
		if err != nil {
			t.Fatal(err)
		}
		body, _, _, err := state.WriteMessage(nil, message)
		if err != nil {
			t.Fatal(err)
		}
		in, err := OpenKnock(bob.Identity, body)
		if err != nil {
			if !errors.Is(err, ErrMismatch) {
				t.Error(err)
			}
			return
		}
		if in.Card().Key != identity.Key(alice.Key()) {
			t.Error("a knock with another's card")
		}
	})
}
