package gateway

import (
	"crypto/ed25519"
	"math/rand/v2"
	"sync"
	"time"

	"sotto/net/wire"
)

// highestBox is the highest number of a box. All of their drop ids are known from
// the start, so that no line can register one and read along.
const highestBox = 300

// boxTable knows the numbered boxes in which two people meet who are adding each
// other. A box is the drop of one line, made by the gateway; it takes one
// envelope, from whoever was told the number, and is gone with it, with its line,
// or after Limits.BoxLife.
type boxTable struct {
	limits  Limits
	numbers map[wire.DropID]uint32 // constant

	mu    sync.Mutex // guards the following
	boxes map[uint32]*box
	held  map[*prefix]int // boxes by the network of their line
}

type box struct {
	line    *client
	expires time.Time
}

func newBoxTable(host string, limits Limits) *boxTable {
	t := &boxTable{
		limits: limits, numbers: make(map[wire.DropID]uint32, highestBox),
		boxes: make(map[uint32]*box), held: make(map[*prefix]int),
	}
	for number := uint32(1); number <= highestBox; number++ {
		t.numbers[wire.DropOf(wire.BoxKey(host, number).Public().(ed25519.PublicKey))] = number
	}
	return t
}

// open gives l a box of a number nobody can foresee, of two digits while there is
// room; false if there are enough. A line has one box at a time.
func (t *boxTable) open(l *client, now time.Time) (number uint32, expires time.Time, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old, held := range t.boxes {
		if held.line == l {
			t.remove(old)
		}
	}
	t.expire(now)
	if len(t.boxes) >= t.limits.Boxes || t.held[l.share] >= t.limits.PrefixBoxes {
		return 0, time.Time{}, false
	}
	span := uint32(99)
	if len(t.boxes) > 33 {
		span = highestBox
	}
	for number = 1 + rand.Uint32N(span); t.boxes[number] != nil; {
		number = 1 + rand.Uint32N(span)
	}
	expires = now.Add(t.limits.BoxLife)
	t.boxes[number] = &box{line: l, expires: expires}
	t.held[l.share]++
	return number, expires, true
}

// isBox tells whether a drop is a box's, open or not.
func (t *boxTable) isBox(id wire.DropID) bool {
	_, known := t.numbers[id]
	return known
}

// take closes the box of that drop and gives the line it belonged to; nil if it is
// not open.
func (t *boxTable) take(id wire.DropID, now time.Time) *client {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire(now)
	number := t.numbers[id]
	taken := t.boxes[number]
	if taken == nil {
		return nil
	}
	t.remove(number)
	return taken.line
}

// leave closes the box of a line that ends.
func (t *boxTable) leave(l *client) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for number, held := range t.boxes {
		if held.line == l {
			t.remove(number)
		}
	}
}

// expire is run by whoever looks at the table. Callers hold mu.
func (t *boxTable) expire(now time.Time) {
	for number, held := range t.boxes {
		if !now.Before(held.expires) {
			t.remove(number)
		}
	}
}

func (t *boxTable) remove(number uint32) {
	share := t.boxes[number].line.share
	delete(t.boxes, number)
	if t.held[share]--; t.held[share] == 0 {
		delete(t.held, share)
	}
}

func (t *boxTable) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.boxes)
}

// box answers a BoxRequest.
func (l *client) box(seq uint32) bool {
	switch {
	case l.role != wire.RoleReceive:
		return l.refuse(seq, wire.RefusedRole)
	case !l.admitted:
		return l.refuse(seq, wire.RefusedAdmission)
	case !l.requests.Allow():
		return l.refuse(seq, wire.RefusedBusy)
	}
	number, expires, ok := l.gateway.boxes.open(l, l.gateway.config.Now())
	if !ok {
		return l.refuse(seq, wire.RefusedBusy)
	}
	return l.answer(seq, &wire.Box{Number: number, Expires: expires.Unix()})
}

// fillBox delivers a checked envelope to the line whose box it is for, if that one
// is open. A network that tries many numbers loses its tries, so that it cannot
// use up other people's codes.
func (g *Gateway) fillBox(j job) {
	if !j.from.share.tries.Allow() {
		g.counts.Limited.Add(1)
		return
	}
	l := g.boxes.take(j.envelope.Drop(), g.config.Now())
	if l == nil {
		return
	}
	if frame, err := wire.AppendFrame(nil, 0, &wire.Deliver{Envelope: j.envelope}); err == nil {
		l.out.deliver(frame)
	}
}
