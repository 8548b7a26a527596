package turn

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v5"
	"golang.org/x/time/rate"
)

// An allocation's allowance in each direction. A call needs 50 packets a second and 142 kbit, 182 where much is lost, or 100 packets and 164 kbit.
const (
	bitsPerSecond    = 250_000
	packetsPerSecond = 150
	burst            = 2 // the part of a second that may come at once is 1/burst
)

// allowance caps bytes and packets of one direction.
type allowance struct{ packets, bytes *rate.Limiter }

func newAllowance() allowance {
	return allowance{
		packets: rate.NewLimiter(packetsPerSecond, packetsPerSecond/burst),
		bytes:   rate.NewLimiter(bitsPerSecond/8, bitsPerSecond/8/burst),
	}
}

func (a allowance) take(now time.Time, bytes int) bool {
	return a.packets.AllowN(now, 1) && a.bytes.AllowN(now, bytes)
}

// peer is the one address an allocation talks to, in the two forms that are needed.
type peer struct {
	at  netip.AddrPort
	udp *net.UDPAddr
}

// relayed is an allocation's socket. The client's first CreatePermission fixes the peer's
// address and the first packet to it its port; nothing else gets in or out.
//
// pion/turn reads it on one goroutine of its own and writes it from the door's.
type relayed struct {
	transport.UDPConn
	server  *Server
	port    uint16
	until   time.Time                  // nothing passes afterwards, refreshed or not
	host    atomic.Pointer[netip.Addr] // set once, by claim
	peer    atomic.Pointer[peer]       // set once, by WriteTo
	in, out allowance
	closed  atomic.Bool
	end     sync.Once
}

func newRelayed(conn transport.UDPConn, server *Server, port uint16, until time.Time) *relayed {
	return &relayed{
		UDPConn: conn, server: server, port: port, until: until,
		in: newAllowance(), out: newAllowance(),
	}
}

// claim fixes the peer's address if none is, and reports whether it is this one.
func (r *relayed) claim(host netip.Addr) bool {
	r.host.CompareAndSwap(nil, &host)
	return *r.host.Load() == host
}

// WriteTo sends p to the peer. A packet for anyone else is swallowed and counted: to the
// client, a refused peer looks like one that does not answer.
func (r *relayed) WriteTo(p []byte, to net.Addr) (int, error) {
	peer := r.peerFor(addrPort(to))
	if peer == nil {
		r.server.counts.refusedPeers.Add(1)
		return len(p), nil
	}
	if !r.pass(r.out, len(p)) {
		return len(p), nil
	}
	if fast, ok := r.UDPConn.(interface {
		WriteToUDPAddrPort([]byte, netip.AddrPort) (int, error)
	}); ok {
		_, err := fast.WriteToUDPAddrPort(p, peer.at)
		return len(p), err
	}
	_, err := r.UDPConn.WriteToUDP(p, peer.udp)
	return len(p), err
}

// peerFor returns the peer if to is its address, fixing it at the first admissible packet.
func (r *relayed) peerFor(to netip.AddrPort) *peer {
	if current := r.peer.Load(); current != nil {
		if current.at == to {
			return current
		}
		return nil
	}
	host := r.host.Load()
	if host == nil || *host != to.Addr() || !r.server.policy.peer(to) {
		return nil
	}
	first := &peer{at: to, udp: net.UDPAddrFromAddrPort(to)}
	r.peer.Store(first) // only the door's goroutine writes packets, so nobody else stores
	return first
}

func (r *relayed) pass(direction allowance, bytes int) bool {
	now := r.server.config.Now()
	if !now.Before(r.until) || !direction.take(now, bytes) {
		r.server.counts.overRate.Add(1)
		return false
	}
	return true
}

// ReadFrom waits for a packet from the peer. What others send is dropped without a word.
func (r *relayed) ReadFrom(p []byte) (int, net.Addr, error) {
	for failed := 0; ; {
		n, from, err := r.read(p)
		if err != nil {
			if failed++; r.closed.Load() || failed > faults {
				r.end.Do(r.ended)
				return 0, nil, err
			}
			continue
		}
		failed = 0
		if peer := r.peer.Load(); peer != nil && peer.at == from && r.pass(r.in, n) {
			return n, peer.udp, nil
		}
	}
}

func (r *relayed) read(p []byte) (int, netip.AddrPort, error) {
	if fast, ok := r.UDPConn.(interface {
		ReadFromUDPAddrPort([]byte) (int, netip.AddrPort, error)
	}); ok {
		n, from, err := fast.ReadFromUDPAddrPort(p)
		return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), err
	}
	n, from, err := r.UDPConn.ReadFrom(p)
	return n, addrPort(from), err
}

// ended runs when pion/turn's goroutine has read its last packet.
func (r *relayed) ended() {
	r.server.mu.Lock()
	if r.server.byPort[r.port] == r {
		delete(r.server.byPort, r.port)
	}
	r.server.mu.Unlock()
	r.server.live.Done()
}

// Close never fails: pion/turn would leave its other allocations open at the first error.
func (r *relayed) Close() error {
	if !r.closed.Swap(true) {
		_ = r.UDPConn.Close()
	}
	return nil
}
