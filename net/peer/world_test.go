package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"sotto/net/relay/turn"
	"sotto/net/wire"
)

const patience = 30 * time.Second

var secret = []byte("a secret for tests")

// relay runs a laboratory TURN server on loopback.
func relay(t testing.TB) *turn.Server {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.Start(turn.Config{Conn: conn, PublicIP: netip.MustParseAddr("127.0.0.1"), Secret: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server
}

// credential is a fresh one for a relay.
func credential(at netip.AddrPort) Turn {
	username, password := turn.Issue(secret, time.Minute, time.Now())
	return Turn{Address: at, Username: username, Password: password}
}

// heard keeps the frames that arrived.
type heard struct {
	mu     sync.Mutex
	frames []string
}

func (h *heard) OnFrame(frame []byte, _ time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frames = append(h.frames, string(frame))
}

func (h *heard) Frames() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.frames...)
}

// side makes a peer at a relay.
func side(t testing.TB, at netip.AddrPort, network transport.Net, controlling bool) (*Peer, *heard) {
	t.Helper()
	h := new(heard)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := New(ctx, Config{Turn: credential(at), Controlling: controlling, Net: network, OnFrame: h.OnFrame})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, h
}

// connect connects two peers, the second a moment after the first as in a call, with the
// offers they are given. It returns both results.
func connect(one, two *Peer, toOne, toTwo wire.Offer) (first, second error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- one.Connect(ctx, toOne) }()
	second = two.Connect(ctx, toTwo)
	if second != nil {
		cancel() // what one side refuses the other may wait for
	}
	return <-done, second
}

// pair is two connected peers at two relays on loopback.
func pair(t testing.TB) (one, two *Peer, atOne, atTwo *heard) {
	t.Helper()
	one, atOne = side(t, relay(t).Addr(), nil, false)
	two, atTwo = side(t, relay(t).Addr(), nil, true)
	if first, second := connect(one, two, two.Local(), one.Local()); first != nil || second != nil {
		t.Fatalf("not connected: %v, %v", first, second)
	}
	return one, two, atOne, atTwo
}

// until waits for something that must come true.
func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// speak sends numbered frames and waits until some arrive at the other side.
func speak(t testing.TB, from *Peer, to *heard, name string) {
	t.Helper()
	before, n := len(to.Frames()), 0
	until(t, name+" is heard", func() bool {
		if err := from.Send(fmt.Appendf(nil, "%s %d", name, n), 960); err != nil {
			t.Fatal(err)
		}
		n++
		return len(to.Frames()) >= before+3
	})
}
