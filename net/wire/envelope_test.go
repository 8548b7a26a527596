package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"testing"
	"time"
)

const testHost = "relay.example:443"

func testDrop(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func testEnvelope(t testing.TB, expiry time.Time) *Envelope {
	t.Helper()
	e, err := NewEnvelope(testDrop(t), testHost, expiry, bytes.Repeat([]byte{7}, BodySize))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEnvelopeRoundTrip(t *testing.T) {
	e := testEnvelope(t, time.Unix(1_900_000_000, 0))
	raw := e.Marshal()
	if len(raw) != EnvelopeSize {
		t.Fatalf("%d bytes, want %d", len(raw), EnvelopeSize)
	}
	back, err := ParseEnvelope(raw)
	if err != nil {
		t.Fatal(err)
	}
	if *back != *e || back.Drop() != DropOf(e.Key[:]) {
		t.Fatal("the envelope changed on the way")
	}
	if err := back.Verify(testHost); err != nil {
		t.Fatal(err)
	}
}

func TestEnvelopeSignatureCoversEverything(t *testing.T) {
	e := testEnvelope(t, time.Unix(1_900_000_000, 0))
	if err := e.Verify("other.example:443"); !errors.Is(err, ErrForged) {
		t.Fatalf("another host: %v", err)
	}
	raw := e.Marshal()
	for i := 0; i < len(raw); i += 1 + i/200 { // every byte of the head, some of the body
		raw[i] ^= 1
		forged, err := ParseEnvelope(raw)
		if err != nil {
			t.Fatal(err)
		}
		if err := forged.Verify(testHost); !errors.Is(err, ErrForged) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		raw[i] ^= 1
	}
}

func TestEnvelopeIDsDiffer(t *testing.T) {
	key := testDrop(t)
	a, _ := NewEnvelope(key, testHost, time.Now(), make([]byte, BodySize))
	b, _ := NewEnvelope(key, testHost, time.Now(), make([]byte, BodySize))
	if a.ID == b.ID {
		t.Fatal("two envelopes share an id")
	}
	if a.Drop() != b.Drop() {
		t.Fatal("one key, two drops")
	}
}

func TestEnvelopeRefusesWrongSizes(t *testing.T) {
	if _, err := NewEnvelope(testDrop(t), testHost, time.Now(), make([]byte, BodySize-1)); !errors.Is(err, ErrMalformed) {
		t.Fatalf("short body: %v", err)
	}
	if _, err := NewEnvelope(make([]byte, 3), testHost, time.Now(), make([]byte, BodySize)); !errors.Is(err, ErrMalformed) {
		t.Fatalf("short key: %v", err)
	}
	for _, n := range []int{0, EnvelopeSize - 1, EnvelopeSize + 1} {
		if _, err := ParseEnvelope(make([]byte, n)); !errors.Is(err, ErrMalformed) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestEnvelopeTimely(t *testing.T) {
	now := time.Unix(1_900_000_000, 0)
	for offset, want := range map[time.Duration]bool{
		0:                            true,
		60 * time.Second:             true,
		-Skew:                        true,
		-Skew - time.Second:          false,
		Skew + MaxLife:               true,
		Skew + MaxLife + time.Second: false,
		-time.Hour:                   false,
	} {
		e := &Envelope{Expiry: now.Add(offset).Unix()}
		if e.Timely(now) != want {
			t.Errorf("expiry at %v: timely is %v", offset, !want)
		}
	}
	extreme := &Envelope{Expiry: -1 << 63}
	if extreme.Timely(now) {
		t.Error("the earliest expiry there is counts as timely")
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(testEnvelope(f, time.Unix(1_900_000_000, 0)).Marshal())
	f.Add(make([]byte, EnvelopeSize))
	f.Add([]byte("short"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := ParseEnvelope(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(e.Marshal(), raw) {
			t.Fatal("what was read is not what is written")
		}
		_ = e.Verify(testHost)
	})
}
