package handshake

import (
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"sotto/net/wire"
)

const (
	labelPrologue = "sotto/handshake/prologue/1\x00"
	labelPresence = "sotto/handshake/presence/1\x00"
	labelCommit   = "sotto/handshake/commit/1\x00"
	labelControl  = "sotto/handshake/control/1\x00"
	labelConfirm  = "sotto/handshake/confirm/1\x00"
	labelSignal   = "sotto/handshake/signal/1\x00"
	labelFrame    = "sotto/handshake/frame/1\x00"

	ephemeralSize = 32                                                       // an X25519 public key at the head of every body
	tagSize       = 16                                                       // of either Poly1305 or GCM
	knockSize     = wire.BodySize - ephemeralSize - (32 + tagSize) - tagSize // e, encrypted s, encrypted payload
	answerSize    = wire.BodySize - ephemeralSize - tagSize                  // e, encrypted payload
	sealedSize    = wire.BodySize - ephemeralSize - tagSize
)

// The two outcomes callers branch on.
var (
	// ErrUnopened: the body is not for this key, not for this moment, or was
	// altered on its way. It changed nothing: the true message may still come.
	ErrUnopened = errors.New("the message does not open with the keys of this call")
	// ErrMismatch: the other side proved its key and then contradicted itself. The
	// call must end.
	ErrMismatch = errors.New("the keys of this call do not match: somebody may be in between. hang up, and compare your keys with the person some other way")
)

// way is the direction of a message; it separates the keys of the two.
type way byte

const (
	toCallee way = 1
	toCaller way = 2
)

// commitment is what the knock shows of nonce A.
func commitment(callID [16]byte, nonceA [32]byte) [32]byte {
	return sha256.Sum256(append(append([]byte(labelCommit), callID[:]...), nonceA[:]...))
}

func info(label string, callID [16]byte, to way) string {
	return label + string(callID[:]) + string([]byte{byte(to)})
}

// must is for primitives that fail only on lengths, and all lengths here are fixed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func extract(secret, salt []byte) []byte { return must(hkdf.Extract(sha256.New, secret, salt)) }

func expand(pseudorandom []byte, info string, length int) []byte {
	return must(hkdf.Expand(sha256.New, pseudorandom, info, length))
}

// sealer seals and opens bodies under one key. It has no state.
type sealer struct{ aead cipher.AEAD }

func newSealer(key []byte) sealer { return sealer{aead: must(chacha20poly1305.NewX(key))} }

// controlSealer gives the key of what is said before the answer.
func controlSealer(callSecret [32]byte, callID [16]byte, to way) sealer {
	return newSealer(expand(extract(callSecret[:], nil), info(labelControl, callID, to), chacha20poly1305.KeySize))
}

// seal gives a body around a message of sealedSize bytes.
func (s sealer) seal(message []byte) []byte {
	ephemeral := must(ecdh.X25519().GenerateKey(rand.Reader)).PublicKey().Bytes()
	body := append(make([]byte, 0, wire.BodySize), ephemeral...)
	return s.aead.Seal(body, ephemeral[:chacha20poly1305.NonceSizeX], message, ephemeral)
}

func (s sealer) open(body []byte) ([]byte, error) {
	if len(body) != wire.BodySize {
		return nil, ErrUnopened
	}
	ephemeral := body[:ephemeralSize]
	message, err := s.aead.Open(nil, ephemeral[:chacha20poly1305.NonceSizeX], body[ephemeralSize:], ephemeral)
	if err != nil {
		return nil, ErrUnopened
	}
	return message, nil
}
