package identity

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"testing"

	"filippo.io/edwards25519"
)

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// RFC 8032 §7.1, tests 1 and 2, and libsodium's test of the conversion to X25519
// (test/default/ed25519_convert.c).
func TestKnownIdentities(t *testing.T) {
	for _, test := range []struct{ seed, key string }{
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"},
	} {
		self := FromSeed([32]byte(unhex(t, test.seed)))
		if self.Key().String() != test.key || hex.EncodeToString(self.seed[:]) != test.seed || self.Seed() != self.seed {
			t.Errorf("%s has key %s", test.seed, self.Key())
		}
		if key, err := keyFromHex(test.key); err != nil || key != self.Key() {
			t.Error(key, err)
		}
	}
	self := FromSeed([32]byte(unhex(t, "421151a459faeade3d247115f94aedae42318124095afabe4d1451a559faedee")))
	private, public := self.NoiseKeypair()
	if hex.EncodeToString(public[:]) != "f1814f0e8ff1043d8a44d25babff3cedcae6c22c3edaa48f857ae70de2baae50" ||
		hex.EncodeToString(private[:]) != "8052030376d47112be7f73ed7a019293dd12ad910b654455798b4667d73de166" {
		t.Errorf("%x %x", private, public)
	}
}

func TestNoiseKeyIsTheMontgomeryForm(t *testing.T) {
	for range 50 {
		self, err := New()
		if err != nil {
			t.Fatal(err)
		}
		private, public := self.NoiseKeypair()
		if public != self.Key().Montgomery() {
			t.Fatalf("%x is not %x", public, self.Key().Montgomery())
		}
		scalar, err := ecdh.X25519().NewPrivateKey(private[:])
		if err != nil || [32]byte(scalar.PublicKey().Bytes()) != public {
			t.Fatal("the scalar does not belong to the key", err)
		}
		hash := sha512.Sum512(self.seed[:])
		if want, _ := edwards25519.NewScalar().SetBytesWithClamping(hash[:32]); !bytes.Equal(new(edwards25519.Point).ScalarBaseMult(want).Bytes(), self.key[:]) {
			t.Fatal("the scalar does not belong to the Ed25519 key")
		}
		if key, err := ParseKey(self.key[:]); err != nil || key != self.Key() {
			t.Fatal(err)
		}
	}
}

// The eight points whose order divides eight (IACR ePrint 2020/1244, table 6a), and
// the encodings of some of them that are not canonical.
var smallOrder = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
}

func TestSmallOrderKeysAreRefused(t *testing.T) {
	for _, text := range smallOrder {
		point, err := new(edwards25519.Point).SetBytes(unhex(t, text))
		if err != nil || new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) != 1 {
			t.Errorf("%s is not of small order: %v", text, err)
		}
		if _, err := keyFromHex(text); !errors.Is(err, ErrWeakKey) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestKeysOutsideTheSubgroupAreRefused(t *testing.T) {
	honest, err := new(edwards25519.Point).SetBytes(testIdentity(1).key[:])
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range smallOrder[1:8] {
		torsion, err := new(edwards25519.Point).SetBytes(unhex(t, text))
		if err != nil {
			t.Fatal(err)
		}
		mixed := new(edwards25519.Point).Add(honest, torsion)
		if _, err := ParseKey(mixed.Bytes()); !errors.Is(err, ErrWeakKey) {
			t.Errorf("a key with %s added: %v", text, err)
		}
	}
}

// The field has 19 numbers with two encodings. Points of large order among them
// are refused for the encoding alone.
func TestNonCanonicalKeysAreRefused(t *testing.T) {
	large := 0
	for low := 0xed; low <= 0xff; low++ {
		for _, high := range []byte{0x7f, 0xff} {
			encoded := bytes.Repeat([]byte{0xff}, 32)
			encoded[0], encoded[31] = byte(low), high
			point, err := new(edwards25519.Point).SetBytes(encoded)
			if err == nil && new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 0 {
				large++
			}
			if _, err := ParseKey(encoded); !errors.Is(err, ErrWeakKey) {
				t.Errorf("%x: %v", encoded, err)
			}
		}
	}
	if large == 0 {
		t.Error("no such point was tried")
	}
}

func TestMalformedKeys(t *testing.T) {
	good := testIdentity(1).Key().String()
	for _, text := range []string{"", "00", good[:62], good + "00", "zz" + good[2:], "02" + hex.EncodeToString(make([]byte, 31))} {
		if _, err := keyFromHex(text); !errors.Is(err, ErrWeakKey) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := ParseKey(nil); !errors.Is(err, ErrWeakKey) {
		t.Error(err)
	}
	var notAPoint Key
	notAPoint[0] = 2
	if notAPoint.Montgomery() != [32]byte{} {
		t.Error("no point has a Montgomery form")
	}
}

func TestReceiveKeysDifferByRelay(t *testing.T) {
	self := testIdentity(1)
	first := self.ReceiveKey(mustAddress(t, "a.example:443"))
	if !first.Equal(self.ReceiveKey(mustAddress(t, "A.example#"+testRelay[len(testRelay)-43:]))) {
		t.Error("the key depends on more than host and port")
	}
	for name, other := range map[string]ed25519.PrivateKey{
		"port": self.ReceiveKey(mustAddress(t, "a.example:444")), "host": self.ReceiveKey(mustAddress(t, "b.example:443")),
		"person": testIdentity(2).ReceiveKey(mustAddress(t, "a.example:443")), "identity": self.private,
	} {
		if first.Equal(other) {
			t.Errorf("another %s gives the same key", name)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	for _, text := range smallOrder {
		f.Add(unhex(f, text))
	}
	key := testIdentity(1).Key()
	f.Add(key[:])
	f.Fuzz(func(t *testing.T, encoded []byte) {
		key, err := ParseKey(encoded)
		if err != nil {
			return
		}
		if !bytes.Equal(key[:], encoded) {
			t.Errorf("%x became %x", encoded, key)
		}
		montgomery := key.Montgomery()
		public, err := ecdh.X25519().NewPublicKey(montgomery[:])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := testIdentity(1).noise.ECDH(public); err != nil {
			t.Errorf("%x passed and shares no secret: %v", encoded, err)
		}
	})
}

// keyFromHex is ParseKey for the form that String writes.
func keyFromHex(text string) (Key, error) {
	raw, err := hex.DecodeString(text)
	if err != nil {
		return Key{}, ErrWeakKey
	}
	return ParseKey(raw)
}
