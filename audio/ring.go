package audio

import "sync"

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
}

func newRing(periods int) *ring {
	return &ring{wake: make(chan struct{}, 1), slots: make([][PeriodSamples]float32, periods)}
}

func (r *ring) signal() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// push copies one period in.
func (r *ring) push(period []float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count == len(r.slots) {
		r.first, r.count = (r.first+1)%len(r.slots), r.count-1
		r.dropped++
	}
	copy(r.slots[(r.first+r.count)%len(r.slots)][:], period)
	r.count++
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
