package call

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"sotto/net/peer"
	"sotto/net/wire"
)

// When the way of a call breaks (a relay restarts, the network changes), a second
// connection takes over: a fresh credential and allocation on either side, a fresh
// certificate, the same frame keys and counters. Nothing needs to be answered again.
//
//	this side                                the other side
//	nothing has come for some seconds
//	allocate   restart {generation, offer} →
//	           ← restart {same generation, offer}   allocates as well
//	both connect; frames go the new way; once they come that way too, the old
//	connection is closed
//
// Both sides may begin at once: they begin the same generation. A side that has to try
// again begins the next one, and the other follows whichever is higher. Offers travel
// sealed over the two ephemeral drops, and the DTLS certificates are held against them
// as at the start of the call; a certificate that does not fit ends the call.
const (
	// attemptWithin bounds one attempt, from its begin to frames.
	attemptWithin = 14 * time.Second
	makeAgain     = 700 * time.Millisecond // after a relay that gave no allocation
)

// carrier is what frames are sent on; it changes while the capture loop sends.
type carrier struct{ peer atomic.Pointer[peer.Peer] }

// route is the connections of a conversation: the one in use, and the one that may
// take over. The conversation's goroutine owns it.
type route struct {
	generation uint32    // of the latest attempt
	attempt    *attempt  // nil for none
	broken     time.Time // since when nothing came; zero while the way is good
	retired    *peer.Peer

	direct       bool          // the way in use leaves the relays: see direct.go
	consented    bool          // this side has said that it agrees to that
	theirConsent bool          // the other has
	directTried  bool          // once in a call is enough
	followed     *rate.Limiter // how often the other side can make this one begin
	closing      sync.WaitGroup
}

// attempt is a connection being made.
type attempt struct {
	generation uint32
	direct     bool
	cancel     context.CancelFunc
	ctx        context.Context
	made       chan *peer.Peer // capacity 1; closed without one when the attempt is over
	connected  chan error      // capacity 1
	peer       *peer.Peer      // once made
	remote     *wire.Offer     // once it came
	connecting bool
}

func newRoute() *route { return &route{followed: rate.NewLimiter(rate.Every(2*time.Second), 4)} }

// madeNow and connectedNow are what the conversation waits for.
func (r *route) madeNow() <-chan *peer.Peer {
	if r.attempt == nil || r.attempt.peer != nil {
		return nil
	}
	return r.attempt.made
}

func (r *route) connectedNow() <-chan error {
	if r.attempt == nil {
		return nil
	}
	return r.attempt.connected
}

// reconnect begins an attempt of a generation; an earlier one is given up.
func (t *conversation) reconnect(ctx context.Context, generation uint32, direct bool) {
	t.giveUpAttempt()
	t.route.generation = generation
	a := &attempt{generation: generation, direct: direct, made: make(chan *peer.Peer, 1), connected: make(chan error, 1)}
	a.ctx, a.cancel = context.WithTimeout(ctx, attemptWithin)
	t.route.attempt = a
	incoming := t.call.info.Incoming
	t.route.closing.Go(func() {
		defer close(a.made)
		allocate := t.call.station.newWay
		if direct {
			allocate = t.call.station.newDirect
		}
		if fresh := allocate(a.ctx, t.media, incoming); fresh != nil {
			a.made <- fresh
		}
	})
}

// newWay allocates on the own relay until it succeeds or ctx ends, over a line of its
// own: the call's may have broken with the way.
func (s *station) newWay(ctx context.Context, m *media, controlling bool) *peer.Peer {
	for ctx.Err() == nil {
		if fresh, err := s.allocate(ctx, m, controlling); err == nil {
			return fresh
		}
		select {
		case <-ctx.Done():
		case <-time.After(makeAgain):
		}
	}
	return nil
}

func (s *station) allocate(ctx context.Context, m *media, controlling bool) (*peer.Peer, error) {
	// The other side's messages come over the kept line: it must be up, too, and asking
	// makes it try at once.
	if err := s.keeper.Registered(ctx); err != nil {
		return nil, err
	}
	sending, err := s.sendingLine(ctx)
	if err != nil {
		return nil, err
	}
	defer sending.Close()
	return s.newPeer(ctx, sending, m, controlling)
}

// giveUpAttempt ends the attempt and closes what it made, beside everything else.
func (t *conversation) giveUpAttempt() {
	a := t.route.attempt
	if a == nil {
		return
	}
	t.route.attempt = nil
	a.cancel()
	for number, waits := range t.numbered.waiting {
		if waits.signal.Kind.Offers() {
			t.taken(number)
		}
	}
	if a.peer != nil {
		t.retire(a.peer)
		return
	}
	t.route.closing.Go(func() {
		for fresh := range a.made {
			_ = fresh.Close()
		}
	})
}

// retire closes a connection beside everything else.
func (t *conversation) retire(old *peer.Peer) {
	t.route.closing.Go(func() { _ = old.Close() })
}

