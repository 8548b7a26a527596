// Package relay is the server that people choose: a gateway for signalling and
// TURN for media, in one process, with one key.
//
//	gateway  TLS port: lines, drops, forwarding to other relays
//	bus      NATS, embedded, between the gateways of one operator; no port
//	turn     UDP port: sound between relayed addresses
//
// It stores nothing about anybody: a key and a secret in Config.Dir are all that
// outlives it.
package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/transport/v5"

	"sotto/net/identity"
	"sotto/net/relay/gateway"
	"sotto/net/relay/turn"
	"sotto/net/wire"
)

// Forward says which other relays this one passes envelopes to.
type Forward string

const (
	ForwardOff   Forward = "off"
	ForwardAllow Forward = "allow" // those of Config.ForwardTo
	ForwardOpen  Forward = "open"  // any at a public address; what an empty Forward means
)

// credentialLife is how long a TURN credential may be used to allocate; an
// allocation outlives it.
const credentialLife = time.Hour

// Config is a relay's settings and, for worlds without sockets, its network.
type Config struct {
	Dir        string         // keeps the relay's key and TURN secret; "": memory only
	Listen     string         // TCP address of the gateway; "" is :443
	Listener   net.Listener   // instead of Listen; closed with the relay
	TurnListen string         // UDP address of TURN; "" is :3478
	TurnConn   net.PacketConn // instead of TurnListen; closed with the relay
	PublicIP   netip.Addr     // where people reach this relay; loopback makes a laboratory
	Name       string         // advertised host[:port]; "": the listener's address

	CertFile, KeyFile string // a certificate that browsers trust, read anew when it changes; "": a pinned key

	Open   bool     // everybody is admitted
	Tokens []string // else whoever knows one of these

	Forward    Forward
	ForwardTo  []string       // host[:port][#pin], for ForwardAllow
	AllowPeers []netip.Prefix // reachable besides public unicast, for forwarding and for TURN

	// Dial connects to other relays, always by IP address and port; nil: a real dialler.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Resolve finds the addresses of other relays; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	TurnNet transport.Net  // where allocations live; nil: this machine's network
	Limits  gateway.Limits // zero fields take their defaults
	Log     *slog.Logger   // nil: silent
	Version string         // of the program, for the log
}

// Server is a running relay.
type Server struct {
	gateway *gateway.Gateway
	turn    *turn.Server
	address identity.Address
	remark  string
	public  netip.Addr

	closing sync.Once
	failure error // of closing; set once
}

