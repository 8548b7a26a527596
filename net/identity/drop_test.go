package identity

import (
	"crypto/ed25519"
	"slices"
	"testing"
	"time"

	"github.com/tyler-smith/go-bip39/wordlists"
)

func TestWeek(t *testing.T) {
	for _, test := range []struct {
		at   int64
		week uint64
	}{{-1, 0}, {0, 0}, {604_799, 0}, {604_800, 1}, {1_700_000_000, 2810}} {
		if got := Week(time.Unix(test.at, 0)); got != test.week {
			t.Errorf("%d is in week %d, not %d", test.at, got, test.week)
		}
	}
}

func TestPairDropIsSharedByTwo(t *testing.T) {
	alice, bob, carol := testIdentity(1), testIdentity(2), testIdentity(3)
	drop := alice.PairDrop(alice.Key(), bob.Key(), 5)
	if !drop.Equal(bob.PairDrop(alice.Key(), bob.Key(), 5)) {
		t.Error("the two do not meet")
	}
	if alice.PairDrop(alice.Key(), alice.Key(), 5) == nil {
		t.Error("nobody can leave themselves a message")
	}
	for name, other := range map[string]ed25519.PrivateKey{
		"the way back": alice.PairDrop(bob.Key(), alice.Key(), 5), "next week": alice.PairDrop(alice.Key(), bob.Key(), 6),
		"another": alice.PairDrop(alice.Key(), carol.Key(), 5),
	} {
		if other == nil || drop.Equal(other) {
			t.Errorf("%s is the same drop", name)
		}
	}
	if carol.PairDrop(alice.Key(), bob.Key(), 5) != nil {
		t.Error("a third person has a key")
	}
	if alice.PairDrop(alice.Key(), Key{}, 5) != nil {
		t.Error("a weak key has a drop")
	}
}

func TestCardAndAnswerDrops(t *testing.T) {
	owner := testIdentity(1).Key()
	drop := CardDrop(owner, [32]byte{1}, 5)
	if !drop.Equal(CardDrop(owner, [32]byte{1}, 5)) {
		t.Error("not the same twice")
	}
	for name, other := range map[string]ed25519.PrivateKey{
		"owner": CardDrop(testIdentity(2).Key(), [32]byte{1}, 5), "secret": CardDrop(owner, [32]byte{2}, 5),
		"week": CardDrop(owner, [32]byte{1}, 6), "purpose": EphemeralDrop([32]byte{1}),
	} {
		if drop.Equal(other) {
			t.Errorf("another %s gives the same drop", name)
		}
	}
	if EphemeralDrop([32]byte{1}).Equal(EphemeralDrop([32]byte{2})) {
		t.Error("two calls share an answer drop")
	}
}

func TestSafetyWordsHangOnEverything(t *testing.T) {
	hash, nonceA, nonceB := make([]byte, 32), [32]byte{1}, [32]byte{2}
	a, b := testIdentity(1).Key(), testIdentity(2).Key()
	words := SafetyWords(hash, nonceA, nonceB, a, b)
	if words != SafetyWords(hash, nonceA, nonceB, a, b) {
		t.Error("not the same twice")
	}
	for name, other := range map[string][4]string{
		"hash":    SafetyWords(append([]byte{1}, hash[1:]...), nonceA, nonceB, a, b),
		"nonce A": SafetyWords(hash, [32]byte{3}, nonceB, a, b),
		"nonce B": SafetyWords(hash, nonceA, [32]byte{3}, a, b),
		"order":   SafetyWords(hash, nonceB, nonceA, a, b),
		"caller":  SafetyWords(hash, nonceA, nonceB, testIdentity(3).Key(), b),
		"callee":  SafetyWords(hash, nonceA, nonceB, a, testIdentity(3).Key()),
		"roles":   SafetyWords(hash, nonceA, nonceB, b, a),
	} {
		if words == other {
			t.Errorf("another %s gives the same words", name)
		}
	}
}

// Every word of the list can come at every place.
func TestSafetyWordsUseTheWholeList(t *testing.T) {
	if len(wordlists.English) != 2048 {
		t.Fatalf("%d words", len(wordlists.English))
	}
	var seen [4]map[string]bool
	for place := range seen {
		seen[place] = map[string]bool{}
	}
	for n := range 2048 * 4 {
		for place, word := range SafetyWords([]byte{byte(n), byte(n >> 8)}, [32]byte{}, [32]byte{}, Key{}, Key{}) {
			if !slices.Contains(wordlists.English, word) {
				t.Fatalf("%q is not in the list", word)
			}
			seen[place][word] = true
		}
	}
	for place := range seen {
		if len(seen[place]) < 1900 { // of 2048, 8192 draws leave out 37 on average
			t.Errorf("place %d has %d words", place, len(seen[place]))
		}
	}
}

// These keys are on the wire between versions: if one changes, its label must.
func TestDerivationsAreFixed(t *testing.T) {
	alice, bob := testIdentity(1), testIdentity(2)
	public := func(key ed25519.PrivateKey) string {
		return Key(key.Public().(ed25519.PublicKey)).String()[:16]
	}
	words := SafetyWords(make([]byte, 32), [32]byte{1}, [32]byte{2}, alice.Key(), bob.Key())
	for name, test := range map[string]struct{ got, want string }{
		"receive": {public(alice.ReceiveKey(mustAddress(t, "a.example"))), "e6b3dac74be0f2c5"},
		"pair":    {public(alice.PairDrop(alice.Key(), bob.Key(), 2810)), "037997992fbd083e"},
		"card":    {public(CardDrop(alice.Key(), [32]byte{1}, 2810)), "f1ff6ee24afdef6f"},
		"answer":  {public(EphemeralDrop([32]byte{1})), "b322e5cea559fa00"},
		"words":   {words[0] + " " + words[1] + " " + words[2] + " " + words[3], "shine diary priority clever"},
	} {
		if test.got != test.want {
			t.Errorf("%s is %s, was %s", name, test.got, test.want)
		}
	}
}
