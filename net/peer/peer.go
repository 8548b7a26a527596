// Package peer carries sealed audio frames between two people through their relays, and is
// the only importer of pion/webrtc.
//
// It is relay-only by construction. pion's ORTC objects are used, so no SDP exists: what the
// other side needs is a wire.Offer, and Local fills it with relayed addresses only.
//
//	frame → RTP → SRTP (AES-256-GCM, keys from DTLS) → ICE → TURN → guard → own relay
//
// guard.go is the network pion sees: it reaches the own relay and nothing else. gate.go drops
// what arrives and is not the call. stack.go says how pion is set up.
//
// Both sides check the fingerprint of the other's DTLS certificate, whichever role they play.
// Nothing on the wire names anyone: the certificate is made for the call, no RTCP is sent, and
// the SSRC of each direction follows from the sender's fingerprint, so that the receiver can
// expect it without its being told.
package peer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v5"
	"github.com/pion/webrtc/v4"

	"sotto/net/wire"
)

// What can end a peer or keep it from starting.
var (
	ErrUnreachable  = errors.New("the relay does not answer over udp; check the network, or that udp to the relay's turn port is not blocked")
	ErrRelayRefused = errors.New("the relay refused to carry the call; its turn credential may have expired, so try again")
	ErrFamily       = errors.New("the two relays share no address family, so neither can reach the other")
	ErrNoRoute      = errors.New("the two relays do not reach each other; try again, or use another relay")
	ErrFingerprint  = errors.New("the other side's certificate is not the one it promised: somebody may be in between, so the call was ended")
	ErrLost         = errors.New("the connection was lost: nothing arrived for ten seconds")
	ErrClosed       = errors.New("the connection is closed")
	ErrNotConnected = errors.New("the connection is not up yet")
)

// Turn is where and how the own relay carries media.
type Turn struct {
	Address            netip.AddrPort
	Username, Password string
}

// Config is what a peer is made with.
type Config struct {
	Turn Turn
	// Controlling is the ICE role; exactly one side has it. Give it to the side that connects
	// last (the callee): its first check finds the other side waiting and nominates at once,
	// while the other way round up to one check interval (200 ms) passes.
	Controlling bool
	Net         transport.Net // nil: this machine's network
	// Stream connects to the relay's TLS port, where TURN is served too. With it no UDP is
	// sent and Turn.Address is not asked for. Nil: UDP.
	Stream func(context.Context) (net.Conn, error)
	// OnFrame gets each frame that arrives, in order of arrival, from one goroutine. It may be
	// called before Connect has returned. The frame is only valid until it returns.
	OnFrame func(frame []byte, at time.Time)
	Log     *slog.Logger // nil: none. No address is ever logged

	clocks clocks // zero: ordinary
}

// State is where a connection stands.
type State int

const (
	StateNew         State = iota // allocated on the own relay, not connecting yet
	StateConnecting               // looking for the other side, or in the DTLS handshake
	StateConnected                // frames pass
	StateInterrupted              // connected, but nothing has arrived for some seconds
	StateLost                     // gave up: nothing arrived for ten seconds
	StateClosed                   // closed by this side, or failed to connect
)

func (s State) String() string {
	names := [...]string{"new", "connecting", "connected", "interrupted", "lost", "closed"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("State(%d)", int(s))
	}
	return names[s]
}

// Snapshot is a connection as it stands now, taken from the live objects.
type Snapshot struct {
	State         State
	Transport     string         // to the own relay: "udp" or "tls"; "" of a direct connection
	Route         string         // "relay" while a pair of relayed addresses is in use, "direct" of a direct connection, else ""
	PairTypes     string         // ICE's types of both ends of that pair, "relay-relay"; "" before there is one
	Seen          netip.AddrPort // direct: our address as our relay and the other side see it
	LocalRelayed  netip.AddrPort // our address at our relay: all that the other side sees of us
	RemoteRelayed netip.AddrPort // theirs at theirs; zero before there is a pair
	RTT           time.Duration  // to the other person and back, from ICE checks; 0 before the first
	SRTPProfile   string         // "AES-256-GCM" once DTLS agreed on it, else ""
	Refused       uint64         // packets and requests the guard refused because they were not for the own relay
	Sent          uint64         // frames
	Received      uint64         // frames
}

