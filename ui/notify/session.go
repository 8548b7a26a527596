package notify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	// grace is how long a new notice ignores its buttons: a click that was on its way
	// to what lay there before must not answer.
	grace = 400 * time.Millisecond
	// outlives bounds, where the desktop obeys, how long a notice stays that nobody
	// takes away, because Sotto was killed. A call rings for 45 seconds.
	outlives = 60 * time.Second
	// attempts at one notice; another one follows when who draws them was exchanged.
	attempts = 2

	critical = byte(2) // the urgency that a "do not disturb" lets through, by the specification
	answer   = "answer"
	decline  = "decline"
)

// session is what the goroutine knows of the bus. Nobody else touches it.
type session struct {
	*Desktop
	bus      *bus         // nil: not connected
	owner    string       // the unique name of who draws notifications; "": not asked yet
	able     []string     // what they can; nil: not asked yet
	shown    Notice       // what is shown
	id       uint32       // its number at the owner; 0: nothing is shown
	since    time.Time    // when it came
	settled  Notice       // a wish that is done with, whether it was shown or not
	tried    string       // the call of the last wish
	failures int          // at showing it
	asked    *dbus.Call   // the call that waits for its answer; nil: none
	replied  func() error // what to do with the answer, by the goroutine
	late     *time.Timer  // runs while asked
}

// run makes what is shown what is wished, until End.
func (s *session) run() {
	for {
		for s.step() {
		}
		if _, ending := s.wanted(); ending && s.asked == nil {
			return
		}
		var answers chan *dbus.Call
		var late <-chan time.Time
		var signals chan *dbus.Signal
		var gone <-chan struct{}
		if s.asked != nil {
			answers, late = s.asked.Done, s.late.C
		}
		if s.bus != nil {
			signals, gone = s.bus.signals, s.bus.Context().Done()
		}
		select {
		case <-s.wake:
		case <-answers:
			s.answered()
		case <-late:
			s.giveUp()
		case signal := <-signals:
			s.heard(signal)
		case <-gone:
			s.giveUp()
		case <-s.ctx.Done():
			return
		}
	}
}

// step does the next thing that brings what is shown to what is wished, and reports
// whether there may be another one right away. One call waits for an answer at a time.
func (s *session) step() bool {
	wish, _ := s.wanted()
	if wish != (Notice{}) && wish.Call != s.tried {
		s.settled, s.tried, s.failures = Notice{}, wish.Call, 0
	}
	switch {
	case s.asked != nil:
		return false
	case s.id != 0 && wish.Call != s.shown.Call:
		s.ask(s.owner, serverPath, serverName+".CloseNotification", func() error {
			s.forget() // an error says that it is gone already
			return nil
		}, s.id)
	case wish == Notice{}, wish == s.settled:
		return false
	case s.bus == nil:
		ctx, cancel := context.WithTimeout(s.ctx, s.wait)
		defer cancel()
		var err error
		if s.bus, err = connect(ctx, s.address); err != nil {
			s.bus = nil
			s.settle(wish)
		}
	case s.owner == "":
		s.findOwner()
	case s.able == nil:
		s.ask(s.owner, serverPath, serverName+".GetCapabilities", func() error {
			err := s.asked.Store(&s.able)
			if s.able == nil {
				s.able = []string{}
			}
			return err
		})
	default:
		s.notify(wish)
	}
	return true
}

// findOwner asks who draws notifications; where nobody does, the bus starts them if
// the desktop says how. Only their unique name says later whose signals count.
func (s *session) findOwner() {
	s.ask(busName, busPath, busName+".GetNameOwner", func() error {
		if s.asked.Err == nil {
			return s.asked.Store(&s.owner)
		}
		s.ask(busName, busPath, busName+".StartServiceByName", func() error {
			if s.asked.Err != nil {
				return s.asked.Err
			}
			s.ask(busName, busPath, busName+".GetNameOwner", func() error { return s.asked.Store(&s.owner) }, serverName)
			return nil
		}, serverName, uint32(0))
		return nil
	}, serverName)
}

