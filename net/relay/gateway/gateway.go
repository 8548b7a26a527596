// Package gateway is the relay's front door and its signalling: lines come in
// over TLS, receiving lines register drops, any line fills them.
//
//	TLS port ─ front ─ GET /v1/line ─ client.read ─┬─ Taken, at once
//	                                               └─ work ─ expiry, signature, replay
//	                                                          ├─ bus ─ drops ─ outbox ─ client.write
//	                                                          └─ forwarder ─ another relay
//
// The answer to a Send is written before the envelope has been looked at, so it
// cannot say, by content or by timing, what becomes of it. The signature is
// checked before the drop is looked up. A gateway can read no body and forge no
// envelope; it sees addresses, drop ids and times.
//
// Ownership: each client's reading goroutine owns its registration and limits;
// its writing goroutine owns the sending half of the connection; drops, replays
// and prefixes have a lock each, held briefly and never across a write.
package gateway

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"sotto/net/identity"
	"sotto/net/relay/bus"
	"sotto/net/wire"
)

const (
	// politeness is how long lines have to take the goodbye when the gateway closes.
	politeness = 1 * time.Second

	sweepEvery = 15 * time.Second

	// silence is how long a line may say nothing; clients ping every 25 s.
	silence = 90 * time.Second

	// workQueue bounds the envelopes waiting for their signature check.
	workQueue = 512
)

// Config is what a gateway is and allows.
type Config struct {
	Address  identity.Address // as its people know it; HostPort is what is signed
	Listener net.Listener     // plain; the gateway owns it and adds TLS
	TLS      *tls.Config

	Open   bool     // everybody is admitted
	Tokens []string // else whoever knows one of these

	// Credential issues a TURN credential; nil: none are given.
	Credential func(now time.Time) *wire.Credential

	// Stream serves TURN on a secured connection and closes it; nil: there is no TURN here.
	Stream func(net.Conn)

	Forward    Mode
	ForwardTo  []identity.Address // for ForwardAllow; without a pin, any pin
	AllowPeers []netip.Prefix     // reachable besides public unicast addresses
	Laboratory bool               // loopback is reachable too, and one address is many people

	// Dial connects to other relays, always by IP address and port; nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Resolve finds their addresses; nil: the system's resolver.
	Resolve func(ctx context.Context, host string) ([]netip.Addr, error)

	Limits Limits           // zero fields take the value of DefaultLimits
	Now    func() time.Time // nil: time.Now
	Log    *slog.Logger     // nil: silent
}

// Gateway is a running gateway.
type Gateway struct {
	config Config
	log    *slog.Logger
	tokens [][sha256.Size]byte

	front    *front
	server   *http.Server
	bus      *bus.Bus
	drops    *dropTable
	replays  *replayMemory
	prefixes *prefixTable
	boxes    *boxTable
	forward  *forwarder
	counts   counters

	work chan job // emptied by workers

	ctx    context.Context // of everything below
	cancel context.CancelFunc
	done   chan struct{}  // closed when the port is no longer served
	loops  sync.WaitGroup // workers, sweeper, HTTP server
	lines  lineSet
}

// job is one envelope on its way from a line to a drop.
type job struct {
	from     *client
	to       identity.Address // of another relay, if away
	away     bool
	anyKey   bool // for a box: the other relay need not prove who it is
	again    bool // a shared line broke under it
	envelope *wire.Envelope
}

