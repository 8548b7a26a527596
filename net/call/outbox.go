package call

import (
	"context"
	"time"

	"sotto/net/line"
)

const (
	outboxSize = 64 // sealed signals that wait to leave
	postWithin = 5 * time.Second
)

// outbox sends the sealed signals of one conversation in order, on a goroutine of its
// own, so that a slow relay holds up neither sound nor hang-up. When the call's line
// has broken it opens a new one; what cannot leave is dropped, and what matters is
// said again (numbered).
type outbox struct {
	station *station
	mail    mail        // whose line is the latest that was opened; owned by run
	own     *line.Line  // opened by run, and closed by it; nil for none
	stale   bool        // the line took nothing: the next body gets a new one
	bodies  chan []byte // closed by close
	stop    context.CancelFunc
	done    chan struct{}
}

// openOutbox begins with the line that the call has; that one stays its opener's.
func openOutbox(s *station, first mail) *outbox {
	ctx, stop := context.WithCancel(context.Background())
	o := &outbox{station: s, mail: first, bodies: make(chan []byte, outboxSize), stop: stop, done: make(chan struct{})}
	go o.run(ctx)
	return o
}

// put hands over a body; a full outbox drops it.
func (o *outbox) put(body []byte) {
	select {
	case o.bodies <- body:
	default:
	}
}

// close sends what is left until ctx ends, and waits for the goroutine. Nothing may be
// put after it.
func (o *outbox) close(ctx context.Context) {
	close(o.bodies)
	defer context.AfterFunc(ctx, o.stop)()
	<-o.done
	o.stop()
}

func (o *outbox) run(ctx context.Context) {
	defer close(o.done)
	defer func() {
		if o.own != nil {
			o.own.Close()
		}
	}()
	for body := range o.bodies {
		if ctx.Err() != nil {
			continue
		}
		within, cancel := context.WithTimeout(ctx, postWithin)
		if o.ready(within) {
			o.stale = o.mail.post(within, body) != nil // lost, like any message can be
		}
		cancel()
	}
}

// ready makes sure that there is a line.
func (o *outbox) ready(ctx context.Context) bool {
	select {
	case <-o.mail.line.Done():
		o.stale = true
	default:
	}
	if !o.stale {
		return true
	}
	if o.own != nil {
		o.own.Close()
		o.own = nil
	}
	fresh, err := o.station.sendingLine(ctx)
	if err != nil {
		return false
	}
	o.own, o.mail.line, o.stale = fresh, fresh, false
	return true
}
