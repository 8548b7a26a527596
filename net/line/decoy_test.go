package line

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sotto/net/wire"
)

var netipLoopback = netip.MustParseAddrPort("127.0.0.1:3478")

func TestDropsArePaddedToAPowerOfTwo(t *testing.T) {
	key, now := newKey(t), time.Unix(1_900_000_000, 0)
	for real, want := range map[int]int{0: 16, 1: 16, 16: 16, 17: 32, 32: 32, 100: 128, 129: 256} {
		drops := make([]wire.DropID, real)
		for i := range drops {
			drops[i] = dropOf(newKey(t))
		}
		padded := pad(drops, key, now)
		if len(padded) != want {
			t.Errorf("%d drops are registered as %d, not %d", real, len(padded), want)
		}
		if !slices.IsSortedFunc(padded, func(a, b wire.DropID) int { return bytes.Compare(a[:], b[:]) }) {
			t.Error("the order may tell which are real")
		}
		for _, id := range drops {
			if !slices.Contains(padded, id) {
				t.Error("a real drop is missing")
			}
		}
	}
}

// What comes and goes between two registrations must not tell decoys from drops.
func TestDecoysLastAsLongAsDrops(t *testing.T) {
	key, now := newKey(t), time.Unix(1_900_000_000, 0)
	first := pad(nil, key, now)
	if !slices.Equal(first, pad(nil, key, now.Add(time.Second))) {
		t.Fatal("decoys change from one line to the next")
	}
	kept := 0
	for _, id := range pad(nil, key, now.Add(week)) {
		if slices.Contains(first, id) {
			kept++
		}
	}
	if kept < 9 || kept > 11 { // two thirds of 16
		t.Fatalf("%d of 16 decoys outlive the week", kept)
	}
	for _, id := range pad(nil, newKey(t), now) {
		if slices.Contains(first, id) {
			t.Fatal("two people share a decoy")
		}
	}
}
