package line

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"sotto/net/identity"
	"sotto/net/wire"
)

const (
	// A dead relay is found within defaultPing + pingTimeout.
	defaultPing = 25 * time.Second
	pingTimeout = 10 * time.Second

	writeTimeout  = 10 * time.Second
	answerTimeout = 10 * time.Second

	// closeGrace bounds the goodbye of a connection whose other end does not read.
	closeGrace = 100 * time.Millisecond

	deliveryQueue      = 64
	undeliverableQueue = 8
)

// Config is where a line goes and as whom.
type Config struct {
	Relay     identity.Address
	Receive   ed25519.PrivateKey // nil: a sending line, nameless
	Shared    bool               // a relay's sending line to another relay, for all of its people
	AnyKey    bool               // a relay without a pin need not prove who it is: for boxes, whose envelopes carry their own proof
	Admission string             // the relay's admission token; empty at open relays and for strangers

	// Dial connects to Relay.HostPort(); nil is a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Log  *slog.Logger // nil: silent

	pingEvery time.Duration  // 0: defaultPing; shorter in tests
	roots     *x509.CertPool // nil: the system's; a test's own
}

// Credential is a time-limited TURN credential of the relay.
type Credential struct {
	Username, Password string
	Turn               netip.AddrPort
	Expires            time.Time // by the gateway's clock
}

// Line is one open connection to a gateway. Its methods may be called from any
// goroutine. It ends by Close or by itself, and then Done is closed.
type Line struct {
	config Config
	host   string // host:port, as signed
	conn   *websocket.Conn
	log    *slog.Logger

	// set by login, constant afterwards
	clock     time.Time // the gateway's, at clockRead
	clockRead time.Time
	admitted  bool

	deliveries    chan *wire.Envelope   // filled and closed by read
	undeliverable chan identity.Address // filled by read
	dropped       atomic.Uint64
	out           chan []byte // emptied by write

	ctx    context.Context // of the three goroutines below
	cancel context.CancelFunc
	done   chan struct{} // closed when they are gone
	loops  sync.WaitGroup

	mu      sync.Mutex // guards the following
	err     error      // why the line ended; set once
	seq     uint32
	waiting map[uint32]chan wire.Frame // each of capacity one
	drops   map[wire.DropID]bool       // what a delivery may be for
	box     wire.DropID                // and the box, zero for none

	registering sync.Mutex // held through one Register
}

