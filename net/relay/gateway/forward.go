package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"sotto/net/identity"
	"sotto/net/line"
)

// Mode says which other relays this one passes envelopes to.
type Mode uint8

const (
	ForwardOpen  Mode = iota // any relay at a public address
	ForwardOff               // none
	ForwardAllow             // those of Config.ForwardTo
)

const (
	dialTimeout = 5 * time.Second

	// forwardIdle is how long a line to another relay outlives its last envelope.
	forwardIdle = 2 * time.Minute

	firstBackOff = time.Second
	lastBackOff  = time.Minute

	// inFlight is how many envelopes at once wait for another relay's answer.
	inFlight = 8

	// perSource and perDestination bound what waits for one relay.
	perSource      = 16
	perDestination = 512

	maxDestinations = 1024
)

var errBackOff = errors.New("the relay did not answer a moment ago")

// forwarder passes envelopes to other relays, over one shared line to each.
type forwarder struct {
	config  Config
	allowed map[string][]identity.Address // by host:port, for ForwardAllow
	failed  func(job)
	log     *slog.Logger
	ctx     context.Context
	loops   sync.WaitGroup

	mu           sync.Mutex // guards the following and each destination's queue
	destinations map[route]*destination
	opened       map[netip.Prefix]int // how many of them each network brought about
	closed       bool
}

// route is a relay and whether it need not prove that it is that one.
type route struct {
	to     identity.Address
	anyKey bool
}

func newForwarder(ctx context.Context, config Config, failed func(job)) *forwarder {
	f := &forwarder{
		config: config, failed: failed, log: config.Log, ctx: ctx,
		allowed:      make(map[string][]identity.Address),
		destinations: make(map[route]*destination),
		opened:       make(map[netip.Prefix]int),
	}
	for _, to := range config.ForwardTo {
		f.allowed[to.HostPort()] = append(f.allowed[to.HostPort()], to)
	}
	return f
}

// allows tells whether the relay's settings let it pass envelopes to that one; with
// anyKey the host and port decide.
func (f *forwarder) allows(to identity.Address, anyKey bool) bool {
	if f.config.Forward != ForwardAllow {
		return f.config.Forward == ForwardOpen
	}
	for _, listed := range f.allowed[to.HostPort()] {
		if !listed.Pinned || listed == to || anyKey {
			return true
		}
	}
	return false
}

// pass queues a checked envelope for its relay. Over a source's share the newest
// is lost, as it would be at a gateway's limit.
func (f *forwarder) pass(j job) {
	way := route{j.to, j.anyKey}
	f.mu.Lock()
	d := f.destinations[way]
	if d == nil {
		network := j.from.share.name
		if f.closed || len(f.destinations) >= maxDestinations || f.opened[network] >= f.config.Limits.HostsPerPrefix {
			f.mu.Unlock()
			f.failed(j)
			return
		}
		f.opened[network]++
		d = &destination{forwarder: f, route: way, cause: network, wake: make(chan struct{}, 1), queue: newFairQueue(), slots: make(chan struct{}, inFlight)}
		f.destinations[way] = d
		f.loops.Add(1)
		go d.run()
	}
	d.queue.push(j)
	f.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// close waits for the destinations; the context must have ended.
func (f *forwarder) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.loops.Wait()
}

// destination is one other relay. run owns what is not the queue.
type destination struct {
	forwarder *forwarder
	route
	cause netip.Prefix  // the network that asked for it first
	wake  chan struct{} // capacity one
	queue *fairQueue    // guarded by forwarder.mu
	slots chan struct{} // capacity inFlight; one for each envelope that is not answered yet

	line    *line.Line // nil while there is none
	pause   time.Duration
	retryAt time.Time
	sending sync.WaitGroup
}

