package call

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"sotto/audio"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/peer"
	"sotto/settings/advice"

	"golang.org/x/time/rate"
)

// ended is why a call is over. It travels as the cause of the call's context, so
// that whatever step the call is in stops with it.
type ended struct {
	reason Reason
	detail advice.Text // what happened and what to do, when the reason alone does not say
	text   string      // DeclinedHere: what the caller is told
}

func (e *ended) Error() string {
	if e.detail.What != "" {
		return string(e.reason) + ": " + e.detail.Error()
	}
	return string(e.reason)
}

// call is one call from knock to end. Its goroutine is Engine.run's.
type call struct {
	engine   *Engine
	answered chan struct{} // capacity 1; written by Answer and AnswerWaiting only
	silenced chan struct{} // capacity 1; written by Silence only
	promoted chan struct{} // of a call that waited: closed once it is the one that rings
	holds    chan bool     // capacity 1; what the person chose
	texts    chan string   // capacity textsWaiting; what the person wrote
	cancel   context.CancelCauseFunc
	ctx      context.Context
	dialling context.Context // of the part of an outgoing call that a crossing knock may end
	done     chan struct{}   // closed when the goroutine is gone

	// What follows is guarded by engine.mu.
	station    *station // nil for the echo until its world stands
	info       Info
	relaysOnly bool                            // the person wants no direct connection in this call
	refused    uint64                          // by the guards of connections that are gone
	session    *audio.Session                  // nil before Connected
	useDevices func(mic, speaker string) error // nil before Connected, and where they cannot be changed
	peer       *peer.Peer                      // nil before the handshake is over
	media      *media                          // nil before the handshake is over
	knock      *handshake.Incoming             // nil for an outgoing call
	remoteCard identity.Card
	ephemeral  [32]byte        // outgoing: our knock's Noise ephemeral key, for glare
	peerKey    identity.Key    // who it is with; zero for the echo
	peerStatic [32]byte        // the same as an X25519 key
	mutedFirst bool            // deafened: whether the microphone was muted before
	after      <-chan struct{} // a call that waited and was answered: closed when the first has let go of everything
	writing    *rate.Limiter   // how fast the person may write
	giveWay    func(error)     // until an answer: ends dialling, for a knock that crossed ours

	callID    [16]byte // set by begin, or by the knock
	freshCard []byte   // a newer card than the stored one, owned by the call's goroutine
}

// begin makes c, filled in as far as its maker knows it, the live call, or reports
// that there already is one. A zero callID asks for a fresh one.
func (e *Engine) begin(c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current != nil {
		return ErrBusy
	}
	if err := e.joinLocked(c); err != nil {
		return err
	}
	e.current = c
	return nil
}

// idOf is how a call is called in events and in the history.
func idOf(callID [16]byte) string { return hex.EncodeToString(callID[:8]) }

// joinLocked makes c one of the live calls. The caller holds e.mu.
func (e *Engine) joinLocked(c *call) error {
	switch {
	case e.closed:
		return ErrClosed
	case c.station != nil && c.station != e.station:
		return ErrCallingOff
	}
	c.engine = e
	c.answered, c.silenced, c.promoted = make(chan struct{}, 1), make(chan struct{}, 1), make(chan struct{})
	c.holds, c.texts, c.done = make(chan bool, 1), make(chan string, textsWaiting), make(chan struct{})
	c.writing = newTextLimiter()
	c.ctx, c.cancel = context.WithCancelCause(e.ctx)
	c.dialling, c.giveWay = context.WithCancelCause(c.ctx)
	if c.callID == [16]byte{} {
		_, _ = rand.Read(c.callID[:]) // never fails (crypto/rand)
	}
	c.info.ID = idOf(c.callID)
	if c.peerKey != (identity.Key{}) {
		c.info.Key = c.peerKey.String()
	}
	c.info.Started = time.Now()
	e.live[c] = struct{}{}
	e.calls.Add(1)
	return nil
}

// run gives the call its goroutine and ends it with what flow returned, unless the
// flow ended it before it said goodbye and tidied up.
func (e *Engine) run(c *call, flow func(context.Context) error) {
	go func() {
		defer e.calls.Done()
		defer close(c.done)
		err := flow(c.ctx)
		c.finish(reasonOf(c.ctx, err))
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.live, c)
	}()
}

// reasonOf turns what a flow returned into why the call ended. A cause set by a
// person or by the other side comes before whatever error it led to.
func reasonOf(ctx context.Context, err error) *ended {
	var why *ended
	if errors.As(context.Cause(ctx), &why) || errors.As(err, &why) {
		return why
	}
	switch {
	case ctx.Err() != nil:
		return &ended{reason: HungUp}
	case errors.Is(err, handshake.ErrMismatch), errors.Is(err, peer.ErrFingerprint):
		return &ended{reason: Mismatch, detail: advice.Of(err)}
	case errors.Is(err, line.ErrUnreachable), errors.Is(err, line.ErrPinMismatch), errors.Is(err, line.ErrRefused):
		return &ended{reason: Unreachable, detail: advice.Of(err)}
	case errors.Is(err, audio.ErrDevice):
		return &ended{reason: DeviceFailed, detail: advice.Of(err)}
	case err == nil:
		return &ended{reason: HungUp}
	}
	return &ended{reason: Failed, detail: advice.Of(err)}
}

// end asks the call's goroutine to stop, for why. The first reason stands.
func (c *call) end(why *ended) { c.cancel(why) }

// finish closes the books: the last move, the last event. From here on the call is
// over for everybody who looks; only the first finish counts.
func (c *call) finish(why *ended) {
	c.cancel(why)
	e := c.engine
	e.mu.Lock()
	defer e.mu.Unlock()
	if c.info.Phase == Ended {
		return
	}
	info := c.infoLocked() // the last figures, while the connection's are still there
	c.info = info
	c.session, c.peer = nil, nil
	c.info.EndedAt = time.Now()
	c.info.Reason, c.info.Detail = why.reason, why.detail
	c.moveLocked(Ended)
	next := e.leaveLocked(c)
	e.publish(Event{Kind: EventEnded, Call: c.copyLocked()})
	e.recordLater(c.info)
	if next != nil {
		e.publish(Event{Kind: EventIncoming, Call: next.copyLocked()})
	}
}

// move takes the call to the next phase and tells the listeners.
func (c *call) move(next Phase, kind EventKind) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.moveLocked(next)
	c.engine.publish(Event{Kind: kind, Call: c.copyLocked()})
}

// moveLocked is the only place where a phase changes. An illegal move is a fault
// of this program that no message can cause, hence the panic.
func (c *call) moveLocked(next Phase) {
	if c.info.Phase == next {
		return
	}
	if !c.info.Phase.mayMove(next) {
		panic("call: no move from " + c.info.Phase.String() + " to " + next.String())
	}
	c.info.Phase = next
}

// warn adds sentences that stay on the screen, and tells each once.
func (c *call) warn(sentences ...advice.Text) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	for _, sentence := range sentences {
		c.info.Warnings = append(c.info.Warnings, sentence)
		c.engine.publish(Event{Kind: EventChanged, Call: c.copyLocked(), Warning: sentence})
	}
}

func (c *call) applyMuteLocked() {
	if c.session == nil {
		return
	}
	c.session.SetMuted(c.info.Muted)
	c.session.SetDeafened(c.info.Deafened)
	c.session.SetHeld(c.info.Held || c.info.PeerHeld)
}

// copyLocked is the call for an event.
func (c *call) copyLocked() *Info {
	info := c.infoLocked()
	return &info
}
