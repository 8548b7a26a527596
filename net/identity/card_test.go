package identity

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"
)

func testIdentity(first byte) *Identity {
	return FromSeed([32]byte{first, 1, 2, 3})
}

func mustAddress(t testing.TB, text string) Address {
	t.Helper()
	address, err := ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

const testRelay = "relay.example.org:8443#AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

func testCard(t testing.TB) (Card, string) {
	t.Helper()
	owner := testIdentity(7)
	card := owner.Card(mustAddress(t, testRelay), "Alice", [32]byte{9, 9}, 3)
	return card, URI(owner.Sign(card))
}

func TestCardComesBack(t *testing.T) {
	for _, relay := range []string{testRelay, "relay.example.org", "127.0.0.1:1", "[2001:db8::1]:9#" + strings.Repeat("A", 43)} {
		for _, name := range []string{"", "Alice", "Žofie 李", strings.Repeat("é", 32)} {
			owner := testIdentity(7)
			want := owner.Card(mustAddress(t, relay), name, [32]byte{1}, 1<<32-1)
			signed := owner.Sign(want)
			got, raw, err := ParseCard("\n " + URI(signed) + " \n")
			if err != nil || got != want || !bytes.Equal(raw, signed) {
				t.Errorf("%s, %q: got %+v, %v", relay, name, got, err)
			}
			if len(signed) > MaxCardSize {
				t.Errorf("%d bytes, over MaxCardSize", len(signed))
			}
		}
	}
}

func TestEverySingleLetterIsRefused(t *testing.T) {
	_, uri := testCard(t)
	letters := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/:. \n\r\tO0\x00\x7fé"
	for position := range uri {
		for _, letter := range letters {
			if rune(uri[position]) == letter {
				continue
			}
			changed := uri[:position] + string(letter) + uri[position+1:]
			_, _, err := ParseCard(changed)
			if err == nil {
				t.Fatalf("letter %d changed to %q is accepted", position, letter)
			}
			want := ErrCardDamaged
			if position < len("sotto:") {
				want = ErrNotACard
			}
			if !errors.Is(err, want) {
				t.Fatalf("letter %d changed to %q: %v", position, letter, err)
			}
		}
	}
}

func TestCutExtendedSwappedAndCaseAreRefused(t *testing.T) {
	_, uri := testCard(t)
	for length := range uri {
		if _, _, err := ParseCard(uri[:length]); err == nil {
			t.Fatalf("the first %d letters are accepted", length)
		}
		if _, _, err := ParseCard(uri[:length] + uri[length+1:]); err == nil {
			t.Fatalf("without letter %d it is accepted", length)
		}
		if _, _, err := ParseCard(uri[:length] + "A" + uri[length:]); err == nil {
			t.Fatalf("with a letter more at %d it is accepted", length)
		}
		if length > 0 && uri[length] != uri[length-1] {
			swapped := []byte(uri)
			swapped[length], swapped[length-1] = swapped[length-1], swapped[length]
			if _, _, err := ParseCard(string(swapped)); err == nil {
				t.Fatalf("with letters %d and %d swapped it is accepted", length-1, length)
			}
		}
	}
	for _, more := range []string{"A", "AA", "AAA", "AAAA", "=", "==", uri} {
		if _, _, err := ParseCard(uri + more); !errors.Is(err, ErrCardDamaged) {
			t.Errorf("%q behind it: %v", more, err)
		}
	}
	for _, other := range []string{strings.ToUpper(uri), strings.ToLower(uri), "Sotto:" + uri[len("sotto:"):]} {
		if _, _, err := ParseCard(other); err == nil {
			t.Error("another case is accepted")
		}
	}
}

func TestNotACard(t *testing.T) {
	for _, text := range []string{"", "alice", "https://example.org", "sotto", "sotto;AAAA"} {
		if _, _, err := ParseCard(text); !errors.Is(err, ErrNotACard) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// resign gives a body a true checksum and the signature of whoever is asked.
func resign(body []byte, by *Identity) []byte {
	return append(bytes.Clone(body), ed25519.Sign(by.private, append([]byte(labelCard), body...))...)
}

func TestForgedCards(t *testing.T) {
	card, _ := testCard(t)
	owner, thief := testIdentity(7), testIdentity(8)
	body := card.body()
	if _, _, err := ParseCard(URI(resign(body, owner))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := ParseCard(URI(resign(body, thief))); !errors.Is(err, ErrCardForged) {
		t.Errorf("signed by another: %v", err)
	}
	signed := owner.Sign(card)
	for position := 1; position < len(signed); position++ {
		changed := bytes.Clone(signed)
		changed[position] ^= 1
		if _, _, err := ParseCard(URI(changed)); err == nil {
			t.Errorf("byte %d changed under a true checksum is accepted", position)
		}
	}
	weak := bytes.Clone(body)
	copy(weak[1:33], make([]byte, 32)) // a point of order four
	if _, _, err := ParseCard(URI(resign(weak, thief))); !errors.Is(err, ErrCardForged) {
		t.Errorf("weak key: %v", err)
	}
}

func TestMalformedCardsOfAnHonestKey(t *testing.T) {
	owner := testIdentity(7)
	good := owner.Card(mustAddress(t, testRelay), "Alice", [32]byte{}, 0)
	change := func(alter func(*Card)) []byte {
		card := good
		alter(&card)
		return resign(card.body(), owner)
	}
	for name, signed := range map[string][]byte{
		"no relay":        change(func(c *Card) { c.Relay = Address{} }),
		"no port":         change(func(c *Card) { c.Relay.Port = 0 }),
		"upper-case host": change(func(c *Card) { c.Relay.Host = "Relay.example.org" }),
		"host with a pin": change(func(c *Card) { c.Relay.Host = "relay#x" }),
		"mapped address":  change(func(c *Card) { c.Relay.Host = "::ffff:127.0.0.1" }),
		"extra bytes":     resign(append(good.body(), 0), owner),
		"empty":           {},
		"only format":     {cardFormat},
		"format 0":        resign(append([]byte{0}, good.body()[1:]...), owner),
	} {
		if _, err := ParseCardBytes(signed); !errors.Is(err, ErrCardDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	newer := append([]byte{2}, good.body()[1:]...)
	if _, err := ParseCardBytes(resign(newer, owner)); !errors.Is(err, ErrCardNewer) {
		t.Errorf("newer format: %v", err)
	}
}

func TestCardNameIsCleaned(t *testing.T) {
	owner := testIdentity(7)
	card, err := ParseCardBytes(owner.Sign(Card{Relay: mustAddress(t, testRelay), Name: "a\x1b[31m\u202eb"}))
	if err != nil || card.Name != "a[31mb" || card.Key != owner.Key() {
		t.Errorf("%+v, %v", card, err)
	}
}

func FuzzParseCard(f *testing.F) {
	_, uri := testCard(f)
	f.Add(uri)
	f.Add(uri[:50])
	f.Add("sotto:")
	f.Add("sotto:AAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		card, signed, err := ParseCard(text)
		if err != nil {
			return
		}
		if URI(signed) != strings.TrimSpace(text) {
			t.Errorf("two spellings of one card: %q", text)
		}
		if again, err := ParseCardBytes(signed); err != nil || again != card {
			t.Errorf("%+v, then %+v, %v", card, again, err)
		}
	})
}

func FuzzParseCardBytes(f *testing.F) {
	owner := testIdentity(7)
	card, _ := testCard(f)
	f.Add(owner.Sign(card))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, body []byte) {
		// A valid signature over the fuzzed fields lets the fuzzer past the last gate.
		if len(body) > 33 {
			body[0] = cardFormat
			copy(body[1:33], owner.key[:])
			body = resign(body, owner)
		}
		card, err := ParseCardBytes(body)
		if err != nil {
			return
		}
		if again := owner.Sign(card); CleanName(card.Name) == card.Name && len(again) == len(body) && !bytes.Equal(again, body) {
			if got, err := ParseCardBytes(again); err != nil || got != card {
				t.Errorf("%+v comes back as %+v, %v", card, got, err)
			}
		}
	})
}
