package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
)

// A signed card, all integers big endian:
//
//	1   format, 1
//	32  key
//	32  secret
//	4   serial
//	1   length of host      …  host
//	2   port
//	1   pinned, 0 or 1      32 pin, if pinned
//	1   length of name      …  name, UTF-8, at most 64 bytes
//	64  Ed25519 signature over label ‖ all of the above
//
// As text: "sotto:" and base64url of the signed card and a 4-byte checksum.
const (
	cardFormat  = 1
	cardScheme  = "sotto:"
	checksumLen = 4

	labelCard     = "sotto/identity/card/1\x00"
	labelChecksum = "sotto/identity/checksum/1\x00"

	// MaxNameSize is the longest name of a card in bytes of UTF-8.
	MaxNameSize = 64
	// MaxCardSize is the longest signed card in bytes.
	MaxCardSize = 1 + 32 + 32 + 4 + 1 + 253 + 2 + 1 + 32 + 1 + MaxNameSize + ed25519.SignatureSize
)

// The three ways a card is refused, and the fourth for cards from the future.
var (
	ErrNotACard    = errors.New("this is not a Sotto card: a card is one line of letters behind sotto: and nothing else")
	ErrCardDamaged = errors.New("one or more letters of this card are wrong or missing: copy it again")
	ErrCardForged  = errors.New("this card is forged: it was not signed by the key it names. ask the person for theirs another way")
	ErrCardNewer   = errors.New("this card was made by a newer Sotto: update Sotto to read it")
)

// Card is what a person needs to reach another.
type Card struct {
	Key    Key
	Relay  Address
	Name   string   // as its owner writes it, cleaned by CleanName
	Secret [32]byte // whoever has it may knock when "anyone" may call
	Serial uint32   // a card with a higher serial replaces one with a lower
}

// Card fills a card for this identity.
func (i *Identity) Card(relay Address, name string, secret [32]byte, serial uint32) Card {
	return Card{Key: i.key, Relay: relay, Name: CleanName(name), Secret: secret, Serial: serial}
}

// Sign gives the signed form of a card, at most MaxCardSize bytes. The card is
// signed as this identity's, whatever its Key says.
func (i *Identity) Sign(card Card) []byte {
	card.Key = i.key
	body := card.body()
	return append(body, ed25519.Sign(i.private, append([]byte(labelCard), body...))...)
}

func (c Card) body() []byte {
	name := CleanName(c.Name)
	body := make([]byte, 0, MaxCardSize)
	body = append(body, cardFormat)
	body = append(body, c.Key[:]...)
	body = append(body, c.Secret[:]...)
	body = binary.BigEndian.AppendUint32(body, c.Serial)
	body = append(body, byte(len(c.Relay.Host)))
	body = append(body, c.Relay.Host...)
	body = binary.BigEndian.AppendUint16(body, c.Relay.Port)
	if c.Relay.Pinned {
		body = append(body, 1)
		body = append(body, c.Relay.Pin[:]...)
	} else {
		body = append(body, 0)
	}
	body = append(body, byte(len(name)))
	return append(body, name...)
}

// URI gives the text form of a signed card.
func URI(signed []byte) string {
	return cardScheme + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(signed), checksum(signed)...))
}

func checksum(signed []byte) []byte {
	sum := sha256.Sum256(append([]byte(labelChecksum), signed...))
	return sum[:checksumLen]
}

// ParseCard reads a card's text, with or without white space around it, and gives
// the card and its signed form. Errors are ErrNotACard, ErrCardDamaged,
// ErrCardForged and ErrCardNewer.
func ParseCard(uri string) (Card, []byte, error) {
	text, found := strings.CutPrefix(strings.TrimSpace(uri), cardScheme)
	if !found {
		return Card{}, nil, ErrNotACard
	}
	raw, err := decodeBase64(text)
	if err != nil || len(raw) < checksumLen {
		return Card{}, nil, ErrCardDamaged
	}
	signed, sum := raw[:len(raw)-checksumLen], raw[len(raw)-checksumLen:]
	if !bytes.Equal(sum, checksum(signed)) {
		return Card{}, nil, ErrCardDamaged
	}
	card, err := ParseCardBytes(signed)
	if err != nil {
		return Card{}, nil, err
	}
	return card, signed, nil
}

// ParseCardBytes reads the signed form of a card, as messages carry it.
func ParseCardBytes(signed []byte) (Card, error) {
	if len(signed) > 0 && signed[0] > cardFormat {
		return Card{}, ErrCardNewer
	}
	if len(signed) <= ed25519.SignatureSize || len(signed) > MaxCardSize || signed[0] != cardFormat {
		return Card{}, ErrCardDamaged
	}
	body, signature := signed[:len(signed)-ed25519.SignatureSize], signed[len(signed)-ed25519.SignatureSize:]
	card, err := parseBody(body)
	if err != nil {
		return Card{}, err
	}
	if !ed25519.Verify(card.Key[:], append([]byte(labelCard), body...), signature) {
		return Card{}, ErrCardForged
	}
	return card, nil
}

func parseBody(body []byte) (Card, error) {
	var card Card
	fields := reader{rest: body[1:]}
	rawKey := fields.take(len(card.Key))
	copy(card.Secret[:], fields.take(len(card.Secret)))
	card.Serial = uint32(fields.number(4))
	card.Relay.Host = string(fields.take(int(fields.number(1))))
	card.Relay.Port = uint16(fields.number(2))
	pinned := fields.number(1)
	if pinned == 1 {
		card.Relay.Pinned = true
		copy(card.Relay.Pin[:], fields.take(len(card.Relay.Pin)))
	}
	name := string(fields.take(int(fields.number(1))))
	if fields.short || len(fields.rest) > 0 || pinned > 1 || len(name) > MaxNameSize {
		return Card{}, ErrCardDamaged
	}
	// One spelling of an address, so that one relay is never two.
	if relay, err := ParseAddress(card.Relay.String()); err != nil || relay != card.Relay {
		return Card{}, ErrCardDamaged
	}
	key, err := ParseKey(rawKey)
	if err != nil {
		return Card{}, ErrCardForged
	}
	card.Key, card.Name = key, CleanName(name)
	return card, nil
}

// reader takes fields off the front of a message; after the first that is not
// there, short is set and every further one is empty.
type reader struct {
	rest  []byte
	short bool
}

func (r *reader) take(length int) []byte {
	if r.short || len(r.rest) < length {
		r.short = true
		return nil
	}
	field := r.rest[:length]
	r.rest = r.rest[length:]
	return field
}

func (r *reader) number(length int) uint64 {
	var value uint64
	for _, octet := range r.take(length) {
		value = value<<8 | uint64(octet)
	}
	return value
}
