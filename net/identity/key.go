package identity

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"

	"filippo.io/edwards25519"
)

const labelReceive = "sotto/identity/receive/1\x00"

// ErrWeakKey is returned for 32 bytes that are no honest Ed25519 public key.
var ErrWeakKey = errors.New("this is not a sound key: nobody can own it. ask for a new card")

// Key is an Ed25519 public key that passed ParseKey: the encoding is canonical
// and the point lies in the prime-order subgroup.
type Key [32]byte

// cofactorInverse is 1/8 modulo the group order: a point of the prime-order
// subgroup, and no other, comes back from a multiplication by 8 and then by this.
var cofactorInverse = func() *edwards25519.Scalar {
	eight, err := edwards25519.NewScalar().SetCanonicalBytes(append([]byte{8}, make([]byte, 31)...))
	if err != nil {
		panic(err) // 8 is canonical
	}
	return edwards25519.NewScalar().Invert(eight)
}()

// ParseKey checks 32 bytes from outside. It refuses encodings that are not
// canonical, points of small order, and points outside the prime-order subgroup,
// all of which would let one person own several "different" keys (RFC 8032 §8.8).
func ParseKey(encoded []byte) (Key, error) {
	point, err := new(edwards25519.Point).SetBytes(encoded)
	if err != nil || !bytes.Equal(point.Bytes(), encoded) {
		return Key{}, ErrWeakKey
	}
	large := new(edwards25519.Point).MultByCofactor(point)
	if large.Equal(edwards25519.NewIdentityPoint()) == 1 {
		return Key{}, ErrWeakKey
	}
	if new(edwards25519.Point).ScalarMult(cofactorInverse, large).Equal(point) != 1 {
		return Key{}, ErrWeakKey
	}
	return Key(encoded), nil
}

// Montgomery gives the X25519 form of the key (RFC 7748 §4.1), or zeros, which
// every handshake refuses, for a Key that never went through ParseKey.
func (k Key) Montgomery() [32]byte {
	point, err := new(edwards25519.Point).SetBytes(k[:])
	if err != nil {
		return [32]byte{}
	}
	return [32]byte(point.BytesMontgomery())
}

// String gives 64 hexadecimal digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// Identity is a person's secret key. It never changes after it is made, so it
// may be used from any goroutine.
type Identity struct {
	seed    [32]byte
	private ed25519.PrivateKey
	key     Key
	noise   *ecdh.PrivateKey
}

// New makes a fresh identity from the system's randomness.
func New() (*Identity, error) {
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	return FromSeed(seed), nil
}

// FromSeed gives the identity of a stored seed (RFC 8032 §5.1.5).
func FromSeed(seed [32]byte) *Identity {
	private := ed25519.NewKeyFromSeed(seed[:])
	hash := sha512.Sum512(seed[:])
	noise, err := ecdh.X25519().NewPrivateKey(clamp(hash[:32]))
	if err != nil {
		panic(err) // 32 bytes are always a scalar
	}
	return &Identity{seed: seed, private: private, key: Key(private.Public().(ed25519.PublicKey)), noise: noise}
}

func clamp(scalar []byte) []byte {
	clamped := bytes.Clone(scalar)
	clamped[0] &= 248
	clamped[31] &= 127
	clamped[31] |= 64
	return clamped
}

// Seed gives the 32 bytes to store; they are the whole identity.
func (i *Identity) Seed() [32]byte { return i.seed }

// Key gives the public key.
func (i *Identity) Key() Key { return i.key }

// NoiseKeypair gives the static X25519 key pair of the handshake; public equals
// Key().Montgomery().
func (i *Identity) NoiseKeypair() (private, public [32]byte) {
	return [32]byte(i.noise.Bytes()), [32]byte(i.noise.PublicKey().Bytes())
}

// ReceiveKey gives the key that logs a receiving line in at one relay. Two relays
// see two unrelated keys.
func (i *Identity) ReceiveKey(relay Address) ed25519.PrivateKey {
	return signingKey(i.seed[:], nil, labelReceive+relay.HostPort())
}

// signingKey derives an Ed25519 key by HKDF-SHA256.
func signingKey(secret, salt []byte, info string) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(derive(secret, salt, info, ed25519.SeedSize))
}

func derive(secret, salt []byte, info string, length int) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, info, length)
	if err != nil {
		panic(err) // only for lengths over 255 hashes, or a short secret in FIPS-only mode
	}
	return key
}
