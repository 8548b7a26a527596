package peer

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
)

// still is a socket that costs nothing: what is left is the guard's own work. Beside a real
// socket's microseconds it disappears in the noise.
type still struct {
	transport.UDPConn
	frame []byte
}

func (s still) Write(p []byte) (int, error) { return len(p), nil }
func (s still) Read(p []byte) (int, error)  { return copy(p, s.frame), nil }
func (s still) Close() error                { return nil }

type stillNet struct {
	*stdnet.Net
	conn still
}

func (n stillNet) DialUDP(string, *net.UDPAddr, *net.UDPAddr) (transport.UDPConn, error) {
	return n.conn, nil
}

// BenchmarkGuard is what the guard and the gate add to one packet there and one back, and the
// share of a core that this is at a call's pace, 50 packets a second each way. make bench-guard.
func BenchmarkGuard(b *testing.B) {
	at := netip.MustParseAddrPort("203.0.113.1:3478")
	gate := new(gate)
	gate.release(7)
	frame := make([]byte, 132) // ChannelData around an RTP packet of a call
	frame[0], frame[4], frame[5] = 0x40, 0x80, payloadType
	binary.BigEndian.PutUint16(frame[2:], uint16(len(frame)-4))
	binary.BigEndian.PutUint32(frame[12:], 7)
	g := newGuard(stillNet{conn: still{frame: frame}}, at, gate)
	defer g.close()
	conn, err := g.open("udp")
	if err != nil {
		b.Fatal(err)
	}
	buffer, to := make([]byte, mtu), net.Addr(net.UDPAddrFromAddrPort(at))
	for b.Loop() {
		if _, err := conn.WriteTo(frame, to); err != nil {
			b.Fatal(err)
		}
		if n, _, err := conn.ReadFrom(buffer); err != nil || n != len(frame) {
			b.Fatal(n, err)
		}
	}
	each := float64(b.Elapsed().Nanoseconds()) / float64(b.N)
	b.ReportMetric(each*50/1e9*100, "%-of-a-core-in-a-call")
}
