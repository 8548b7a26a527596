package audio

import "sync"

// ring is where periods wait between a device's thread and an engine loop. It is
// bounded: when it is full the oldest period makes room, because sound that is
// late is worth less than sound that is new. The lock is held for one copy only.
type ring struct {
	wake chan struct{} // holds a token after a push or a pop; cap 1

	mu      sync.Mutex // guards the following
	slots   [][PeriodSamples]float32
	real    []bool // beside each period: it holds sound that was sent, see jitter.Real
	first   int
	count   int
	dropped uint64 // pushed out unread
	starved uint64 // asked for when there was none
}

func newRing(periods int) *ring {
	return &ring{
		wake:  make(chan struct{}, 1),
		slots: make([][PeriodSamples]float32, periods),
		real:  make([]bool, periods),
	}
}

func (r *ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// push copies one period in.
func (r *ring) push(period []float32, real bool) {
	r.mu.Lock()
	if r.count == len(r.slots) {
		r.first, r.count = (r.first+1)%len(r.slots), r.count-1
		r.dropped++
	}
	at := (r.first + r.count) % len(r.slots)
	copy(r.slots[at][:], period)
	r.real[at] = real
	r.count++
	r.mu.Unlock()
}

// pop copies the oldest len(out)/PeriodSamples periods out, or returns false if
// there are not as many. real is the first one's.
func (r *ring) pop(out []float32) (real, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	periods := len(out) / PeriodSamples
	if r.count < periods {
		r.starved++
		return false, false
	}
	real = r.real[r.first]
	for i := range periods {
		copy(out[i*PeriodSamples:], r.slots[(r.first+i)%len(r.slots)][:])
	}
	r.first, r.count = (r.first+periods)%len(r.slots), r.count-periods
	return real, true
}

// figures returns how many periods wait and how many were dropped or missed.
func (r *ring) figures() (waiting int, dropped, starved uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.dropped, r.starved
}
