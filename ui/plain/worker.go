package plain

import "time"

const (
	jobsLimit = 64
	// urgentAfter is how long an urgent verb waits for those typed before it.
	urgentAfter = 300 * time.Millisecond
)

// worker does jobs one after the other, so that the loop waits for none.
type worker struct {
	jobs chan func()
	done chan struct{}
}

func newWorker() *worker {
	w := &worker{jobs: make(chan func(), jobsLimit), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for job := range w.jobs {
			job()
		}
	}()
	return w
}

// add reports whether there was room. Only the loop's goroutine calls add and close.
func (w *worker) add(job func()) bool {
	select {
	case w.jobs <- job:
		return true
	default:
		return false
	}
}

func (w *worker) close() { close(w.jobs) }
func (w *worker) wait()  { <-w.done }

// dispatch hands a verb to whoever does it. What is urgent waits a moment for what
// was typed before it, and then goes ahead; what takes minutes gets a goroutine.
func (p *plain) dispatch(v *verb, rest string) {
	work := func() {
		if err := v.run(p, rest); err != nil {
			p.complain(err)
		}
	}
	before, done := p.last, make(chan struct{})
	job := func() { defer close(done); work() }
	switch {
	case v.aside:
		p.aside.Go(func() {
			select {
			case <-before:
				work()
			case <-p.ctx.Done():
			}
		})
		return
	case v.urgent:
		if p.urgent.add(func() {
			select {
			case <-before:
			case <-time.After(urgentAfter):
			}
			job()
		}) {
			p.last = joined(before, done)
			return
		}
	case p.ordered.add(func() { p.afterUrgent(before); job() }):
		p.last = done
		return
	}
	p.say("That was too much at once, and was not done. Wait a moment, then type it again.")
}

// afterUrgent keeps the order of an ordered verb behind an urgent one.
func (p *plain) afterUrgent(before <-chan struct{}) {
	select {
	case <-before:
	case <-p.ctx.Done():
	}
}

// joined closes when both have.
func joined(a, b <-chan struct{}) chan struct{} {
	both := make(chan struct{})
	go func() { defer close(both); <-a; <-b }()
	return both
}
