package wire

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

const (
	// BodySize is the size in bytes of every sealed body.
	BodySize = 4096

	// EnvelopeSize is the size in bytes of a marshalled envelope.
	EnvelopeSize = 32 + 16 + 8 + ed25519.SignatureSize + BodySize

	// Skew is how far a sender's idea of the gateway's clock may be off.
	Skew = 120 * time.Second

	// MaxLife is how far ahead of the gateway's clock an expiry may lie, Skew aside.
	MaxLife = 120 * time.Second

	dropLabel     = "sotto drop id v1"
	envelopeLabel = "sotto envelope v1"
)

var (
	// ErrForged: an envelope's signature does not match its drop, host and body.
	ErrForged = errors.New("the envelope is forged or meant for another relay")

	// ErrMalformed: bytes that are no envelope or no frame.
	ErrMalformed = errors.New("the message is malformed")
)

// DropID names a drop at a gateway: SHA-256(label ‖ verification key).
type DropID [32]byte

// DropOf is the drop that the holder of key's private half can fill.
func DropOf(key ed25519.PublicKey) DropID {
	return DropID(sha256.Sum256(append([]byte(dropLabel), key...)))
}

// String is the id in hex, 64 letters.
func (d DropID) String() string { return hex.EncodeToString(d[:]) }

// Envelope is one sealed message on its way to a drop. Layout, EnvelopeSize bytes:
//
//	0    32  verification key of the drop (Ed25519)
//	32   16  random id, remembered by the gateway until the expiry
//	48   8   expiry, Unix seconds, judged by the gateway's clock
//	56   64  signature by the drop key over
//	         label ‖ drop id ‖ host ‖ id ‖ expiry ‖ SHA-256(body)
//	120  4096  sealed body
//
// host is the destination gateway's host:port. It is the only field of variable
// length in what is signed, so no two envelopes share a signed string.
type Envelope struct {
	Key       [32]byte
	ID        [16]byte
	Expiry    int64
	Signature [ed25519.SignatureSize]byte
	Body      [BodySize]byte
}

// NewEnvelope signs body, which must be BodySize bytes, into the drop of the key,
// for the gateway whose host:port is given.
func NewEnvelope(drop ed25519.PrivateKey, host string, expiry time.Time, body []byte) (*Envelope, error) {
	if len(body) != BodySize {
		return nil, fmt.Errorf("%w: a sealed body has %d bytes, not %d", ErrMalformed, BodySize, len(body))
	}
	if len(drop) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("%w: a drop key has %d bytes, not %d", ErrMalformed, ed25519.PrivateKeySize, len(drop))
	}
	e := &Envelope{Expiry: expiry.Unix()}
	copy(e.Key[:], drop.Public().(ed25519.PublicKey))
	copy(e.Body[:], body)
	rand.Read(e.ID[:]) // never fails: crypto/rand ends the process instead
	copy(e.Signature[:], ed25519.Sign(drop, e.signed(host)))
	return e, nil
}

// Drop is the drop this envelope is for.
func (e *Envelope) Drop() DropID { return DropOf(e.Key[:]) }

// Verify returns ErrForged unless the holder of the drop key signed exactly this
// envelope for the gateway at host.
func (e *Envelope) Verify(host string) error {
	if !ed25519.Verify(e.Key[:], e.signed(host), e.Signature[:]) {
		return ErrForged
	}
	return nil
}

// Timely tells whether a gateway whose clock shows now may still take the envelope.
func (e *Envelope) Timely(now time.Time) bool {
	return e.Expiry >= now.Add(-Skew).Unix() && e.Expiry <= now.Add(Skew+MaxLife).Unix()
}

func (e *Envelope) signed(host string) []byte {
	drop, body := e.Drop(), sha256.Sum256(e.Body[:])
	b := make([]byte, 0, 256)
	b = append(b, envelopeLabel...)
	b = append(b, drop[:]...)
	b = append(b, host...)
	b = append(b, e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Expiry))
	return append(b, body[:]...)
}

// Marshal is the envelope's EnvelopeSize bytes.
func (e *Envelope) Marshal() []byte { return e.append(make([]byte, 0, EnvelopeSize)) }

func (e *Envelope) append(b []byte) []byte {
	b = append(b, e.Key[:]...)
	b = append(b, e.ID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Expiry))
	b = append(b, e.Signature[:]...)
	return append(b, e.Body[:]...)
}

// ParseEnvelope reads exactly EnvelopeSize bytes and copies them. It checks no
// signature.
func ParseEnvelope(b []byte) (*Envelope, error) {
	if len(b) != EnvelopeSize {
		return nil, fmt.Errorf("%w: an envelope has %d bytes, not %d", ErrMalformed, EnvelopeSize, len(b))
	}
	e := &Envelope{Expiry: int64(binary.BigEndian.Uint64(b[48:56]))}
	copy(e.Key[:], b)
	copy(e.ID[:], b[32:])
	copy(e.Signature[:], b[56:])
	copy(e.Body[:], b[120:])
	return e, nil
}
