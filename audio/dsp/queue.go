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
	size   int   // of the newest piece
	at     time.Duration
}

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
	q.size, q.at = p.size, at
	q.count++
}

// reached is how many samples were pushed until an instant, were each piece to come evenly
// while it lasts.
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
