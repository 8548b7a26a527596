package dsp

import (
	"sync"
	"time"

	"sotto/audio"
)

// queue holds pieces of sound between a device's thread and the Voice's goroutine. When it
// is full the oldest makes room. The lock is held for one copy only.
type queue struct {
	mu     sync.Mutex // guards the following
	slots  []piece
	first  int
	count  int
	pushed int64 // samples so far
	size   int   // of what was asked for at once, with the newest piece
	at     time.Duration
	whole  bool // the newest piece was a period, and what was asked for may be longer
}

// together is how much later than its beginning the rest comes of what a device asks for at
// once, at most. Each period of it takes some tenths of a millisecond to be made; less than a
// period is asked for every 2.5 ms at the soonest.
const together = audio.PeriodDuration / 4

// piece is a period of sound at most.
type piece struct {
	sound [audio.PeriodSamples]float32
	size  int
	from  int64   // samples that were pushed before it: a step in it shows what was lost
	mark  float64 // what whoever pushed it says of that moment
}

func newQueue(pieces int) *queue { return &queue{slots: make([]piece, pieces)} }

// push copies a piece in at an instant. mark goes with it.
func (q *queue) push(sound []float32, at time.Duration, mark float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == len(q.slots) {
		q.first, q.count = (q.first+1)%len(q.slots), q.count-1
	}
	p := &q.slots[(q.first+q.count)%len(q.slots)]
	p.size = copy(p.sound[:], sound)
	p.from, p.mark = q.pushed, mark
	q.pushed += int64(p.size)
	if q.whole && at-q.at < together {
		q.size += p.size
	} else {
		q.size, q.at = p.size, at
	}
	q.whole = p.size == audio.PeriodSamples
	q.count++
}

// reached is how many samples were pushed until an instant, were what is asked for at once to come
// evenly while it lasts.
func (q *queue) reached(at time.Duration) float64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	left := float64(q.size) - (at-q.at).Seconds()*audio.SampleRate
	return float64(q.pushed) - max(0, left)
}

// pop copies the oldest piece out; left is how many wait behind it.
func (q *queue) pop(p *piece) (left int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		return 0, false
	}
	*p = q.slots[q.first]
	q.first, q.count = (q.first+1)%len(q.slots), q.count-1
	return q.count, true
}