// Peer is one side of one call's media.
type Peer struct {
	config Config
	log    *slog.Logger
	direct bool // made by NewDirect
	guard  wall
	gate   *gate
	stack  *stack
	local  wire.Offer
	filter atomic.Pointer[netip.Addr] // the one address that ICE may pair with; nil: none

	state    atomic.Int32
	sent     atomic.Uint64
	received atomic.Uint64

	life context.Context // ends at Close (ErrClosed) or when the connection is lost (ErrLost)
	end  context.CancelCauseFunc
	lost chan struct{} // closed at most once, by lose

	mu      sync.Mutex // guards the following
	started bool       // Connect was called
	closed  bool       // Close was called
	isLost  bool

	connecting sync.WaitGroup // Connect; added to under mu while not closed
	receiving  sync.WaitGroup // the receiving goroutine, likewise

	closing sync.Once
	sending sender
}

// New allocates on the own relay. The context bounds that only.
func New(ctx context.Context, config Config) (*Peer, error) {
	config = config.withDefaults()
	p := &Peer{config: config, log: config.Log, gate: new(gate), lost: make(chan struct{})}
	guard := newGuard(config.Net, config.Turn.Address, p.gate)
	guard.dial = config.Stream
	p.guard = guard
	p.life, p.end = context.WithCancelCause(context.Background())
	stack, err := newStack(p.guard, &config.Turn, config, p.pairable)
	if err != nil {
		return nil, err
	}
	p.stack = stack
	if p.local, err = stack.gather(ctx); err != nil {
		_ = p.Close()
		return nil, err
	}
	if len(p.local.Candidates) == 0 {
		_ = p.Close()
		if p.guard.answered() {
			return nil, ErrRelayRefused
		}
		return nil, ErrUnreachable
	}
	return p, nil
}

// Local is what the other side needs to connect: a fingerprint, ICE credentials and relayed
// addresses, nothing else.
func (p *Peer) Local() wire.Offer {
	local := p.local
	local.Candidates = append([]netip.AddrPort(nil), local.Candidates...)
	return local
}

// Connect finds the other side through both relays and agrees on keys with exactly the
// certificate its offer promises. It may be called once. Frames pass when it returns nil.
func (p *Peer) Connect(ctx context.Context, remote wire.Offer) error {
	check := remote.Check
	if p.direct {
		check = remote.CheckDirect
	}
	if err := check(); err != nil {
		return fmt.Errorf("the other side's offer makes no sense: %w", err)
	}
	candidate, ok := sameFamily(p.local.Candidates[0], remote.Candidates)
	if !ok {
		return ErrFamily
	}
	if err := p.begin(); err != nil {
		return err
	}
	defer p.connecting.Done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(p.life, func() { cancel(context.Cause(p.life)) })()

	if guard, ok := p.guard.(*directGuard); ok {
		guard.admit(candidate)
	}
	host := candidate.Addr()
	p.filter.Store(&host)
	p.stack.ice.OnConnectionStateChange(p.onICE)
	if err := p.stack.connect(ctx, remote, candidate, p.config.Controlling); err != nil {
		return p.failed(ctx, err)
	}
	return p.flow(remote)
}

// begin marks the peer as connecting and holds Close back until Connect returns.
func (p *Peer) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.started {
		return errors.New("connect was called twice")
	}
	p.started = true
	p.connecting.Add(1)
	p.state.Store(int32(StateConnecting))
	return nil
}

// failed gives the reason why Connect failed in its own words.
func (p *Peer) failed(ctx context.Context, err error) error {
	p.state.Store(int32(StateClosed))
	switch cause := context.Cause(ctx); {
	case errors.Is(err, ErrFingerprint):
		return ErrFingerprint
	case errors.Is(cause, ErrLost):
		return ErrNoRoute
	case cause != nil:
		return cause
	default:
		return fmt.Errorf("the connection could not be secured: %w", err)
	}
}

