package pair

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"

	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
)

const (
	format     = 1
	clearSize  = 1 + 4 + ed25519.SeedSize + 2 + wire.MaxText
	headerSize = 1 + ed25519.SeedSize + 2 // of a payload
)

// verdict is what one side makes of the other's card.
type verdict uint8

const (
	goOn     verdict = 1
	otherKey verdict = 2
	notKept  verdict = 3
)

var errMalformed = errors.New("not a message of a pairing")

// hello is the clear part of the first message.
type hello struct {
	day   uint32
	reply [ed25519.SeedSize]byte // of the drop where the joiner waits
	relay identity.Address       // of the joiner
}

func (h hello) marshal() []byte {
	b := make([]byte, 0, clearSize)
	b = append(b, format)
	b = binary.BigEndian.AppendUint32(b, h.day)
	b = append(b, h.reply[:]...)
	address := h.relay.String()
	b = binary.BigEndian.AppendUint16(b, uint16(len(address)))
	b = append(b, address...)
	return append(b, make([]byte, clearSize-len(b))...)
}

// parseHello reads what marshal writes and nothing else.
func parseHello(b []byte) (hello, error) {
	if len(b) != clearSize || b[0] != format {
		return hello{}, errMalformed
	}
	h := hello{day: binary.BigEndian.Uint32(b[1:])}
	copy(h.reply[:], b[5:])
	length := int(binary.BigEndian.Uint16(b[37:]))
	if length > wire.MaxText {
		return hello{}, errMalformed
	}
	relay, err := identity.ParseAddress(string(b[39 : 39+length]))
	if err != nil {
		return hello{}, errMalformed
	}
	h.relay = relay
	if !bytes.Equal(h.marshal(), b) {
		return hello{}, errMalformed
	}
	return h, nil
}

// payload is what the sealed messages say.
type payload struct {
	verdict verdict
	drop    [ed25519.SeedSize]byte
	card    []byte
}

// marshal lays p out for the message of that place, counted from 1, so that it
// fills a body.
func (p payload) marshal(place int) []byte {
	b := make([]byte, 0, wire.BodySize)
	b = append(b, byte(p.verdict))
	b = append(b, p.drop[:]...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(p.card)))
	b = append(b, p.card...)
	return append(b, make([]byte, wire.BodySize-handshake.PairingOverhead[place-1]-len(b))...)
}

func parsePayload(b []byte) (payload, error) {
	if len(b) < headerSize {
		return payload{}, errMalformed
	}
	p := payload{verdict: verdict(b[0])}
	copy(p.drop[:], b[1:])
	length := int(binary.BigEndian.Uint16(b[33:]))
	if p.verdict < goOn || p.verdict > notKept || length > identity.MaxCardSize || len(b) < headerSize+length {
		return payload{}, errMalformed
	}
	p.card = bytes.Clone(b[headerSize : headerSize+length])
	for _, pad := range b[headerSize+length:] {
		if pad != 0 {
			return payload{}, errMalformed
		}
	}
	return p, nil
}
