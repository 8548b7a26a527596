package peer

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"sotto/net/nettest"
)

func TestFramesPassBetweenTwoRelays(t *testing.T) {
	nettest.Leaks(t)
	one, two, atOne, atTwo := pair(t)
	speak(t, one, atTwo, "one")
	speak(t, two, atOne, "two")
	for _, frame := range atTwo.Frames() {
		if !strings.HasPrefix(frame, "one ") {
			t.Fatalf("heard %q", frame)
		}
	}
	until(t, "an rtt", func() bool { return one.Snapshot().RTT > 0 && two.Snapshot().RTT > 0 })
	a, b := one.Snapshot(), two.Snapshot()
	if a.State != StateConnected || a.Route != "relay" || a.SRTPProfile != "AES-256-GCM" || a.Refused != 0 {
		t.Errorf("one: %+v", a)
	}
	if a.LocalRelayed != b.RemoteRelayed || a.RemoteRelayed != b.LocalRelayed || a.LocalRelayed == a.RemoteRelayed {
		t.Errorf("the two do not agree on the pair: %+v, %+v", a, b)
	}
	if a.Sent == 0 || b.Received == 0 || b.Received > a.Sent {
		t.Errorf("counted %d sent, %d received", a.Sent, b.Received)
	}
}

func TestLocalHoldsRelayedAddressesOnly(t *testing.T) {
	nettest.Leaks(t)
	server := relay(t)
	p, _ := side(t, server.Addr(), nil, true)
	local := p.Local()
	if err := local.Check(); err != nil {
		t.Fatal(err)
	}
	if len(local.Candidates) != 1 || local.Candidates[0] != p.Snapshot().LocalRelayed {
		t.Fatalf("candidates %v", local.Candidates)
	}
	local.Candidates[0] = netip.AddrPort{}
	if p.Local().Candidates[0] == local.Candidates[0] {
		t.Fatal("Local gave its own slice away")
	}
}

func TestCloseGivesTheAllocationBack(t *testing.T) {
	nettest.Leaks(t)
	server := relay(t)
	p, _ := side(t, server.Addr(), nil, true)
	if n := server.Snapshot().Allocations; n != 1 {
		t.Fatalf("%d allocations", n)
	}
	_ = p.Close()
	_ = p.Close()
	until(t, "the allocation is given back", func() bool { return server.Snapshot().Allocations == 0 })
	if state := p.Snapshot().State; state != StateClosed {
		t.Fatalf("closed, but %v", state)
	}
	if err := p.Send([]byte("late"), 960); !errors.Is(err, ErrClosed) {
		t.Fatalf("sending after Close: %v", err)
	}
	if err := p.Connect(context.Background(), p.Local()); !errors.Is(err, ErrClosed) {
		t.Fatalf("connecting after Close: %v", err)
	}
}

func TestCloseWhileConnecting(t *testing.T) {
	nettest.Leaks(t)
	one, _ := side(t, relay(t).Addr(), nil, true)
	two, _ := side(t, relay(t).Addr(), nil, false)
	done := make(chan error, 1)
	go func() { done <- one.Connect(context.Background(), two.Local()) }()
	until(t, "connecting", func() bool { return one.Snapshot().State == StateConnecting })
	_ = one.Close()
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Fatalf("Connect said %v", err)
	}
}

// TestCloseWhileFramesArrive takes the steps of closing one by one while the other
// side goes on talking, so that frames arrive between any two of them.
func TestCloseWhileFramesArrive(t *testing.T) {
	nettest.Leaks(t)
	one, two, atOne, _ := pair(t)
	speak(t, two, atOne, "first")
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for _, step := range one.stack.closing() {
			_ = step() // pion's complaints about what is closed already are no matter
			for range 5 {
				_ = two.Send([]byte("frame"), 960)
				time.Sleep(10 * time.Millisecond)
			}
		}
		_ = one.Close()
	}()
	select {
	case <-closed:
	case <-time.After(30 * time.Second):
		t.Fatal("closing does not come to an end")
	}
	_ = two.Close()
}

func TestConnectEndsWithItsContext(t *testing.T) {
	nettest.Leaks(t)
	one, _ := side(t, relay(t).Addr(), nil, true)
	two, _ := side(t, relay(t).Addr(), nil, false)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	if err := one.Connect(ctx, two.Local()); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Connect said %v", err)
	}
	if err := one.Send([]byte("x"), 960); !errors.Is(err, ErrNotConnected) {
		t.Fatalf("Send said %v", err)
	}
}

func TestRelayThatRefuses(t *testing.T) {
	nettest.Leaks(t)
	bad := credential(relay(t).Addr())
	bad.Password = "wrong"
	if _, err := New(context.Background(), Config{Turn: bad}); !errors.Is(err, ErrRelayRefused) {
		t.Fatalf("New said %v", err)
	}
}

// BenchmarkConnect is ICE and DTLS over two relays, from the second side's start on; the first
// has started as long before as the last message of the handshake is under way.
func BenchmarkConnect(b *testing.B) {
	for name, lastControls := range map[string]bool{"LastControls": true, "FirstControls": false} {
		b.Run(name, func(b *testing.B) {
			one, two := relay(b), relay(b)
			for b.Loop() {
				b.StopTimer()
				first, _ := side(b, one.Addr(), nil, !lastControls)
				second, _ := side(b, two.Addr(), nil, lastControls)
				done := make(chan error, 1)
				go func() { done <- first.Connect(context.Background(), second.Local()) }()
				time.Sleep(20 * time.Millisecond)
				b.StartTimer()
				if err := errors.Join(second.Connect(context.Background(), first.Local()), <-done); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = first.Close()
				_ = second.Close()
				b.StartTimer()
			}
		})
	}
}
