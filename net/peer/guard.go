package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/transport/v5"
)

// errRefused is what pion gets to see when it asks for something that is not for the own relay.
var errRefused = errors.New("refused: this connection talks to its own relay only")

// guard is the only network pion is given. It opens one kind of socket: UDP, connected to the
// own relay (or, with a dial of its own, a stream to it in the shape of one), so that the system too refuses to send anywhere else and to receive from anyone
// else. Everything else that a network can do is refused and counted: names are not resolved,
// nothing is dialled, nothing listens, no interface is listed. Whatever a hostile offer talks
// pion into, nothing leaves.
type guard struct {
	inner   transport.Net
	relay   netip.AddrPort
	gate    *gate
	dial    func(context.Context) (net.Conn, error) // nil: UDP. Else nothing but what it dials is opened
	ended   context.Context                         // from close on; for dial
	end     context.CancelFunc
	refused atomic.Uint64
	heard   atomic.Bool // the relay has answered something

	mu     sync.Mutex // guards the following
	closed bool
	conns  []*guarded
}

var _ transport.Net = (*guard)(nil)

func newGuard(inner transport.Net, relay netip.AddrPort, gate *gate) *guard {
	g := &guard{inner: inner, relay: relay, gate: gate}
	g.ended, g.end = context.WithCancel(context.Background())
	return g
}

func (g *guard) refuse() error {
	g.refused.Add(1)
	return errRefused
}

func (g *guard) refusals() uint64 { return g.refused.Load() }

func (g *guard) answered() bool { return g.heard.Load() }

// network is the UDP network of the relay's family.
func (g *guard) network() string { return networkOf(g.relay.Addr()) }

// open is a socket to the relay.
func (g *guard) open(network string) (*guarded, error) {
	if network != "udp" && network != g.network() {
		return nil, g.refuse()
	}
	conn, err := g.connect()
	if err != nil {
		return nil, err
	}
	opened := &guarded{UDPConn: conn, guard: g, relay: net.UDPAddrFromAddrPort(g.relay)}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = opened.Close()
		return nil, net.ErrClosed
	}
	g.conns = append(g.conns, opened)
	return opened, nil
}

func (g *guard) connect() (transport.UDPConn, error) {
	if g.dial != nil {
		return openTunnel(g.ended, g.dial)
	}
	return g.inner.DialUDP(g.network(), nil, net.UDPAddrFromAddrPort(g.relay))
}

// close closes every socket and opens no more.
func (g *guard) close() {
	g.end()
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	for _, conn := range g.conns {
		_ = conn.Close()
	}
}

// toRelay reports whether an address is literally the relay's.
func (g *guard) toRelay(network, address string) bool {
	at, err := netip.ParseAddrPort(address)
	return err == nil && at == g.relay && (network == "udp" || network == g.network())
}

// ListenPacket opens a socket to the relay, wherever it was asked to listen.
func (g *guard) ListenPacket(network, _ string) (net.PacketConn, error) { return g.open(network) }

// ListenUDP opens a socket to the relay, wherever it was asked to listen.
func (g *guard) ListenUDP(network string, _ *net.UDPAddr) (transport.UDPConn, error) {
	return g.open(network)
}

// Dial opens a socket to the relay and refuses any other address.
func (g *guard) Dial(network, address string) (net.Conn, error) {
	if !g.toRelay(network, address) {
		return nil, g.refuse()
	}
	return g.open(network)
}

// DialUDP opens a socket to the relay and refuses any other address.
func (g *guard) DialUDP(network string, _, remote *net.UDPAddr) (transport.UDPConn, error) {
	if remote == nil || addrPort(remote) != g.relay {
		return nil, g.refuse()
	}
	return g.open(network)
}

// ListenTCP refuses.
func (g *guard) ListenTCP(string, *net.TCPAddr) (transport.TCPListener, error) {
	return nil, g.refuse()
}

// DialTCP refuses.
func (g *guard) DialTCP(string, *net.TCPAddr, *net.TCPAddr) (transport.TCPConn, error) {
	return nil, g.refuse()
}

// ResolveUDPAddr reads the relay's address, without asking anyone. pion tries the relay in both
// families; that is no attempt at anything, so it is not counted.
func (g *guard) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	if !g.toRelay("udp", address) {
		return nil, g.refuse()
	}
	if network != "udp" && network != g.network() {
		return nil, &net.AddrError{Err: "the relay has no address of this family", Addr: network}
	}
	return net.UDPAddrFromAddrPort(g.relay), nil
}

