package turn

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"sotto/net/nettest"
)

// exchange sends text from one relayed socket to another until it arrives: the first packets
// may come before the other side has named its peer.
func exchange(t *testing.T, from, to net.PacketConn, text string) {
	t.Helper()
	buffer := make([]byte, 1500)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err := from.WriteTo([]byte(text), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		_ = to.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, sender, err := to.ReadFrom(buffer)
		if err != nil || string(buffer[:n]) != text {
			continue
		}
		if sender.String() != from.LocalAddr().String() {
			t.Fatalf("it came from %s, not from %s", sender, from.LocalAddr())
		}
		return
	}
	t.Fatalf("%q never arrived", text)
}

func TestCarriesBetweenTwoRelays(t *testing.T) {
	nettest.Leaks(t)
	one, two := start(t, nil), start(t, nil)
	first, alice := client(t, one, time.Now())
	second, bob := client(t, two, time.Now())
	for _, relayed := range []net.PacketConn{alice, bob} {
		if port := addrPort(relayed.LocalAddr()).Port(); port < minPort {
			t.Errorf("allocated at port %d, below the relay ports", port)
		}
	}
	if err := first.CreatePermission(bob.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if err := second.CreatePermission(alice.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if _, err := bob.WriteTo([]byte("opens the way"), alice.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	exchange(t, alice, bob, "hello")
	exchange(t, bob, alice, "hello yourself")
	if n := one.Snapshot().Allocations; n != 1 {
		t.Fatalf("the first relay holds %d allocations, not 1", n)
	}
	if err := alice.Close(); err != nil {
		t.Fatal(err)
	}
	until(t, "the allocation is released", func() bool { return one.Snapshot().Allocations == 0 })
}

func TestCloseEndsLiveAllocations(t *testing.T) {
	nettest.Leaks(t)
	server := start(t, nil)
	for range 3 {
		client(t, server, time.Now())
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if n := server.Snapshot().Allocations; n != 0 {
		t.Fatalf("%d allocations outlived the server", n)
	}
}

func TestAddrIsThePublicAddress(t *testing.T) {
	nettest.Leaks(t)
	server := start(t, func(c *Config) { c.PublicIP = netip.MustParseAddr("::ffff:8.8.4.4") })
	want := netip.AddrPortFrom(netip.MustParseAddr("8.8.4.4"), uint16(server.config.Conn.LocalAddr().(*net.UDPAddr).Port))
	if server.Addr() != want {
		t.Fatalf("%v, not %v", server.Addr(), want)
	}
	answer, err := issued(t, server, time.Now()).ask(stun.MethodAllocate, udp)
	if err != nil {
		t.Fatal(err)
	}
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(answer, stun.AttrXORRelayedAddress); err != nil {
		t.Fatal(err)
	}
	if relayed.IP.String() != "8.8.4.4" || relayed.Port < minPort {
		t.Fatalf("the relayed address is %v", relayed)
	}
}

func TestStartRefusesWhatCannotWork(t *testing.T) {
	nettest.Leaks(t)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	good := Config{Conn: conn, PublicIP: netip.MustParseAddr("127.0.0.1"), Secret: secret}
	for name, change := range map[string]func(*Config){
		"no address":          func(c *Config) { c.PublicIP = netip.Addr{} },
		"unspecified address": func(c *Config) { c.PublicIP = netip.IPv4Unspecified() },
		"a zone":              func(c *Config) { c.PublicIP = netip.MustParseAddr("fe80::1%lo") },
		"no secret":           func(c *Config) { c.Secret = nil },
	} {
		config := good
		change(&config)
		if server, err := Start(config); err == nil {
			server.Close()
			t.Errorf("%s: started", name)
		}
	}
}

// BenchmarkPacket is one packet from a client through its allocation to the peer's socket.
func BenchmarkPacket(b *testing.B) {
	peerConn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer peerConn.Close()
	now := newClock()
	server := &Server{config: Config{Now: now.Now, PublicIP: netip.MustParseAddr("127.0.0.1")}}
	server.policy = newPolicy(server.config.PublicIP, server.config.PublicIP, 1, nil)
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	allocation := newRelayed(conn, server, 0, now.Now().Add(hardMaximum))
	to := peerConn.LocalAddr().(*net.UDPAddr)
	at := addrPort(to)
	host := at.Addr()
	allocation.claim(host)
	allocation.peer.Store(&peer{at: at, udp: to})
	packet := make([]byte, 126)
	b.ReportAllocs()
	for b.Loop() {
		now.Advance(20 * time.Millisecond)
		if _, err := allocation.WriteTo(packet, to); err != nil {
			b.Fatal(err)
		}
	}
}
