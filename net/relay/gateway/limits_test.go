package gateway

import (
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

func TestFlooderLosesItsMessages(t *testing.T) {
	nettest.Leaks(t)
	none := 0.0001
	for what, limit := range map[string]func(*Limits){
		"line":   func(l *Limits) { l.LineSends = Rate{none, 5} },
		"prefix": func(l *Limits) { l.PrefixSends, l.LineSends = Rate{none, 5}, Rate{1000, 1000} },
		"drop":   func(l *Limits) { l.DropFills, l.LineSends = Rate{none, 5}, Rate{1000, 1000} },
	} {
		g := startGateway(t, func(c *Config) { limit(&c.Limits) })
		key := newKey(t)
		victim, flooder := receiver(t, g, key), openRaw(t, g, wire.RoleSend)
		for range 60 {
			flooder.taken("", seal(t, key, g.config.Address, 1))
		}
		waitFor(t, func() bool { return g.Snapshot().Limited == 55 })
		for range 5 {
			quiet(t, victim.Deliveries(), 1)
		}
		if _, err := victim.Credential(testContext(t)); err != nil {
			t.Errorf("%s: the victim's line suffered: %v", what, err)
		}
		if len(victim.Deliveries()) != 0 {
			t.Errorf("%s: more than the limit came through", what)
		}
	}
}

func TestLimitOfOneLineSparesOthers(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.LineSends = Rate{0.0001, 1} })
	key := newKey(t)
	r, flooder := receiver(t, g, key), openRaw(t, g, wire.RoleSend)
	for range 5 {
		flooder.taken("", seal(t, newKey(t), g.config.Address, 1))
	}
	e := seal(t, key, g.config.Address, 2)
	send(t, sender(t, g), g.config.Address, e)
	expect(t, r, e)
}

// A victim that does not read loses the oldest of what is sent to it, and keeps
// its line.
func TestSlowLineKeepsItsPlace(t *testing.T) {
	nettest.Leaks(t)
	plenty := Rate{1e6, 1e6}
	g := startGateway(t, func(c *Config) {
		c.Limits.LineSends, c.Limits.PrefixSends, c.Limits.DropFills, c.Limits.Frames = plenty, plenty, plenty, plenty
	})
	key := newKey(t)
	victim, s := openRaw(t, g, wire.RoleReceive), openRaw(t, g, wire.RoleSend)
	victim.write(1, &wire.Register{Parts: 1, Drops: []wire.DropID{dropOf(key)}})
	if _, ok := victim.readFrame().(*wire.Registered); !ok {
		t.Fatal("not registered")
	}
	for sent := 0; g.Snapshot().Overflowed == 0; sent++ {
		if sent > 20_000 {
			t.Fatal("nothing was ever lost")
		}
		s.taken("", seal(t, key, g.config.Address, 1))
	}
	last := seal(t, key, g.config.Address, 2)
	s.taken("", last)
	for {
		deliver, ok := victim.readFrame().(*wire.Deliver)
		if !ok {
			t.Fatal("something else was delivered")
		}
		if deliver.Envelope.Body[0] == 2 {
			break
		}
	}
	if n := g.Snapshot().Lines; n != 2 {
		t.Fatalf("%d lines are left of 2", n)
	}
}

func TestOutboxDropsTheOldestDelivery(t *testing.T) {
	var lost atomic.Uint64
	o := newOutbox(&lost)
	for i := range maxDeliveries + 3 {
		o.deliver([]byte{byte(i)})
	}
	o.goodbye()
	if !o.answer([]byte{200}) {
		t.Fatal("an answer was refused")
	}
	if frame, bye := o.next(); bye || frame[0] != 200 {
		t.Fatal("the answer does not come first")
	}
	for i := range maxDeliveries {
		if frame, bye := o.next(); bye || frame[0] != byte(i+3) {
			t.Fatalf("delivery %d is %v", i, frame)
		}
	}
	if frame, bye := o.next(); !bye || frame != nil {
		t.Fatal("no goodbye at the end")
	}
	if lost.Load() != 3 {
		t.Fatalf("%d were counted, 3 lost", lost.Load())
	}
	for range maxAnswers {
		o.answer(nil)
	}
	if o.answer(nil) {
		t.Fatal("answers pile up without end")
	}
}

func TestOneNetworkGetsItsShareOfLines(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.PrefixLines = 3 })
	first := sender(t, g)
	sender(t, g)
	sender(t, g)
	if _, err := line.Open(testContext(t), line.Config{Relay: g.config.Address}); !errors.Is(err, line.ErrUnreachable) {
		t.Fatalf("a fourth line: %v", err)
	}
	first.Close()
	waitFor(t, func() bool { return g.Snapshot().Lines == 2 })
	waitFor(t, func() bool { g.front.mu.Lock(); defer g.front.mu.Unlock(); return len(g.front.open) == 2 })
	sender(t, g)
}