// flow sets up both directions. The gate opens last: see gate.
func (p *Peer) flow(remote wire.Offer) error {
	writer, err := p.stack.send(ssrcOf(p.local.Fingerprint))
	if err != nil {
		return fmt.Errorf("sending could not start: %w", err)
	}
	track, err := p.stack.receive(ssrcOf(remote.Fingerprint))
	if err != nil {
		return fmt.Errorf("receiving could not start: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	if p.isLost {
		return ErrLost
	}
	p.sending.start(writer, ssrcOf(p.local.Fingerprint))
	p.receiving.Add(1)
	go p.receive(track)
	p.gate.release(ssrcOf(remote.Fingerprint))
	p.state.CompareAndSwap(int32(StateConnecting), int32(StateConnected))
	p.log.Debug("media connected")
	return nil
}

// receive hands each frame on until the stream ends.
func (p *Peer) receive(track *webrtc.TrackRemote) {
	defer p.receiving.Done()
	packet := make([]byte, mtu)
	for {
		n, _, err := track.Read(packet)
		if err != nil {
			if !errors.Is(err, io.EOF) && p.life.Err() == nil {
				p.log.Warn("receiving ended early", "cause", err)
			}
			return
		}
		if n <= rtpHeader { // the gate let only plain headers pass
			continue
		}
		p.received.Add(1)
		p.config.OnFrame(packet[rtpHeader:n], time.Now())
	}
}

// Send sends one frame, so many samples of sound at 48 kHz, as one RTP packet. It does not keep
// the frame. A packet that does not leave is loss, not an error.
func (p *Peer) Send(frame []byte, samples int) error {
	if err := p.life.Err(); err != nil {
		return context.Cause(p.life)
	}
	if err := p.sending.send(frame, samples); err != nil {
		return err
	}
	p.sent.Add(1)
	return nil
}

// onICE runs on a goroutine of pion's agent.
func (p *Peer) onICE(state webrtc.ICETransportState) {
	switch state {
	case webrtc.ICETransportStateConnected, webrtc.ICETransportStateCompleted:
		p.state.CompareAndSwap(int32(StateInterrupted), int32(StateConnected))
	case webrtc.ICETransportStateDisconnected:
		p.state.CompareAndSwap(int32(StateConnected), int32(StateInterrupted))
	case webrtc.ICETransportStateFailed:
		p.lose()
	}
}

// lose ends the peer because nothing arrives any more.
func (p *Peer) lose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.isLost {
		return
	}
	p.isLost = true
	p.state.Store(int32(StateLost))
	p.end(ErrLost)
	close(p.lost)
	p.log.Debug("media lost")
}

// Lost is closed when nothing has arrived for ten seconds, not even an ICE check. Loss and
// short silence do not close it, nor does Close.
func (p *Peer) Lost() <-chan struct{} { return p.lost }

// Snapshot tells how the connection stands, from the live objects.
func (p *Peer) Snapshot() Snapshot {
	s := Snapshot{
		State:    State(p.state.Load()),
		Refused:  p.guard.refusals(),
		Sent:     p.sent.Load(),
		Received: p.received.Load(),
	}
	switch {
	case p.direct:
	case p.config.Stream != nil:
		s.Transport = "tls"
	default:
		s.Transport = "udp"
	}
	if len(p.local.Candidates) > 0 && !p.direct {
		s.LocalRelayed = p.local.Candidates[0]
	}
	p.stack.describe(&s)
	return s
}

// Close ends the connection, gives the allocation back and waits until nothing of the peer
// runs. It may be called more than once and from any goroutine but OnFrame's. The error is nil:
// there is nothing a caller could do about one.
func (p *Peer) Close() error {
	p.closing.Do(func() {
		p.mu.Lock()
		p.closed = true
		if !p.isLost {
			p.state.Store(int32(StateClosed))
		}
		p.mu.Unlock()
		p.end(ErrClosed)
		// pion waits for answers that a dead relay never gives; without a socket it gives up.
		dead := time.AfterFunc(grace, p.guard.close)
		p.connecting.Wait()
		p.stack.close()
		dead.Stop()
		p.guard.close()
		p.receiving.Wait()
	})
	return nil
}

// grace is how long a closing peer may take to say goodbye to its relay.
const grace = 300 * time.Millisecond

// pairable reports whether ICE may pair with an address: the offered relay's, and no other.
func (p *Peer) pairable(address netip.Addr) bool {
	allowed := p.filter.Load()
	return allowed != nil && address.Unmap() == *allowed
}

// sameFamily picks the first address that a relay of our family can reach. A TURN server lets
// an allocation talk to one peer, so one is what we try.
func sameFamily(local netip.AddrPort, remote []netip.AddrPort) (netip.AddrPort, bool) {
	for _, candidate := range remote {
		if candidate.Addr().Is4() == local.Addr().Is4() {
			return candidate, true
		}
	}
	return netip.AddrPort{}, false
}

// ssrcOf is the SSRC that the owner of a certificate sends with (RFC 3550 §8 wants it random;
// the fingerprint is).
func ssrcOf(fingerprint [32]byte) uint32 {
	sum := sha256.Sum256(append([]byte("sotto rtp ssrc\x00"), fingerprint[:]...))
	return max(binary.BigEndian.Uint32(sum[:]), 1) // pion takes 0 for unset
}
