package line

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coder/websocket"

	"sotto/net/identity"
	"sotto/net/wire"
)

var errRelayGone = errors.New("the relay closed the line")

// read owns the receiving half and, being last to touch the connection, closes it.
func (l *Line) read() {
	defer l.loops.Done()
	defer close(l.deliveries)
	defer l.hangUp()
	for {
		seq, frame, err := l.readFrame(l.ctx)
		if err != nil {
			if websocket.CloseStatus(err) != -1 {
				err = errRelayGone
			}
			l.end(fmt.Errorf("%w (%w)", ErrUnreachable, err))
			return
		}
		switch f := frame.(type) {
		case *wire.Deliver:
			l.deliver(f.Envelope)
		case *wire.Undeliverable:
			if relay, err := identity.ParseAddress(f.To); err == nil {
				push(l.undeliverable, relay)
			}
		default:
			l.mu.Lock()
			if answer := l.waiting[seq]; answer != nil {
				delete(l.waiting, seq)
				answer <- frame
			}
			l.mu.Unlock()
		}
	}
}

// hangUp closes the connection without waiting for the other end.
func (l *Line) hangUp() {
	l.cancel()
	_ = l.conn.CloseNow()
}

// deliver trusts the gateway with nothing: the drop must be one that was asked
// for and the envelope signed for it, for this relay and for now.
func (l *Line) deliver(e *wire.Envelope) {
	l.mu.Lock()
	wanted := l.drops[e.Drop()] || e.Drop() == l.box
	l.mu.Unlock()
	if !wanted || !e.Timely(l.Now()) || e.Verify(l.host) != nil {
		return // decoys land here too
	}
	l.dropped.Add(push(l.deliveries, e))
}

// push puts v into a channel of which the caller is the one writer, at the cost
// of the oldest entries, and returns how many those were.
func push[T any](queue chan T, v T) (lost uint64) {
	for {
		select {
		case queue <- v:
			return lost
		default:
		}
		select {
		case <-queue:
			lost++
		default:
		}
	}
}

// write owns the sending half.
func (l *Line) write() {
	defer l.loops.Done()
	for {
		select {
		case <-l.ctx.Done():
			return
		case frame := <-l.out:
			ctx, cancel := context.WithTimeout(l.ctx, writeTimeout)
			err := l.conn.Write(ctx, websocket.MessageBinary, frame)
			cancel()
			if err != nil {
				l.end(fmt.Errorf("%w (%w)", ErrUnreachable, err))
				return
			}
		}
	}
}

// ping finds a relay that is gone without a word, and keeps middleboxes from
// forgetting the line.
func (l *Line) ping() {
	defer l.loops.Done()
	tick := time.NewTicker(l.config.pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(l.ctx, min(pingTimeout, l.config.pingEvery))
			err := l.conn.Ping(ctx)
			cancel()
			if err != nil {
				l.end(fmt.Errorf("%w (%w)", ErrUnreachable, err))
				return
			}
		}
	}
}
