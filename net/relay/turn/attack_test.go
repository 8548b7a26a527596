package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"sotto/net/nettest"
)

// settle gives packets that must not come the time to come: the answer to a request that was
// sent after them says that the server has dealt with them.
func (r *raw) settle() {
	r.t.Helper()
	r.code(stun.MethodRefresh, lifetime(60))
}

// behindTap runs a server whose relayed sockets send nothing, and a client with an allocation.
func behindTap(t *testing.T, change func(*Config)) (*Server, *tap, *raw, *clock) {
	t.Helper()
	network, now := newTap(t), newClock()
	server := start(t, func(c *Config) {
		c.Net, c.Now = network, now.Now
		if change != nil {
			change(c)
		}
	})
	client := issued(t, server, now.Now())
	if code := client.code(stun.MethodAllocate, udp); code != 0 {
		t.Fatalf("allocate: %d", code)
	}
	return server, network, client, now
}

func forbiddenPeers(t *testing.T) {
	nettest.Leaks(t)
	for _, public := range []string{"127.0.0.1", "9.9.9.9", "2600::9"} {
		own := netip.MustParseAddr(public)
		t.Run(public, func(t *testing.T) {
			server, network, client, _ := behindTapOf(t, own)
			asked := uint64(0)
			for _, text := range append([]string{"127.0.0.2", "127.0.0.3"}, private...) {
				peer := netip.MustParseAddr(text).WithZone("")
				if peer.Unmap() == own {
					continue
				}
				at := netip.AddrPortFrom(peer, 50000)
				if code := client.code(stun.MethodCreatePermission, peerAddress(at)); code != 403 && code != 443 {
					t.Errorf("permission for %s: %d", text, code)
				}
				if code := client.code(stun.MethodChannelBind, channel(0x4000), peerAddress(at)); code == 0 {
					t.Errorf("a channel to %s", text)
				}
				client.indicate(at, []byte("into the relay's own network"))
				asked++
			}
			client.settle()
			if sent := network.Sent(); len(sent) != 0 {
				t.Errorf("packets left for %v", sent)
			}
			if refused := server.Snapshot().RefusedPeers; refused == 0 || asked == 0 {
				t.Errorf("refused %d of %d", refused, asked)
			}
		})
	}
}

// behindTapOf is behindTap for a relay with another public address, of either family.
func behindTapOf(t *testing.T, own netip.Addr) (*Server, *tap, *raw, *clock) {
	t.Helper()
	if own.Is4() {
		return behindTap(t, func(c *Config) { c.PublicIP = own })
	}
	network, now := newTap(t), newClock()
	server := start(t, func(c *Config) { c.Net, c.Now, c.PublicIP = network, now.Now, own })
	client := issued(t, server, now.Now())
	if code := client.code(stun.MethodAllocate, udp); code != 508 {
		t.Fatalf("an allocation of a family that the relay does not have: %d", code)
	}
	if code := client.code(stun.MethodAllocate, udp, ip6); code != 0 {
		t.Fatalf("allocate: %d", code)
	}
	return server, network, client, now
}

func channel(number uint16) stun.Setter {
	return attribute(stun.AttrChannelNumber, byte(number>>8), byte(number), 0, 0)
}

