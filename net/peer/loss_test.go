package peer

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"sotto/net/nettest"
	"sotto/net/relay/turn"
)

// virtualRelay is a TURN server on a machine of a virtual world.
func virtualRelay(t *testing.T, w *nettest.World, last byte) netip.AddrPort {
	t.Helper()
	host, address := w.Host(last)
	conn, err := host.ListenUDP("udp4", &net.UDPAddr{IP: address.AsSlice(), Port: 3478})
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.Start(turn.Config{
		Conn: conn, PublicIP: address, Secret: secret, Net: host, AllowPeers: []netip.Prefix{nettest.Prefix},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server.Addr()
}

// impatient is a peer with clocks ten times as fast as a real one's.
func impatient(t *testing.T, at netip.AddrPort, network transport.Net, controlling bool) (*Peer, *heard) {
	t.Helper()
	h := new(heard)
	p, err := New(context.Background(), Config{
		Turn: credential(at), Controlling: controlling, Net: network, OnFrame: h.OnFrame,
		clocks: clocks{allocation: patience, keepalive: 100 * time.Millisecond, interrupted: 400 * time.Millisecond, lost: 1200 * time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, h
}

// virtualPair is two connected peers at two relays in a world without sockets.
func virtualPair(t *testing.T, delay time.Duration, filter func(nettest.Packet) bool) (w *nettest.World, one, two *Peer, atOne, atTwo *heard) {
	t.Helper()
	w = nettest.NewWorld(t, delay)
	first, second := virtualRelay(t, w, 1), virtualRelay(t, w, 2)
	here, _ := w.Host(101)
	there, _ := w.Host(102)
	w.Filter(filter)
	one, atOne = impatient(t, first, here, false)
	two, atTwo = impatient(t, second, there, true)
	if x, y := connect(one, two, two.Local(), one.Local()); x != nil || y != nil {
		t.Fatalf("not connected: %v, %v", x, y)
	}
	return w, one, two, atOne, atTwo
}

func TestAWorldWithoutSockets(t *testing.T) {
	nettest.Leaks(t)
	seen := make(map[string]int)
	w, one, two, atOne, atTwo := virtualPair(t, 5*time.Millisecond, func(p nettest.Packet) bool {
		seen[fmt.Sprintf("%v>%v", p.From.Addr(), p.To.Addr())]++
		return true
	})
	speak(t, one, atTwo, "one")
	speak(t, two, atOne, "two")
	until(t, "an rtt over both relays", func() bool { return one.Snapshot().RTT >= 30*time.Millisecond })
	if s := one.Snapshot(); s.LocalRelayed.Addr().As4()[3] != 1 || s.RemoteRelayed.Addr().As4()[3] != 2 {
		t.Errorf("%+v", s)
	}
	done := make(chan struct{})
	w.Filter(func(nettest.Packet) bool { // on the goroutine that filled seen
		select {
		case <-done:
		default:
			for hop := range seen {
				switch hop[len("198.51.100."):] {
				case "101>198.51.100.1", "1>198.51.100.101", "1>198.51.100.2", "2>198.51.100.1", "2>198.51.100.102", "102>198.51.100.2":
				default:
					t.Errorf("packets went %s", hop)
				}
			}
			close(done)
		}
		return true
	})
	<-done // ICE checks go on, so a packet comes
}

func TestShortLossIsNotTheEnd(t *testing.T) {
	nettest.Leaks(t)
	w, one, two, atOne, atTwo := virtualPair(t, time.Millisecond, nil)
	random := rand.New(rand.NewSource(1))
	w.Filter(func(nettest.Packet) bool { return random.Intn(100) >= 15 })
	speak(t, one, atTwo, "through 15 percent loss")
	w.Filter(func(nettest.Packet) bool { return false })
	until(t, "it counts as interrupted", func() bool {
		return one.Snapshot().State == StateInterrupted && two.Snapshot().State == StateInterrupted
	})
	w.Filter(nil)
	speak(t, two, atOne, "back again")
	until(t, "it counts as connected", func() bool {
		return one.Snapshot().State == StateConnected && two.Snapshot().State == StateConnected
	})
	select {
	case <-one.Lost():
		t.Error("a short silence counted as lost")
	default:
	}
}

func TestLost(t *testing.T) {
	nettest.Leaks(t)
	w, one, two, _, _ := virtualPair(t, time.Millisecond, nil)
	w.Filter(func(nettest.Packet) bool { return false })
	for _, p := range []*Peer{one, two} {
		select {
		case <-p.Lost():
		case <-time.After(patience):
			t.Fatal("a dead connection does not count as lost")
		}
		if err := p.Send([]byte("x"), 960); !errors.Is(err, ErrLost) {
			t.Errorf("sending on a lost connection: %v", err)
		}
		if state := p.Snapshot().State; state != StateLost {
			t.Errorf("state %v", state)
		}
		_ = p.Close()
		if state := p.Snapshot().State; state != StateLost {
			t.Errorf("state after Close %v", state)
		}
	}
}

func TestTheOtherSideNeverComes(t *testing.T) {
	nettest.Leaks(t)
	w := nettest.NewWorld(t, 0)
	first, second := virtualRelay(t, w, 1), virtualRelay(t, w, 2)
	here, _ := w.Host(101)
	there, _ := w.Host(102)
	one, _ := impatient(t, first, here, true)
	two, _ := impatient(t, second, there, false)
	if err := one.Connect(context.Background(), two.Local()); !errors.Is(err, ErrNoRoute) {
		t.Fatalf("Connect said %v", err)
	}
}

func TestDeadRelay(t *testing.T) {
	nettest.Leaks(t)
	w := nettest.NewWorld(t, 0)
	first, second := virtualRelay(t, w, 1), virtualRelay(t, w, 2)
	here, _ := w.Host(101)
	there, _ := w.Host(102)
	one, _ := impatient(t, first, here, true)
	two, _ := impatient(t, second, there, false)
	w.Filter(func(nettest.Packet) bool { return false })
	_, err := New(context.Background(), Config{Turn: credential(first), Net: here, clocks: clocks{allocation: 100 * time.Millisecond}})
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("New said %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(ctx, Config{Turn: credential(first), Net: here}); !errors.Is(err, context.Canceled) {
		t.Errorf("New said %v", err)
	}
	// Connecting and closing while pion waits for the dead relay's answer must not take as long
	// as pion would wait.
	done := make(chan error, 1)
	go func() { done <- one.Connect(context.Background(), two.Local()) }()
	until(t, "connecting", func() bool { return one.Snapshot().State == StateConnecting })
	_ = one.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Connect said %v", err)
	}
}