// Start runs a relay until Close; ctx bounds the start only. Errors are sentences
// that say what to change.
func Start(ctx context.Context, config Config) (*Server, error) {
	if !config.PublicIP.IsValid() || config.PublicIP.IsUnspecified() || config.PublicIP.IsMulticast() {
		return nil, errors.New("the relay needs the ip address that people reach it at; give --public-ip")
	}
	config.PublicIP = config.PublicIP.Unmap()
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	keys, err := loadKeys(config)
	if err != nil {
		return nil, err
	}
	listener, packets, err := listen(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &Server{public: config.PublicIP}
	if err := s.compose(config, keys, listener, packets); err != nil {
		return nil, err
	}
	config.Log.Info("relay is ready", "address", s.address.String(), "version", config.Version)
	return s, nil
}

// compose starts the parts; on failure it leaves none of them behind.
func (s *Server) compose(config Config, keys *keys, listener net.Listener, packets net.PacketConn) error {
	abandon := func(err error) error {
		_ = listener.Close()
		_ = packets.Close()
		return err
	}
	settings, err := gatewayConfig(config)
	if err != nil {
		return abandon(err)
	}
	if s.address, err = advertised(config, listener.Addr(), keys); err != nil {
		return abandon(err)
	}
	s.remark = remark(config, s.address.Host, keys)
	s.turn, err = turn.Start(turn.Config{
		Conn: packets, PublicIP: config.PublicIP, Secret: keys.turnSecret,
		AllowPeers: config.AllowPeers, Net: config.TurnNet, Log: config.Log,
	})
	if err != nil {
		return abandon(err)
	}
	settings.Address, settings.Listener, settings.Stream = s.address, listener, s.turn.ServeStream
	settings.TLS = &tls.Config{
		MinVersion: tls.VersionTLS13, GetCertificate: keys.certificate,
		SessionTicketsDisabled: true, // a resumed session would link two lines
	}
	settings.Credential = func(now time.Time) *wire.Credential {
		user, password := turn.Issue(keys.turnSecret, credentialLife, now)
		return &wire.Credential{
			Username: user, Password: password, Turn: s.turn.Addr(), Expires: now.Add(credentialLife).Unix(),
		}
	}
	if s.gateway, err = gateway.Start(settings); err != nil {
		_ = s.turn.Close()
		return abandon(err)
	}
	return nil
}

// gatewayConfig translates what the gateway has a say in.
func gatewayConfig(config Config) (gateway.Config, error) {
	g := gateway.Config{
		Open: config.Open, Tokens: config.Tokens, AllowPeers: config.AllowPeers,
		Laboratory: config.PublicIP.IsLoopback(), Dial: config.Dial, Resolve: config.Resolve,
		Limits: config.Limits, Log: config.Log,
	}
	switch config.Forward {
	case ForwardOpen, "":
		g.Forward = gateway.ForwardOpen
	case ForwardAllow:
		g.Forward = gateway.ForwardAllow
	case ForwardOff:
		g.Forward = gateway.ForwardOff
	default:
		return g, fmt.Errorf("forwarding is off, allow or open, not %q", config.Forward)
	}
	for _, text := range config.ForwardTo {
		to, err := identity.ParseAddress(text)
		if err != nil {
			return g, fmt.Errorf("a relay to forward to: %w", err)
		}
		g.ForwardTo = append(g.ForwardTo, to)
	}
	return g, nil
}

// listen opens whichever socket was not handed in.
func listen(ctx context.Context, config Config) (net.Listener, net.PacketConn, error) {
	var open net.ListenConfig
	listener, packets := config.Listener, config.TurnConn
	if listener == nil {
		address := config.Listen
		if address == "" {
			address = ":443"
		}
		var err error
		if listener, err = open.Listen(ctx, "tcp", address); err != nil {
			return nil, nil, fmt.Errorf("the relay cannot listen on tcp %s (%w); choose another with --listen", address, err)
		}
	}
	if packets == nil {
		address := config.TurnListen
		if address == "" {
			address = ":3478"
		}
		var err error
		if packets, err = open.ListenPacket(ctx, "udp", address); err != nil {
			_ = listener.Close()
			return nil, nil, fmt.Errorf("the relay cannot listen on udp %s (%w); choose another with --turn-listen", address, err)
		}
	}
	return listener, packets, nil
}

// advertised is the address that people are given.
func advertised(config Config, at net.Addr, keys *keys) (identity.Address, error) {
	name := config.Name
	if name == "" {
		listening, err := netip.ParseAddrPort(at.String())
		if err != nil {
			return identity.Address{}, errors.New("the relay needs the name that people reach it by; give --name")
		}
		ip := listening.Addr().Unmap()
		if ip.IsUnspecified() {
			ip = config.PublicIP
		}
		name = netip.AddrPortFrom(ip, listening.Port()).String()
	}
	address, err := identity.ParseAddress(name)
	if err != nil {
		return identity.Address{}, fmt.Errorf("the relay's own name: %w", err)
	}
	address.Pin, address.Pinned = keys.pin, keys.pinned
	return address, nil
}

// Address is what people put into their settings, pin included.
func (s *Server) Address() identity.Address { return s.address }

// Remark is a sentence about the relay's name that whoever runs it is to know; "": none.
func (s *Server) Remark() string { return s.remark }

// TurnAddress is where TURN is served.
func (s *Server) TurnAddress() netip.AddrPort { return s.turn.Addr() }

// Laboratory tells whether this relay serves this machine only.
func (s *Server) Laboratory() bool { return s.public.IsLoopback() }

// Snapshot counts what the gateway did.
func (s *Server) Snapshot() gateway.Snapshot { return s.gateway.Snapshot() }

// Done is closed when the relay no longer serves its port, by Close or because the
// port was lost; Close is due in either case.
func (s *Server) Done() <-chan struct{} { return s.gateway.Done() }

// Close says goodbye to all lines and returns when every part has stopped, within
// three seconds.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.gateway.Close()
		s.failure = s.turn.Close()
	})
	return s.failure
}
