package gateway

import (
	"sync"
	"sync/atomic"

	"golang.org/x/time/rate"

	"sotto/net/relay/bus"
	"sotto/net/wire"
)

// dropTable knows which lines of this gateway registered which drops. Several
// lines may hold one id; each gets a copy and none displaces another.
type dropTable struct {
	limits  Limits
	bus     *bus.Bus // set before the first line
	limited atomic.Uint64

	mu    sync.Mutex // guards the following
	drops map[wire.DropID]*drop
}

type drop struct {
	subscription *bus.Subscription
	fills        *rate.Limiter
	lines        []*client // never changed in place: arrived reads it outside the lock
}

func newDropTable(limits Limits) *dropTable {
	return &dropTable{limits: limits, drops: make(map[wire.DropID]*drop)}
}

// replace makes wanted the drops of l, which has had those of before. It reports
// false, with before still in place, when the gateway holds too many.
func (t *dropTable) replace(l *client, before, wanted map[wire.DropID]bool) (bool, error) {
	var fresh []wire.DropID
	for id := range wanted {
		if !before[id] {
			fresh = append(fresh, id)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.drops)+len(fresh) > t.limits.Drops {
		return false, nil
	}
	for i, id := range fresh {
		if err := t.add(l, id); err != nil {
			for _, undo := range fresh[:i] {
				t.remove(l, undo)
			}
			return false, err
		}
	}
	for id := range before {
		if !wanted[id] {
			t.remove(l, id)
		}
	}
	return true, nil
}

func (t *dropTable) add(l *client, id wire.DropID) error {
	d := t.drops[id]
	if d == nil {
		subscription, err := t.bus.Subscribe(id)
		if err != nil {
			return err
		}
		d = &drop{subscription: subscription, fills: t.limits.DropFills.limiter()}
		t.drops[id] = d
	}
	d.lines = append(d.lines[:len(d.lines):len(d.lines)], l)
	return nil
}

func (t *dropTable) remove(l *client, id wire.DropID) {
	d := t.drops[id]
	if d == nil {
		return
	}
	left := make([]*client, 0, len(d.lines))
	for _, other := range d.lines {
		if other != l {
			left = append(left, other)
		}
	}
	d.lines = left
	if len(left) == 0 {
		d.subscription.Cancel()
		delete(t.drops, id)
	}
}

// arrived is the bus's handler: it copies an envelope to the lines of its drop.
func (t *dropTable) arrived(id wire.DropID, payload []byte) {
	t.mu.Lock()
	d := t.drops[id]
	var lines []*client
	if d != nil {
		lines = d.lines
	}
	t.mu.Unlock()
	if d == nil {
		return
	}
	if !d.fills.Allow() {
		t.limited.Add(1)
		return
	}
	envelope, err := wire.ParseEnvelope(payload)
	if err != nil {
		return
	}
	frame, err := wire.AppendFrame(nil, 0, &wire.Deliver{Envelope: envelope})
	if err != nil {
		return
	}
	for _, l := range lines {
		l.out.deliver(frame)
	}
}

func (t *dropTable) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.drops)
}