// Start serves config.Listener until Close.
func Start(config Config) (*Gateway, error) {
	config.Limits = config.Limits.orDefaults(config.Laboratory)
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		config: config, log: config.Log,
		drops:    newDropTable(config.Limits),
		replays:  newReplayMemory(config.Limits.Replays),
		prefixes: newPrefixTable(config.Limits),
		boxes:    newBoxTable(config.Address.HostPort(), config.Limits),
		work:     make(chan job, workQueue),
		done:     make(chan struct{}),
	}
	for _, token := range config.Tokens {
		if token == "" || len(token) > wire.MaxText {
			return nil, fmt.Errorf("an admission token has 1 to %d bytes; choose another", wire.MaxText)
		}
		g.tokens = append(g.tokens, sha256.Sum256([]byte(token)))
	}
	var err error
	if g.bus, err = bus.Start(g.drops.arrived, config.Log); err != nil {
		return nil, err
	}
	g.drops.bus = g.bus
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.forward = newForwarder(g.ctx, config, g.undeliverable)
	g.serve()
	return g, nil
}

func (g *Gateway) serve() {
	g.front = newFront(g.config.Listener, g.prefixes, g.config.Limits.Lines)
	g.server = newServer(g)
	listener := newSorter(g.ctx, &g.loops, g.front, g.config)
	g.loops.Add(2)
	go func() {
		defer g.loops.Done()
		defer close(g.done)
		if err := g.server.Serve(listener); g.lines.isOpen() {
			g.log.Error("the relay's port is lost", "cause", err)
		}
	}()
	go g.sweep()
	for range runtime.GOMAXPROCS(0) {
		g.loops.Add(1)
		go g.workLoop()
	}
}

// Done is closed when the gateway no longer serves its port, by Close or because
// the listener failed.
func (g *Gateway) Done() <-chan struct{} { return g.done }

// Close says goodbye to every line, stops everything and waits for it.
func (g *Gateway) Close() {
	g.lines.shut()
	_ = g.config.Listener.Close()
	g.lines.goodbye(politeness)
	g.cancel()
	g.front.cut()
	_ = g.server.Close()
	g.lines.wait()
	g.forward.close()
	g.loops.Wait()
	g.bus.Close()
}

// admitted compares the token with each of the relay's in constant time. wrong
// tells a token that is none of them from no token.
func (g *Gateway) admitted(token string) (ok, wrong bool) {
	if g.config.Open {
		return true, false
	}
	given, match := sha256.Sum256([]byte(token)), 0
	for i := range g.tokens {
		match |= subtle.ConstantTimeCompare(given[:], g.tokens[i][:])
	}
	return match == 1, match == 0 && token != ""
}

func (g *Gateway) workLoop() {
	defer g.loops.Done()
	for {
		select {
		case <-g.ctx.Done():
			return
		case j := <-g.work:
			g.process(j)
		}
	}
}

// process carries an envelope on, or loses it; nobody is told which.
func (g *Gateway) process(j job) {
	host := g.config.Address.HostPort()
	if j.away {
		host = j.to.HostPort()
	}
	now := g.config.Now()
	switch {
	case !j.envelope.Timely(now):
		g.counts.Untimely.Add(1)
	case j.envelope.Verify(host) != nil:
		g.counts.Forged.Add(1)
	case !g.replays.first(j.envelope, now):
		g.counts.Replayed.Add(1)
	case j.away:
		g.forward.pass(j)
	case g.boxes.isBox(j.envelope.Drop()):
		g.fillBox(j)
	default:
		if err := g.bus.Publish(j.envelope.Drop(), j.envelope.Marshal()); err != nil {
			g.log.Warn("an envelope was lost on the relay's bus", "cause", err)
		}
	}
}

// undeliverable tells a line that another relay cannot be reached.
func (g *Gateway) undeliverable(j job) {
	g.counts.Undeliverable.Add(1)
	if frame, err := wire.AppendFrame(nil, 0, &wire.Undeliverable{To: j.to.String()}); err == nil {
		j.from.out.deliver(frame)
	}
}

// sweep forgets what time has made useless and cuts lines that fell silent.
func (g *Gateway) sweep() {
	defer g.loops.Done()
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
			g.replays.sweep(g.config.Now())
			g.prefixes.sweep(time.Now())
			g.lines.cutSilent(time.Now().Add(-silence))
		}
	}
}
