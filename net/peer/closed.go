package peer

import (
	"context"
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/pion/transport/v5"
)

// wall is a network that stands between pion and the system.
type wall interface {
	transport.Net
	refusals() uint64
	answered() bool // somebody has answered something
	close()         // closes every socket and opens no more
}

func networkOf(address netip.Addr) string {
	if address.Is4() {
		return "udp4"
	}
	return "udp6"
}

// closedNet refuses everything that a network can do, and counts.
type closedNet struct{ refused atomic.Uint64 }

func (c *closedNet) refuse() error {
	c.refused.Add(1)
	return errRefused
}

func (c *closedNet) refusals() uint64 { return c.refused.Load() }

// ListenPacket refuses.
func (c *closedNet) ListenPacket(string, string) (net.PacketConn, error) { return nil, c.refuse() }

// ListenUDP refuses.
func (c *closedNet) ListenUDP(string, *net.UDPAddr) (transport.UDPConn, error) {
	return nil, c.refuse()
}

// ListenTCP refuses.
func (c *closedNet) ListenTCP(string, *net.TCPAddr) (transport.TCPListener, error) {
	return nil, c.refuse()
}

// Dial refuses.
func (c *closedNet) Dial(string, string) (net.Conn, error) { return nil, c.refuse() }

// DialUDP refuses.
func (c *closedNet) DialUDP(string, *net.UDPAddr, *net.UDPAddr) (transport.UDPConn, error) {
	return nil, c.refuse()
}

// DialTCP refuses.
func (c *closedNet) DialTCP(string, *net.TCPAddr, *net.TCPAddr) (transport.TCPConn, error) {
	return nil, c.refuse()
}

// ResolveIPAddr refuses.
func (c *closedNet) ResolveIPAddr(string, string) (*net.IPAddr, error) { return nil, c.refuse() }

// ResolveUDPAddr refuses.
func (c *closedNet) ResolveUDPAddr(string, string) (*net.UDPAddr, error) { return nil, c.refuse() }

// ResolveTCPAddr refuses.
func (c *closedNet) ResolveTCPAddr(string, string) (*net.TCPAddr, error) { return nil, c.refuse() }

// Interfaces lists none.
func (c *closedNet) Interfaces() ([]*transport.Interface, error) { return nil, nil }

// InterfaceByIndex finds none.
func (c *closedNet) InterfaceByIndex(int) (*transport.Interface, error) {
	return nil, transport.ErrInterfaceNotFound
}

// InterfaceByName finds none.
func (c *closedNet) InterfaceByName(string) (*transport.Interface, error) {
	return nil, transport.ErrInterfaceNotFound
}

// CreateDialer gives a dialer that refuses.
func (c *closedNet) CreateDialer(*net.Dialer) transport.Dialer { return c }

// CreateListenConfig gives a listener that refuses.
func (c *closedNet) CreateListenConfig(*net.ListenConfig) transport.ListenConfig {
	return closedListen{c}
}

type closedListen struct{ net *closedNet }

func (l closedListen) Listen(context.Context, string, string) (net.Listener, error) {
	return nil, l.net.refuse()
}

func (l closedListen) ListenPacket(context.Context, string, string) (net.PacketConn, error) {
	return nil, l.net.refuse()
}
