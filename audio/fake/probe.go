package fake

import (
	"math"
	"slices"
	"sync"
	"time"

	"sotto/audio"
)

// Probe measures how long sound is on its way from a mouth to an ear: its source
// gives a short burst every probeInterval, its sink looks for where each begins,
// and the difference of the two instants is one measurement. The mouth's instant
// of a sample is when it would have been spoken, one period before it is delivered
// for the period's first; the ear's is when it would be heard, the moment its
// period is asked for. The start of a burst is found to about a millisecond, and
// a way longer than probeInterval cannot be told from a shorter one.
type Probe struct {
	source *probeSource
	sink   *probeSink

	mu     sync.Mutex // guards the following
	spoken time.Time  // start of the last burst, zero once it was heard
	delays []time.Duration
}

const (
	probeInterval = 700 * time.Millisecond
	probeBurst    = 40 * time.Millisecond
	probeHertz    = 1000
	probeLevel    = 0.5
	probeHeard    = 0.1                    // a sample above this begins a burst…
	probeQuiet    = 150 * time.Millisecond // …after as long without one
)

// NewProbe returns a probe whose two ends go into the two ends of a call.
func NewProbe() *Probe {
	p := &Probe{}
	p.source = &probeSource{runner: newRunner("probe"), probe: p}
	p.sink = &probeSink{runner: newRunner("probe"), probe: p}
	return p
}

// Source is the mouth.
func (p *Probe) Source() audio.Source { return p.source }

// Sink is the ear.
func (p *Probe) Sink() audio.Sink { return p.sink }

// Delays returns every measurement so far, in order.
func (p *Probe) Delays() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.delays)
}

// Median returns the middle of the measurements, or 0 and false before there is one.
func (p *Probe) Median() (time.Duration, bool) {
	delays := p.Delays()
	if len(delays) == 0 {
		return 0, false
	}
	slices.Sort(delays)
	return delays[len(delays)/2], true
}

func (p *Probe) speak(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoken = at
}

func (p *Probe) hear(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spoken.IsZero() || at.Before(p.spoken) {
		return
	}
	p.delays = append(p.delays, at.Sub(p.spoken))
	p.spoken = time.Time{}
}

type probeSource struct {
	*runner
	probe *Probe
}

func (s *probeSource) Start(deliver func(period []float32)) error {
	const burst, interval = int(probeBurst * audio.SampleRate / time.Second), int(probeInterval * audio.SampleRate / time.Second)
	period := make([]float32, audio.PeriodSamples)
	at := interval / 2 // position between two bursts, in samples
	return s.start(func(now time.Time) {
		for i := range period {
			if at == interval {
				at = 0
				s.probe.speak(now.Add(-samples(len(period) - i)))
			}
			period[i] = 0
			if at < burst {
				period[i] = float32(probeLevel * math.Cos(2*math.Pi*probeHertz*float64(at)/audio.SampleRate))
			}
			at++
		}
		deliver(period)
	})
}

type probeSink struct {
	*runner
	probe *Probe
}

func (s *probeSink) Start(fill func(period []float32)) error {
	const quiet = int(probeQuiet * audio.SampleRate / time.Second)
	period := make([]float32, audio.PeriodSamples)
	silent := 0 // samples since the last loud one
	return s.start(func(now time.Time) {
		fill(period)
		for i, sample := range period {
			silent++
			if math.Abs(float64(sample)) < probeHeard {
				continue
			}
			if silent > quiet {
				s.probe.hear(now.Add(samples(i)))
			}
			silent = 0
		}
	})
}

func samples(n int) time.Duration { return time.Duration(n) * time.Second / audio.SampleRate }