func ownOtherPorts(t *testing.T) {
	nettest.Leaks(t)
	server, network, client, _ := behindTap(t, nil)
	own := server.config.PublicIP
	// Ports of the relay's own machine: its services, and its TURN socket wherever that lies.
	for _, port := range []uint16{1, 53, 80, 443, 3478, 4222, 49151, server.Addr().Port()} {
		at := netip.AddrPortFrom(own, port)
		client.code(stun.MethodCreatePermission, peerAddress(at))
		client.code(stun.MethodChannelBind, channel(0x4000+port%1000), peerAddress(at))
		client.indicate(at, []byte("knock"))
		data := []byte{byte((0x4000 + port%1000) >> 8), byte(port % 1000), 0, 5, 'k', 'n', 'o', 'c', 'k', 0, 0, 0}
		if _, err := client.conn.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	client.settle()
	if sent := network.Sent(); len(sent) != 0 {
		t.Fatalf("packets left for %v", sent)
	}
}

func TestSecondPeer(t *testing.T) {
	nettest.Leaks(t)
	_, network, client, _ := behindTap(t, func(c *Config) {
		c.AllowPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	first := netip.MustParseAddrPort("10.0.0.1:50000")
	second, samePlace := netip.MustParseAddrPort("10.0.0.2:50000"), netip.MustParseAddrPort("10.0.0.1:50001")
	if code := client.code(stun.MethodCreatePermission, peerAddress(first)); code != 0 {
		t.Fatalf("the first peer: %d", code)
	}
	if code := client.code(stun.MethodCreatePermission, peerAddress(second)); code != 403 {
		t.Errorf("a second peer: %d", code)
	}
	if code := client.code(stun.MethodCreatePermission, peerAddress(first)); code != 0 {
		t.Errorf("the first peer again: %d", code)
	}
	for range 3 {
		client.indicate(first, []byte("a"))
		client.indicate(second, []byte("b"))
		client.indicate(samePlace, []byte("c"))
	}
	client.settle()
	if sent := network.Sent(); len(sent) != 3 || sent[0] != first || sent[1] != first || sent[2] != first {
		t.Fatalf("packets left for %v", sent)
	}
}

func TestStrangersAreNotLetIn(t *testing.T) {
	nettest.Leaks(t)
	server := start(t, nil)
	one, relayed := client(t, server, time.Now())
	friend, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: freeRelayPort(t)})
	if err != nil {
		t.Fatal(err)
	}
	defer friend.Close()
	stranger, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	if err := one.CreatePermission(friend.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, err := relayed.WriteTo([]byte("hello"), friend.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 100)
	if _, _, err := friend.ReadFrom(buffer); err != nil {
		t.Fatal(err)
	}
	for _, from := range []*net.UDPConn{stranger, friend} { // the stranger shares the friend's address, not its port
		if _, err := from.WriteTo([]byte(from.LocalAddr().String()), relayed.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	_ = relayed.SetReadDeadline(time.Now().Add(patience))
	n, _, err := relayed.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != friend.LocalAddr().String() {
		t.Fatalf("%q came in, %v", buffer[:n], err)
	}
}

func freeRelayPort(t *testing.T) int {
	t.Helper()
	for port := minPort; port < maxPort; port += 7 {
		if conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); err == nil {
			conn.Close()
			return port
		}
	}
	t.Fatal("no free port")
	return 0
}

func TestNoTCP(t *testing.T) {
	nettest.Leaks(t)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	server := start(t, nil)
	if code := issued(t, server, time.Now()).code(stun.MethodAllocate, tcp); code != 508 {
		t.Errorf("a tcp allocation: %d", code)
	}
	client := issued(t, server, time.Now())
	if code := client.code(stun.MethodAllocate, udp); code != 0 {
		t.Fatalf("allocate: %d", code)
	}
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	if code := client.code(stun.MethodConnect, peerAddress(at)); code == 0 {
		t.Error("a tcp connection to a peer")
	}
	_ = listener.(*net.TCPListener).SetDeadline(time.Now().Add(50 * time.Millisecond))
	if conn, err := listener.Accept(); err == nil {
		conn.Close()
		t.Error("the relay connected to a service of its own machine")
	}
}

func TestClientsDoNotChoosePorts(t *testing.T) {
	nettest.Leaks(t)
	server := start(t, nil)
	client := issued(t, server, time.Now())
	if code := client.code(stun.MethodAllocate, udp, attribute(stun.AttrEvenPort, 0x80)); code != 508 {
		t.Errorf("an even port: %d", code)
	}
	token := attribute(stun.AttrReservationToken, 1, 2, 3, 4, 5, 6, 7, 8)
	if code := client.code(stun.MethodAllocate, udp, token); code != 508 {
		t.Errorf("a reserved port: %d", code)
	}
}

func TestRateCap(t *testing.T) {
	nettest.Leaks(t)
	const bytesAtOnce = bitsPerSecond / 8 / burst
	for name, c := range map[string]struct{ size, atOnce, perSecond int }{
		"packets": {20, packetsPerSecond / burst, packetsPerSecond},
		"bits":    {1000, bytesAtOnce / 1000, bitsPerSecond / 8 / 1000},
	} {
		t.Run(name, func(t *testing.T) {
			server, network, client, now := behindTap(t, func(c *Config) {
				c.AllowPeers = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
			})
			at := netip.MustParseAddrPort("10.0.0.1:50000")
			client.code(stun.MethodCreatePermission, peerAddress(at))
			flood := func() {
				for range 4 { // in lots that no socket's queue drops any of
					for range 50 {
						client.indicate(at, make([]byte, c.size))
					}
					client.settle()
				}
			}
			flood()
			if sent := len(network.Sent()); sent != c.atOnce {
				t.Errorf("%d packets went out at once, not %d", sent, c.atOnce)
			}
			for range 10 { // ten seconds in tenths: the rate over time, not the burst
				now.Advance(100 * time.Millisecond)
				flood()
			}
			if extra := len(network.Sent()) - c.atOnce; extra < c.perSecond-1 || extra > c.perSecond+1 {
				t.Errorf("%d packets went out in a second, not %d", extra, c.perSecond)
			}
			if over := server.Snapshot().OverRate; over != uint64(11*200-len(network.Sent())) {
				t.Errorf("%d packets counted as over the rate", over)
			}
		})
	}
}

func TestRateCapInward(t *testing.T) {
	nettest.Leaks(t)
	now := newClock()
	server := &Server{config: Config{Now: now.Now}}
	allocation := newRelayed(nil, server, 0, now.Now().Add(hardMaximum))
	passed := 0
	for range 1000 {
		if allocation.pass(allocation.in, 100) {
			passed++
		}
	}
	if passed != packetsPerSecond/burst {
		t.Errorf("%d packets came in at once", passed)
	}
	if !allocation.pass(allocation.out, 100) {
		t.Error("what comes in counted against what goes out")
	}
}
