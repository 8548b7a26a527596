package handshake

import (
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rand"

	"github.com/flynn/noise"

	"sotto/net/identity"
	"sotto/net/wire"
)

// Incoming is a call on the callee's side, until it is answered. One goroutine at a
// time may use it.
type Incoming struct {
	noise     *noise.HandshakeState
	kem       *mlkem.EncapsulationKey768
	self      identity.Key
	knock     *wire.Knock
	card      identity.Card
	static    [32]byte
	ephemeral [32]byte
	answered  bool
}

// OpenKnock opens a body that came to one of our drops. ErrUnopened: it is no knock
// for us. ErrMismatch: it is one, but its card is not that of the key it came from.
// Expiry, replay and policy are the caller's to check. Nothing is sent.
func OpenKnock(self *identity.Identity, body []byte) (*Incoming, error) {
	if !plausible(body) {
		return nil, ErrUnopened
	}
	state, err := newNoise(self, nil, labelPrologue)
	if err != nil {
		return nil, err
	}
	message, _, _, err := state.ReadMessage(nil, body)
	if err != nil {
		return nil, ErrUnopened
	}
	knock, err := wire.ParseKnock(message)
	if err != nil {
		return nil, mismatch(err)
	}
	kem, err := mlkem.NewEncapsulationKey768(knock.KEMKey)
	if err != nil {
		return nil, mismatch(err)
	}
	card, err := identity.ParseCardBytes(knock.Card)
	if err != nil {
		return nil, mismatch(err)
	}
	static := [32]byte(state.PeerStatic())
	if card.Key.Montgomery() != static {
		return nil, mismatch("the knock carries somebody else's card")
	}
	return &Incoming{
		noise: state, kem: kem, self: self.Key(), knock: knock, card: card,
		static: static, ephemeral: [32]byte(body[:ephemeralSize]),
	}, nil
}

// Knock gives what the caller said. It must not be changed.
func (i *Incoming) Knock() *wire.Knock { return i.knock }

// Card gives the caller's card; its key is the one that made the knock.
func (i *Incoming) Card() identity.Card { return i.card }

// PeerStatic gives the caller's identity in its X25519 form.
func (i *Incoming) PeerStatic() [32]byte { return i.static }

// Ephemeral gives the caller's Noise ephemeral public key; see Outgoing.Ephemeral.
func (i *Incoming) Ephemeral() [32]byte { return i.ephemeral }

// SealControl gives the body that says ringing, declined (with its text) or busy; nil
// for any other kind.
func (i *Incoming) SealControl(control wire.Control) []byte {
	message, err := control.Marshal(sealedSize)
	if err != nil || control.Kind == wire.ControlCancel {
		return nil
	}
	return controlSealer(i.knock.CallSecret, i.knock.CallID, toCaller).seal(message)
}

// OpenCancel says whether a body is the caller giving up.
func (i *Incoming) OpenCancel(body []byte) bool {
	return openControl(controlSealer(i.knock.CallSecret, i.knock.CallID, toCallee), body).Kind == wire.ControlCancel
}

// Answer gives the body that accepts the call, the key of the drop where the
// caller's messages arrive from now on, and the session. It works once: a second
// time it is ErrUnopened. A bad offer or card is an error and uses nothing up.
func (i *Incoming) Answer(offer wire.Offer, card []byte) ([]byte, ed25519.PrivateKey, *Session, error) {
	if i.answered {
		return nil, nil, nil, ErrUnopened
	}
	shared, ciphertext := i.kem.Encapsulate()
	answer := wire.Answer{KEMCiphertext: ciphertext, Offer: offer, Card: card, Flags: i.knock.Flags & understood}
	rand.Read(answer.NonceB[:]) // never fails: crypto/rand ends the program instead
	rand.Read(answer.DropSeed[:])
	message, err := answer.Marshal(answerSize)
	if err != nil {
		return nil, nil, nil, err
	}
	body, first, second, err := i.noise.WriteMessage(nil, message)
	if err != nil {
		return nil, nil, nil, err
	}
	i.answered = true
	session := newSession(toCaller, *i.knock, i.noise.ChannelBinding(), first, second, shared)
	session.nonceB, session.caller, session.callee, session.agreed = answer.NonceB, i.card.Key, i.self, answer.Flags
	return body, ed25519.NewKeyFromSeed(answer.DropSeed[:]), session, nil
}
