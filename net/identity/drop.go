package identity

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"encoding/binary"
	"time"

	"github.com/tyler-smith/go-bip39/wordlists"
)

const (
	labelPair     = "sotto/identity/pair/1\x00"
	labelCardDrop = "sotto/identity/carddrop/1\x00"
	labelAnswer   = "sotto/identity/answer/1\x00"
	labelWords    = "sotto/identity/words/1\x00"

	weekSeconds = 604_800
)

// Week numbers the weeks since 1970; drops change with it. A time before 1970 is
// week 0.
func Week(at time.Time) uint64 {
	return uint64(max(at.Unix(), 0)) / weekSeconds
}

// PairDrop gives the key of the drop where from's messages for to arrive in one
// week. Both people derive the same one; nobody else can. One of the two is this
// identity's key, the other came from ParseKey; for anything else the result is nil.
func (i *Identity) PairDrop(from, to Key, week uint64) ed25519.PrivateKey {
	other := to
	switch i.key {
	case from:
	case to:
		other = from
	default:
		return nil
	}
	montgomery := other.Montgomery()
	public, err := ecdh.X25519().NewPublicKey(montgomery[:])
	if err != nil {
		return nil
	}
	shared, err := i.noise.ECDH(public)
	if err != nil {
		return nil
	}
	return signingKey(shared, nil, labelPair+string(from[:])+string(to[:])+weekBytes(week))
}

// CardDrop gives the key of the drop that whoever has a card can fill in one week.
func CardDrop(owner Key, secret [32]byte, week uint64) ed25519.PrivateKey {
	return signingKey(secret[:], nil, labelCardDrop+string(owner[:])+weekBytes(week))
}

// EphemeralDrop gives the key of the drop where the caller of one call waits for
// answers, from the call secret in the knock.
func EphemeralDrop(callSecret [32]byte) ed25519.PrivateKey {
	return signingKey(callSecret[:], nil, labelAnswer)
}

func weekBytes(week uint64) string {
	return string(binary.BigEndian.AppendUint64(nil, week))
}

// SafetyWords gives the four words that two people read to each other. The words
// are equal only if handshake hash, both nonces and both identities are; a is the
// caller and b the callee. Nonce A must have been committed to before nonce B was
// known, or the words could be searched for (44 bits, of which a person in the
// middle gets one try).
func SafetyWords(handshakeHash []byte, nonceA, nonceB [32]byte, a, b Key) [4]string {
	secret := append(nonceA[:], nonceB[:]...)
	bits := binary.BigEndian.Uint64(derive(secret, handshakeHash, labelWords+string(a[:])+string(b[:]), 8))
	var words [4]string
	for n := range words {
		words[n] = wordlists.English[bits>>(64-11*(n+1))&0x7ff]
	}
	return words
}
