package dsp

import (
	"sync"

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
}

// piece is a period of sound at most.
type piece struct {
	sound [audio.PeriodSamples]float32
	size  int
	from  int64 // samples that were pushed before it: a step in it shows what was lost
	mark  int64 // what whoever pushed it says of that moment
}

func newQueue(pieces int) *queue { return &queue{slots: make([]piece, pieces)} }

// push copies a piece in, and returns how many samples were pushed so far.
func (q *queue) push(sound []float32, mark int64) int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == len(q.slots) {
		q.first, q.count = (q.first+1)%len(q.slots), q.count-1
	}
	p := &q.slots[(q.first+q.count)%len(q.slots)]
	p.size = copy(p.sound[:], sound)
	p.from, p.mark = q.pushed, mark
	q.pushed += int64(p.size)
	q.count++
	return q.pushed
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
