// Package fake is what stands in for microphones and loudspeakers: a tone, a WAV
// file, standard input and output, nothing at all, and a probe that measures how
// long sound is on its way. They are part of the product: --mic and --speaker
// name them, demo and tests run on them.
//
// Each is an audio.Source or audio.Sink paced by the machine's clock (pace.go):
// one goroutine each, started by Start, gone when Close returns.
package fake

import (
	"sync"
	"time"

	"sotto/audio"
)

// runner is the life every fake shares: one goroutine that calls step once a
// period until Close, and the channel on which it says that it broke.
type runner struct {
	name string
	lost chan error // holds the one error it ever carries

	mu      sync.Mutex // guards the following
	started bool
	closed  bool

	stop chan struct{}
	done chan struct{}
}

func newRunner(name string) *runner {
	return &runner{name: name, lost: make(chan error, 1), stop: make(chan struct{}), done: make(chan struct{})}
}

func (r *runner) Name() string       { return r.name }
func (r *runner) Lost() <-chan error { return r.lost }

// fail reports why the fake no longer does its work; later reasons are dropped.
func (r *runner) fail(err error) {
	select {
	case r.lost <- err:
	default:
	}
}

// start runs step once a period.
func (r *runner) start(step func(now time.Time)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.started {
		return errStarted
	}
	r.started = true
	go func() {
		defer close(r.done)
		pace := newPacer(time.Now())
		for pace.wait(r.stop) {
			step(time.Now())
		}
	}()
	return nil
}

// close ends the goroutine and waits for it. The first call returns true.
func (r *runner) close() bool {
	r.mu.Lock()
	first := !r.closed
	if first {
		r.closed = true
		close(r.stop)
	}
	started := r.started
	r.mu.Unlock()
	if started {
		<-r.done
	}
	return first
}

// Close ends the fake; for those that own nothing else.
func (r *runner) Close() error {
	r.close()
	return nil
}

// generated is a source whose sound is made, not read.
type generated struct {
	*runner
	generate func(period []float32)
}

func (g *generated) Start(deliver func(period []float32)) error {
	period := make([]float32, audio.PeriodSamples)
	return g.start(func(time.Time) {
		g.generate(period)
		deliver(period)
	})
}

// NewNullSource is a microphone that hears nothing.
func NewNullSource() audio.Source {
	return &generated{newRunner("null"), func(period []float32) { clear(period) }}
}

// nullSink takes sound in real time and drops it.
type nullSink struct{ *runner }

// NewNullSink is a loudspeaker that makes no sound.
func NewNullSink() audio.Sink { return nullSink{newRunner("null")} }

func (n nullSink) Start(fill func(period []float32)) error {
	period := make([]float32, audio.PeriodSamples)
	return n.start(func(time.Time) { fill(period) })
}