func (d *destination) run() {
	f := d.forwarder
	defer f.loops.Done()
	defer d.hangUp()
	idle := time.NewTimer(forwardIdle)
	defer idle.Stop()
	for {
		j, ok := d.next()
		if !ok {
			select {
			case <-f.ctx.Done():
				return
			case <-d.wake:
			case <-idle.C:
				if d.retire() {
					return
				}
				idle.Reset(forwardIdle)
			}
			continue
		}
		idle.Reset(forwardIdle)
		l, err := d.connected()
		if err != nil {
			f.failed(j)
			continue
		}
		select {
		case <-f.ctx.Done():
			return
		case d.slots <- struct{}{}:
		}
		d.sending.Add(1)
		go func() {
			defer d.sending.Done()
			defer func() { <-d.slots }()
			d.send(l, j)
		}()
	}
}

// send hands one envelope over. A shared line may have died without a word since
// its last envelope, which says nothing about the relay: a fresh one gets a try.
// Should both have arrived, the other gateway's replay memory leaves one.
func (d *destination) send(l *line.Line, j job) {
	f := d.forwarder
	err := l.Send(f.ctx, d.to, j.envelope)
	switch {
	case err == nil || f.ctx.Err() != nil:
	case j.again || errors.Is(err, line.ErrRefused):
		f.failed(j)
	default:
		j.again = true
		l.Close()
		f.pass(j)
	}
}

func (d *destination) next() (job, bool) {
	d.forwarder.mu.Lock()
	defer d.forwarder.mu.Unlock()
	return d.queue.pop()
}

// retire takes an idle destination off the table unless something just came.
func (d *destination) retire() bool {
	d.forwarder.mu.Lock()
	defer d.forwarder.mu.Unlock()
	if d.queue.count > 0 {
		return false
	}
	delete(d.forwarder.destinations, d.route)
	if d.forwarder.opened[d.cause]--; d.forwarder.opened[d.cause] == 0 {
		delete(d.forwarder.opened, d.cause)
	}
	return true
}

// connected is the line, opened anew if it broke and the back-off is over.
func (d *destination) connected() (*line.Line, error) {
	if d.line != nil {
		select {
		case <-d.line.Done():
			d.hangUp()
		default:
			return d.line, nil
		}
	}
	if time.Now().Before(d.retryAt) {
		return nil, errBackOff
	}
	f := d.forwarder
	opened, err := line.Open(f.ctx, line.Config{Relay: d.to, Shared: true, AnyKey: d.anyKey, Dial: f.config.dialChecked})
	if err != nil {
		d.pause = min(max(firstBackOff, 2*d.pause), lastBackOff)
		d.retryAt = time.Now().Add(d.pause)
		f.log.Debug("another relay cannot be reached", "cause", err)
		return nil, err
	}
	d.line, d.pause = opened, 0
	return opened, nil
}

func (d *destination) hangUp() {
	if d.line != nil {
		d.line.Close()
	}
	d.sending.Wait()
	d.line = nil
}

// fairQueue takes turns between the networks that envelopes come from, so that
// one of them cannot keep the others from a relay.
type fairQueue struct {
	count   int
	turns   []netip.Prefix // whose turn it is, first in front; each once
	waiting map[netip.Prefix][]job
}

func newFairQueue() *fairQueue { return &fairQueue{waiting: make(map[netip.Prefix][]job)} }

func (q *fairQueue) push(j job) {
	source := j.from.share.name
	if q.count >= perDestination || len(q.waiting[source]) >= perSource {
		j.from.gateway.counts.Limited.Add(1)
		return
	}
	if len(q.waiting[source]) == 0 {
		q.turns = append(q.turns, source)
	}
	q.waiting[source] = append(q.waiting[source], j)
	q.count++
}

func (q *fairQueue) pop() (job, bool) {
	if q.count == 0 {
		return job{}, false
	}
	source := q.turns[0]
	q.turns = q.turns[1:]
	jobs := q.waiting[source]
	if len(jobs) == 1 {
		delete(q.waiting, source)
	} else {
		q.waiting[source] = jobs[1:]
		q.turns = append(q.turns, source)
	}
	q.count--
	return jobs[0], true
}
