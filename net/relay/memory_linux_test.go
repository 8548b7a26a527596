package relay

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"

	"sotto/net/line"
	"sotto/net/nettest"
)

// sockets lists the sockets of this process by the kernel's account.
func sockets(t *testing.T) map[string]bool {
	t.Helper()
	found := make(map[string]bool)
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:") {
			found[target] = true
		}
	}
	return found
}

func TestTwoRelaysInMemoryHoldNoSocket(t *testing.T) {
	nettest.Leaks(t)
	before := sockets(t)
	router, err := vnet.NewRouter(&vnet.RouterConfig{CIDR: "203.0.113.0/24", LoggerFactory: logging.NewDefaultLoggerFactory()})
	if err != nil {
		t.Fatal(err)
	}
	addresses := []string{"203.0.113.1", "203.0.113.2"}
	listeners := []*pipeListener{newPipeListener(addresses[0] + ":443"), newPipeListener(addresses[1] + ":443")}
	dial := pipeDialer(listeners...)
	var relays [2]*Server
	for i, address := range addresses {
		host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address}})
		if err != nil {
			t.Fatal(err)
		}
		if err := router.AddNet(host); err != nil {
			t.Fatal(err)
		}
		packets, err := host.ListenPacket("udp4", net.JoinHostPort(address, "3478"))
		if err != nil {
			t.Fatal(err)
		}
		relays[i] = startRelay(t, func(c *Config) {
			c.Listener, c.TurnConn, c.TurnNet, c.Dial = listeners[i], packets, host, dial
			c.PublicIP = netip.MustParseAddr(address)
			c.AllowPeers = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		})
		if relays[i].Laboratory() {
			t.Fatal("a relay off loopback calls itself a laboratory")
		}
	}
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = router.Stop() })
	pass(t, line.Config{Relay: relays[0].Address(), Dial: dial}, line.Config{Relay: relays[1].Address(), Dial: dial})
	for socket := range sockets(t) {
		if !before[socket] {
			t.Errorf("%s was opened", socket)
		}
	}
}

// The bus, above all, must be nobody's neighbour: one TCP port and one UDP port are
// all that a relay opens.
func TestOnlyTwoSockets(t *testing.T) {
	nettest.Leaks(t)
	before := sockets(t)
	s := startRelay(t, nil)
	opened := 0
	for socket := range sockets(t) {
		if !before[socket] {
			opened++
		}
	}
	if opened != 2 {
		t.Fatalf("%d sockets were opened", opened)
	}
	taken := map[string]string{"tcp": s.Address().HostPort(), "udp": s.TurnAddress().String()}
	if l, err := net.Listen("tcp", taken["tcp"]); err == nil {
		_ = l.Close()
		t.Error("the gateway's port is not one of them")
	}
	if l, err := net.ListenPacket("udp", taken["udp"]); err == nil {
		_ = l.Close()
		t.Error("turn's port is not one of them")
	}
}
