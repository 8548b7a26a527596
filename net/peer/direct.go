package peer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// A direct connection leaves the relays: by the consent of two verified people their
// machines send to each other, and each learns the other's network address. It is the
// one kind of peer that may, it is built by NewDirect and by nothing else, and it has a
// guard of its own: one socket, which sends to the own relay (to ask how it sees the
// socket) and afterwards to the one address that the other side sealed into its offer,
// and hears nobody else.

// ErrUnseen: the own relay did not say under which address it sees this machine.
var ErrUnseen = errors.New("the relay did not say under which address it sees this machine, so the call stays on the relays")

const (
	askEvery = 400 * time.Millisecond
	askTimes = 6
)

// NewDirect opens a socket and asks the own relay for the address that it has from
// outside, which is what Local offers. Of config.Turn only the address is used.
func NewDirect(ctx context.Context, config Config) (*Peer, error) {
	config = config.withDefaults()
	p := &Peer{config: config, log: config.Log, direct: true, gate: &gate{plain: true}, lost: make(chan struct{})}
	guard, err := openDirect(config.Net, config.Turn.Address, p.gate)
	if err != nil {
		return nil, err
	}
	p.guard = guard
	p.life, p.end = context.WithCancelCause(context.Background())
	seen, err := guard.seen(ctx)
	if err != nil {
		guard.close()
		return nil, err
	}
	stack, err := newStack(guard, nil, config, p.pairable)
	if err != nil {
		guard.close()
		return nil, err
	}
	stack.seen = seen
	p.stack = stack
	if p.local, err = stack.gather(ctx); err != nil || len(p.local.Candidates) == 0 {
		_ = p.Close()
		return nil, errors.Join(err, ErrUnseen)
	}
	return p, nil
}

// Seen asks the relay at address, over UDP, under which address it sees this machine.
func Seen(ctx context.Context, over transport.Net, relay netip.AddrPort) (netip.Addr, error) {
	if over == nil {
		over = &stdnet.Net{}
	}
	guard, err := openDirect(over, netip.AddrPortFrom(relay.Addr().Unmap(), relay.Port()), new(gate))
	if err != nil {
		return netip.Addr{}, err
	}
	defer guard.close()
	seen, err := guard.seen(ctx)
	return seen.Addr(), err
}

// directGuard is the only network that pion is given for a direct connection.
type directGuard struct {
	closedNet
	relay  netip.AddrPort
	gate   *gate
	socket transport.UDPConn
	local  *net.UDPAddr
	remote atomic.Pointer[netip.AddrPort] // nil: nobody
	given  atomic.Bool                    // the socket was handed to pion
	closed atomic.Bool
}

var _ wall = (*directGuard)(nil)

// openDirect opens the socket, on the address that this machine reaches its relay from.
func openDirect(inner transport.Net, relay netip.AddrPort, gate *gate) (*directGuard, error) {
	g := &directGuard{relay: relay, gate: gate}
	probe, err := inner.DialUDP(g.network(), nil, net.UDPAddrFromAddrPort(relay)) // sends nothing
	if err != nil {
		return nil, err
	}
	from, ok := probe.LocalAddr().(*net.UDPAddr)
	_ = probe.Close()
	if !ok {
		return nil, ErrUnseen
	}
	g.socket, err = inner.ListenUDP(g.network(), &net.UDPAddr{IP: from.IP, Zone: from.Zone})
	if err != nil {
		return nil, err
	}
	g.local, _ = g.socket.LocalAddr().(*net.UDPAddr)
	if g.local == nil {
		_ = g.socket.Close()
		return nil, ErrUnseen
	}
	return g, nil
}

func (g *directGuard) network() string { return networkOf(g.relay.Addr()) }

// seen asks the relay, with a Binding request (RFC 8489 §2), how it sees the socket.
func (g *directGuard) seen(ctx context.Context) (netip.AddrPort, error) {
	request, err := stun.Build(stun.TransactionID, stun.BindingRequest)
	if err != nil {
		return netip.AddrPort{}, err
	}
	defer func() { _ = g.socket.SetReadDeadline(time.Time{}) }()
	answer := make([]byte, mtu)
	for range askTimes {
		if _, err := g.socket.WriteTo(request.Raw, net.UDPAddrFromAddrPort(g.relay)); err != nil {
			return netip.AddrPort{}, fmt.Errorf("%w (%w)", ErrUnseen, err)
		}
		_ = g.socket.SetReadDeadline(time.Now().Add(askEvery))
		for ctx.Err() == nil {
			n, from, err := g.socket.ReadFrom(answer)
			if err != nil {
				break // ask again
			}
			if at, ok := addressIn(answer[:n], from, g.relay, request.TransactionID); ok {
				return at, nil
			}
		}
		if ctx.Err() != nil {
			return netip.AddrPort{}, context.Cause(ctx)
		}
	}
	return netip.AddrPort{}, ErrUnseen
}