// ResolveIPAddr refuses.
func (g *guard) ResolveIPAddr(string, string) (*net.IPAddr, error) { return nil, g.refuse() }

// ResolveTCPAddr refuses.
func (g *guard) ResolveTCPAddr(string, string) (*net.TCPAddr, error) { return nil, g.refuse() }

// Interfaces lists none: what pion does not know it cannot tell.
func (g *guard) Interfaces() ([]*transport.Interface, error) { return nil, nil }

// InterfaceByIndex finds none.
func (g *guard) InterfaceByIndex(int) (*transport.Interface, error) {
	return nil, transport.ErrInterfaceNotFound
}

// InterfaceByName finds none.
func (g *guard) InterfaceByName(string) (*transport.Interface, error) {
	return nil, transport.ErrInterfaceNotFound
}

// CreateDialer gives a dialer that this guard stands behind.
func (g *guard) CreateDialer(*net.Dialer) transport.Dialer { return g }

// CreateListenConfig gives a listener that this guard stands behind.
func (g *guard) CreateListenConfig(*net.ListenConfig) transport.ListenConfig {
	return guardedListen{g}
}

type guardedListen struct{ guard *guard }

func (l guardedListen) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, l.guard.refuse()
}

func (l guardedListen) ListenPacket(_ context.Context, network, address string) (net.PacketConn, error) {
	return l.guard.ListenPacket(network, address)
}

// guarded is a socket to the relay. To pion it looks like an unconnected one without an
// address: the true local address stays out of its candidates and messages.
type guarded struct {
	transport.UDPConn
	guard  *guard
	relay  *net.UDPAddr
	closed atomic.Bool
}

// faults is how many reads may fail in a row before the socket counts as broken.
const faults = 100

// LocalAddr is the unspecified address.
func (c *guarded) LocalAddr() net.Addr {
	if c.guard.relay.Addr().Is4() {
		return &net.UDPAddr{IP: net.IPv4zero}
	}
	return &net.UDPAddr{IP: net.IPv6zero}
}

// Close closes the socket once.
func (c *guarded) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	return c.UDPConn.Close()
}

// Write sends to the relay. That a packet did not leave (a full queue, a relay that was just
// restarted, a network that went away) is loss like any other: ICE notices if it lasts.
func (c *guarded) Write(p []byte) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if _, err := c.UDPConn.Write(p); err != nil {
		_, _ = c.UDPConn.Write(p) // the error may have been an earlier packet's, and this one not sent
	}
	return len(p), nil
}

// WriteTo sends to the relay and refuses any other address.
func (c *guarded) WriteTo(p []byte, to net.Addr) (int, error) {
	if udp, ok := to.(*net.UDPAddr); !ok || addrPort(udp) != c.guard.relay {
		return 0, c.guard.refuse()
	}
	return c.Write(p)
}

// WriteToUDP sends to the relay and refuses any other address.
func (c *guarded) WriteToUDP(p []byte, to *net.UDPAddr) (int, error) { return c.WriteTo(p, to) }

// WriteMsgUDP refuses: nothing needs it.
func (c *guarded) WriteMsgUDP([]byte, []byte, *net.UDPAddr) (int, int, error) {
	return 0, 0, c.guard.refuse()
}

// Read waits for a packet from the relay that the gate lets pass. Errors that the system
// reports for single packets are passed over, because pion stops reading at the first one.
func (c *guarded) Read(p []byte) (int, error) {
	for failed := 0; ; {
		n, err := c.UDPConn.Read(p)
		if err != nil {
			if failed++; c.closed.Load() || failed > faults {
				return 0, err
			}
			continue
		}
		failed = 0
		c.guard.heard.Store(true)
		if c.guard.gate.admits(p[:n]) {
			return n, nil
		}
	}
}

// ReadFrom is Read, and names the relay.
func (c *guarded) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := c.Read(p)
	return n, c.relay, err
}

// ReadFromUDP is Read, and names the relay.
func (c *guarded) ReadFromUDP(p []byte) (int, *net.UDPAddr, error) {
	n, err := c.Read(p)
	return n, c.relay, err
}

// ReadMsgUDP refuses: nothing needs it.
func (c *guarded) ReadMsgUDP([]byte, []byte) (int, int, int, *net.UDPAddr, error) {
	return 0, 0, 0, nil, c.guard.refuse()
}

// addrPort is a UDP address as a comparable value, unmapped.
func addrPort(at *net.UDPAddr) netip.AddrPort {
	ap := at.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
