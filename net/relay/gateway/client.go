package gateway

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/time/rate"

	"sotto/net/identity"
	"sotto/net/wire"
)

const (
	// frameTimeout bounds one message from its first byte to its last.
	frameTimeout = 10 * time.Second

	writeTimeout = 15 * time.Second
)

// client is one connection, a line: a person's or another relay's. read owns all
// fields that say nothing else.
type client struct {
	gateway  *Gateway
	conn     *websocket.Conn
	share    *prefix // of its network
	role     wire.Role
	admitted bool
	out      *outbox
	heard    atomic.Int64 // Unix nanoseconds; when it last said anything
	cut      context.CancelFunc

	frames   *rate.Limiter // shared with the WebSocket's ping handler
	sends    *rate.Limiter
	requests *rate.Limiter

	drops   map[wire.DropID]bool
	parts   []wire.DropID // of a Register under way
	partSeq uint32
	next    uint8 // the part that must follow
	hosts   map[string]time.Time
}

// serveLine upgrades a connection and leaves it to a goroutine of its own: the HTTP
// server's, whose stack has grown with TLS and which holds the request, ends.
func (g *Gateway) serveLine(w http.ResponseWriter, r *http.Request) {
	share := prefixFrom(r.Context())
	if share == nil || !g.lines.enter() {
		http.Error(w, "closing", http.StatusServiceUnavailable)
		return
	}
	l := &client{
		gateway: g, share: share, out: newOutbox(&g.counts.Overflowed),
		frames: g.config.Limits.Frames.limiter(), requests: g.config.Limits.Requests.limiter(),
	}
	ctx, cut := context.WithCancel(g.ctx)
	l.cut = cut
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionDisabled,
		OnPingReceived:  func(context.Context, []byte) bool { return l.hear() },
		OnPongReceived:  func(context.Context, []byte) { l.hear() },
	})
	if err != nil {
		cut()
		g.lines.leave()
		return
	}
	l.conn = conn
	conn.SetReadLimit(wire.FrameSize)
	go l.serve(ctx)
}

// serve is a line from hello to end.
func (l *client) serve(ctx context.Context) {
	g := l.gateway
	defer g.lines.leave()
	defer func() { _ = l.conn.CloseNow() }() // Close would read on for as long as a flooder writes
	defer l.cut()
	if !l.hello(ctx) {
		return
	}
	g.lines.add(l)
	defer g.lines.remove(l)
	defer l.unregister()
	var writing sync.WaitGroup
	writing.Add(1)
	go func() {
		defer writing.Done()
		defer l.cut()
		l.write(ctx)
	}()
	l.read(ctx)
	l.cut()
	writing.Wait()
}

// hear notes a sign of life; false, and the line's end, when there are too many.
func (l *client) hear() bool {
	l.heard.Store(time.Now().UnixNano())
	if !l.frames.Allow() {
		l.abuse()
		return false
	}
	return true
}

// abuse ends the line at once.
func (l *client) abuse() {
	l.gateway.counts.Cut.Add(1)
	l.cut()
}

// hello challenges, judges the answer and welcomes or refuses.
func (l *client) hello(ctx context.Context) bool {
	g := l.gateway
	ctx, cancel := context.WithTimeout(ctx, g.config.Limits.Patience)
	defer cancel()
	challenge := &wire.Challenge{Now: g.config.Now().UnixMilli(), Version: wire.Version}
	rand.Read(challenge.Nonce[:]) // never fails
	if !l.writeNow(ctx, challenge) {
		return false
	}
	_, frame, ok := l.readFrame(ctx)
	if !ok {
		return false
	}
	l.heard.Store(time.Now().UnixNano())
	hello, ok := frame.(*wire.Hello)
	if !ok {
		g.counts.Cut.Add(1)
		return false
	}
	l.role = hello.Role
	if l.role == wire.RoleReceive && !signedBySoundKey(hello, challenge.Nonce, g.config.Address.HostPort()) {
		l.writeNow(ctx, &wire.Refused{Reason: wire.RefusedKey})
		return false
	}
	admitted, wrong := g.admitted(hello.Token)
	if wrong {
		l.writeNow(ctx, &wire.Refused{Reason: wire.RefusedAdmission})
		return false
	}
	l.admitted = admitted
	l.sends = g.config.Limits.LineSends.limiter()
	if l.role == wire.RoleRelay {
		l.sends = g.config.Limits.RelaySends.limiter()
	}
	return l.writeNow(ctx, &wire.Welcome{Now: g.config.Now().UnixMilli(), Admitted: admitted})
}