// addressIn is the mapped address in the relay's answer to a request; not ok for
// anything else.
func addressIn(packet []byte, from net.Addr, relay netip.AddrPort, id [stun.TransactionIDSize]byte) (netip.AddrPort, bool) {
	sender, ok := from.(*net.UDPAddr)
	if !ok || addrPort(sender) != relay || !stun.IsMessage(packet) {
		return netip.AddrPort{}, false
	}
	message := &stun.Message{Raw: append([]byte(nil), packet...)}
	var mapped stun.XORMappedAddress
	if message.Decode() != nil || message.Type != stun.BindingSuccess || message.TransactionID != id || mapped.GetFrom(message) != nil {
		return netip.AddrPort{}, false
	}
	address, ok := netip.AddrFromSlice(mapped.IP)
	if !ok || mapped.Port <= 0 || mapped.Port > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(address.Unmap(), uint16(mapped.Port)), true
}

// admit names the one address that the socket may exchange packets with from now on.
func (g *directGuard) admit(remote netip.AddrPort) { g.remote.Store(&remote) }

func (g *directGuard) answered() bool { return true }

func (g *directGuard) close() {
	if !g.closed.Swap(true) {
		_ = g.socket.Close()
	}
}

// Interfaces lists one, with the address of the socket: pion's host candidate, which
// never leaves this process.
func (g *directGuard) Interfaces() ([]*transport.Interface, error) {
	only := transport.NewInterface(net.Interface{Index: 1, MTU: mtu, Name: "direct", Flags: net.FlagUp})
	bits := 8 * len(g.local.IP)
	only.AddAddress(&net.IPNet{IP: g.local.IP, Mask: net.CIDRMask(bits, bits)})
	return []*transport.Interface{only}, nil
}

// ListenUDP gives the socket, once.
func (g *directGuard) ListenUDP(network string, at *net.UDPAddr) (transport.UDPConn, error) {
	if network != "udp" && network != g.network() || at == nil || !at.IP.Equal(g.local.IP) || g.given.Swap(true) {
		return nil, g.refuse()
	}
	return &directConn{UDPConn: g.socket, guard: g}, nil
}

// directConn is the socket as pion sees it.
type directConn struct {
	transport.UDPConn
	guard *directGuard
}

func (c *directConn) Close() error {
	c.guard.close()
	return nil
}

func (c *directConn) allowed(to net.Addr) bool {
	udp, ok := to.(*net.UDPAddr)
	remote := c.guard.remote.Load()
	return ok && remote != nil && addrPort(udp) == *remote
}

// WriteTo sends to the one address and refuses any other. A packet that did not leave
// is loss like any other.
func (c *directConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if !c.allowed(to) {
		return 0, c.guard.refuse()
	}
	if c.guard.closed.Load() {
		return 0, net.ErrClosed
	}
	_, _ = c.UDPConn.WriteTo(p, to)
	return len(p), nil
}

func (c *directConn) WriteToUDP(p []byte, to *net.UDPAddr) (int, error) { return c.WriteTo(p, to) }

// Write refuses: the socket is not connected.
func (c *directConn) Write([]byte) (int, error) { return 0, c.guard.refuse() }

// WriteMsgUDP refuses: nothing needs it.
func (c *directConn) WriteMsgUDP([]byte, []byte, *net.UDPAddr) (int, int, error) {
	return 0, 0, c.guard.refuse()
}

// ReadFrom waits for a packet from the one address that the gate lets pass.
func (c *directConn) ReadFrom(p []byte) (int, net.Addr, error) {
	for failed := 0; ; {
		n, from, err := c.UDPConn.ReadFrom(p)
		if err != nil {
			if failed++; c.guard.closed.Load() || failed > faults {
				return 0, nil, err
			}
			continue
		}
		failed = 0
		if c.allowed(from) && c.guard.gate.admits(p[:n]) {
			return n, from, nil
		}
	}
}

func (c *directConn) ReadFromUDP(p []byte) (int, *net.UDPAddr, error) {
	n, from, err := c.ReadFrom(p)
	udp, _ := from.(*net.UDPAddr)
	return n, udp, err
}

// Read refuses: the socket is not connected.
func (c *directConn) Read([]byte) (int, error) { return 0, c.guard.refuse() }

// ReadMsgUDP refuses: nothing needs it.
func (c *directConn) ReadMsgUDP([]byte, []byte) (int, int, int, *net.UDPAddr, error) {
	return 0, 0, 0, nil, c.guard.refuse()
}

// withDefaults fills in what a config leaves open.
func (config Config) withDefaults() Config {
	config.Turn.Address = netip.AddrPortFrom(config.Turn.Address.Addr().Unmap(), config.Turn.Address.Port())
	if config.Net == nil {
		config.Net = &stdnet.Net{}
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.OnFrame == nil {
		config.OnFrame = func([]byte, time.Time) {}
	}
	if config.clocks == (clocks{}) {
		config.clocks = ordinary
	}
	return config
}
