package wire

import (
	"bytes"
	"fmt"
	"net/netip"
)

// messageReader takes fields off the front of a message; after the first that is
// not there, short is set and all further ones are zero.
type messageReader struct {
	rest  []byte
	short bool
}

func (r *messageReader) take(length int) []byte {
	if r.short || len(r.rest) < length {
		r.short = true
		return make([]byte, length)
	}
	field := r.rest[:length]
	r.rest = r.rest[length:]
	return field
}

func (r *messageReader) number(length int) uint64 {
	var value uint64
	for _, octet := range r.take(length) {
		value = value<<8 | uint64(octet)
	}
	return value
}

func (r *messageReader) card() []byte {
	length := int(r.number(2))
	if length == 0 || length > MaxCardBytes {
		r.short = true
		return nil
	}
	return bytes.Clone(r.take(length))
}

func (r *messageReader) offer() Offer {
	var offer Offer
	copy(offer.Fingerprint[:], r.take(len(offer.Fingerprint)))
	offer.Ufrag = string(r.take(int(r.number(1))))
	offer.Pwd = string(r.take(int(r.number(1))))
	count := int(r.number(1))
	if count > MaxCandidates {
		r.short = true
		return Offer{}
	}
	for range count {
		var address netip.Addr
		switch r.number(1) {
		case 4:
			address = netip.AddrFrom4([4]byte(r.take(4)))
		case 6:
			address = netip.AddrFrom16([16]byte(r.take(16)))
		default:
			r.short = true
		}
		offer.Candidates = append(offer.Candidates, netip.AddrPortFrom(address, uint16(r.number(2))))
	}
	return offer
}

// end checks that all fields were there and that only zeros follow.
func (r *messageReader) end(what string) error {
	if r.short || len(bytes.TrimLeft(r.rest, "\x00")) > 0 {
		return fmt.Errorf("%w: no %s", ErrMalformed, what)
	}
	return nil
}

// ParseKnock reads a padded knock. The card in it is not yet checked.
func ParseKnock(b []byte) (*Knock, error) {
	r := messageReader{rest: b}
	var k Knock
	copy(k.CallID[:], r.take(len(k.CallID)))
	k.Expiry = int64(r.number(8))
	copy(k.CallSecret[:], r.take(len(k.CallSecret)))
	k.KEMKey = bytes.Clone(r.take(KEMKeySize))
	copy(k.Commitment[:], r.take(len(k.Commitment)))
	k.Flags = uint8(r.number(1))
	k.Card = r.card()
	if err := r.end("knock"); err != nil {
		return nil, err
	}
	return &k, nil
}

// ParseAnswer reads a padded answer, and checks its offer. The card in it is not
// yet checked.
func ParseAnswer(b []byte) (*Answer, error) {
	r := messageReader{rest: b}
	var a Answer
	a.KEMCiphertext = bytes.Clone(r.take(KEMCiphertextSize))
	copy(a.NonceB[:], r.take(len(a.NonceB)))
	copy(a.DropSeed[:], r.take(len(a.DropSeed)))
	a.Offer = r.offer()
	a.Card = r.card()
	a.Flags = uint8(r.number(1))
	if err := r.end("answer"); err != nil {
		return nil, err
	}
	if err := a.Offer.Check(); err != nil {
		return nil, err
	}
	return &a, nil
}

// ParseConfirm reads a padded confirmation, and checks its offer. The card in it
// is not yet checked.
func ParseConfirm(b []byte) (*Confirm, error) {
	r := messageReader{rest: b}
	var c Confirm
	copy(c.NonceA[:], r.take(len(c.NonceA)))
	c.Offer = r.offer()
	c.Card = r.card()
	if err := r.end("confirmation"); err != nil {
		return nil, err
	}
	if err := c.Offer.Check(); err != nil {
		return nil, err
	}
	return &c, nil
}
