package audio

import (
	"sync"
	"time"
)

// ring is where periods wait between the source's thread and the capture loop. It is
// bounded: when it is full the oldest period makes room, because sound that is
// late is worth less than sound that is new. The lock is held for one copy only.
type ring struct {
	wake chan struct{} // holds a token after a push; cap 1

	mu      sync.Mutex // guards the following
	slots   [][PeriodSamples]float32
	first   int
	count   int
	dropped uint64 // pushed out unread
	latest  time.Time
	bursts  float64 // share of periods that came together with the one before, of about the last 100
	bursty  bool
}

// From oftenTogether on periods are said to come in bursts, until fewer than seldomTogether do.
const (
	together       = PeriodDuration / 4
	oftenTogether  = 0.15
	seldomTogether = 0.05
)

func newRing(periods int) *ring {
	return &ring{wake: make(chan struct{}, 1), slots: make([][PeriodSamples]float32, periods)}
}

func (r *ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// push copies one period in, which came now.
func (r *ring) push(period []float32, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came(now)
	if r.count == len(r.slots) {
		r.first, r.count = (r.first+1)%len(r.slots), r.count-1
		r.dropped++
	}
	copy(r.slots[(r.first+r.count)%len(r.slots)][:], period)
	r.count++
}

// came judges how evenly periods come. The caller holds r.mu.
func (r *ring) came(now time.Time) {
	r.bursts -= r.bursts / 100
	if now.Sub(r.latest) < together {
		r.bursts += 0.01
	}
	r.latest = now
	r.bursty = r.bursts > seldomTogether && (r.bursty || r.bursts > oftenTogether)
}

// inBursts is whether periods come several at once, such as from a device that works in blocks of 20 ms.
func (r *ring) inBursts() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bursty
}

// pop copies the oldest len(out)/PeriodSamples periods out, or returns false if
// there are not as many.
func (r *ring) pop(out []float32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	periods := len(out) / PeriodSamples
	if r.count < periods {
		return false
	}
	for i := range periods {
		copy(out[i*PeriodSamples:], r.slots[(r.first+i)%len(r.slots)][:])
	}
	r.first, r.count = (r.first+periods)%len(r.slots), r.count-periods
	return true
}

// lost returns how many periods nobody was in time to read.
func (r *ring) lost() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}