func TestConnectionsAreRationed(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.PrefixConns = Rate{0.0001, 2} })
	sender(t, g).Close()
	sender(t, g).Close()
	if _, err := line.Open(testContext(t), line.Config{Relay: g.config.Address}); !errors.Is(err, line.ErrUnreachable) {
		t.Fatalf("a third connection: %v", err)
	}
	if n := g.Snapshot().Refused; n != 1 {
		t.Fatalf("%d refusals were counted", n)
	}
}

func TestRequestsAreLimited(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) {
		c.Limits.Requests, c.Limits.DropsPerLine = Rate{0.0001, 2}, 64
	})
	r := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	if err := r.Register(testContext(t), make([]wire.DropID, 65)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("too many drops: %v", err)
	}
	for range 2 {
		if err := r.Register(testContext(t), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Register(testContext(t), nil); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a third registration: %v", err)
	}
	if _, err := r.Credential(testContext(t)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a credential too many: %v", err)
	}
	if err := sender(t, g).Register(testContext(t), nil); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a sending line registers: %v", err)
	}
	raw := openRaw(t, g, wire.RoleSend)
	for part := range uint8(2) {
		raw.write(1, &wire.Register{Part: part, Parts: 2, Drops: make([]wire.DropID, 2)})
	}
	raw.refusedFor(wire.RefusedRole)
}

func TestOneNetworkGetsItsShareOfDrops(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.DropsPerPrefix = 40 })
	first, second := receiver(t, g), receiver(t, g) // 16 each, all of them decoys
	third := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	if err := third.Register(testContext(t), nil); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a third line's drops: %v", err)
	}
	if err := second.Register(testContext(t), nil); err != nil {
		t.Fatalf("the same drops again: %v", err)
	}
	first.Close()
	waitFor(t, func() bool { return g.Snapshot().Drops == 16 })
	waitFor(t, func() bool { return third.Register(testContext(t), nil) == nil })
}

func TestPrefixOf(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.77:5": "192.0.2.0/24", "[::ffff:192.0.2.77]:5": "192.0.2.0/24",
		"[2001:db8:1:2ff::1]:5": "2001:db8:1:200::/56", "[fe80::1%lo]:5": "fe80::/56",
	} {
		at := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))
		if got := prefixOf(at).String(); got != want {
			t.Errorf("%s is of %s, not %s", address, got, want)
		}
	}
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	if prefixOf(near.RemoteAddr()).IsValid() {
		t.Error("a pipe is of a network")
	}
}

func TestReplayMemoryIsBoundedAndExpires(t *testing.T) {
	m := newReplayMemory(100)
	now := time.Unix(1_900_000_000, 0)
	envelopes := make([]*wire.Envelope, 250)
	for i := range envelopes {
		envelopes[i] = &wire.Envelope{ID: [16]byte{byte(i), byte(i >> 8)}, Expiry: now.Unix()}
		if !m.first(envelopes[i], now) || m.first(envelopes[i], now) {
			t.Fatalf("envelope %d", i)
		}
	}
	if len(m.seen) != 100 || len(m.order) != 100 || m.count != 100 {
		t.Fatalf("%d ids are remembered", len(m.seen))
	}
	if m.first(envelopes[249], now) || m.first(envelopes[150], now) || !m.first(envelopes[149], now) {
		t.Fatal("it is not the oldest that was forgotten")
	}
	other := *envelopes[249]
	other.Key[0] = 1
	if !m.first(&other, now) {
		t.Fatal("an id of another drop counts as seen")
	}
	m.sweep(now.Add(wire.Skew))
	if m.count == 0 {
		t.Fatal("ids are forgotten while their envelopes are still taken")
	}
	m.sweep(now.Add(wire.Skew + time.Second))
	if m.count != 0 || len(m.seen) != 0 {
		t.Fatal("expired ids stay")
	}
}

func TestPrefixTableForgets(t *testing.T) {
	table := newPrefixTable(DefaultLimits())
	p, ok := table.enter(netip.MustParsePrefix("192.0.2.0/24"))
	if !ok {
		t.Fatal("refused")
	}
	table.sweep(time.Now().Add(time.Hour))
	if len(table.prefixes) != 1 {
		t.Fatal("a prefix with a connection was forgotten")
	}
	table.leave(p)
	table.sweep(time.Now().Add(time.Second))
	if len(table.prefixes) != 1 {
		t.Fatal("reconnecting gives a fresh limit")
	}
	table.sweep(time.Now().Add(prefixMemory + time.Second))
	if len(table.prefixes) != 0 {
		t.Fatal("a prefix is never forgotten")
	}
}
