package gateway

import (
	"sync"
	"sync/atomic"
)

const (
	// maxAnswers is how many answers a line may leave unread before it is cut: a
	// client asks and reads, only a flooder asks without reading.
	maxAnswers = 256

	// maxDeliveries is how many envelopes wait for a slow line; the oldest go first.
	maxDeliveries = 32
)

// outbox is what waits to be written to one line. Answers come before deliveries.
// Frames are shared between lines and never changed.
type outbox struct {
	overflowed *atomic.Uint64
	wake       chan struct{} // capacity one

	mu         sync.Mutex // guards the following
	answers    [][]byte
	deliveries [][]byte
	bye        bool
}

func newOutbox(overflowed *atomic.Uint64) *outbox {
	return &outbox{overflowed: overflowed, wake: make(chan struct{}, 1)}
}

// answer queues an answer; false if the line does not read its answers.
func (o *outbox) answer(frame []byte) bool {
	o.mu.Lock()
	full := len(o.answers) >= maxAnswers
	if !full {
		o.answers = append(o.answers, frame)
	}
	o.mu.Unlock()
	o.ring()
	return !full
}

// deliver queues an envelope at the cost of the oldest; it never blocks.
func (o *outbox) deliver(frame []byte) {
	o.mu.Lock()
	if len(o.deliveries) >= maxDeliveries {
		o.deliveries[0] = nil
		o.deliveries = o.deliveries[1:]
		o.overflowed.Add(1)
	}
	o.deliveries = append(o.deliveries, frame)
	o.mu.Unlock()
	o.ring()
}

// goodbye asks for a polite end once everything queued is written.
func (o *outbox) goodbye() {
	o.mu.Lock()
	o.bye = true
	o.mu.Unlock()
	o.ring()
}

func (o *outbox) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// next takes the frame to write now; nil when there is none, and bye is true when
// there will be none.
func (o *outbox) next() (frame []byte, bye bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, queue := range []*[][]byte{&o.answers, &o.deliveries} {
		if len(*queue) > 0 {
			frame, (*queue)[0] = (*queue)[0], nil
			if *queue = (*queue)[1:]; len(*queue) == 0 {
				*queue = nil // an idle line holds no memory
			}
			return frame, false
		}
	}
	return nil, o.bye
}
