package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

// dialBook notes what a gateway dials and lets nothing through.
type dialBook struct {
	mu       sync.Mutex // guards the following
	dialled  []string
	resolved []string
}

var errClosedWorld = errors.New("this world has no network")

func (b *dialBook) dial(_ context.Context, _, address string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dialled = append(b.dialled, address)
	return nil, errClosedWorld
}

func (b *dialBook) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.dialled...)
}

// notPublic is every kind of address that a relay must not be talked into dialling.
var notPublic = []string{
	"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "169.254.169.254",
	"172.16.0.1", "172.31.255.255", "192.168.1.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "198.18.0.1",
	"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
	"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1",
	"ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:a9fe:a9fe::1", "3fff::1", "5f00::1",
}

func TestOnlyPublicUnicastIsReachable(t *testing.T) {
	var config Config
	for _, text := range notPublic {
		if config.reachable(netip.MustParseAddr(text).Unmap()) {
			t.Errorf("%s is reachable", text)
		}
	}
	for _, text := range []string{
		"1.1.1.1", "9.9.9.9", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "223.255.255.255",
		"2606:4700::1111", "2001:4860:4860::8888", "2a00::1",
	} {
		if !config.reachable(netip.MustParseAddr(text)) {
			t.Errorf("%s is not reachable", text)
		}
	}
	if config.reachable(netip.MustParseAddr("::ffff:1.1.1.1")) {
		t.Error("a mapped address passes without being unmapped")
	}
	laboratory := Config{Laboratory: true, AllowPeers: prefixes("10.1.0.0/16")}
	for text, want := range map[string]bool{"127.0.0.1": true, "::1": true, "10.1.2.3": true, "10.2.2.3": false, "192.168.0.1": false} {
		if laboratory.reachable(netip.MustParseAddr(text)) != want {
			t.Errorf("in a laboratory, reachable(%s) is %v", text, !want)
		}
	}
}

// closedGateway is a gateway on the public internet whose every dial is noted. Its
// resolver answers each name with the address that is its first label, dashed.
func closedGateway(t *testing.T, change func(*Config)) (*Gateway, *dialBook) {
	t.Helper()
	book := new(dialBook)
	g := startGateway(t, func(c *Config) {
		c.Laboratory = false
		c.Dial = book.dial
		plenty := Rate{1e6, 1e6}
		c.Limits.HostsPerPrefix = 1000
		c.Limits.HostsPerLine, c.Limits.LineSends, c.Limits.PrefixSends = 1000, plenty, plenty
		c.Resolve = func(_ context.Context, host string) ([]netip.Addr, error) {
			book.mu.Lock()
			book.resolved = append(book.resolved, host)
			book.mu.Unlock()
			first, _, _ := strings.Cut(host, ".")
			if address, ok := strings.CutPrefix(first, "v4-"); ok {
				return []netip.Addr{netip.MustParseAddr(strings.ReplaceAll(address, "-", "."))}, nil
			}
			return []netip.Addr{netip.MustParseAddr(strings.ReplaceAll(strings.TrimPrefix(first, "v6-"), "-", ":"))}, nil
		}
		if change != nil {
			change(c)
		}
	})
	return g, book
}

// unreachable sends to another relay and waits until it is said to be out of reach.
func unreachable(t *testing.T, l *line.Line, to identity.Address) {
	t.Helper()
	send(t, l, to, seal(t, newKey(t), to, 1))
	select {
	case relay := <-l.Undeliverable():
		if relay != to {
			t.Fatalf("%s is said to be out of reach, not %s", relay, to)
		}
	case <-time.After(patience):
		t.Fatalf("%s: nothing is said", to)
	}
}

// private is a relay's address as a hostile person would write it: as a name, and
// as itself where the syntax of addresses lets it pass.
func private(text string) (named identity.Address, literal identity.Address, ok bool) {
	address := netip.MustParseAddr(text)
	if address.Is4() {
		named = identity.Address{Host: "v4-" + strings.ReplaceAll(text, ".", "-") + ".example", Port: 443}
	} else {
		named = identity.Address{Host: "v6-" + strings.ReplaceAll(address.StringExpanded(), ":", "-") + ".example", Port: 443}
	}
	bracketed := text
	if address.Is6() {
		bracketed = "[" + text + "]"
	}
	literal, err := identity.ParseAddress(bracketed + ":443")
	return named, literal, err == nil
}

