package handshake

import (
	"crypto/rand"
	"errors"

	"github.com/flynn/noise"

	"sotto/net/identity"
)

const labelPairing = "sotto/handshake/pairing/1\x00"

// PairingOverhead is how many bytes of a pairing's messages are not payload, by
// their place: Noise keys and tags of the handshake's three, then one tag each.
var PairingOverhead = [...]int{32 + 16, 32 + 48 + 16, 48 + 16, 16}

// ErrNotPaired: a pairing message that does not open. The two sides have different
// words, or somebody stands between them.
var ErrNotPaired = errors.New("the message was not sealed with these words")

// Pairing is one side of Noise_XXpsk0_25519_ChaChaPoly_SHA256 (noiseprotocol.org,
// revision 34), whose pre-shared key is stretched from spoken words. Messages take
// turns, the joiner's first; those after the third are under the split keys. It is
// for one goroutine, and useless after an error.
//
// The pre-shared key alone opens the first message, and not the others: for these
// one must also hold an ephemeral key of the time. So whoever recorded a pairing
// and finds the words later has nothing.
type Pairing struct {
	noise     *noise.HandshakeState
	in, out   *noise.CipherState // nil until the third message
	initiator bool
}

// NewPairing starts a side. Both must give the same psk and the same context, which
// is the part of the first message that travels in clear.
func NewPairing(self *identity.Identity, psk [32]byte, context []byte, joiner bool) (*Pairing, error) {
	private, public := self.NoiseKeypair()
	state, err := noise.NewHandshakeState(noise.Config{
		CipherSuite:           noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashSHA256),
		Random:                rand.Reader,
		Pattern:               noise.HandshakeXX,
		Initiator:             joiner,
		Prologue:              append([]byte(labelPairing), context...),
		PresharedKey:          psk[:],
		PresharedKeyPlacement: 0,
		StaticKeypair:         noise.DHKey{Private: private[:], Public: public[:]},
	})
	if err != nil {
		return nil, err
	}
	return &Pairing{noise: state, initiator: joiner}, nil
}

// Seal gives the next message of this side.
func (p *Pairing) Seal(payload []byte) ([]byte, error) {
	if p.out != nil {
		return p.out.Encrypt(nil, nil, payload)
	}
	message, first, second, err := p.noise.WriteMessage(nil, payload)
	if err == nil {
		p.split(first, second)
	}
	return message, err
}

// Open reads the next message of the other side, or returns ErrNotPaired.
func (p *Pairing) Open(message []byte) ([]byte, error) {
	if p.in != nil {
		payload, err := p.in.Decrypt(nil, nil, message)
		if err != nil {
			return nil, ErrNotPaired
		}
		return payload, nil
	}
	payload, first, second, err := p.noise.ReadMessage(nil, message)
	if err != nil {
		return nil, ErrNotPaired
	}
	p.split(first, second)
	return payload, nil
}

func (p *Pairing) split(first, second *noise.CipherState) {
	if first == nil {
		return
	}
	p.out, p.in = first, second
	if !p.initiator {
		p.out, p.in = second, first
	}
}

// IsFrom tells whether the other side has proved to hold that identity.
func (p *Pairing) IsFrom(key identity.Key) bool {
	static := key.Montgomery()
	return string(p.noise.PeerStatic()) == string(static[:])
}
