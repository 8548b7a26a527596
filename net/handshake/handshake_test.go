package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net/netip"
	"reflect"
	"testing"

	"sotto/net/identity"
	"sotto/net/wire"
)

// person is an identity with its card.
type person struct {
	*identity.Identity
	card []byte
}

func newPerson(t testing.TB, seed byte) person {
	t.Helper()
	self := identity.FromSeed([32]byte{seed, 1})
	relay, err := identity.ParseAddress("relay.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return person{self, self.Sign(self.Card(relay, "somebody", [32]byte{seed}, 1))}
}

func (p person) params() Params {
	return Params{CallID: [16]byte{1, 2, 3}, Expiry: 1_800_000_000, Card: p.card}
}

func testOffer(port uint16) wire.Offer {
	return wire.Offer{
		Fingerprint: [32]byte{1, byte(port)},
		Ufrag:       "abcd",
		Pwd:         "0123456789012345678901",
		Candidates:  []netip.AddrPort{netip.AddrPortFrom(netip.MustParseAddr("203.0.113.9"), port)},
	}
}

// call is a call up to some point; tests break it there.
type call struct {
	alice, bob person
	out        *Outgoing
	in         *Incoming
	answer     []byte   // bob's answer
	caller     *Session // alice's, after the answer
	callee     *Session // bob's
}

func knocked(t testing.TB) *call {
	t.Helper()
	c := &call{alice: newPerson(t, 1), bob: newPerson(t, 2)}
	var err error
	if c.out, err = Call(c.alice.Identity, c.bob.Key(), c.alice.params()); err != nil {
		t.Fatal(err)
	}
	if c.in, err = OpenKnock(c.bob.Identity, c.out.Knock()); err != nil {
		t.Fatal(err)
	}
	if c.answer, _, c.callee, err = c.in.Answer(testOffer(50001), c.bob.card); err != nil {
		t.Fatal(err)
	}
	return c
}

func answered(t testing.TB) *call {
	t.Helper()
	c := knocked(t)
	var err error
	if _, c.caller, err = c.out.ReadAnswer(c.answer); err != nil {
		t.Fatal(err)
	}
	return c
}

func confirmed(t testing.TB) *call {
	t.Helper()
	c := answered(t)
	if _, err := c.callee.OpenConfirm(c.caller.SealConfirm(testOffer(50002), c.alice.card)); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShortFramesAreForTwoWhoKnowThem: the knock says what the caller understands, the answer
// what both do, and to a caller that says nothing the answer is what it always was.
func TestShortFramesAreForTwoWhoKnowThem(t *testing.T) {
	for _, c := range []struct {
		said, back uint8
		want       bool
	}{{0, 0, false}, {wire.FlagShortFrames, wire.FlagShortFrames, true}, {0xfe, 0, false}, {0xff, wire.FlagShortFrames, true}} {
		alice, bob := newPerson(t, 1), newPerson(t, 2)
		params := alice.params()
		params.Flags = c.said
		out, err := Call(alice.Identity, bob.Key(), params)
		if err != nil {
			t.Fatal(err)
		}
		in, err := OpenKnock(bob.Identity, out.Knock())
		if err != nil {
			t.Fatal(err)
		}
		body, _, callee, err := in.Answer(testOffer(50001), bob.card)
		if err != nil {
			t.Fatal(err)
		}
		answer, caller, err := out.ReadAnswer(body)
		if err != nil {
			t.Fatal(err)
		}
		if answer.Flags != c.back || caller.Agreed(wire.FlagShortFrames) != c.want || callee.Agreed(wire.FlagShortFrames) != c.want {
			t.Errorf("a knock with flags %#x: answered with %#x, caller %v, callee %v", c.said, answer.Flags,
				caller.Agreed(wire.FlagShortFrames), callee.Agreed(wire.FlagShortFrames))
		}
	}
}

func TestWholeCall(t *testing.T) {
	alice, bob := newPerson(t, 1), newPerson(t, 2)
	params := alice.params()
	params.Flags = 1
	out, err := Call(alice.Identity, bob.Key(), params)
	if err != nil {
		t.Fatal(err)
	}
	in, err := OpenKnock(bob.Identity, out.Knock())
	if err != nil {
		t.Fatal(err)
	}
	knock := in.Knock()
	if knock.CallID != params.CallID || knock.Expiry != params.Expiry || knock.Flags != 1 ||
		!bytes.Equal(knock.Card, alice.card) || knock.CallSecret != out.CallSecret() {
		t.Errorf("%+v", knock)
	}
	if in.PeerStatic() != alice.Key().Montgomery() || in.Card().Key != alice.Key() || in.Ephemeral() != out.Ephemeral() {
		t.Error("the caller is not who called")
	}
	if !out.AnswerDrop().Equal(identity.EphemeralDrop(knock.CallSecret)) {
		t.Error("the callee cannot find the answer drop")
	}

	body, drop, callee, err := in.Answer(testOffer(50001), bob.card)
	if err != nil {
		t.Fatal(err)
	}
	answer, caller, err := out.ReadAnswer(body)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(answer.Offer, testOffer(50001)) || !bytes.Equal(answer.Card, bob.card) {
		t.Errorf("%+v", answer)
	}
	if !drop.Equal(ed25519.NewKeyFromSeed(answer.DropSeed[:])) {
		t.Error("the caller cannot find the callee's drop")
	}

	confirm, err := callee.OpenConfirm(caller.SealConfirm(testOffer(50002), alice.card))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(confirm.Offer, testOffer(50002)) || !bytes.Equal(confirm.Card, alice.card) {
		t.Errorf("%+v", confirm)
	}
	if caller.Words() != callee.Words() || caller.Words()[0] == "" {
		t.Error(caller.Words(), callee.Words())
	}
	exchange(t, caller, callee)
	exchange(t, callee, caller)
}

// exchange sends signals and frames from one side to the other.
func exchange(t *testing.T, from, to *Session) {
	t.Helper()
	for n, kind := range []wire.SignalKind{wire.SignalConfirmed, wire.SignalHold, wire.SignalBye} {
		signal, err := to.OpenSignal(from.SealSignal(wire.Signal{Kind: kind}))
		if err != nil || signal != (wire.Signal{Kind: kind, Seq: uint64(n + 1)}) {
			t.Errorf("%+v, %v", signal, err)
		}
	}
	for n := range uint32(3) {
		sealed := from.FrameSealer().Seal(nil, []byte("sound"))
		counter, payload, err := to.FrameOpener().Open(nil, sealed)
		if err != nil || counter != n || string(payload) != "sound" || len(sealed) != len(payload)+FrameOverhead {
			t.Errorf("%d %q %v", counter, payload, err)
		}
	}
}

func TestWordsDifferFromCallToCall(t *testing.T) {
	if first, second := confirmed(t).caller.Words(), confirmed(t).caller.Words(); first == second {
		t.Error(first)
	}
}

func TestControlBeforeTheAnswer(t *testing.T) {
	c := knocked(t)
	for _, kind := range []wire.ControlKind{wire.ControlRinging, wire.ControlDeclined, wire.ControlBusy} {
		body := c.in.SealControl(wire.Control{Kind: kind})
		if got, ok := c.out.OpenControl(body); !ok || got.Kind != kind {
			t.Errorf("%v: %v %v", kind, got, ok)
		}
		if c.in.OpenCancel(body) {
			t.Errorf("the callee's own %v, sent back, cancels", kind)
		}
	}
	cancel := c.out.SealCancel()
	if !c.in.OpenCancel(cancel) {
		t.Error("cancel does not open")
	}
	if kind, ok := c.out.OpenControl(cancel); ok {
		t.Errorf("the caller's own cancel, sent back, is %v", kind)
	}
	if c.in.SealControl(wire.Control{Kind: wire.ControlCancel}) != nil || c.in.SealControl(wire.Control{Kind: 99}) != nil {
		t.Error("a callee says what only a caller can")
	}
	other := knocked(t)
	if other.in.OpenCancel(cancel) {
		t.Error("a cancel of another call cancels")
	}
}

func TestControlOfTheWrongKindUnderTheRightKey(t *testing.T) {
	c := knocked(t)
	secret, id := c.out.knock.CallSecret, c.out.knock.CallID
	cancel := must(wire.Control{Kind: wire.ControlCancel}.Marshal(sealedSize))
	if _, ok := c.out.OpenControl(controlSealer(secret, id, toCaller).seal(cancel)); ok {
		t.Error("a callee cancels")
	}
	ringing := must(wire.Control{Kind: wire.ControlRinging}.Marshal(sealedSize))
	if c.in.OpenCancel(controlSealer(secret, id, toCallee).seal(ringing)) {
		t.Error("ringing cancels")
	}
	if _, ok := c.out.OpenControl(controlSealer(secret, id, toCaller).seal(make([]byte, sealedSize))); ok {
		t.Error("nothing is a control message")
	}
}

// All bodies have one size and begin alike, so that a relay cannot tell them apart:
// an X25519 public key as GenerateKey makes it, high bit clear, on the curve.
func TestBodiesLookAlike(t *testing.T) {
	c := confirmed(t)
	kinds := map[string]func() []byte{
		"knock":   func() []byte { return knocked(t).out.Knock() },
		"answer":  func() []byte { return knocked(t).answer },
		"cancel":  c.out.SealCancel,
		"ringing": func() []byte { return c.in.SealControl(wire.Control{Kind: wire.ControlRinging}) },
		"confirm": func() []byte { return c.caller.SealConfirm(testOffer(50002), c.alice.card) },
		"signal":  func() []byte { return c.callee.SealSignal(wire.Signal{Kind: wire.SignalHold}) },
	}
	for name, make := range kinds {
		seen := map[[32]byte]bool{}
		var every [256]int
		for range 16 {
			body := make()
			if len(body) != wire.BodySize {
				t.Fatalf("%s has %d bytes", name, len(body))
			}
			head := [32]byte(body)
			if seen[head] {
				t.Errorf("%s begins twice with the same", name)
			}
			seen[head] = true
			if head[31]&0x80 != 0 || !onCurve(head) {
				t.Errorf("%s does not begin with an X25519 key", name)
			}
			for _, octet := range body {
				every[octet]++
			}
		}
		for octet, count := range every { // expected 256, deviation 16
			if count < 256-12*16 || count > 256+12*16 {
				t.Errorf("%s holds byte %d %d times in 65536", name, octet, count)
			}
		}
	}
}

// onCurve tells the u-coordinates of the curve from those of its twist: the point
// u³+486662u²+u has a square root. It asks crypto/ecdh nothing, which takes both.
func onCurve(u [32]byte) bool {
	return legendre(u) == 1
}

func TestTwoCallsToOnePersonShareNothing(t *testing.T) {
	first, second := confirmed(t), confirmed(t)
	if _, err := second.callee.OpenSignal(first.caller.SealSignal(wire.Signal{Kind: wire.SignalBye})); !errors.Is(err, ErrUnopened) {
		t.Error(err)
	}
	frame := first.caller.FrameSealer().Seal(nil, []byte("x"))
	if _, _, err := second.callee.FrameOpener().Open(nil, frame); !errors.Is(err, ErrFrame) {
		t.Error(err)
	}
}

func TestWeakPeerIsNotCalled(t *testing.T) {
	alice := newPerson(t, 1)
	if _, err := Call(alice.Identity, identity.Key{}, alice.params()); !errors.Is(err, identity.ErrWeakKey) {
		t.Error(err)
	}
}

// lowOrder are the X25519 inputs whose product with any scalar is zero
// (RFC 7748 §6.1; the list is D. J. Bernstein's at cr.yp.to/ecdh.html).
func lowOrder(t *testing.T) [][]byte {
	var points [][]byte
	for _, head := range [][]byte{{0}, {1}} {
		points = append(points, append(head, make([]byte, 31)...))
	}
	top := func(first byte) []byte {
		point := bytes.Repeat([]byte{0xff}, 32)
		point[0], point[31] = first, 0x7f
		return point
	}
	points = append(points, top(0xec), top(0xed), top(0xee)) // p-1, p, p+1
	points = append(points,
		[]byte("\xe0\xeb\x7a\x7c\x3b\x41\xb8\xae\x16\x56\xe3\xfa\xf1\x9f\xc4\x6a\xda\x09\x8d\xeb\x9c\x32\xb1\xfd\x86\x62\x05\x16\x5f\x49\xb8\x00"),
		[]byte("\x5f\x9c\x95\xbc\xa3\x50\x8c\x24\xb1\xd0\xb1\x55\x9c\x83\xef\x5b\x04\x44\x5c\xc4\x58\x1c\x8e\x86\xd8\x22\x4e\xdd\xd0\x9f\x11\x57"))
	scalar := must(ecdh.X25519().GenerateKey(rand.Reader))
	for _, point := range points {
		if _, err := scalar.ECDH(must(ecdh.X25519().NewPublicKey(point))); err == nil {
			t.Fatalf("%x is not of small order", point)
		}
	}
	return points
}

func TestADeclineCarriesItsText(t *testing.T) {
	c := knocked(t)
	said := wire.Control{Kind: wire.ControlDeclined, Text: "in five minutes"}
	body := c.in.SealControl(said)
	if got, ok := c.out.OpenControl(body); !ok || got != said {
		t.Errorf("%+v, %v", got, ok)
	}
	if bare := c.in.SealControl(wire.Control{Kind: wire.ControlDeclined}); len(bare) != len(body) {
		t.Errorf("a text makes the body %d bytes long in place of %d", len(body), len(bare))
	}
	if c.in.SealControl(wire.Control{Kind: wire.ControlRinging, Text: "x"}) != nil {
		t.Error("ringing carries a text")
	}
}
