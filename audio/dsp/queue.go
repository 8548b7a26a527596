package dsp

import (
	"sync"

	"sotto/audio"
)

// queue holds periods between a device's thread and the Voice's goroutine. When it
// is full the oldest makes room. The lock is held for one copy only.
type queue struct {
	mu    sync.Mutex // guards the following
	slots [][audio.PeriodSamples]float32
	first int
	count int
}

func newQueue(periods int) *queue {
	return &queue{slots: make([][audio.PeriodSamples]float32, periods)}
}

// push copies a period in, and tells whether one was lost for it.
func (q *queue) push(period []float32) (lost bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == len(q.slots) {
		q.first, q.count = (q.first+1)%len(q.slots), q.count-1
		lost = true
	}
	copy(q.slots[(q.first+q.count)%len(q.slots)][:], period)
	q.count++
	return lost
}

// pop copies the oldest period out; left is how many wait behind it.
func (q *queue) pop(period []float32) (left int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == 0 {
		return 0, false
	}
	copy(period, q.slots[q.first][:])
	q.first, q.count = (q.first+1)%len(q.slots), q.count-1
	return q.count, true
}