func newLine(config Config, conn *websocket.Conn) *Line {
	l := &Line{
		config: config, host: config.Relay.HostPort(), conn: conn, log: config.Log,
		deliveries:    make(chan *wire.Envelope, deliveryQueue),
		undeliverable: make(chan identity.Address, undeliverableQueue),
		out:           make(chan []byte),
		done:          make(chan struct{}),
		waiting:       make(map[uint32]chan wire.Frame),
		drops:         make(map[wire.DropID]bool),
	}
	if l.config.pingEvery == 0 {
		l.config.pingEvery = defaultPing
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

func (l *Line) start() {
	l.loops.Add(3)
	go l.read()
	go l.write()
	go l.ping()
	go func() {
		l.loops.Wait()
		close(l.done)
	}()
}

// Admitted tells whether the relay lets this line register drops, reach other
// relays and ask for credentials, or only fill drops of its own.
func (l *Line) Admitted() bool { return l.admitted }

// Now is the gateway's clock, by which expiries are judged.
func (l *Line) Now() time.Time { return l.clock.Add(time.Since(l.clockRead)) }

// Deliveries yields envelopes for registered drops, their signature and expiry
// checked. A reader that falls behind loses the oldest; see Dropped. It is closed
// when the line ends.
func (l *Line) Deliveries() <-chan *wire.Envelope { return l.deliveries }

// Undeliverable yields relays that the own relay could not reach.
func (l *Line) Undeliverable() <-chan identity.Address { return l.undeliverable }

// Dropped counts deliveries lost to a slow reader.
func (l *Line) Dropped() uint64 { return l.dropped.Load() }

// Done is closed once the line has ended and its goroutines are gone.
func (l *Line) Done() <-chan struct{} { return l.done }

// Err says why the line ended; nil while it has not.
func (l *Line) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close ends the line and waits for its goroutines.
func (l *Line) Close() {
	l.end(ErrClosed)
	<-l.done
}

// end stops the goroutines; the first cause is kept.
func (l *Line) end(cause error) {
	l.mu.Lock()
	first := l.err == nil
	if first {
		l.err = cause
	}
	l.mu.Unlock()
	if !first {
		return
	}
	if !errors.Is(cause, ErrClosed) {
		l.log.Debug("line to the relay ended", "cause", cause)
	}
	l.cancel()
}

// Register replaces the drops of a receiving line and returns once the relay has
// them. Decoys are added up to a power of two. A sending line has no drops.
func (l *Line) Register(ctx context.Context, drops []wire.DropID) error {
	if l.config.Receive == nil {
		return refusal{wire.RefusedRole}
	}
	l.registering.Lock()
	defer l.registering.Unlock()
	wanted := make(map[wire.DropID]bool, len(drops))
	for _, id := range drops {
		wanted[id] = true
	}
	l.mu.Lock()
	before := l.drops
	l.drops = union(before, wanted) // deliveries may overtake the answer
	l.mu.Unlock()
	padded := pad(drops, l.config.Receive, l.Now())
	parts := (len(padded) + wire.MaxDropsPerPart - 1) / wire.MaxDropsPerPart
	if parts > 255 {
		return refusal{wire.RefusedDrops}
	}
	frames := make([]wire.Frame, 0, parts)
	for part := range parts {
		end := min(len(padded), (part+1)*wire.MaxDropsPerPart)
		frames = append(frames, &wire.Register{
			Part: uint8(part), Parts: uint8(parts), Drops: padded[part*wire.MaxDropsPerPart : end],
		})
	}
	answer, err := l.request(ctx, frames...)
	if err != nil {
		return err
	}
	if _, ok := answer.(*wire.Registered); !ok {
		return refused(answer)
	}
	l.mu.Lock()
	l.drops = wanted
	l.mu.Unlock()
	return nil
}

func union(a, b map[wire.DropID]bool) map[wire.DropID]bool {
	both := make(map[wire.DropID]bool, len(a)+len(b))
	for id := range a {
		both[id] = true
	}
	for id := range b {
		both[id] = true
	}
	return both
}

// Send hands the relay an envelope for a drop at the relay to. It returns when
// this line's relay has taken it, which says nothing about its arrival. Trouble
// on the way to another relay shows on Undeliverable.
func (l *Line) Send(ctx context.Context, to identity.Address, envelope *wire.Envelope) error {
	send := &wire.Send{Envelope: envelope}
	if to.HostPort() != l.host {
		send.To = to.String()
	}
	return l.handOver(ctx, send)
}

// handOver sends a message that the relay answers with Taken or a refusal.
func (l *Line) handOver(ctx context.Context, message wire.Frame) error {
	answer, err := l.request(ctx, message)
	if err != nil {
		return err
	}
	if _, ok := answer.(*wire.Taken); !ok {
		return refused(answer)
	}
	return nil
}

// Box is a numbered box of this line at its relay: the first envelope that somebody
// puts in is among the Deliveries, and the box is gone.
type Box struct {
	Number  uint32
	Expires time.Time // by the gateway's clock
}

// OpenBox asks the relay for a box, in place of the one this line may have.
func (l *Line) OpenBox(ctx context.Context) (Box, error) {
	answer, err := l.request(ctx, &wire.BoxRequest{})
	if err != nil {
		return Box{}, err
	}
	b, ok := answer.(*wire.Box)
	if !ok {
		return Box{}, refused(answer)
	}
	drop := wire.DropOf(wire.BoxKey(l.host, b.Number).Public().(ed25519.PublicKey))
	l.mu.Lock()
	l.box = drop
	l.mu.Unlock()
	return Box{Number: b.Number, Expires: time.Unix(b.Expires, 0)}, nil
}

// FillBox is Send for a box at the relay to, of which not more than host and port
// need be known.
func (l *Line) FillBox(ctx context.Context, to identity.Address, envelope *wire.Envelope) error {
	send := &wire.BoxSend{Envelope: envelope}
	if to.HostPort() != l.host {
		send.To = to.String()
	}
	return l.handOver(ctx, send)
}

// Credential asks the relay for a fresh TURN credential.
func (l *Line) Credential(ctx context.Context) (Credential, error) {
	answer, err := l.request(ctx, &wire.CredentialRequest{})
	if err != nil {
		return Credential{}, err
	}
	c, ok := answer.(*wire.Credential)
	if !ok {
		return Credential{}, refused(answer)
	}
	return Credential{Username: c.Username, Password: c.Password, Turn: c.Turn, Expires: time.Unix(c.Expires, 0)}, nil
}

// request writes frames under one sequence number and waits for their answer.
func (l *Line) request(ctx context.Context, frames ...wire.Frame) (wire.Frame, error) {
	answer := make(chan wire.Frame, 1)
	l.mu.Lock()
	l.seq++
	seq := l.seq
	l.waiting[seq] = answer
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, seq)
		l.mu.Unlock()
	}()
	timeout := time.NewTimer(answerTimeout)
	defer timeout.Stop()
	for _, frame := range frames {
		raw, err := wire.AppendFrame(nil, seq, frame)
		if err != nil {
			return nil, err
		}
		select {
		case l.out <- raw:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-l.ctx.Done():
			return nil, l.Err()
		case <-timeout.C:
			return nil, fmt.Errorf("%w (no answer in %v)", ErrUnreachable, answerTimeout)
		}
	}
	select {
	case frame := <-answer:
		return frame, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-l.ctx.Done():
		return nil, l.Err()
	case <-timeout.C:
		return nil, fmt.Errorf("%w (no answer in %v)", ErrUnreachable, answerTimeout)
	}
}
