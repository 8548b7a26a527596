package peer

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"

	"github.com/pion/transport/v5"

	"sotto/net/nettest"
	"sotto/net/relay/turn"
)

// streamTo dials a relay's TURN over a pipe in place of TLS and counts what was dialled.
func streamTo(t *testing.T, server *turn.Server) (dial func(context.Context) (net.Conn, error), ends func() []net.Conn) {
	t.Helper()
	var mu sync.Mutex
	var far []net.Conn
	var serving sync.WaitGroup
	t.Cleanup(serving.Wait)
	return func(context.Context) (net.Conn, error) {
			near, other := net.Pipe()
			mu.Lock()
			far = append(far, other)
			mu.Unlock()
			serving.Go(func() { server.ServeStream(other) })
			return near, nil
		}, func() []net.Conn {
			mu.Lock()
			defer mu.Unlock()
			return append([]net.Conn(nil), far...)
		}
}

// noNetwork is a network of which no method may be called.
type noNetwork struct{ transport.Net }

// TestTurnOverAStream: one side reaches its relay over a stream alone, the other over
// UDP, and frames pass both ways.
func TestTurnOverAStream(t *testing.T) {
	nettest.Leaks(t)
	mine, theirs := relay(t), relay(t)
	dial, ends := streamTo(t, mine)
	h := new(heard)
	one, err := New(t.Context(), Config{Turn: credential(mine.Addr()), Net: noNetwork{}, Stream: dial, OnFrame: h.OnFrame})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	two, atTwo := side(t, theirs.Addr(), nil, true)
	if first, second := connect(one, two, two.Local(), one.Local()); first != nil || second != nil {
		t.Fatalf("not connected: %v, %v", first, second)
	}
	speak(t, one, atTwo, "one")
	speak(t, two, h, "two")
	if s := one.Snapshot(); s.Transport != "tls" || s.Route != "relay" || s.PairTypes != "relay-relay" {
		t.Errorf("%+v", s)
	}
	if s := two.Snapshot(); s.Transport != "udp" {
		t.Errorf("%+v", s)
	}
	_ = one.Close()
	until(t, "the allocation is given back", func() bool { return mine.Snapshot().Allocations == 0 })
	for _, end := range ends() {
		_ = end.Close()
	}
}

// TestStreamThatBreaks: the connection is lost, as it is when UDP goes away, and
// nothing is dialled anew behind anybody's back.
func TestStreamThatBreaks(t *testing.T) {
	nettest.Leaks(t)
	mine, theirs := relay(t), relay(t)
	dial, ends := streamTo(t, mine)
	quick := clocks{allocation: ordinary.allocation, keepalive: ordinary.keepalive / 5, interrupted: ordinary.interrupted / 5, lost: ordinary.lost / 5}
	one, err := New(t.Context(), Config{Turn: credential(mine.Addr()), Net: noNetwork{}, Stream: dial, clocks: quick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = one.Close() })
	two, atTwo := side(t, theirs.Addr(), nil, true)
	if first, second := connect(one, two, two.Local(), one.Local()); first != nil || second != nil {
		t.Fatalf("not connected: %v, %v", first, second)
	}
	speak(t, one, atTwo, "one")
	before := len(ends())
	for _, end := range ends() {
		_ = end.Close()
	}
	until(t, "it is lost", func() bool { return one.Snapshot().State == StateLost })
	if now := len(ends()); now != before {
		t.Errorf("%d streams were dialled, then %d", before, now)
	}
}

func TestStreamThatCannotBeDialled(t *testing.T) {
	nettest.Leaks(t)
	_, err := New(t.Context(), Config{
		Turn: credential(relay(t).Addr()), Net: noNetwork{},
		Stream: func(context.Context) (net.Conn, error) { return nil, errors.New("no way there") },
	})
	if !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}