func TestForwardingReachesNoPrivateAddress(t *testing.T) {
	nettest.Leaks(t)
	g, book := closedGateway(t, nil)
	s := sender(t, g)
	for _, text := range notPublic {
		named, literal, ok := private(text)
		unreachable(t, s, named)
		if ok {
			unreachable(t, s, literal)
		}
	}
	if dialled := book.seen(); len(dialled) != 0 {
		t.Fatalf("it dialled %v", dialled)
	}
	book.mu.Lock()
	defer book.mu.Unlock()
	if len(book.resolved) != len(notPublic) {
		t.Fatalf("%d names of %d were resolved: the test does not reach the check", len(book.resolved), len(notPublic))
	}
}

func TestTheCheckedAddressIsTheOneDialled(t *testing.T) {
	nettest.Leaks(t)
	answers := [][]netip.Addr{
		{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("::ffff:9.9.9.9"), netip.MustParseAddr("127.0.0.1")},
		{netip.MustParseAddr("127.0.0.1")}, // what a second look would give
	}
	asked := make(chan struct{}, 2)
	g, book := closedGateway(t, func(c *Config) {
		c.Resolve = func(context.Context, string) ([]netip.Addr, error) {
			asked <- struct{}{}
			return answers[len(asked)-1], nil
		}
	})
	unreachable(t, sender(t, g), identity.Address{Host: "rebinding.example", Port: 8443})
	if dialled := book.seen(); len(dialled) != 1 || dialled[0] != "9.9.9.9:8443" {
		t.Fatalf("it dialled %v", dialled)
	}
	if len(asked) != 1 {
		t.Fatalf("the name was resolved %d times", len(asked))
	}
}

func TestBackOffFromADeadRelay(t *testing.T) {
	nettest.Leaks(t)
	g, book := closedGateway(t, nil)
	s, dead := sender(t, g), identity.Address{Host: "9.9.9.9", Port: 443}
	unreachable(t, s, dead)
	unreachable(t, s, dead)
	if dialled := book.seen(); len(dialled) != 1 {
		t.Fatalf("it dialled %v within the back-off", dialled)
	}
}

func TestForwardModes(t *testing.T) {
	nettest.Leaks(t)
	listed := identity.Address{Host: "9.9.9.9", Port: 443}
	pinned := identity.Address{Host: "8.8.8.8", Port: 443, Pin: [32]byte{1}, Pinned: true}
	other := identity.Address{Host: "1.1.1.1", Port: 443}
	repinned := pinned
	repinned.Pin[0] = 2
	refused := func(g *Gateway, to identity.Address) {
		t.Helper()
		err := sender(t, g).Send(testContext(t), to, seal(t, newKey(t), to, 1))
		if !errors.Is(err, line.ErrRefused) || !strings.Contains(err.Error(), "does not pass calls on") {
			t.Errorf("%s: %v", to, err)
		}
	}
	off, _ := closedGateway(t, func(c *Config) { c.Forward = ForwardOff })
	refused(off, listed)
	allow, _ := closedGateway(t, func(c *Config) {
		c.Forward, c.ForwardTo = ForwardAllow, []identity.Address{listed, pinned}
	})
	refused(allow, other)
	refused(allow, repinned)
	unreachable(t, sender(t, allow), listed)
	unreachable(t, sender(t, allow), pinned)
}

func TestForwardingIsOneHopAndFewHosts(t *testing.T) {
	nettest.Leaks(t)
	g, book := closedGateway(t, func(c *Config) { c.Limits.HostsPerLine = 2 })
	to := identity.Address{Host: "9.9.9.9", Port: 443}
	relay := openRaw(t, g, wire.RoleRelay)
	relay.write(1, &wire.Send{To: to.String(), Envelope: seal(t, newKey(t), to, 1)})
	relay.refusedFor(wire.RefusedRole)
	s := sender(t, g)
	for range 3 {
		unreachable(t, s, to)
	}
	to.Pinned = true // another key is another relay
	unreachable(t, s, to)
	to.Pin[0] = 1
	if err := s.Send(testContext(t), to, seal(t, newKey(t), to, 1)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a third relay: %v", err)
	}
	if n := len(book.seen()); n != 2 {
		t.Fatalf("%d dials", n)
	}
}