// signedBySoundKey also refuses keys of small order, for which anybody can sign.
func signedBySoundKey(h *wire.Hello, nonce [32]byte, host string) bool {
	_, err := identity.ParseKey(h.Key[:])
	return err == nil && h.Verify(nonce, host)
}

// writeNow is for the hello, before there is a writing goroutine.
func (l *client) writeNow(ctx context.Context, f wire.Frame) bool {
	frame, err := wire.AppendFrame(nil, 0, f)
	return err == nil && l.conn.Write(ctx, websocket.MessageBinary, frame) == nil
}

// frameBuffers holds the reading buffers of the lines that are reading right now.
var frameBuffers = sync.Pool{New: func() any { return new([wire.FrameSize]byte) }}

// readFrame waits for a frame. Anything but one whole binary message of the right
// size and layout is abuse.
func (l *client) readFrame(ctx context.Context) (uint32, wire.Frame, bool) {
	kind, message, err := l.conn.Reader(ctx)
	if err != nil {
		return 0, nil, false
	}
	buffer := frameBuffers.Get().(*[wire.FrameSize]byte)
	defer frameBuffers.Put(buffer)
	late := time.AfterFunc(frameTimeout, l.cut)
	defer late.Stop()
	_, err = io.ReadFull(message, buffer[:])
	if err == nil {
		var beyond [1]byte
		if _, end := message.Read(beyond[:]); end != io.EOF {
			err = wire.ErrMalformed
		}
	}
	var (
		seq   uint32
		frame wire.Frame
	)
	if err == nil && kind == websocket.MessageBinary {
		seq, frame, err = wire.ParseFrame(buffer[:])
	}
	if err != nil || frame == nil {
		l.abuse()
		return 0, nil, false
	}
	return seq, frame, true
}

// read serves the line's requests until it ends.
func (l *client) read(ctx context.Context) {
	for {
		seq, frame, ok := l.readFrame(ctx)
		if !ok || !l.hear() {
			return
		}
		switch f := frame.(type) {
		case *wire.Send:
			ok = l.send(seq, f.To, f.Envelope, false)
		case *wire.BoxSend:
			ok = l.send(seq, f.To, f.Envelope, true)
		case *wire.BoxRequest:
			ok = l.box(seq)
		case *wire.Register:
			ok = l.register(seq, f)
		case *wire.CredentialRequest:
			ok = l.credential(seq)
		default:
			ok = false
		}
		if !ok {
			l.abuse()
			return
		}
	}
}

// write owns the connection's sending half until the line ends.
func (l *client) write(ctx context.Context) {
	for {
		frame, bye := l.out.next()
		switch {
		case frame != nil:
			limited, cancel := context.WithTimeout(ctx, writeTimeout)
			err := l.conn.Write(limited, websocket.MessageBinary, frame)
			cancel()
			if err != nil {
				return
			}
		case bye:
			_ = l.conn.Close(websocket.StatusGoingAway, "")
			return
		default:
			select {
			case <-ctx.Done():
				return
			case <-l.out.wake:
			}
		}
	}
}

// answer queues an answer; false if the line does not read them.
func (l *client) answer(seq uint32, f wire.Frame) bool {
	frame, err := wire.AppendFrame(nil, seq, f)
	return err == nil && l.out.answer(frame)
}

func (l *client) refuse(seq uint32, reason wire.Reason) bool {
	return l.answer(seq, &wire.Refused{Reason: reason})
}

