package handshake

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rand"
	"fmt"

	"github.com/flynn/noise"

	"sotto/net/identity"
	"sotto/net/wire"
)

func newNoise(self *identity.Identity, peer []byte, prologue string) (*noise.HandshakeState, error) {
	private, public := self.NoiseKeypair()
	return noise.NewHandshakeState(noise.Config{
		CipherSuite:   noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Random:        rand.Reader,
		Pattern:       noise.HandshakeIK,
		Initiator:     peer != nil,
		Prologue:      []byte(prologue),
		StaticKeypair: noise.DHKey{Private: private[:], Public: public[:]},
		PeerStatic:    peer,
	})
}

// probe is any key at all, to ask whether a point has small order.
var probe = must(ecdh.X25519().GenerateKey(rand.Reader))

// plausible refuses what can be no Noise message. A first key of small order (the
// zeros of an empty body, say) makes flynn/noise return in the middle of a message
// without rolling back, and the true answer could not be read any more. All
// X25519 scalars are multiples of eight, so any one of them finds such points.
func plausible(body []byte) bool {
	if len(body) != wire.BodySize {
		return false
	}
	public, err := ecdh.X25519().NewPublicKey(body[:ephemeralSize])
	if err != nil {
		return false
	}
	_, err = probe.ECDH(public)
	return err == nil
}

func mismatch(cause any) error { return fmt.Errorf("%w (%v)", ErrMismatch, cause) }

// Params is what the caller puts into a knock.
type Params struct {
	CallID [16]byte // random, the same for all knocks of one call
	Expiry int64    // Unix seconds by the relay's clock, at most a minute ahead
	Flags  uint8    // of the knock: what the caller understands
	Card   []byte   // the caller's newest signed card
}

// Outgoing is a call on the caller's side, until it is answered. One goroutine at a
// time may use it.
type Outgoing struct {
	noise    *noise.HandshakeState
	kem      *mlkem.DecapsulationKey768
	self     identity.Key
	peer     identity.Key
	knock    wire.Knock
	nonceA   [32]byte
	body     []byte
	answered bool
}

// Call makes the knock that calls peer.
func Call(self *identity.Identity, peer identity.Key, params Params) (*Outgoing, error) {
	if _, err := identity.ParseKey(peer[:]); err != nil {
		return nil, err
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	static := peer.Montgomery()
	state, err := newNoise(self, static[:], labelPrologue)
	if err != nil {
		return nil, err
	}
	o := &Outgoing{noise: state, kem: kem, self: self.Key(), peer: peer}
	rand.Read(o.nonceA[:]) // never fails: crypto/rand ends the program instead
	o.knock = wire.Knock{
		CallID: params.CallID, Expiry: params.Expiry, Flags: params.Flags, Card: bytes.Clone(params.Card),
		KEMKey: kem.EncapsulationKey().Bytes(), Commitment: commitment(params.CallID, o.nonceA),
	}
	rand.Read(o.knock.CallSecret[:])
	message, err := o.knock.Marshal(knockSize)
	if err != nil {
		return nil, err
	}
	if o.body, _, _, err = state.WriteMessage(nil, message); err != nil {
		return nil, err
	}
	return o, nil
}

// Knock gives the body to put into the callee's drops.
func (o *Outgoing) Knock() []byte { return bytes.Clone(o.body) }

// Ephemeral gives the Noise ephemeral public key, which decides glare: of two
// knocks that cross, the lower wins.
func (o *Outgoing) Ephemeral() [32]byte { return [32]byte(o.body[:ephemeralSize]) }

// CallSecret gives the secret that the knock carries.
func (o *Outgoing) CallSecret() [32]byte { return o.knock.CallSecret }

// AnswerDrop gives the key of the drop where the callee's messages arrive.
func (o *Outgoing) AnswerDrop() ed25519.PrivateKey {
	return identity.EphemeralDrop(o.knock.CallSecret)
}

// OpenControl opens ringing, declined or busy. False: it is none of them.
func (o *Outgoing) OpenControl(body []byte) (wire.Control, bool) {
	control := openControl(controlSealer(o.knock.CallSecret, o.knock.CallID, toCaller), body)
	return control, control.Kind == wire.ControlRinging || control.Kind == wire.ControlDeclined || control.Kind == wire.ControlBusy
}

// SealCancel gives the body that ends the ringing.
func (o *Outgoing) SealCancel() []byte {
	message := must(wire.Control{Kind: wire.ControlCancel}.Marshal(sealedSize))
	return controlSealer(o.knock.CallSecret, o.knock.CallID, toCallee).seal(message)
}

// openControl gives the zero Control for a body that is none.
func openControl(keys sealer, body []byte) wire.Control {
	message, err := keys.open(body)
	if err != nil {
		return wire.Control{}
	}
	control, err := wire.ParseControl(message)
	if err != nil {
		return wire.Control{}
	}
	return control
}

// ReadAnswer opens the callee's answer. ErrUnopened leaves the call as it was, so
// that garbage in the answer drop harms nothing; after an answer, and after
// ErrMismatch, no other answer opens.
func (o *Outgoing) ReadAnswer(body []byte) (*wire.Answer, *Session, error) {
	if o.answered || !plausible(body) {
		return nil, nil, ErrUnopened
	}
	message, first, second, err := o.noise.ReadMessage(nil, body)
	if err != nil {
		return nil, nil, ErrUnopened
	}
	o.answered = true
	answer, err := wire.ParseAnswer(message)
	if err != nil {
		return nil, nil, mismatch(err)
	}
	card, err := identity.ParseCardBytes(answer.Card)
	if err != nil {
		return nil, nil, mismatch(err)
	}
	if card.Key != o.peer {
		return nil, nil, mismatch("the answer carries somebody else's card")
	}
	shared, err := o.kem.Decapsulate(answer.KEMCiphertext)
	if err != nil {
		return nil, nil, mismatch(err)
	}
	session := newSession(toCallee, o.knock, o.noise.ChannelBinding(), first, second, shared)
	session.nonceA, session.nonceB = o.nonceA, answer.NonceB
	session.caller, session.callee, session.agreed = o.self, o.peer, answer.Flags&o.knock.Flags&understood
	session.committed = true // the nonce is our own
	return answer, session, nil
}
