package pair

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/nettest"
	"sotto/net/relay"
	"sotto/net/wire"
)

func startRelay(t *testing.T) *relay.Server {
	t.Helper()
	server, err := relay.Start(context.Background(), relay.Config{
		Dir: t.TempDir(), Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", PublicIP: netip.MustParseAddr("127.0.0.1"),
		Open: true, Forward: relay.ForwardOpen,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// TestTwoPeopleAddEachOther, over one relay and over two of which neither person
// knows the other's key, with the real cost of the words.
func TestTwoPeopleAddEachOther(t *testing.T) {
	nettest.Leaks(t)
	relayA, relayB := startRelay(t).Address(), startRelay(t).Address()
	for _, joinersRelay := range []identity.Address{relayA, relayB} {
		alice, bob := newSomeone(t, "alice", relayA), newSomeone(t, "bob", joinersRelay)
		inviter, joiner := alice.config(relayA), bob.config(joinersRelay)
		inviter.stretch, joiner.stretch = nil, nil
		a := try(t, inviter, joiner, func(code *Code) {
			said, err := ParseCode(strings.ToUpper(code.String()))
			if err != nil || said.Relay.Pinned {
				t.Errorf("%q: %v", code, err)
			}
			*code = said
		})
		if a != (attempt{}) {
			t.Fatalf("%+v", a)
		}
		if len(alice.kept) != 1 || len(bob.kept) != 1 || !bytes.Equal(alice.kept[0], bob.card) || !bytes.Equal(bob.kept[0], alice.card) {
			t.Fatal("they did not keep each other's cards")
		}
	}
}

func wrongWordIsTheOnlyTry(t *testing.T) {
	nettest.Leaks(t)
	relayA, relayB := startRelay(t).Address(), startRelay(t).Address()
	alice, bob := newSomeone(t, "alice", relayA), newSomeone(t, "bob", relayB)
	var right Code
	a := try(t, alice.config(relayA), bob.config(relayB), func(code *Code) {
		right = *code
		code.Words[2] = Complete("zo")[0]
		if right.Words[2] == code.Words[2] {
			code.Words[2] = "abandon"
		}
	})
	if !errors.Is(a.invited, ErrWrongCode) || !errors.Is(a.joined, ErrWrongCode) {
		t.Errorf("inviter %v, joiner %v", a.invited, a.joined)
	}
	again := bob.config(relayB)
	again.answerWithin = 500 * time.Millisecond
	if err := Join(t.Context(), again, right); !errors.Is(err, ErrNobody) {
		t.Errorf("the right words afterwards: %v", err)
	}
	if len(alice.kept)+len(bob.kept) != 0 {
		t.Error("somebody was added")
	}
}

// TestDayThatTurns: a code made just before midnight is used just after, and two
// days later it is not.
func TestDayThatTurns(t *testing.T) {
	e := startEvil(t, honest)
	for days, want := range map[int]error{-1: nil, 1: nil, 2: ErrWrongCode} {
		alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
		joiner := bob.config(e.address)
		joiner.day = func(at time.Time) uint32 { return uint32(int(dayOf(at)) + days) }
		joiner.answerWithin = time.Second
		a := try(t, alice.config(e.address), joiner, nil)
		if !errors.Is(a.invited, want) || (want == nil) != (a.joined == nil) {
			t.Errorf("%d days: %+v", days, a)
		}
	}
}

// TestContactWithAnotherKey: the side that knows another key says mismatch, the
// other is told so, and neither keeps anything.
func TestContactWithAnotherKey(t *testing.T) {
	e := startEvil(t, honest)
	alice, bob := newSomeone(t, "alice", e.address), newSomeone(t, "bob", e.address)
	inviter, joiner := alice.config(e.address), bob.config(e.address)
	inviter.Keep = func([]byte) error { return errOther }
	if a := try(t, inviter, bob.config(e.address), nil); !errors.Is(a.invited, errOther) || !errors.Is(a.joined, ErrTheyKnow) {
		t.Errorf("the inviter knows another: %+v", a)
	}
	joiner.Check = func([]byte) error { return errOther }
	if a := try(t, alice.config(e.address), joiner, nil); !errors.Is(a.joined, errOther) || !errors.Is(a.invited, ErrTheyKnow) {
		t.Errorf("the joiner knows another: %+v", a)
	}
	full := errors.New("the disk is full")
	inviter.Keep = func([]byte) error { return full }
	if a := try(t, inviter, bob.config(e.address), nil); !errors.Is(a.invited, full) || !errors.Is(a.joined, ErrTheyLost) {
		t.Errorf("the inviter's disk is full: %+v", a)
	}
	if len(alice.kept)+len(bob.kept) != 0 {
		t.Error("somebody was added")
	}
}

func TestCodesAreForgiving(t *testing.T) {
	want := Code{Number: 42, Words: [4]string{"apple", "river", "stone", "cloud"}}
	far := want
	far.Relay = identity.Address{Host: "relay.example.org", Port: 443}
	for text, want := range map[string]Code{
		"42 apple river stone cloud":                                                   want,
		" 42, Apple river\n stone  CLOUD ":                                             want,
		"relay.example.org 42 apple river stone cloud":                                 far,
		"relay.example.org:443 42 apple river stone cloud":                             far,
		"relay.example.org#" + strings.Repeat("a", 43) + " 42 apple river stone cloud": far,
	} {
		got, err := ParseCode(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "42", "apple river stone cloud", "42 apple river stone", "42 apple river stone clud", "0 apple river stone cloud",
		"042 apple river stone cloud", "-1 apple river stone cloud", "a b 42 apple river stone cloud", "ho:st:x 42 apple river stone cloud",
	} {
		if _, err := ParseCode(text); !errors.Is(err, ErrBadCode) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWordsComplete(t *testing.T) {
	if all := Words(); len(all) != 2048 || len(Complete("")) != 2048 {
		t.Error("the list is not whole")
	}
	if got := Complete("clou"); len(got) != 1 || got[0] != "cloud" {
		t.Error(got)
	}
	if got := Complete("Zo"); len(got) != 2 || got[0] != "zone" {
		t.Error(got)
	}
	if got := Complete("zzz"); len(got) != 0 {
		t.Error(got)
	}
}

// TestSaltDependsOnEverything: none of what makes the key may be left out.
func TestSaltDependsOnEverything(t *testing.T) {
	salts := map[string]bool{}
	for _, salt := range [][]byte{saltOf(42, "a:1", 7), saltOf(43, "a:1", 7), saltOf(42, "b:1", 7), saltOf(42, "a:1", 8), saltOf(42, "a:", 7)} {
		salts[string(salt)] = true
	}
	if len(salts) != 5 {
		t.Errorf("%d different salts of 5", len(salts))
	}
}

func FuzzCode(f *testing.F) {
	f.Add("42 apple river stone cloud")
	f.Add("relay.example.org:1 7 zoo zone zero youth")
	f.Fuzz(func(t *testing.T, text string) {
		code, err := ParseCode(text)
		if err != nil {
			return
		}
		if again, err := ParseCode(code.String()); err != nil || again != code {
			t.Fatalf("%q came back as %q, %v", text, again, err)
		}
	})
}

func FuzzMessages(f *testing.F) {
	h := hello{day: 20_000, reply: [ed25519.SeedSize]byte{1}, relay: identity.Address{Host: "relay.example", Port: 443, Pinned: true}}
	f.Add(h.marshal())
	f.Add(payload{verdict: goOn, drop: [32]byte{2}, card: []byte("card")}.marshal(2))
	f.Add(payload{verdict: notKept}.marshal(4))
	f.Fuzz(func(t *testing.T, raw []byte) {
		padded := raw
		if len(padded) < clearSize {
			padded = append(bytes.Clone(raw), make([]byte, clearSize-len(raw))...)
		}
		if h, err := parseHello(padded); err == nil && !bytes.Equal(h.marshal(), padded) {
			t.Fatal("a hello was read that is not written so")
		}
		if p, err := parsePayload(raw); err == nil {
			if again, err := parsePayload(p.marshal(4)); err != nil || again.verdict != p.verdict || !bytes.Equal(again.card, p.card) {
				t.Fatalf("a payload changed: %v", err)
			}
		}
	})
}

// TestEveryMessageIsABody: sizes tell nothing.
func TestEveryMessageIsABody(t *testing.T) {
	e := startEvil(t, honest)
	alice, bob := newSomeone(t, strings.Repeat("é", 32), e.address), newSomeone(t, "b", e.address)
	if a := try(t, alice.config(e.address), bob.config(e.address), nil); a != (attempt{}) {
		t.Fatalf("%+v", a)
	}
	for i, envelope := range e.seen() {
		if zeros := bytes.Count(envelope.Body[clearSize:], []byte{0}); zeros > wire.BodySize/100 {
			t.Errorf("message %d has %d zero bytes: it is not sealed to its end", i+1, zeros)
		}
	}
}
