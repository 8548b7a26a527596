package nettest

import (
	"net"
	"slices"
	"time"

	"github.com/pion/transport/v5"
)

// Lost is the way of a packet that does not arrive.
const Lost time.Duration = -1

// Outbound is a host's network with a leg of its own before it: way is asked about every
// packet that is written to a dialled socket, in the order of writing, and says how
// long it is under way before it enters the network, or Lost. It must not keep or change the
// packet, and it may be asked from several goroutines.
func Outbound(host transport.Net, way func(packet []byte) time.Duration) transport.Net {
	return outbound{host, way}
}

type outbound struct {
	transport.Net
	way func([]byte) time.Duration
}

func (o outbound) DialUDP(network string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := o.Net.DialUDP(network, local, remote)
	if err != nil {
		return nil, err
	}
	return outboundConn{conn, o.way}, nil
}

type outboundConn struct {
	transport.UDPConn
	way func([]byte) time.Duration
}

func (c outboundConn) Write(packet []byte) (int, error) {
	switch way := c.way(packet); {
	case way == 0:
		return c.UDPConn.Write(packet)
	case way > 0:
		kept := slices.Clone(packet)
		time.AfterFunc(way, func() { _, _ = c.UDPConn.Write(kept) })
	}
	return len(packet), nil
}
