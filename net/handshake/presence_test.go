package handshake

import (
	"errors"
	"testing"

	"sotto/net/identity"
	"sotto/net/wire"
)

func TestPresenceOpensForOnePersonAndIsNoKnock(t *testing.T) {
	alice, bob, eve := must(identity.New()), must(identity.New()), must(identity.New())
	word := wire.Presence{At: 1 << 41, State: wire.PresenceHere}
	body, err := SealPresence(alice, bob.Key(), word)
	if err != nil || len(body) != wire.BodySize {
		t.Fatal(len(body), err)
	}
	from, opened, err := OpenPresence(bob, body)
	if err != nil || opened != word || from != alice.Key().Montgomery() {
		t.Errorf("%x, %+v, %v", from, opened, err)
	}
	for _, other := range []*identity.Identity{alice, eve} {
		if _, _, err := OpenPresence(other, body); !errors.Is(err, ErrUnopened) {
			t.Error("it opens for somebody else:", err)
		}
	}
	if _, err := OpenKnock(bob, body); !errors.Is(err, ErrUnopened) {
		t.Error("it opens as a knock:", err)
	}
	out, err := Call(alice, bob.Key(), Params{CallID: [16]byte{1}, Expiry: 1 << 32, Card: alice.Sign(alice.Card(identity.Address{Host: "h", Port: 1}, "alice", [32]byte{1}, 1))})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenPresence(bob, out.Knock()); !errors.Is(err, ErrUnopened) {
		t.Error("a knock opens as presence:", err)
	}
	for at := range body {
		if at%97 != 0 && at > 64 && at < len(body)-32 {
			continue // each byte of the keys and the tag, and some of the rest
		}
		body[at] ^= 1
		if _, _, err := OpenPresence(bob, body); err == nil {
			t.Errorf("it opens with byte %d changed", at)
		}
		body[at] ^= 1
	}
	for _, bad := range [][]byte{nil, body[1:], make([]byte, wire.BodySize)} {
		if _, _, err := OpenPresence(bob, bad); !errors.Is(err, ErrUnopened) {
			t.Error(err)
		}
	}
	for _, bad := range []wire.Presence{{}, {At: 1}, {State: wire.PresenceHere}, {At: 1, State: wire.PresenceEnded + 1}} {
		if _, err := SealPresence(alice, bob.Key(), bad); err == nil {
			t.Errorf("%+v was sealed", bad)
		}
	}
	if _, err := SealPresence(alice, identity.Key{}, word); err == nil {
		t.Error("it was sealed for nobody")
	}
}