// notify shows wish, in place of what is shown.
func (s *session) notify(wish Notice) {
	var buttons []string
	if slices.Contains(s.able, "actions") {
		buttons = []string{answer, wish.Answer, decline, wish.Decline}
	}
	title, body := withoutMarkup(wish.Title), withoutMarkup(wish.Body)
	if slices.Contains(s.able, "body-markup") {
		body = escaped(wish.Body)
	}
	if !slices.Contains(s.able, "body") {
		title, body = title+": "+body, ""
	}
	hints := map[string]dbus.Variant{
		"urgency":  dbus.MakeVariant(critical),
		"category": dbus.MakeVariant("call.incoming"),
		// It goes when the call does: a history need not keep it, and a button need not close it.
		"transient":      dbus.MakeVariant(true),
		"resident":       dbus.MakeVariant(true),
		"suppress-sound": dbus.MakeVariant(true), // it rings already
	}
	s.ask(s.owner, serverPath, serverName+".Notify", func() error {
		var id uint32
		if err := s.asked.Store(&id); err != nil {
			return err
		}
		if s.owner == "" { // who has shown it is gone since
			return dbus.ErrClosed
		}
		s.id, s.shown, s.since, s.settled = id, wish, time.Now(), wish
		return nil
	}, "Sotto", s.id, "", title, body, buttons, hints, int32(outlives/time.Millisecond))
}

// escaped is text for a body that may hold markup.
func escaped(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
}

// withoutMarkup is text for where no markup belongs. Some desktops look for it there
// all the same, and markup can name a picture to fetch.
func withoutMarkup(text string) string {
	return strings.NewReplacer("<", "‹", ">", "›").Replace(text)
}

// ask sends a call; replied runs when the answer is there.
func (s *session) ask(to, path, method string, replied func() error, words ...any) {
	s.replied = replied
	s.late = time.NewTimer(s.wait)
	s.asked = s.bus.Object(to, dbus.ObjectPath(path)).Go(method, 0, make(chan *dbus.Call, 1), words...)
}

// answered takes an answer. An error may mean that who draws notifications is another
// one now: they are asked for anew.
func (s *session) answered() {
	call := s.asked
	s.late.Stop()
	err := s.replied()
	if s.asked == call {
		s.asked = nil
	}
	if err == nil {
		return
	}
	s.loseOwner()
}

// loseOwner: who draws notifications is gone, and what they showed with them.
func (s *session) loseOwner() {
	s.owner, s.able = "", nil
	if s.id != 0 {
		s.settled = Notice{} // it is shown again, unless the person had put it aside
	}
	s.forget()
	if s.failures++; s.failures >= attempts {
		wish, _ := s.wanted()
		s.settle(wish)
	}
}

// heard takes a signal. Anybody on the bus can send one here, so that its sender counts
// and not what it says of itself; the bus writes the sender.
func (s *session) heard(signal *dbus.Signal) {
	if signal.Name == nameOwnerChanged {
		var name, before, after string
		if signal.Sender == busName && dbus.Store(signal.Body, &name, &before, &after) == nil && name == serverName && before != "" && before == s.owner {
			s.owner, s.able = "", nil
			if s.asked == nil { // else the answer is an error, and counts
				s.loseOwner()
			}
		}
		return
	}
	var id uint32
	if s.id == 0 || signal.Sender != s.owner || len(signal.Body) != 2 || dbus.Store(signal.Body[:1], &id) != nil || id != s.id {
		return
	}
	if signal.Name == notificationClosed { // the person put it aside; the call rings on
		s.forget()
		return
	}
	wish, _ := s.wanted()
	if wish.Call != s.shown.Call || time.Since(s.since) < grace {
		return
	}
	switch signal.Body[1] {
	case answer:
		s.tell(Answered, s.shown.Call)
	case decline:
		s.tell(Declined, s.shown.Call)
	}
}

// forget: nothing is shown any more.
func (s *session) forget() { s.id, s.shown = 0, Notice{} }

// settle is the end of a wish that cannot be shown. One that came since the attempt has
// its own before it.
func (s *session) settle(wish Notice) {
	if wish == (Notice{}) || wish == s.settled || wish.Call != s.tried {
		return
	}
	s.settled = wish
	s.tell(NotShown, wish.Call)
}

// giveUp leaves a bus that is gone or does not answer. The next call tries again.
func (s *session) giveUp() {
	wish, _ := s.wanted()
	if s.id == 0 || s.shown != wish {
		s.settle(wish)
	}
	s.leave()
}

// leave lets go of the bus. What is still shown is closed without waiting for an
// answer: this is the way out of a panic, too.
func (s *session) leave() {
	if s.bus == nil {
		return
	}
	if s.id != 0 {
		s.bus.Object(s.owner, serverPath).Go(serverName+".CloseNotification", dbus.FlagNoReplyExpected, nil, s.id)
	}
	if s.late != nil {
		s.late.Stop()
	}
	_ = s.bus.Close()
	s.bus, s.owner, s.able, s.asked = nil, "", nil, nil
	s.forget()
}
