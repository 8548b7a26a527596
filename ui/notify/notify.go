// Package notify shows a call that rings on the desktop of this machine, with
// buttons to answer and decline it. It follows the Desktop Notifications
// Specification 1.2 of freedesktop.org, over the D-Bus session bus.
//
//	Show ───► the latest wish ───► one goroutine ───► the bus ───► whoever draws notifications
//	Events ◄─ a button was pressed ◄───┘
//
// Whoever calls Show never waits: the goroutine alone speaks to the bus, has a limit
// for each answer, and gives up when one does not come. It goes to the bus at the
// first wish and not before, starts no bus, and knows none but one on a socket of this
// machine. A button counts only if who draws the notifications says so, and only for
// the notification that is shown now.
package notify

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Notice is what the desktop shows of one call, in plain text without control,
// direction or escape characters. The zero Notice is none.
type Notice struct {
	Call    string // which call the buttons are for; it is not shown
	Title   string
	Body    string
	Answer  string // what the buttons say
	Decline string
}

// Kind is what an Event tells.
type Kind int

const (
	Answered Kind = iota // the person pressed the button to answer
	Declined             // or the one to decline
	NotShown             // there is nobody to show the notice, or no answer
)

// Event is what became of a notice.
type Event struct {
	Kind Kind
	Call string // the notice's
}

// How long things may take.
const (
	endWithin   = 300 * time.Millisecond // from End to the end of the last notice, and once more to let go of a bus that hangs
	defaultWait = 5 * time.Second        // for the bus, and for each answer
	writeWithin = 300 * time.Millisecond // for the socket to take a message
)

// Desktop is where notices are shown. A nil Desktop shows none.
type Desktop struct {
	address string
	events  chan Event
	wake    chan struct{} // one place: there is another wish, or an end
	ctx     context.Context
	cancel  context.CancelFunc
	done    <-chan struct{} // closed when the goroutine has ended
	wait    time.Duration   // defaultWait, but in tests

	mu     sync.Mutex // guards the following
	wish   Notice
	ending bool
}

// Address finds the session bus of a local desktop in the environment: "" on another
// system than Linux, over SSH, where the person does not sit at this machine's
// desktop, and where no bus runs yet.
func Address(environ []string) string {
	value := map[string]string{}
	for _, entry := range environ {
		name, text, _ := strings.Cut(entry, "=")
		value[name] = text
	}
	if runtime.GOOS != "linux" || value["SSH_CONNECTION"] != "" || value["SSH_TTY"] != "" || value["SSH_CLIENT"] != "" {
		return ""
	}
	if address := value["DBUS_SESSION_BUS_ADDRESS"]; address != "" {
		if len(sockets(address)) == 0 {
			return ""
		}
		return address
	}
	folder := value["XDG_RUNTIME_DIR"]
	if !filepath.IsAbs(folder) {
		return ""
	}
	path := filepath.Join(folder, "bus")
	if info, err := os.Stat(path); err != nil || info.Mode()&os.ModeSocket == 0 {
		return ""
	}
	return "unix:path=" + dbus.EscapeBusAddressValue(path)
}

// sockets are the Unix sockets that a bus address names, as net.Dial wants them. Every
// other kind of address is left out: "autolaunch:" and "unixexec:" start programs, "tcp:"
// leaves the machine.
func sockets(address string) []string {
	var found []string
	for _, one := range strings.Split(address, ";") {
		keys, ok := strings.CutPrefix(one, "unix:")
		if !ok {
			continue
		}
		for _, pair := range strings.Split(keys, ",") {
			key, escaped, _ := strings.Cut(pair, "=")
			value, err := dbus.UnescapeBusAddressValue(escaped)
			switch {
			case err != nil || value == "":
			case key == "path":
				found = append(found, value)
			case key == "abstract":
				found = append(found, "@"+value)
			}
		}
	}
	return found
}

// Start shows notices through the bus at address; nil where that is "". spawn runs the
// goroutine and returns what is closed at its end. End ends it.
func Start(address string, spawn func(work func()) <-chan struct{}) *Desktop {
	return start(address, defaultWait, spawn)
}

func start(address string, wait time.Duration, spawn func(work func()) <-chan struct{}) *Desktop {
	if address == "" {
		return nil
	}
	d := &Desktop{address: address, events: make(chan Event, 8), wake: make(chan struct{}, 1), wait: wait}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.done = spawn(func() {
		s := &session{Desktop: d}
		defer s.leave()
		s.run()
	})
	return d
}

// Events tells what becomes of the notices. It is never closed, and loses an event if
// eight others were not taken.
func (d *Desktop) Events() <-chan Event {
	if d == nil {
		return nil
	}
	return d.events
}

// Show makes notice the one that is shown; the zero Notice takes away what is. It
// returns at once.
func (d *Desktop) Show(notice Notice) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ending || notice == d.wish {
		return
	}
	d.wish = notice
	d.stir()
}

// End takes away what is shown and leaves the bus. It waits for that, at most twice
// endWithin. It may be called more than once, and from any goroutine.
func (d *Desktop) End() {
	if d == nil {
		return
	}
	d.mu.Lock()
	d.wish, d.ending = Notice{}, true
	d.stir()
	d.mu.Unlock()
	defer d.cancel()
	select {
	case <-d.done:
		return
	case <-time.After(endWithin):
		d.cancel()
	}
	select {
	case <-d.done:
	case <-time.After(endWithin): // the goroutine that ends is the one that waits here: it has panicked
	}
}

func (d *Desktop) stir() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// wanted is the latest wish; ending: there will be no other.
func (d *Desktop) wanted() (wish Notice, ending bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.wish, d.ending
}

func (d *Desktop) tell(kind Kind, call string) {
	select {
	case d.events <- Event{kind, call}:
	default:
	}
}
