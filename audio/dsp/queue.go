package dsp

import (
	"sync"

	"sotto/audio"
)

// queue holds pieces of sound, a period each at most, between a device's thread and the Voice's goroutine. When it
// is full the oldest makes room. The lock is held for one copy only.
type queue struct {
	mu    sync.Mutex // guards the following
	slots [][audio.PeriodSamples]float32
	sizes []int
	first int
	count int
}

func newQueue(pieces int) *queue {
	return &queue{slots: make([][audio.PeriodSamples]float32, pieces), sizes: make([]int, pieces)}
}

// push copies a piece in, and tells whether one was lost for it.
func (q *queue) push(piece []float32) (lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == len(q.slots) {
		q.first, q.count = (q.first+1)%len(q.slots), q.count-1
		lost = true
	}
	at := (q.first + q.count) % len(q.slots)
	q.sizes[at] = copy(q.slots[at][:], piece)
	q.count++
	return lost
}

// pop copies the oldest piece out, n samples; left is how many pieces wait behind it.
func (q *queue) pop(piece []float32) (n, left int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		return 0, 0, false
	}
	n = copy(piece, q.slots[q.first][:q.sizes[q.first]])
	q.first, q.count = (q.first+1)%len(q.slots), q.count-1
	return n, q.count, true
}
