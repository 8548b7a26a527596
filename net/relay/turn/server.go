// Package turn is the relay's TURN server (RFC 8656) over UDP and TLS, and the only importer of
// pion/turn. It carries sound between relayed addresses and is built to be nothing else:
//
//	client ── door ── pion/turn ── relayed socket ── the one peer, in the relay ports
//
// door.go is the public socket: it limits what an unauthenticated sender can make it say.
// streams.go is its counterpart for clients who come over TLS, through the gateway's port.
// credential.go judges credentials. policy.go says which peers may be reached at all.
// relayed.go is an allocation's socket: one peer, a cap on bits and packets, no TCP.
package turn

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	pion "github.com/pion/turn/v5"
)

const (
	realm = "sotto"

	// perCredential is how many allocations one credential may hold at once: one for the
	// call, one for a restart under way, and as many again for a client that lost its socket.
	perCredential = 4

	// portTries is how many busy ports are passed over before an Allocate is refused.
	portTries = 64
)

var (
	errFamily   = errors.New("this relay has no address of the requested family")
	errReserved = errors.New("a client cannot choose its relayed port")
	errNoPort   = errors.New("no free port among the relay ports")
	errStream   = errors.New("this relay carries no tcp to peers")
)

// Config is what a server is started with.
type Config struct {
	Conn       net.PacketConn   // the public UDP socket; Close closes it
	PublicIP   netip.Addr       // the address clients and peers reach this relay at; loopback makes a laboratory
	Secret     []byte           // shared with whoever issues credentials
	AllowPeers []netip.Prefix   // peers admitted beside public unicast addresses
	Net        transport.Net    // where relayed sockets are opened; nil: this machine's network
	Log        *slog.Logger     // nil: none. No address is ever logged
	Now        func() time.Time // nil: time.Now
}

// Snapshot counts what a server carries and what it turned away since it started.
type Snapshot struct {
	Allocations  int    // alive now
	RefusedPeers uint64 // permissions, channels and packets for a peer that may not be reached
	OverRate     uint64 // packets dropped because an allocation was over its rate
	Unanswered   uint64 // answers withheld from unauthenticated senders over their rate
}

// Server is a running TURN server.
type Server struct {
	config  Config
	policy  policy
	bind    netip.Addr // where relayed sockets are bound
	door    *door
	streams *streams
	inner   *pion.Server
	counts  counts
	live    sync.WaitGroup // two for each allocation: its reading goroutine and its entry below

	mu           sync.Mutex // guards the following
	byPort       map[uint16]*relayed
	byClient     map[netip.AddrPort]*relayed
	byCredential map[string]int
}

