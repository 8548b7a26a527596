package line_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/relay"
	"sotto/net/wire"
)

const patience = 30 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// startRelay runs a laboratory relay; listen "" takes any port.
func startRelay(t *testing.T, dir, listen string, tokens ...string) *relay.Server {
	t.Helper()
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	s, err := relay.Start(testContext(t), relay.Config{
		Dir: dir, Listen: listen, TurnListen: "127.0.0.1:0", PublicIP: netip.MustParseAddr("127.0.0.1"),
		Open: len(tokens) == 0, Tokens: tokens,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// box is a drop that a test fills and a keeper registers.
type box struct{ key ed25519.PrivateKey }

func (b box) id() wire.DropID { return wire.DropOf(b.key.Public().(ed25519.PublicKey)) }

// fill sends an envelope over a line of its own.
func (b box) fill(t *testing.T, s *relay.Server, mark byte) {
	t.Helper()
	l, err := line.Open(testContext(t), line.Config{Relay: s.Address()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e, err := wire.NewEnvelope(b.key, s.Address().HostPort(), l.Now().Add(time.Minute), bytes.Repeat([]byte{mark}, wire.BodySize))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Send(testContext(t), s.Address(), e); err != nil {
		t.Fatal(err)
	}
}

func nextState(t *testing.T, k *line.Keeper) line.State {
	t.Helper()
	select {
	case s := <-k.States():
		return s
	case <-time.After(patience):
		t.Fatal("the line's state does not change")
		return line.State{}
	}
}

func nextMark(t *testing.T, k *line.Keeper) byte {
	t.Helper()
	select {
	case e := <-k.Deliveries():
		return e.Body[0]
	case <-time.After(patience):
		t.Fatal("nothing was delivered")
		return 0
	}
}

func TestKeeperComesBackAfterARestart(t *testing.T) {
	nettest.Leaks(t)
	dir := t.TempDir()
	first := startRelay(t, dir, "")
	address := first.Address()
	b := box{newKey(t)}
	k := line.Keep(context.Background(), line.Config{Relay: address, Receive: newKey(t)},
		func(time.Time) []wire.DropID { return []wire.DropID{b.id()} })
	t.Cleanup(k.Close)
	if s := nextState(t, k); !s.Up || k.Line() == nil {
		t.Fatalf("not up: %v", s.Err)
	}
	b.fill(t, first, 1)
	if nextMark(t, k) != 1 {
		t.Fatal("another envelope")
	}
	_ = first.Close()
	if s := nextState(t, k); s.Up || !errors.Is(s.Err, line.ErrUnreachable) || k.Line() != nil {
		t.Fatalf("still up, or without a reason: %v", s.Err)
	}
	if err := k.Registered(testContext(t)); !errors.Is(err, line.ErrUnreachable) {
		t.Fatalf("registering while the relay is down: %v", err)
	}
	second := startRelay(t, dir, address.HostPort())
	if second.Address() != address {
		t.Fatal("the relay came back as another")
	}
	for s := nextState(t, k); !s.Up; s = nextState(t, k) {
	}
	b.fill(t, second, 2)
	if nextMark(t, k) != 2 {
		t.Fatal("another envelope")
	}
}

func TestKeeperRegistersWhatItIsAskedFor(t *testing.T) {
	nettest.Leaks(t)
	s := startRelay(t, "", "")
	var current atomic.Pointer[box]
	first, second, third := box{newKey(t)}, box{newKey(t)}, box{newKey(t)}
	current.Store(&first)
	k := line.Keep(context.Background(), line.Config{Relay: s.Address(), Receive: newKey(t)},
		func(time.Time) []wire.DropID { return []wire.DropID{current.Load().id()} })
	t.Cleanup(k.Close)
	if err := k.Registered(testContext(t)); err != nil {
		t.Fatal(err)
	}
	first.fill(t, s, 1)
	if nextMark(t, k) != 1 {
		t.Fatal("the first drop is not registered")
	}
	current.Store(&second)
	if err := k.Registered(testContext(t)); err != nil {
		t.Fatal(err)
	}
	first.fill(t, s, 2)
	second.fill(t, s, 3)
	if mark := nextMark(t, k); mark != 3 {
		t.Fatalf("envelope %d arrived", mark)
	}
	current.Store(&third)
	k.Refresh()
	for mark := byte(4); len(k.Deliveries()) == 0; mark++ {
		third.fill(t, s, mark)
	}
}

func TestKeeperSaysWhyItIsRefused(t *testing.T) {
	nettest.Leaks(t)
	s := startRelay(t, "", "", "token")
	changed := s.Address()
	changed.Pin[0] ^= 1
	for what, c := range map[string]struct {
		config line.Config
		want   error
	}{
		"no token":      {line.Config{Relay: s.Address()}, line.ErrRefused},
		"a wrong token": {line.Config{Relay: s.Address(), Admission: "taken"}, line.ErrRefused},
		"another pin":   {line.Config{Relay: changed, Admission: "token"}, line.ErrPinMismatch},
	} {
		c.config.Receive = newKey(t)
		k := line.Keep(context.Background(), c.config, func(time.Time) []wire.DropID { return nil })
		if state := nextState(t, k); state.Up || !errors.Is(state.Err, c.want) {
			t.Errorf("%s: %v", what, state.Err)
		}
		if err := k.Registered(testContext(t)); !errors.Is(err, c.want) {
			t.Errorf("%s: registering ends with %v", what, err)
		}
		k.Close()
	}
}

func TestKeeperCloses(t *testing.T) {
	nettest.Leaks(t)
	s := startRelay(t, "", "")
	ctx, cancel := context.WithCancel(context.Background())
	k := line.Keep(ctx, line.Config{Relay: s.Address(), Receive: newKey(t)}, func(time.Time) []wire.DropID { return nil })
	if !nextState(t, k).Up {
		t.Fatal("not up")
	}
	kept := k.Line()
	cancel()
	k.Close()
	select {
	case <-kept.Done():
	default:
		t.Fatal("the line outlived its keeper")
	}
	if _, open := <-k.Deliveries(); open {
		t.Fatal("deliveries are open")
	}
	if _, open := <-k.States(); open {
		t.Fatal("states are open")
	}
	if err := k.Registered(testContext(t)); !errors.Is(err, line.ErrClosed) {
		t.Fatalf("registering after Close: %v", err)
	}
	k.Close()
}