// offered is an attempt that has its allocation: the other side is told.
func (t *conversation) offered(ctx context.Context, fresh *peer.Peer) {
	a := t.route.attempt
	if fresh == nil { // the attempt ran out of time
		t.failed(ctx)
		return
	}
	a.peer = fresh
	local := fresh.Local()
	kind := wire.SignalRestart
	if a.direct {
		kind = wire.SignalDirect
	}
	t.say(ctx, wire.Signal{Kind: kind, Generation: a.generation, Offer: &local})
	t.join()
}

// readOffer is the other side's offer for a connection. Where one side offers a direct
// one and the other the relays, in the same generation, the relays win.
func (t *conversation) readOffer(ctx context.Context, signal wire.Signal) {
	r, direct := t.route, signal.Kind == wire.SignalDirect
	r.theirConsent = r.theirConsent || direct // it may have overtaken their word
	same := signal.Generation == r.generation && r.attempt != nil && r.attempt.direct == direct
	switch {
	case signal.Generation < r.generation || signal.Generation > r.generation+1000:
	case signal.Generation == r.generation && (r.attempt == nil || direct && !same): // made already, or given up
	case same:
		if r.attempt.remote == nil {
			r.attempt.remote = signal.Offer
		}
		t.join()
	case direct && !t.mayGoDirect(): // they stay on the relays as well
	case !r.followed.Allow():
		return // not taken: an honest client says it again
	default:
		r.directTried = r.directTried || direct
		t.reconnect(ctx, signal.Generation, direct)
		r.attempt.remote = signal.Offer
	}
	t.numbered.take(signal.Number)
	_ = t.post(ctx, wire.Signal{Kind: wire.SignalTaken, Number: signal.Number})
}

// join connects once both offers are there.
func (t *conversation) join() {
	a := t.route.attempt
	if a.peer == nil || a.remote == nil || a.connecting {
		return
	}
	a.connecting = true
	t.route.closing.Go(func() { a.connected <- a.peer.Connect(a.ctx, *a.remote) })
}

// takeOver is the end of an attempt: the new connection carries the call, or another
// attempt follows while the way is broken.
func (t *conversation) takeOver(ctx context.Context, err error) error {
	a := t.route.attempt
	if errors.Is(err, peer.ErrFingerprint) {
		return err
	}
	if err != nil {
		t.failed(ctx)
		return nil
	}
	t.route.attempt = nil
	a.cancel()
	if t.route.retired != nil {
		t.retire(t.route.retired)
	}
	t.route.retired = t.peer
	t.peer = a.peer
	t.carrier.peer.Store(a.peer)
	t.route.broken, t.route.direct = time.Time{}, a.direct
	t.call.onRoute(a.peer, time.Time{})
	t.tellHold(ctx)
	return nil
}

// failed ends an attempt that came to nothing.
func (t *conversation) failed(ctx context.Context) {
	t.giveUpAttempt()
	if !t.route.broken.IsZero() {
		t.reconnect(ctx, t.route.generation+1, false)
	}
}

// watchRoute looks after the connections, a few times a second; an error ends the call.
func (t *conversation) watchRoute(ctx context.Context, now time.Time) error {
	r := t.route
	if r.retired != nil && t.peer.Snapshot().Received > 0 {
		t.retire(r.retired)
		r.retired = nil
	}
	state := t.peer.Snapshot().State
	switch {
	case state == peer.StateConnected && r.broken.IsZero():
	case state == peer.StateConnected: // it came back by itself
		r.broken = time.Time{}
		t.call.onRoute(t.peer, time.Time{})
	case r.broken.IsZero():
		r.broken = now
		t.call.onRoute(t.peer, now)
		if r.attempt == nil {
			t.reconnect(ctx, r.generation+1, false)
		}
	case now.Sub(r.broken) > t.call.engine.cfg.KeepLost:
		return t.lost()
	case r.attempt == nil:
		t.reconnect(ctx, r.generation+1, false)
	}
	return nil
}

// leaveRoute closes every connection but the first, which is its opener's, and waits.
func (t *conversation) leaveRoute() {
	t.giveUpAttempt()
	if t.route.retired != nil {
		t.retire(t.route.retired)
	}
	t.retire(t.peer)
	t.route.closing.Wait()
}

// tellHold says again whether this side holds: it may not have got through before.
func (t *conversation) tellHold(ctx context.Context) {
	t.call.engine.mu.Lock()
	held := t.call.info.Held
	t.call.engine.mu.Unlock()
	if held {
		_ = t.post(ctx, wire.Signal{Kind: wire.SignalHold})
	}
}

// onRoute shows which connection the call is on, and since when it has none.
func (c *call) onRoute(on *peer.Peer, broken time.Time) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if c.peer != nil && c.peer != on {
		c.refused += c.peer.Snapshot().Refused
		c.peer = on
	}
	c.info.Reconnecting = broken
	c.info.WasDirect = c.info.WasDirect || c.info.Phase == Connected && on.Snapshot().Route == "direct"
	c.engine.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
}
