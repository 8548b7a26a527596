// Package dsp makes a microphone's sound fit to be sent: echo, noise, level.
//
//	Captured ─> queue ─> high-pass ─> echo ─> noise ─> gain, limiter ─> deliver
//	                                    ^
//	Played ───> queue ──────────────────┘
//
// All of it runs on one goroutine of its own, a period at a time, so that neither a
// device's thread nor the loops of a session wait for it. Device threads only copy
// into bounded queues. When it falls behind, periods pass through unprocessed (echo
// and noise are the costly parts) until it has caught up: a call never stalls for it.
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
	capturedRoom = 8   // periods
	playedRoom   = 128 // pieces of what the loudspeaker asks for at a time, 2.5 ms or more
	behind       = 5   // periods that wait: more than any device hands over at once
)

// Voice is an audio.Voice for one call.
type Voice struct {
	config   atomic.Pointer[Config] // what is wanted
	chain    chain                  // owned by run
	captured *queue
	played   *queue
	wake     chan struct{} // holds a token after Captured; cap 1

	passed atomic.Uint64

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
	v.captured.push(period)
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Played takes what the loudspeaker took, a period at most. It copies and returns.
func (v *Voice) Played(sound []float32) {
	if v.config.Load().Echo {
		v.played.push(sound)
	}
}

// Passed is how many periods went through without echo and noise being taken out
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
	var period, far [audio.PeriodSamples]float32
	var config *Config
	late := false
	for {
		select {
		case <-v.stop:
			return
		case <-v.wake:
		}
		for {
			_, left, ok := v.captured.pop(period[:])
			if !ok {
				break
			}
			if wanted := v.config.Load(); wanted != config {
				config = wanted
				v.chain.use(*config)
			}
			for {
				n, _, ok := v.played.pop(far[:])
				if !ok {
					break
				}
				v.chain.play(far[:n])
			}
			late = left >= behind || late && left > 0
			if late {
				v.passed.Add(1)
			}
			v.chain.process(period[:], late)
			deliver(period[:])
		}
	}
}
