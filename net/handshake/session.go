package handshake

import (
	"bytes"
	"crypto/subtle"

	"github.com/flynn/noise"
	"golang.org/x/crypto/chacha20poly1305"

	"sotto/net/identity"
	"sotto/net/wire"
)

// Session is a call after its answer. One goroutine at a time may use it; the
// FrameSealer and the FrameOpener each have an owner of their own.
type Session struct {
	sends          way // the direction of what this side sends
	callID         [16]byte
	hash           []byte // the handshake hash; public
	commitment     [32]byte
	nonceA, nonceB [32]byte
	caller, callee identity.Key
	committed      bool // nonce A is known to fit the commitment
	agreed         uint8

	confirm      sealer
	signalOut    sealer
	signalIn     sealer
	lastSignal   uint64
	signalWindow window
	frameOut     *FrameSealer
	frameIn      *FrameOpener
}

// newSession derives the keys of the call from both halves of the hybrid.
func newSession(sends way, knock wire.Knock, hash []byte, first, second *noise.CipherState, shared []byte) *Session {
	splitOut, splitBack := first.UnsafeKey(), second.UnsafeKey()
	secret := bytes.Join([][]byte{splitOut[:], splitBack[:], shared}, nil)
	keys := extract(secret, hash)
	derive := func(label string, to way, length int) []byte {
		return expand(keys, info(label, knock.CallID, to), length)
	}
	receives := toCaller
	if sends == toCaller {
		receives = toCallee
	}
	return &Session{
		sends: sends, callID: knock.CallID, hash: bytes.Clone(hash), commitment: knock.Commitment,
		confirm:   newSealer(derive(labelConfirm, toCallee, chacha20poly1305.KeySize)),
		signalOut: newSealer(derive(labelSignal, sends, chacha20poly1305.KeySize)),
		signalIn:  newSealer(derive(labelSignal, receives, chacha20poly1305.KeySize)),
		frameOut:  newFrameSealer(derive(labelFrame, sends, frameKeySize)),
		frameIn:   newFrameOpener(derive(labelFrame, receives, frameKeySize)),
	}
}

// SealConfirm gives the caller's third message. It is nil for an offer or card that
// the other side would refuse, and on the callee's side.
func (s *Session) SealConfirm(offer wire.Offer, card []byte) []byte {
	confirm := wire.Confirm{NonceA: s.nonceA, Offer: offer, Card: card}
	message, err := confirm.Marshal(sealedSize)
	if err != nil || s.sends != toCallee {
		return nil
	}
	return s.confirm.seal(message)
}

// OpenConfirm opens the caller's third message, on the callee's side. The nonce is
// held against the commitment before anything else in it is read; after ErrMismatch
// the call must end. The same message may be opened again, for a caller that
// repeats it.
func (s *Session) OpenConfirm(body []byte) (*wire.Confirm, error) {
	if s.sends != toCaller {
		return nil, ErrUnopened
	}
	message, err := s.confirm.open(body)
	if err != nil {
		return nil, err
	}
	nonceA := [32]byte(message)
	opened := commitment(s.callID, nonceA)
	if subtle.ConstantTimeCompare(opened[:], s.commitment[:]) != 1 {
		return nil, mismatch("the caller's nonce is not the one it committed to")
	}
	confirm, err := wire.ParseConfirm(message)
	if err != nil {
		return nil, mismatch(err)
	}
	card, err := identity.ParseCardBytes(confirm.Card)
	if err != nil {
		return nil, mismatch(err)
	}
	if card.Key != s.caller {
		return nil, mismatch("the confirmation carries somebody else's card")
	}
	s.nonceA, s.committed = nonceA, true
	return confirm, nil
}

// understood are the flags of a knock that this program knows.
const understood = wire.FlagShortFrames

// Agreed says whether both sides understand what flag, one of wire's, stands for. The
// handshake vouches for it: nobody in between can take it away or add it.
func (s *Session) Agreed(flag uint8) bool { return s.agreed&flag != 0 }

// Words gives the four safety words. On the callee's side they are empty until
// OpenConfirm succeeded.
func (s *Session) Words() [4]string {
	if !s.committed {
		return [4]string{}
	}
	return identity.SafetyWords(s.hash, s.nonceA, s.nonceB, s.caller, s.callee)
}

// SealSignal gives the body of a signal; Seq is filled in here. It is nil for a
// kind that does not exist.
func (s *Session) SealSignal(signal wire.Signal) []byte {
	signal.Seq = s.lastSignal + 1
	message, err := signal.Marshal(sealedSize)
	if err != nil {
		return nil
	}
	s.lastSignal++
	return s.signalOut.seal(message)
}

// OpenSignal opens a signal. Signals may come in any order; one that comes twice,
// or far too late, is ErrUnopened.
func (s *Session) OpenSignal(body []byte) (wire.Signal, error) {
	message, err := s.signalIn.open(body)
	if err != nil {
		return wire.Signal{}, err
	}
	signal, err := wire.ParseSignal(message)
	if err != nil {
		return wire.Signal{}, mismatch(err)
	}
	if !s.signalWindow.fresh(signal.Seq) {
		return wire.Signal{}, ErrUnopened
	}
	s.signalWindow.mark(signal.Seq)
	return signal, nil
}

// FrameSealer gives the seal of the frames this side sends; always the same one,
// since two would repeat nonces. On the callee's side it is nil until OpenConfirm
// succeeded.
func (s *Session) FrameSealer() *FrameSealer {
	if !s.committed {
		return nil
	}
	return s.frameOut
}

// FrameOpener gives the opener of the frames this side receives; always the same
// one. On the callee's side it is nil until OpenConfirm succeeded.
func (s *Session) FrameOpener() *FrameOpener {
	if !s.committed {
		return nil
	}
	return s.frameIn
}
