package weather

import (
	"sync"
	"time"

	"sotto/audio"
)

// Clock runs a device: a call every 10 ms, as its quartz has them. With a Start, it is an
// audio.Source or an audio.Sink.
type Clock struct {
	speed float64 // 1: true
	phase time.Duration
	stop  chan struct{}
	done  sync.WaitGroup
}

// NewClock makes a clock that is slow by so many parts per million and ticks for the first
// time when phase has passed since Run.
func NewClock(partsPerMillion float64, phase time.Duration) *Clock {
	return &Clock{speed: 1 + partsPerMillion/1e6, phase: phase, stop: make(chan struct{})}
}

// Lost never says anything.
func (c *Clock) Lost() <-chan error { return nil }

// Name is what the device is called.
func (c *Clock) Name() string { return "clock" }

// Run calls tick from a goroutine of its own until Close.
func (c *Clock) Run(tick func(now time.Time)) {
	began := time.Now().Add(c.phase)
	c.done.Go(func() {
		for n := 0; ; n++ {
			due := began.Add(time.Duration(float64(n) * float64(audio.PeriodDuration) * c.speed))
			select {
			case <-c.stop:
				return
			case <-time.After(time.Until(due)):
			}
			tick(time.Now())
		}
	})
}

// Close stops the clock and waits for the last tick. It may be called more than once.
func (c *Clock) Close() error {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.done.Wait()
	return nil
}

// reader is a source that speaks sound once, from its beginning, then silence.
type reader struct {
	*Clock
	sound []float32
	began chan time.Time // has the instant at which the first sample was spoken
}

// recorder is a sink that keeps what it plays and when each period was asked for.
type recorder struct {
	*Clock
	mu    sync.Mutex // guards the following
	heard []float32
	asked []time.Time
}

func (r *reader) Start(deliver func([]float32)) error {
	period, rest := make([]float32, audio.PeriodSamples), r.sound
	r.Run(func(now time.Time) {
		if len(rest) == len(r.sound) {
			r.began <- now.Add(-audio.PeriodDuration)
		}
		clear(period)
		rest = rest[copy(period, rest):]
		deliver(period)
	})
	return nil
}

func (r *recorder) Start(fill func([]float32)) error {
	period := make([]float32, audio.PeriodSamples)
	r.Run(func(now time.Time) {
		fill(period)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard, r.asked = append(r.heard, period...), append(r.asked, now)
	})
	return nil
}

// since is what was heard on the true clock, from an instant on.
func (r *recorder) since(began time.Time, samples int) []float32 {
	out := make([]float32, samples)
	last := 0
	for i := range out {
		at := began.Add(time.Duration(i) * time.Second / audio.SampleRate)
		for last+1 < len(r.asked) && !r.asked[last+1].After(at) {
			last++
		}
		if at.Before(r.asked[last]) {
			continue
		}
		position := float64(at.Sub(r.asked[last])) * audio.SampleRate / float64(time.Second) / r.speed
		whole := int(position)
		from := last*audio.PeriodSamples + whole
		if whole < audio.PeriodSamples && from+1 < len(r.heard) {
			out[i] = r.heard[from] + (r.heard[from+1]-r.heard[from])*float32(position-float64(whole))
		}
	}
	return out
}
