package handshake

import (
	"sotto/net/identity"
	"sotto/net/wire"
)

// SealPresence gives the body that carries a word of presence to peer: the first
// message of Noise IK as a knock's is, of the same size and look, under a prologue of
// its own, so that neither ever opens as the other. It says who sent it to peer alone.
// As with a knock, a recorded one can be read by whoever has stolen peer's key since.
func SealPresence(self *identity.Identity, peer identity.Key, presence wire.Presence) ([]byte, error) {
	if _, err := identity.ParseKey(peer[:]); err != nil {
		return nil, err
	}
	message, err := presence.Marshal(knockSize)
	if err != nil {
		return nil, err
	}
	static := peer.Montgomery()
	state, err := newNoise(self, static[:], labelPresence)
	if err != nil {
		return nil, err
	}
	body, _, _, err := state.WriteMessage(nil, message)
	return body, err
}

// OpenPresence opens a body that came to one of our drops and gives the sender's
// identity in its X25519 form. ErrUnopened: it is no word of presence for us. Whether it
// is timely, new and from somebody who may is the caller's to check. Nothing is sent.
func OpenPresence(self *identity.Identity, body []byte) (from [32]byte, presence wire.Presence, err error) {
	if !plausible(body) {
		return from, presence, ErrUnopened
	}
	state, err := newNoise(self, nil, labelPresence)
	if err != nil {
		return from, presence, err
	}
	message, _, _, err := state.ReadMessage(nil, body)
	if err != nil {
		return from, presence, ErrUnopened
	}
	if presence, err = wire.ParsePresence(message); err != nil {
		return from, wire.Presence{}, ErrUnopened
	}
	return [32]byte(state.PeerStatic()), presence, nil
}