// Start serves TURN on config.Conn until Close.
func Start(config Config) (*Server, error) {
	if !config.PublicIP.IsValid() || config.PublicIP.IsUnspecified() || config.PublicIP.Zone() != "" {
		return nil, errors.New("the relay needs its public ip address: give --public-ip")
	}
	if len(config.Secret) == 0 {
		return nil, errors.New("the relay needs a secret to sign turn credentials with")
	}
	local, ok := config.Conn.LocalAddr().(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("turn is served over udp, not %s", config.Conn.LocalAddr().Network())
	}
	config.PublicIP = config.PublicIP.Unmap()
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	if config.Net == nil {
		network, err := stdnet.NewNet()
		if err != nil {
			return nil, fmt.Errorf("the network interfaces cannot be listed: %w", err)
		}
		config.Net = network
	}
	s := &Server{
		config:       config,
		bind:         bindAddress(config.PublicIP, local),
		byPort:       make(map[uint16]*relayed),
		byClient:     make(map[netip.AddrPort]*relayed),
		byCredential: make(map[string]int),
	}
	s.policy = newPolicy(config.PublicIP, s.bind, uint16(local.Port), config.AllowPeers)
	s.door = newDoor(config.Conn, config.Now, &s.counts)
	s.streams = newStreams(s)
	inner, err := pion.NewServer(pion.ServerConfig{
		PacketConnConfigs: []pion.PacketConnConfig{{
			PacketConn: s.door, RelayAddressGenerator: (*generator)(s), PermissionHandler: s.permit,
		}, {
			PacketConn: s.streams, RelayAddressGenerator: (*generator)(s), PermissionHandler: s.permit,
		}},
		Realm: realm, AuthHandler: s.authenticate, QuotaHandler: s.quota,
		EventHandler:  pion.EventHandler{OnAllocationCreated: s.created, OnAllocationDeleted: s.deleted},
		LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		return nil, fmt.Errorf("the turn server did not start: %w", err)
	}
	s.inner = inner
	config.Log.Info("turn is served", "laboratory", config.PublicIP.IsLoopback())
	return s, nil
}

// bindAddress is where relayed sockets live: the address the public socket is bound to when
// it is bound to one, every address of the family otherwise (a public address that the
// machine does not hold itself is mapped to it by its network).
func bindAddress(public netip.Addr, local *net.UDPAddr) netip.Addr {
	if public.IsLoopback() {
		return public
	}
	if ip, ok := netip.AddrFromSlice(local.IP); ok && !ip.IsUnspecified() && ip.Unmap().Is4() == public.Is4() {
		return ip.Unmap()
	}
	if public.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// Addr is where clients find this server: the public address and the socket's port.
func (s *Server) Addr() netip.AddrPort {
	return netip.AddrPortFrom(s.config.PublicIP, s.policy.listen)
}

// Snapshot tells what the server carries and has turned away.
func (s *Server) Snapshot() Snapshot {
	s.mu.Lock()
	allocations := len(s.byClient)
	s.mu.Unlock()
	return Snapshot{
		Allocations:  allocations,
		RefusedPeers: s.counts.refusedPeers.Load(),
		OverRate:     s.counts.overRate.Load(),
		Unanswered:   s.counts.unanswered.Load(),
	}
}

// Close ends every allocation, closes the socket and waits until nothing of the server runs.
func (s *Server) Close() error {
	_ = s.streams.Close()
	<-s.streams.ended
	err := s.door.Close()
	<-s.door.ended // from here on nothing is allocated, and pion closes what was
	s.live.Wait()
	return err
}

// permit is asked for each CreatePermission and ChannelBind, on its socket's reading goroutine.
// The first address it admits is the only one the allocation may ever reach.
func (s *Server) permit(client net.Addr, peer net.IP) bool {
	host, ok := netip.AddrFromSlice(peer)
	s.mu.Lock()
	allocation := s.byClient[addrPort(client)]
	s.mu.Unlock()
	if !ok || allocation == nil || !s.policy.host(host) || !allocation.claim(host.Unmap()) {
		s.counts.refusedPeers.Add(1)
		return false
	}
	return true
}

func (s *Server) quota(credential, _ string, _ net.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byCredential[credential] < perCredential
}

func (s *Server) created(client, _ net.Addr, _, credential, _ string, at net.Addr, _ int) {
	s.live.Add(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byClient[addrPort(client)] = s.byPort[addrPort(at).Port()]
	s.byCredential[credential]++
}

func (s *Server) deleted(client, _ net.Addr, _, credential, _ string) {
	defer s.live.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.byClient, addrPort(client))
	if s.byCredential[credential]--; s.byCredential[credential] <= 0 {
		delete(s.byCredential, credential)
	}
}

// generator opens relayed sockets for pion/turn. It is the server under another name, so
// that these methods are not part of its API.
type generator Server

// Validate has nothing to check: Start did.
func (g *generator) Validate() error { return nil }

// AllocatePacketConn opens a relayed socket on a random free relay port.
func (g *generator) AllocatePacketConn(request pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	s := (*Server)(g)
	if (request.Network == "udp4") != s.config.PublicIP.Is4() {
		return nil, nil, errFamily
	}
	expiry, err := expiryOf(request.UserID)
	if err != nil || request.RequestedPort != 0 { // EVEN-PORT probes without a user, RESERVATION-TOKEN names a port
		return nil, nil, errReserved
	}
	for range portTries {
		port := minPort + rand.N(maxPort-minPort+1)
		conn, err := s.config.Net.ListenUDP(request.Network, &net.UDPAddr{IP: s.bind.AsSlice(), Port: port})
		if err != nil {
			continue // busy: another allocation, another relay, another program
		}
		allocation := newRelayed(conn, s, uint16(port), expiry.Add(hardMaximum))
		s.live.Add(1)
		s.mu.Lock()
		s.byPort[uint16(port)] = allocation
		s.mu.Unlock()
		return allocation, &net.UDPAddr{IP: s.config.PublicIP.AsSlice(), Port: port}, nil
	}
	s.config.Log.Warn("an allocation was refused", "cause", errNoPort)
	return nil, nil, errNoPort
}

// AllocateListener refuses the passive half of RFC 6062.
func (g *generator) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errStream
}

// AllocateConn refuses the active half of RFC 6062: connections into the relay's own network.
func (g *generator) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) {
	return nil, errStream
}

// addrPort is a UDP address as a comparable value, unmapped; the zero value for anything else.
func addrPort(address net.Addr) netip.AddrPort {
	if udp, ok := address.(*net.UDPAddr); ok {
		at := udp.AddrPort()
		return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	}
	return netip.AddrPort{}
}
