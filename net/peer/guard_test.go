package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"

	"sotto/net/nettest"
)

// spy is a network that keeps what it was asked for and does nothing but UDP to one address.
type spy struct {
	transport.Net
	asked []string
}

func (s *spy) DialUDP(network string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	s.asked = append(s.asked, network+" "+remote.String())
	return net.DialUDP(network, local, remote)
}

func TestGuardRefusesAllButTheRelay(t *testing.T) {
	nettest.Leaks(t)
	relayed := netip.MustParseAddrPort("127.0.0.1:3478")
	inner := new(spy) // every other method of it panics
	g := newGuard(inner, relayed, new(gate))
	defer g.close()
	udp, tcp := net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:9")), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3478}
	dialer, listen := g.CreateDialer(nil), g.CreateListenConfig(nil)
	conn, err := g.ListenPacket("udp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	socket := conn.(transport.UDPConn)
	for name, attempt := range map[string]func() error{
		"dial tcp to the relay":  func() error { _, err := g.Dial("tcp", "127.0.0.1:3478"); return err },
		"dial a name":            func() error { _, err := g.Dial("udp", "localhost:3478"); return err },
		"dial another port":      func() error { _, err := g.Dial("udp", "127.0.0.1:9"); return err },
		"dial another address":   func() error { _, err := g.Dial("udp", "127.0.0.2:3478"); return err },
		"dial the mapped relay":  func() error { _, err := g.Dial("udp", "[::ffff:127.0.0.1]:3478"); return err },
		"dial a unix socket":     func() error { _, err := g.Dial("unix", "/tmp/x"); return err },
		"dial udp elsewhere":     func() error { _, err := g.DialUDP("udp", nil, udp); return err },
		"dial udp nowhere":       func() error { _, err := g.DialUDP("udp", nil, nil); return err },
		"dial tcp":               func() error { _, err := g.DialTCP("tcp", nil, tcp); return err },
		"listen tcp":             func() error { _, err := g.ListenTCP("tcp", tcp); return err },
		"listen ip":              func() error { _, err := g.ListenPacket("ip4:icmp", "127.0.0.1"); return err },
		"listen multicast":       func() error { _, err := g.ListenUDP("udp6", udp); return err },
		"resolve a name":         func() error { _, err := g.ResolveUDPAddr("udp", "peer.local:50000"); return err },
		"resolve another":        func() error { _, err := g.ResolveUDPAddr("udp", "127.0.0.1:9"); return err },
		"resolve an ip":          func() error { _, err := g.ResolveIPAddr("ip", "peer.example"); return err },
		"resolve tcp":            func() error { _, err := g.ResolveTCPAddr("tcp", "peer.example:443"); return err },
		"dialer":                 func() error { _, err := dialer.Dial("tcp", "127.0.0.1:3478"); return err },
		"listener":               func() error { _, err := listen.Listen(context.Background(), "tcp", "127.0.0.1:0"); return err },
		"packet listener for ip": func() error { _, err := listen.ListenPacket(context.Background(), "ip", "127.0.0.1"); return err },
		"write elsewhere":        func() error { _, err := conn.WriteTo([]byte("x"), udp); return err },
		"write udp elsewhere":    func() error { _, err := socket.WriteToUDP([]byte("x"), udp); return err },
		"write to tcp":           func() error { _, err := conn.WriteTo([]byte("x"), tcp); return err },
		"write a message":        func() error { _, _, err := socket.WriteMsgUDP([]byte("x"), nil, udp); return err },
		"read a message":         func() error { _, _, _, _, err := socket.ReadMsgUDP(nil, nil); return err },
	} {
		before := g.refused.Load()
		if err := attempt(); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", name, err)
		}
		if g.refused.Load() != before+1 {
			t.Errorf("%s was not counted", name)
		}
	}
	if interfaces, err := g.Interfaces(); err != nil || len(interfaces) != 0 {
		t.Errorf("interfaces %v, %v", interfaces, err)
	}
	if local := conn.LocalAddr().(*net.UDPAddr); !local.IP.IsUnspecified() || local.Port != 0 {
		t.Errorf("the socket tells its address: %v", local)
	}
	if len(inner.asked) != 1 || inner.asked[0] != "udp4 127.0.0.1:3478" {
		t.Errorf("the network was asked for %v", inner.asked)
	}
}

func TestGuardHearsOnlyTheRelay(t *testing.T) {
	nettest.Leaks(t)
	relaySocket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer relaySocket.Close()
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	g := newGuard(&stdnet.Net{}, addrPort(relaySocket.LocalAddr().(*net.UDPAddr)), new(gate))
	conn, err := g.open("udp")
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	if _, err := conn.WriteTo([]byte("hello"), relaySocket.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	_ = relaySocket.SetReadDeadline(time.Now().Add(patience))
	_, client, err := relaySocket.ReadFrom(buffer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.WriteTo([]byte("stranger"), client); err != nil {
		t.Fatal(err)
	}
	if _, err := relaySocket.WriteTo([]byte("relay"), client); err != nil {
		t.Fatal(err)
	}
	n, from, err := conn.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "relay" || from.String() != relaySocket.LocalAddr().String() {
		t.Fatalf("%q from %v, %v", buffer[:n], from, err)
	}
}

func TestGuardSurvivesARelayThatIsAwayForAMoment(t *testing.T) {
	nettest.Leaks(t)
	at := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), unusedPort(t))
	g := newGuard(&stdnet.Net{}, at, new(gate))
	conn, err := g.open("udp")
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	for range 5 { // nobody is there: the system answers with errors
		if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(at)); err != nil {
			t.Fatal(err)
		}
	}
	back, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Skip("somebody took the port") // not ours to hold
	}
	defer back.Close()
	heard := make(chan error, 1)
	go func() { _, _, err := conn.ReadFrom(make([]byte, 100)); heard <- err }()
	until(t, "the relay is heard again", func() bool {
		if _, err := conn.Write([]byte("are you there")); err != nil {
			t.Fatal(err)
		}
		_ = back.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, client, err := back.ReadFrom(make([]byte, 100))
		if err != nil {
			return false
		}
		if _, err := back.WriteTo([]byte("yes"), client); err != nil {
			t.Fatal(err)
		}
		return true
	})
	if err := <-heard; err != nil {
		t.Fatal(err)
	}
}

// unusedPort is a UDP port that nobody listens on.
func unusedPort(t *testing.T) uint16 {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return addrPort(conn.LocalAddr().(*net.UDPAddr)).Port()
}