// send answers first and works afterwards. An envelope for a box may go to a relay
// that cannot prove who it is.
func (l *client) send(seq uint32, destination string, envelope *wire.Envelope, box bool) bool {
	j := job{from: l, envelope: envelope, anyKey: box}
	if destination != "" {
		to, err := identity.ParseAddress(destination)
		if err != nil {
			return false
		}
		if reason := l.mayReach(to, box); reason != 0 {
			return l.refuse(seq, reason)
		}
		j.to, j.away = to, to.HostPort() != l.gateway.config.Address.HostPort()
	}
	if !l.answer(seq, &wire.Taken{}) {
		return false
	}
	if !l.sends.Allow() || !l.share.sends.Allow() {
		l.gateway.counts.Limited.Add(1)
		return true
	}
	select {
	case l.gateway.work <- j:
	default:
		l.gateway.counts.Limited.Add(1)
	}
	return true
}

// hostMemory is how long a relay counts as one of a line's distinct hosts.
const hostMemory = 10 * time.Minute

// mayReach says why this line may not send to that relay, or zero.
func (l *client) mayReach(to identity.Address, anyKey bool) wire.Reason {
	g := l.gateway
	switch {
	case to.HostPort() == g.config.Address.HostPort():
		return 0
	case !l.admitted:
		return wire.RefusedAdmission
	case l.role == wire.RoleRelay:
		return wire.RefusedRole // one hop, never two
	case !g.forward.allows(to, anyKey):
		return wire.RefusedForwarding
	}
	now, name := time.Now(), to.String()
	for known, used := range l.hosts {
		if now.Sub(used) > hostMemory {
			delete(l.hosts, known)
		}
	}
	if _, known := l.hosts[name]; !known && len(l.hosts) >= g.config.Limits.HostsPerLine {
		return wire.RefusedHosts
	}
	if l.hosts == nil {
		l.hosts = make(map[string]time.Time)
	}
	l.hosts[name] = now
	return 0
}

// register collects parts and replaces the line's drops with the last.
func (l *client) register(seq uint32, f *wire.Register) bool {
	if f.Part == 0 {
		l.parts, l.partSeq, l.next = nil, seq, 0
	}
	if f.Part != l.next || seq != l.partSeq {
		return false
	}
	l.next++
	last := f.Part == f.Parts-1
	if slices.ContainsFunc(f.Drops, l.gateway.boxes.isBox) {
		return false // nobody registers a box by accident
	}
	switch {
	case l.role != wire.RoleReceive:
		return !last || l.refuse(seq, wire.RefusedRole)
	case !l.admitted:
		return !last || l.refuse(seq, wire.RefusedAdmission)
	case len(l.parts)+len(f.Drops) > l.gateway.config.Limits.DropsPerLine:
		return !last || l.refuse(seq, wire.RefusedDrops)
	}
	l.parts = append(l.parts, f.Drops...)
	if !last {
		return true
	}
	wanted := make(map[wire.DropID]bool, len(l.parts))
	for _, id := range l.parts {
		wanted[id] = true
	}
	l.parts = nil
	if !l.requests.Allow() {
		return l.refuse(seq, wire.RefusedBusy)
	}
	if done, err := l.replace(wanted); !done || err != nil {
		return l.refuse(seq, wire.RefusedBusy)
	}
	return l.answer(seq, &wire.Registered{})
}

// replace makes wanted the line's drops, within its own network's share.
func (l *client) replace(wanted map[wire.DropID]bool) (bool, error) {
	g, more := l.gateway, len(wanted)-len(l.drops)
	if !g.prefixes.reserve(l.share, more) {
		return false, nil
	}
	done, err := g.drops.replace(l, l.drops, wanted)
	if !done || err != nil {
		g.prefixes.reserve(l.share, -more)
		return false, err
	}
	l.drops = wanted
	return true, g.bus.Flush() // other gateways know before the line is told
}

func (l *client) unregister() {
	l.gateway.boxes.leave(l)
	_, _ = l.gateway.drops.replace(l, l.drops, nil)
	l.gateway.prefixes.reserve(l.share, -len(l.drops))
	l.drops = nil
}

func (l *client) credential(seq uint32) bool {
	switch {
	case !l.admitted:
		return l.refuse(seq, wire.RefusedAdmission)
	case l.gateway.config.Credential == nil:
		return l.refuse(seq, wire.RefusedRole)
	case !l.requests.Allow():
		return l.refuse(seq, wire.RefusedBusy)
	}
	return l.answer(seq, l.gateway.config.Credential(l.gateway.config.Now()))
}
