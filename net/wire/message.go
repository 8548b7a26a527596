package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// The messages of a call, as they are before sealing and after opening. All are
// padded with zeros to the size that fills a body once sealed (net/handshake); a
// reader accepts exactly one byte string for each message. Integers are big endian.
//
//	knock    16 call id | 8 expiry | 32 call secret | 1184 ML-KEM key |
//	         32 commitment | 1 flags | card
//	answer   1088 ML-KEM ciphertext | 32 nonce B | 32 drop seed | offer | card |
//	         1 flags
//	confirm  32 nonce A | offer | card
//	signal   1 kind | 8 sequence number | what the kind carries (signal.go)
//	control  1 kind | text, for a decline
//	presence 8 at | 1 state (presence.go)
//	offer    32 fingerprint | 1 ufrag length | ufrag | 1 pwd length | pwd |
//	         1 number of candidates | candidates
//	candidate  1 family, 4 or 6 | 4 or 16 address | 2 port
//	card     2 length | signed card
//	text     1 length | UTF-8, at most MaxTextBytes
const (
	KEMKeySize        = 1184 // ML-KEM-768 encapsulation key, FIPS 203 §8
	KEMCiphertextSize = 1088 // ML-KEM-768 ciphertext

	// MaxCardBytes bounds the card in a message; a signed card is shorter.
	MaxCardBytes = 512

	// MaxCandidates is how many relayed addresses an offer may name.
	MaxCandidates = 4

	// Every relay allocates in this range (RFC 8656 §7.2), so no offer can point
	// anybody at a service.
	minRelayedPort = 49152

	// FlagShortFrames: the sender takes packets of 10 ms of sound (audio/redundancy) and
	// reads what their headers say. Whoever does not say so gets packets of 20 ms.
	FlagShortFrames = 1 << 0
	minPort         = 1024 // below are the services of a machine

	// RFC 8839 §5.4 asks for at least these and allows 256 characters; both ends
	// are ours and use 16 and 32.
	minUfrag, minPwd, maxICE = 4, 22, 128
)

// ErrBadOffer is in every error of Offer.Check.
var ErrBadOffer = errors.New("the other side's media offer is not acceptable")

// Offer is what one side tells the other so that media can flow: nothing else of
// the connection's description ever crosses.
type Offer struct {
	Fingerprint [32]byte         // SHA-256 of the DTLS certificate (RFC 8122)
	Ufrag, Pwd  string           // ICE credentials
	Candidates  []netip.AddrPort // relayed addresses, 1 to MaxCandidates
}

// Knock is the first message of a call, caller to callee.
type Knock struct {
	CallID     [16]byte
	Expiry     int64 // Unix seconds
	CallSecret [32]byte
	KEMKey     []byte   // KEMKeySize bytes
	Commitment [32]byte // to nonce A
	Flags      uint8    // what the caller understands; unknown ones are ignored
	Card       []byte   // the caller's newest signed card
}

// Answer is the second message, callee to caller, sent once the person answered.
type Answer struct {
	KEMCiphertext []byte // KEMCiphertextSize bytes
	NonceB        [32]byte
	DropSeed      [32]byte // Ed25519 seed of the drop where the callee waits from now on
	Offer         Offer
	Card          []byte // the callee's newest signed card
	Flags         uint8  // those of the knock's that the callee understands too; a program that knows none leaves a zero here
}

// Confirm is the third message, caller to callee.
type Confirm struct {
	NonceA [32]byte // opens the knock's commitment
	Offer  Offer
	Card   []byte // the caller's newest signed card
}

// forbidden are addresses that no relay has and that would reach something else:
// "this network", link-local, and IPv6 ranges with an IPv4 address inside
// (IPv4-compatible, NAT64, Teredo, 6to4).
var forbidden = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("fec0::/10"),
}

// Check goes through an offer field by field. It says nothing about whether the
// addresses are anybody's relay: the own relay's policy and the DTLS fingerprint
// decide that. Loopback and private addresses pass, for relays of a laboratory.
func (o *Offer) Check() error { return o.check(relayable) }

// CheckDirect is Check for an offer of a direct connection: it names one address, of
// the other side's machine as a relay sees it, with any port that is no service's.
func (o *Offer) CheckDirect() error {
	if len(o.Candidates) != 1 {
		return fmt.Errorf("%w: it names %d addresses", ErrBadOffer, len(o.Candidates))
	}
	return o.check(func(candidate netip.AddrPort) bool { return candidate.Port() >= minPort && unicast(candidate.Addr()) })
}

