// Package dsp makes a microphone's sound fit to be sent: echo, noise, level.
//
//	Captured ─> queue ─> high-pass ─> echo ─> noise ─> gain, limiter ─> deliver
//	                                    ^
//	Played ───> queue ──────────────────┘
//
// All of it runs on one goroutine of its own, a period at a time, so that neither a
// device's thread nor the loops of a session wait for it. Device threads only copy
// into bounded queues, which also keep what happened in which order: the echo canceller
// has to know what had been played when the microphone heard something, however late it
// is told. When it falls behind, periods pass through without the costly parts (echo is
// held down then, noise left in) until it has caught up: a call never stalls for it.
//
// Delay added, in a steady state: echo 5 ms, noise 10 ms (RNNoise's overlap), the
// rest none. Nothing is allocated after Start.
//
// Echo, gain and high-pass are Go. Noise suppression is RNNoise as WebAssembly, run
// by wazero without cgo and without access to anything; it is embedded when the
// build found it, see Modules.
package dsp

import (
	"sync"
	"sync/atomic"
	"time"

	"sotto/audio"
)

// Config says what is done to the sound. The zero value does nothing.
type Config struct {
	Echo     bool // take out what the loudspeaker played
	Noise    bool // take out fans and keyboards; without the module it does nothing
	Gain     bool // bring speech slowly to -18 dBFS
	HighPass bool // take out rumble below 80 Hz
}

// Delay is by how many samples the sound leaves later than it came.
func (c Config) Delay() int {
	samples := 0
	if c.Echo {
		samples += residualHop
	}
	if c.Noise && noiseAvailable() {
		samples += noiseDelay
	}
	return samples
}

const (
	capturedRoom = 16  // periods
	playedRoom   = 128 // pieces of what the loudspeaker asks for at a time, 2.5 ms or more
	behind       = 12  // periods that wait: more than a device hands over at once when a thread was late
)

// Voice is an audio.Voice for one call.
type Voice struct {
	config   atomic.Pointer[Config] // what is wanted
	captured *queue                 // marked with how far played had come
	played   *queue
	now      func() time.Duration
	wake     chan struct{} // holds a token after Captured; cap 1
	passed   atomic.Uint64

	chain     chain // this and the following are owned by run
	using     *Config
	near, far piece
	base      int64 // samples that were played before the first that was handed to the echo canceller
	expected  int64 // where in what the microphone heard its next period begins
	late      bool

	mu      sync.Mutex // guards the following
	started bool
	closed  bool
	stop    chan struct{}
	done    sync.WaitGroup
}

// New returns a Voice that has not begun.
func New(config Config) *Voice {
	v := &Voice{
		captured: newQueue(capturedRoom), played: newQueue(playedRoom),
		wake: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	began := time.Now()
	v.now = func() time.Duration { return time.Since(began) }
	v.Use(config)
	return v
}

// Use changes what is done from the next period on, also in a call.
func (v *Voice) Use(config Config) { v.config.Store(&config) }

var _ audio.Voice = (*Voice)(nil)

// Start begins to work on what Captured brings; deliver is called with each period
// on the Voice's goroutine. It may be called once.
func (v *Voice) Start(deliver func(period []float32)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.started || v.closed {
		return
	}
	v.started = true
	v.done.Go(func() { v.run(deliver) })
}

// Captured takes a period of the microphone. It copies and returns.
func (v *Voice) Captured(period []float32) {
	now := v.now()
	v.captured.push(period, now, v.played.reached(now))
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Played takes what the loudspeaker took, a period at most. It copies and returns.
func (v *Voice) Played(sound []float32) {
	if v.config.Load().Echo {
		v.played.push(sound, v.now(), 0)
	}
}

// Passed is how many periods went through with echo held down only and noise left in
// because the processing was late.
func (v *Voice) Passed() uint64 { return v.passed.Load() }

// Close ends it and waits. It may be called more than once.
func (v *Voice) Close() error {
	v.mu.Lock()
	if !v.closed {
		v.closed = true
		close(v.stop)
	}
	v.mu.Unlock()
	v.done.Wait()
	return nil
}

func (v *Voice) run(deliver func(period []float32)) {
	defer v.chain.close()
	for {
		select {
		case <-v.stop:
			return
		case <-v.wake:
		}
		v.work(deliver)
	}
}

// work processes what has come.
func (v *Voice) work(deliver func(period []float32)) {
	for {
		left, ok := v.captured.pop(&v.near)
		if !ok {
			return
		}
		if wanted := v.config.Load(); wanted != v.using {
			v.using = wanted
			v.chain.use(*wanted)
		}
		if v.chain.echo != nil {
			v.tell(v.chain.echo.align)
		}
		v.late = left >= behind || v.late && left > 0
		if v.late {
			v.passed.Add(1)
		}
		period := v.near.sound[:v.near.size]
		v.chain.process(period, v.late)
		deliver(period)
	}
}

// tell hands over what was played, and what is known of when v.near was captured. What the
// queues lost is counted in, so that both sides stay in step.
func (v *Voice) tell(a *align) {
	for {
		if _, ok := v.played.pop(&v.far); !ok {
			break
		}
		if a.written == 0 {
			v.base = v.far.from
		}
		a.skip(v.far.from - v.base - a.handed())
		v.chain.play(v.far.sound[:v.far.size])
	}
	if lost := v.near.from - v.expected; v.expected > 0 && lost > 0 {
		a.lose(int(lost))
	}
	v.expected = v.near.from + int64(v.near.size)
	if a.written > 0 {
		a.captured(v.near.mark - float64(v.base))
	}
}
