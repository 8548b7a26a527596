package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	"github.com/pion/webrtc/v4"

	"sotto/net/nettest"
	"sotto/net/wire"
)

// traps are sockets of this machine that a hostile offer points at.
type traps struct {
	tcp  *net.TCPListener
	udp  []*net.UDPConn
	done sync.WaitGroup

	mu   sync.Mutex              // guards the following
	own  map[netip.AddrPort]bool // relayed addresses of the peers under test
	from []netip.AddrPort
	dial int
}

func setTraps(t *testing.T) *traps {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &traps{tcp: listener.(*net.TCPListener), own: make(map[netip.AddrPort]bool)}
	s.done.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
			s.mu.Lock()
			s.dial++
			s.mu.Unlock()
		}
	})
	for port := 50000; len(s.udp) < 2; port++ { // in the relay ports: what an offer can express
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		s.udp = append(s.udp, conn)
		s.done.Go(func() { s.listen(conn) })
	}
	t.Cleanup(func() {
		_ = listener.Close()
		for _, conn := range s.udp {
			_ = conn.Close()
		}
		s.done.Wait()
	})
	return s
}

func (s *traps) listen(conn *net.UDPConn) {
	buffer := make([]byte, 1500)
	for {
		_, from, err := conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.from = append(s.from, addrPort(from))
		s.mu.Unlock()
	}
}

func (s *traps) at(i int) netip.AddrPort { return addrPort(s.udp[i].LocalAddr().(*net.UDPAddr)) }

// check fails the test if anything but the own relay's relayed socket spoke to a trap. (In a
// laboratory the relay may reach other sockets of this machine in the relay ports.)
func (s *traps) check(t *testing.T, p *Peer) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own[p.local.Candidates[0]] = true
	if s.dial != 0 {
		t.Errorf("%d tcp connections were made", s.dial)
	}
	for _, from := range s.from {
		if !s.own[from] {
			t.Errorf("a packet came from %v, which is not the relayed address", from)
		}
	}
}

// witness is the real network; it keeps every address that a socket was opened to.
type witness struct {
	stdnet.Net
	mu     sync.Mutex
	opened []string
}

func (w *witness) DialUDP(network string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = append(w.opened, network+" "+remote.String())
	return w.Net.DialUDP(network, local, remote)
}

// hasty is a peer that gives up soon, over a network with a witness.
func hasty(t *testing.T, at netip.AddrPort) (*Peer, *witness) {
	t.Helper()
	w := new(witness)
	p, err := New(context.Background(), Config{Turn: credential(at), Controlling: true, Net: w})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, w
}

func (w *witness) check(t *testing.T, relay netip.AddrPort) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.opened, []string{"udp4 " + relay.String()}) {
		t.Errorf("sockets were opened to %v", w.opened)
	}
}

// What an offer can still express must reach nothing but the own relay; the rest is refused
// before anything is done with it.
func TestHostileOffers(t *testing.T) {
	nettest.Leaks(t)
	server, traps := relay(t), setTraps(t)
	other, _ := side(t, relay(t).Addr(), nil, false)
	port := func(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }
	for name, c := range map[string]struct {
		candidates []netip.AddrPort
		refused    error // nil: connecting is tried, in vain
	}{
		"no address":            {nil, wire.ErrBadOffer},
		"mapped":                {[]netip.AddrPort{port("[::ffff:127.0.0.1]:50000")}, wire.ErrBadOffer},
		"zone":                  {[]netip.AddrPort{port("[fe80::1%lo]:50000")}, wire.ErrBadOffer},
		"mdns":                  {[]netip.AddrPort{port("224.0.0.251:50000")}, wire.ErrBadOffer},
		"a service's port":      {[]netip.AddrPort{port("127.0.0.1:53")}, wire.ErrBadOffer},
		"the wrong family":      {[]netip.AddrPort{port("[2600::1]:50000")}, ErrFamily},
		"a socket of ours":      {[]netip.AddrPort{traps.at(0)}, nil},
		"many sockets of ours":  {[]netip.AddrPort{traps.at(0), traps.at(1)}, nil},
		"our own relayed one":   {nil, nil}, // filled in below
		"a stranger":            {[]netip.AddrPort{port("8.8.8.8:50000")}, nil},
		"another loopback":      {[]netip.AddrPort{port("127.0.0.2:50000")}, nil},
		"the other way to loop": {[]netip.AddrPort{port("[2600::1]:50000"), traps.at(1)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p, witness := hasty(t, server.Addr())
			offer := other.Local()
			offer.Candidates = c.candidates
			if name == "our own relayed one" {
				offer.Candidates = p.Local().Candidates
			}
			ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
			defer cancel()
			err := p.Connect(ctx, offer)
			if want := c.refused; want != nil && !errors.Is(err, want) || want == nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Connect said %v", err)
			}
			witness.check(t, server.Addr())
			traps.check(t, p)
			if s := p.Snapshot(); s.RemoteRelayed.IsValid() || s.Received != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// Even if a candidate of another kind got past the offer, pion must not follow it.
func TestHostileCandidatesInsidePion(t *testing.T) {
	nettest.Leaks(t)
	server, traps := relay(t), setTraps(t)
	p, witness := hasty(t, server.Addr())
	other, _ := side(t, relay(t).Addr(), nil, false)
	everyone := netip.MustParseAddr("127.0.0.1")
	p.filter.Store(&everyone) // as if the offer had named a relay on this machine
	tcp := uint16(traps.tcp.Addr().(*net.TCPAddr).Port)
	for _, c := range []webrtc.ICECandidate{
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolTCP, Address: "127.0.0.1", Port: tcp, TCPType: "passive"},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolTCP, Address: "127.0.0.1", Port: tcp, TCPType: "so"},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP, Address: "127.0.0.1", Port: traps.at(0).Port()},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP, Address: "::ffff:127.0.0.1", Port: traps.at(0).Port()},
		{Typ: webrtc.ICECandidateTypeSrflx, Protocol: webrtc.ICEProtocolUDP, Address: "127.0.0.1", Port: traps.at(1).Port()},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP, Address: "0b2f3d1a-4c5e-4f60-8a7b-9c0d1e2f3a4b.local", Port: 50000},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP, Address: "localhost", Port: traps.at(0).Port()},
		{Typ: webrtc.ICECandidateTypeRelay, Protocol: webrtc.ICEProtocolUDP, Address: "169.254.169.254", Port: 50000},
		{Typ: webrtc.ICECandidateTypeHost, Protocol: webrtc.ICEProtocolUDP, Address: "fe80::1", Port: 50000},
		{Typ: webrtc.ICECandidateTypeRelay, Protocol: webrtc.ICEProtocolUDP, Address: "127.0.0.1", Port: server.Addr().Port()},
	} {
		c.Component, c.Foundation, c.Priority = 1, "hostile", 1<<30
		_ = p.stack.ice.AddRemoteCandidate(&c) // some are not even parsed
	}
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond) // several rounds of checks
	defer cancel()
	if err := p.Connect(ctx, other.Local()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Connect said %v", err)
	}
	witness.check(t, server.Addr())
	traps.check(t, p)
	if refused := p.Snapshot().Refused; refused != 0 {
		t.Errorf("pion tried %d things that only the guard stopped", refused)
	}
}