func (o *Offer) check(acceptable func(netip.AddrPort) bool) error {
	switch {
	case o.Fingerprint == [32]byte{}:
		return fmt.Errorf("%w: it has no fingerprint", ErrBadOffer)
	case !iceText(o.Ufrag, minUfrag):
		return fmt.Errorf("%w: the user fragment is malformed", ErrBadOffer)
	case !iceText(o.Pwd, minPwd):
		return fmt.Errorf("%w: the password is malformed", ErrBadOffer)
	case len(o.Candidates) == 0 || len(o.Candidates) > MaxCandidates:
		return fmt.Errorf("%w: it names %d addresses", ErrBadOffer, len(o.Candidates))
	}
	for n, candidate := range o.Candidates {
		if !acceptable(candidate) {
			return fmt.Errorf("%w: address %d cannot be meant", ErrBadOffer, n+1)
		}
		for _, other := range o.Candidates[:n] {
			if candidate == other {
				return fmt.Errorf("%w: address %d is there twice", ErrBadOffer, n+1)
			}
		}
	}
	return nil
}

func relayable(candidate netip.AddrPort) bool {
	return candidate.Port() >= minRelayedPort && unicast(candidate.Addr())
}

// unicast reports whether an address can be one machine's.
func unicast(address netip.Addr) bool {
	if !address.IsValid() || address.Is4In6() || address.Zone() != "" ||
		address.IsUnspecified() || address.IsMulticast() {
		return false
	}
	for _, prefix := range forbidden {
		if prefix.Contains(address) {
			return false
		}
	}
	return !compatible(address)
}

// compatible: ::a.b.c.d (RFC 4291 §2.5.5.1), of which only ::1 means something else.
func compatible(address netip.Addr) bool {
	return address.Is6() && !address.IsLoopback() && netip.PrefixFrom(netip.IPv6Unspecified(), 96).Contains(address)
}

// iceText: ice-char is ALPHA, DIGIT, "+" or "/" (RFC 8839 §5.4).
func iceText(text string, shortest int) bool {
	if len(text) < shortest || len(text) > maxICE {
		return false
	}
	for _, letter := range []byte(text) {
		if letter != '+' && letter != '/' && (letter < '0' || letter > '9') &&
			(letter < 'A' || letter > 'Z') && (letter < 'a' || letter > 'z') {
			return false
		}
	}
	return true
}

func (o *Offer) append(b []byte) ([]byte, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return o.appendFields(b), nil
}

func (o *Offer) appendFields(b []byte) []byte {
	b = append(b, o.Fingerprint[:]...)
	b = append(append(b, byte(len(o.Ufrag))), o.Ufrag...)
	b = append(append(b, byte(len(o.Pwd))), o.Pwd...)
	b = append(b, byte(len(o.Candidates)))
	for _, candidate := range o.Candidates {
		family := byte(6)
		if candidate.Addr().Is4() {
			family = 4
		}
		b = append(append(b, family), candidate.Addr().AsSlice()...)
		b = binary.BigEndian.AppendUint16(b, candidate.Port())
	}
	return b
}

func appendCard(b, card []byte) ([]byte, error) {
	if len(card) == 0 || len(card) > MaxCardBytes {
		return nil, fmt.Errorf("%w: a card has %d bytes", ErrMalformed, len(card))
	}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(card))), card...), nil
}

// padded fills a message with zeros up to size.
func padded(b []byte, size int) ([]byte, error) {
	if len(b) > size {
		return nil, fmt.Errorf("%w: a message of %d bytes does not fit into %d", ErrMalformed, len(b), size)
	}
	return append(b, make([]byte, size-len(b))...), nil
}

// Marshal gives the message in exactly size bytes.
func (k *Knock) Marshal(size int) ([]byte, error) {
	if len(k.KEMKey) != KEMKeySize {
		return nil, fmt.Errorf("%w: a knock without a key", ErrMalformed)
	}
	b := append(make([]byte, 0, size), k.CallID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(k.Expiry))
	b = append(b, k.CallSecret[:]...)
	b = append(b, k.KEMKey...)
	b = append(b, k.Commitment[:]...)
	b, err := appendCard(append(b, k.Flags), k.Card)
	if err != nil {
		return nil, err
	}
	return padded(b, size)
}

// Marshal gives the message in exactly size bytes.
func (a *Answer) Marshal(size int) ([]byte, error) {
	if len(a.KEMCiphertext) != KEMCiphertextSize {
		return nil, fmt.Errorf("%w: an answer without a ciphertext", ErrMalformed)
	}
	b := append(make([]byte, 0, size), a.KEMCiphertext...)
	b = append(b, a.NonceB[:]...)
	b, err := marshalRest(append(b, a.DropSeed[:]...), &a.Offer, a.Card)
	if err != nil {
		return nil, err
	}
	return padded(append(b, a.Flags), size)
}

// Marshal gives the message in exactly size bytes.
func (c *Confirm) Marshal(size int) ([]byte, error) {
	b, err := marshalRest(append(make([]byte, 0, size), c.NonceA[:]...), &c.Offer, c.Card)
	if err != nil {
		return nil, err
	}
	return padded(b, size)
}

func marshalRest(b []byte, offer *Offer, card []byte) ([]byte, error) {
	b, err := offer.append(b)
	if err != nil {
		return nil, err
	}
	return appendCard(b, card)
}