func TestHostileEnvelopesAreNotForwarded(t *testing.T) {
	nettest.Leaks(t)
	g, book := closedGateway(t, nil)
	to := identity.Address{Host: "9.9.9.9", Port: 443}
	s := sender(t, g)
	forged := seal(t, newKey(t), to, 1)
	forged.Body[0] ^= 1
	send(t, s, to, forged)
	send(t, s, to, seal(t, newKey(t), g.config.Address, 1)) // for another host
	waitFor(t, func() bool { return g.Snapshot().Forged == 2 })
	if dialled := book.seen(); len(dialled) != 0 {
		t.Fatalf("it dialled %v", dialled)
	}
}

func TestForwardingVerifiesThePin(t *testing.T) {
	nettest.Leaks(t)
	a, b := startGateway(t, nil), startGateway(t, nil)
	key := newKey(t)
	r, s := receiver(t, b, key), sender(t, a)
	e := seal(t, key, b.config.Address, 1)
	send(t, s, b.config.Address, e)
	expect(t, r, e)
	impostor := b.config.Address
	impostor.Pin[0] ^= 1
	unreachable(t, s, impostor)
	unpinned := b.config.Address
	unpinned.Pin, unpinned.Pinned = [32]byte{}, false
	unreachable(t, s, unpinned)
	again := seal(t, key, b.config.Address, 2)
	send(t, s, b.config.Address, again)
	expect(t, r, again)
}

// fuse is a connection that breaks at the first write after it was lit.
type fuse struct {
	net.Conn
	lit *atomic.Bool
}

func (f fuse) Write(p []byte) (int, error) {
	if f.lit.Swap(false) {
		_ = f.Conn.Close()
	}
	return f.Conn.Write(p)
}

// unanswered is how many envelopes are under way to other relays.
func (f *forwarder) unanswered() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range f.destinations {
		n += len(d.slots)
	}
	return n
}

func TestSharedLineIsOpenedAnew(t *testing.T) {
	nettest.Leaks(t)
	var lit atomic.Bool
	var dials atomic.Int32
	a := startGateway(t, func(c *Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dials.Add(1)
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return fuse{conn, &lit}, err
		}
	})
	b := startGateway(t, nil)
	key := newKey(t)
	r, s := receiver(t, b, key), sender(t, a)
	for mark := range byte(4) {
		lit.Store(mark == 1 || mark == 3) // the line breaks under this envelope
		e := seal(t, key, b.config.Address, mark)
		send(t, s, b.config.Address, e)
		expect(t, r, e)
		waitFor(t, func() bool { return a.forward.unanswered() == 0 }) // else two would break with the next
	}
	if n := dials.Load(); n != 3 {
		t.Fatalf("%d lines were opened, not 3", n)
	}
	if len(s.Undeliverable()) != 0 {
		t.Fatal("a relay that can be reached is said to be out of reach")
	}
}

func TestFairQueueTakesTurns(t *testing.T) {
	q := newFairQueue()
	from := func(network string) job {
		return job{from: &client{gateway: new(Gateway), share: &prefix{name: netip.MustParsePrefix(network)}}}
	}
	loud, quiet := from("192.0.2.0/24"), from("198.51.100.0/24")
	for range perSource + 5 {
		q.push(loud)
	}
	q.push(quiet)
	if q.count != perSource+1 || loud.from.gateway.counts.Limited.Load() != 5 {
		t.Fatalf("%d wait", q.count)
	}
	first, _ := q.pop()
	second, _ := q.pop()
	if first.from != loud.from || second.from != quiet.from {
		t.Fatal("the quiet network waits for the loud one")
	}
	for range perSource - 1 {
		if j, ok := q.pop(); !ok || j.from != loud.from {
			t.Fatal("an envelope was lost")
		}
	}
	if _, ok := q.pop(); ok || len(q.waiting) != 0 || len(q.turns) != 0 {
		t.Fatal("the queue does not run empty")
	}
}
