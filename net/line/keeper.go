package line

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sotto/net/wire"
)

const (
	firstRetry = 500 * time.Millisecond
	lastRetry  = 30 * time.Second

	// steady is how long a line must have held for the back-off to start afresh.
	steady = 10 * time.Second

	stateQueue = 16
)

// State is whether a kept line is up, with its drops registered. Err says why
// it is not.
type State struct {
	Up  bool
	Err error
}

// Keeper keeps a receiving line open.
type Keeper struct {
	config Config
	drops  func(now time.Time) []wire.DropID

	// in
	waiters chan waiter
	refresh chan struct{} // capacity one

	// out; filled and closed by run
	deliveries chan *wire.Envelope
	states     chan State

	line   atomic.Pointer[Line] // nil while down; written by run
	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	// owned by run
	waiting []waiter
}

// waiter is told once what came of the registration that began after it asked.
type waiter struct{ answer chan error } // capacity one

// Keep opens a receiving line and keeps it open until ctx ends or Close: it
// reconnects with growing, jittered pauses and registers what drops returns, for
// the gateway's time, on each connect, each Refresh and when the week changes.
// drops is called from one goroutine.
func Keep(ctx context.Context, config Config, drops func(now time.Time) []wire.DropID) *Keeper {
	k := &Keeper{
		config: config, drops: drops,
		waiters:    make(chan waiter),
		refresh:    make(chan struct{}, 1),
		deliveries: make(chan *wire.Envelope, deliveryQueue),
		states:     make(chan State, stateQueue),
	}
	k.ctx, k.cancel = context.WithCancel(ctx)
	k.done.Add(1)
	go k.run()
	return k
}

// Line is the line while it is up, else nil.
func (k *Keeper) Line() *Line { return k.line.Load() }

// Deliveries yields what arrives on any of the lines; a slow reader loses the
// oldest. It is closed when the keeper ends.
func (k *Keeper) Deliveries() <-chan *wire.Envelope { return k.deliveries }

// States yields each change; a slow reader loses the oldest. It is closed when
// the keeper ends.
func (k *Keeper) States() <-chan State { return k.states }

// Refresh registers the drops anew, soon.
func (k *Keeper) Refresh() {
	select {
	case k.refresh <- struct{}{}:
	default:
	}
}

// Registered registers the drops anew and returns once the relay has them, or
// with the error of the attempt.
func (k *Keeper) Registered(ctx context.Context) error {
	w := waiter{answer: make(chan error, 1)}
	select {
	case k.waiters <- w:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-k.ctx.Done():
		return ErrClosed
	}
	select {
	case err := <-w.answer:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-k.ctx.Done():
		return ErrClosed
	}
}

// Close ends the line and waits for the keeper's goroutine.
func (k *Keeper) Close() {
	k.cancel()
	k.done.Wait()
}

func (k *Keeper) run() {
	defer k.done.Done()
	defer close(k.states)
	defer close(k.deliveries)
	pause := firstRetry
	for k.ctx.Err() == nil {
		opened := time.Now()
		err := k.once()
		if k.ctx.Err() != nil {
			return
		}
		push(k.states, State{Err: err})
		k.tell(err)
		if time.Since(opened) > steady {
			pause = firstRetry
		}
		k.sleep(pause/2 + rand.N(pause/2))
		pause = min(2*pause, lastRetry)
	}
}

// once opens one line and serves it until it ends.
func (k *Keeper) once() error {
	l, err := Open(k.ctx, k.config)
	if err != nil {
		return err
	}
	defer l.Close()
	defer k.line.Store(nil)
	if err := k.register(l); err != nil {
		return err
	}
	k.line.Store(l)
	push(k.states, State{Up: true})
	week := time.NewTimer(untilWeekTurns(l.Now()))
	defer week.Stop()
	for {
		select {
		case <-k.ctx.Done():
			return ErrClosed
		case e, open := <-l.Deliveries():
			if !open {
				return l.Err()
			}
			push(k.deliveries, e)
			continue
		case w := <-k.waiters:
			k.waiting = append(k.waiting, w)
		case <-k.refresh:
		case <-week.C:
			week.Reset(untilWeekTurns(l.Now()))
		}
		if err := k.register(l); err != nil {
			return err
		}
	}
}

// register answers everyone who was waiting before it asked for the drops.
func (k *Keeper) register(l *Line) error {
	if err := l.Register(k.ctx, k.drops(l.Now())); err != nil {
		return err
	}
	k.tell(nil)
	return nil
}

func (k *Keeper) tell(err error) {
	for _, w := range k.waiting {
		w.answer <- err
	}
	k.waiting = nil
}

// sleep pauses between two attempts; somebody who wants to know how things are
// cuts it short, but not below the first pause.
func (k *Keeper) sleep(pause time.Duration) {
	soonest := time.NewTimer(min(pause, firstRetry))
	defer soonest.Stop()
	full := time.NewTimer(pause)
	defer full.Stop()
	rested := false
	for {
		select {
		case <-k.ctx.Done():
			return
		case <-full.C:
			return
		case <-soonest.C:
			rested = true
		case w := <-k.waiters:
			k.waiting = append(k.waiting, w)
		}
		if rested && len(k.waiting) > 0 {
			return
		}
	}
}

// untilWeekTurns adds up to a minute, so that the lines of a relay do not all
// register at once; neighbouring weeks are registered anyway.
func untilWeekTurns(now time.Time) time.Duration {
	turn := now.Truncate(time.Second).Unix()/int64(week/time.Second) + 1
	return time.Unix(turn*int64(week/time.Second), 0).Sub(now) + rand.N(time.Minute)
}
