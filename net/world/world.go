// Package world is a small world inside this process: two relays and the people
// on them, over in-memory pipes and a virtual network, without a single socket.
// The echo contact lives in one, and the demo call is made in one.
//
//	person 0 ── pipe, virtual UDP ── relay 0 ══ virtual UDP ══ relay 1 ── pipe, virtual UDP ── person 1
//	                                    └────── pipe (forwarding) ──────┘
package world

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"

	"github.com/pion/logging"
	"github.com/pion/transport/v5/vnet"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/relay"
)

// Addresses inside a world are from the ranges that RFC 5737 keeps for documentation.
var (
	everywhere = netip.MustParsePrefix("203.0.113.0/24")
	relayIPs   = [2]netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")}
	firstIP    = netip.MustParseAddr("203.0.113.101") // of a person
)

const (
	gatewayPort = 443
	turnPort    = 3478
)

// World is two relays and a network between them.
type World struct {
	router *vnet.Router
	pipes  *pipes
	relays [2]*relay.Server

	mu   sync.Mutex // guards the following
	next netip.Addr // of the next person
	saw  map[flow]int
}

// flow is who sent packets to whom, in a virtual network without translation.
type flow struct{ from, to netip.Addr }

// numbering is held while vnet makes something: it counts the machines of all networks
// without a lock of its own.
var numbering sync.Mutex

// New builds a world and starts its relays. Close ends it.
func New(ctx context.Context) (*World, error) {
	numbering.Lock()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: everywhere.String(), QueueSize: 1024, LoggerFactory: silent{},
	})
	numbering.Unlock()
	if err != nil {
		return nil, err
	}
	w := &World{router: router, pipes: newPipes(), next: firstIP, saw: make(map[flow]int)}
	router.AddChunkFilter(w.watch)
	var nets [2]*vnet.Net
	for i, ip := range relayIPs {
		if nets[i], err = w.host(ip); err != nil {
			return nil, err
		}
	}
	if err := router.Start(); err != nil {
		return nil, err
	}
	for i := range w.relays {
		if w.relays[i], err = w.startRelay(ctx, i, nets[i]); err != nil {
			w.Close()
			return nil, err
		}
	}
	return w, nil
}

// host puts a machine with one address on the virtual network.
func (w *World) host(ip netip.Addr) (*vnet.Net, error) {
	numbering.Lock()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip.String()}})
	numbering.Unlock()
	if err != nil {
		return nil, err
	}
	return host, w.router.AddNet(host)
}

func (w *World) startRelay(ctx context.Context, i int, host *vnet.Net) (*relay.Server, error) {
	at := netip.AddrPortFrom(relayIPs[i], gatewayPort).String()
	listener := w.pipes.listen(at)
	turn, err := host.ListenPacket("udp4", net.JoinHostPort(relayIPs[i].String(), strconv.Itoa(turnPort)))
	if err != nil {
		return nil, err
	}
	return relay.Start(ctx, relay.Config{
		Listener: listener, TurnConn: turn, TurnNet: host, PublicIP: relayIPs[i], Name: at, Open: true,
		Forward: relay.ForwardOpen, AllowPeers: []netip.Prefix{everywhere},
		Dial: w.dialFrom(relayIPs[i]),
	})
}

// Relay is the address of relay 0 or 1.
func (w *World) Relay(i int) identity.Address { return w.relays[i].Address() }

// join puts one more machine on the network and gives its way into it.
func (w *World) join() (netip.Addr, call.Network, error) {
	w.mu.Lock()
	address := w.next
	w.next = address.Next()
	w.mu.Unlock()
	host, err := w.host(address)
	if err != nil {
		return address, call.Network{}, err
	}
	return address, call.Network{Dial: w.dialFrom(address), Media: host}, nil
}

func (w *World) dialFrom(from netip.Addr) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		if to, err := netip.ParseAddrPort(address); err == nil {
			w.note(flow{from, to.Addr()})
		}
		return w.pipes.dial(ctx, address)
	}
}

func (w *World) watch(chunk vnet.Chunk) bool {
	from, fromOK := addressOf(chunk.SourceAddr())
	to, toOK := addressOf(chunk.DestinationAddr())
	if fromOK && toOK {
		w.note(flow{from, to})
	}
	return true
}

func addressOf(address net.Addr) (netip.Addr, bool) {
	udp, ok := address.(*net.UDPAddr)
	if !ok {
		return netip.Addr{}, false
	}
	return udp.AddrPort().Addr().Unmap(), true
}

func (w *World) note(f flow) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw[f]++
}

// Seen are the addresses that a party exchanged packets with: what it can know of
// where others are. The party is an address of this world.
func (w *World) Seen(by netip.Addr) []netip.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	var seen []netip.Addr
	for flow := range w.saw {
		for _, other := range []netip.Addr{flow.from, flow.to} {
			if other != by && (flow.from == by || flow.to == by) {
				seen = append(seen, other)
			}
		}
	}
	slices.SortFunc(seen, netip.Addr.Compare)
	return slices.Compact(seen)
}

// Close ends the world: people must have left it before.
func (w *World) Close() {
	for _, server := range w.relays {
		if server != nil {
			_ = server.Close()
		}
	}
	w.pipes.close()
	_ = w.router.Stop()
}

// silent drops what the virtual network would log.
type silent struct{}

func (silent) NewLogger(scope string) logging.LeveledLogger {
	return logging.NewDefaultLeveledLoggerForScope(scope, logging.LogLevelDisabled, nil)
}

func errGone(address string) error { return fmt.Errorf("nobody listens at %s in this world", address) }
