// Package plain is Sotto without screens: lines that are only ever added, no
// colour, no cursor movement, not one escape byte. It is for screen readers, for
// terminals that can do no more, and for a pipe.
//
//	input ──► reader ──► loop ──► ordered worker ──► Calls, Profile
//	                      │  └──► urgent worker (hang up, mute, decline, ...)
//	events ───────────────┘                    every line ──► printer ──► output
//
// The loop owns everything that has no lock, and waits for nothing but its
// channels: a device that hangs or an output that nobody reads delays neither a
// hang-up nor the way out.
package plain

import (
	"context"
	"io"
	"sync"
	"time"

	"sotto/net/call"
	"sotto/ui/tui"
)

// Config is what Run needs. Calls and Profile must be there, and Input and Output.
type Config struct {
	Calls   tui.Calls
	Profile tui.Profile
	Input   io.Reader
	Output  io.Writer
	// Check refuses a setting's value that could never work; nil: none is.
	Check func(key, value string) error
}

const (
	// leaveWithin bounds how long leaving waits for the other side to be told.
	leaveWithin = 600 * time.Millisecond
	// finishWithin bounds how long the end of the input waits for what was typed before it.
	finishWithin = 8 * time.Second
	// grace is how long a call that came in cannot be answered: a line that was on its
	// way to something else must not do it.
	grace = 400 * time.Millisecond
)

// plain is one run of the interface.
type plain struct {
	Config
	ctx   context.Context
	print *printer

	ordered, urgent *worker
	aside           sync.WaitGroup // verbs that take minutes: codes, devices

	// The loop's own.
	asking *firstRun     // nil: lines are verbs
	seen   shown         // what was last told of the calls
	rang   time.Time     // when a call that came in was told
	last   chan struct{} // closed when the latest ordered job is done

	mu   sync.Mutex         // guards the following
	stop context.CancelFunc // ends the invitation or joining under way; nil: none is
}

// Run reads verbs and tells events until the person leaves, input or output end, or
// ctx does; a call is hung up first. A reader that waits for the input when Run returns
// ends with the input.
func Run(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithCancel(ctx)
	p := &plain{Config: cfg, ctx: ctx, print: newPrinter(cfg.Output), ordered: newWorker(), urgent: newWorker(), last: make(chan struct{})}
	close(p.last)
	events, unsubscribe := cfg.Calls.Subscribe()
	defer unsubscribe()
	lines := read(ctx, cfg.Input)

	p.begin()
	p.loop(events, lines)
	p.leave(events)

	cancel()
	p.ordered.close()
	p.urgent.close()
	wait(func() { p.ordered.wait(); p.urgent.wait(); p.aside.Wait() }, leaveWithin/4)
	p.print.finish()
	return nil
}

// begin says where the person is.
func (p *plain) begin() {
	p.say("Sotto, private voice calls, in plain lines. Type a command and press Enter; type help to hear the commands.")
	if p.Profile.IsSetUp() {
		p.standing()
		p.missed()
		return
	}
	p.asking = newFirstRun(p)
}

// standing says whether calls can come in.
func (p *plain) standing() {
	inForce, mistake := p.Profile.Settings()
	if mistake != nil {
		p.complain(mistake)
	}
	if inForce["calls.enabled"] != "on" {
		p.say("Calling is off: nobody can call you. To turn it on, type: settings set calls.enabled on. To hear yourself, type: call echo")
	}
}

// loop ends when the person, a signal, the input or ctx ends it.
func (p *plain) loop(events <-chan call.Event, lines <-chan string) {
	changes := p.Profile.Changes()
	var mistake string
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-p.print.done: // nobody reads any more
			return
		case event, open := <-events:
			if !open {
				return
			}
			p.tell(event)
		case <-changes:
			if _, err := p.Profile.Settings(); err != nil && err.Error() != mistake {
				mistake = err.Error()
				p.complain(err)
			} else if err == nil {
				mistake = ""
			}
		case line, open := <-lines:
			if !open {
				p.await(events, finishWithin)
				return
			}
			if p.take(line) {
				p.await(events, leaveWithin)
				return
			}
		}
	}
}

// await lets what was typed before the end be done.
func (p *plain) await(events <-chan call.Event, most time.Duration) {
	limit := time.After(most)
	for {
		select {
		case <-p.last:
			return
		case <-limit:
			return
		case <-p.ctx.Done():
			return
		case event := <-events:
			p.tell(event)
		}
	}
}

// leave hangs up, and waits a moment to say how the call ended. A call that still
// rings here is left alone: declining it would tell the caller that somebody is there.
func (p *plain) leave(events <-chan call.Event) {
	info := p.Calls.Snapshot().Call
	if info == nil || info.Phase == call.Ended || info.Phase == call.Incoming {
		p.say("Goodbye.")
		return
	}
	over := make(chan struct{})
	go func() { // not waited for longer than leaveWithin, on purpose: a person waits
		defer close(over)
		_ = p.Calls.HangUp()
	}()
	limit := time.After(leaveWithin)
	for {
		select {
		case <-limit:
			return
		case event, open := <-events:
			if !open {
				return
			}
			p.tell(event)
			if event.Kind == call.EventEnded && event.Call.ID == info.ID {
				p.say("Goodbye.")
				return
			}
		}
	}
}

func wait(work func(), most time.Duration) {
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	select {
	case <-done:
	case <-time.After(most):
	}
}
