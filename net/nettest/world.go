package nettest

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/vnet"
)

// Prefix holds every address of a World; a relay in one allows it as peers.
var Prefix = netip.MustParsePrefix("198.51.100.0/24") // for documentation (RFC 5737)

// Packet is one UDP packet on its way through a World. Data must not be kept or changed.
type Packet struct {
	From, To netip.AddrPort
	Data     []byte
}

// World is a virtual UDP network without sockets: hosts with one address each, a delay, and a
// filter that sees every packet.
type World struct {
	t      testing.TB
	router *vnet.Router

	mu     sync.Mutex // guards the following
	filter func(Packet) bool
}

// numbering is held while vnet makes something: it counts the machines of all networks
// without a lock of its own.
var numbering sync.Mutex

// NewWorld starts a network in which every packet is under way for delay. It ends with the test.
func NewWorld(t testing.TB, delay time.Duration) *World {
	t.Helper()
	numbering.Lock()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: Prefix.String(), MinDelay: delay, QueueSize: 4096,
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	numbering.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	w := &World{t: t, router: router}
	router.AddChunkFilter(w.pass)
	if err := router.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = router.Stop() })
	return w
}

// Host puts a machine on the network, at Prefix's address number last.
func (w *World) Host(last byte) (transport.Net, netip.Addr) {
	w.t.Helper()
	bytes := Prefix.Addr().As4()
	bytes[3] = last
	address := netip.AddrFrom4(bytes)
	numbering.Lock()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{address.String()}})
	numbering.Unlock()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.router.AddNet(host); err != nil {
		w.t.Fatal(err)
	}
	return host, address
}

// Filter makes pass decide about every packet from now on; nil lets all pass. It runs on the
// network's goroutine.
func (w *World) Filter(pass func(Packet) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filter = pass
}

func (w *World) pass(chunk vnet.Chunk) bool {
	w.mu.Lock()
	filter := w.filter
	w.mu.Unlock()
	from, fromOK := chunk.SourceAddr().(*net.UDPAddr)
	to, toOK := chunk.DestinationAddr().(*net.UDPAddr)
	if filter == nil || !fromOK || !toOK {
		return true
	}
	return filter(Packet{From: unmapped(from), To: unmapped(to), Data: chunk.UserData()})
}

func unmapped(at *net.UDPAddr) netip.AddrPort {
	ap := at.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
