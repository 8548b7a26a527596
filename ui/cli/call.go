package cli

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/profile"
	"sotto/settings"
)

func (p *program) onTerminal() bool {
	out, ok := p.stdout.(*os.File)
	return ok && isatty.IsTerminal(p.stdin.Fd()) && isatty.IsTerminal(out.Fd())
}

func joinWords(words []string) string { return strings.Join(words, " ") }

func (p *program) callCommand() *cobra.Command {
	var length time.Duration
	command := &cobra.Command{
		Use:     "call WHO",
		Short:   "Call a contact, a card, or the built-in echo",
		Long:    "Calls a contact by name, a card, or the built-in echo, which says back what it hears without any\nnetwork. Ctrl+c hangs up.",
		Example: "  sotto call echo\n  sotto call bob\n  sotto call bob --mic file:hello.wav --speaker file:heard.wav --for 10s --json",
		Args:    exactArguments("whom to call"),
		RunE: func(command *cobra.Command, words []string) error {
			if command.Flags().Changed("for") && length <= 0 {
				return usage("--for takes a time such as 10s or 5m, longer than nothing")
			}
			return p.call(words[0], length)
		},
	}
	command.Flags().DurationVar(&length, "for", 0, "hang up this long after the call is connected, such as 10s")
	return command
}

// call places one call. The checks run in the order that the manual gives: what
// was typed, who, set-up and calling on, devices, network.
func (p *program) call(who string, length time.Duration) error {
	if err := p.checkWords(); err != nil {
		return err
	}
	opened, err := p.open()
	if err != nil {
		return err
	}
	if err := known(opened, who); err != nil {
		return err
	}
	if who != call.EchoName {
		if err := ready(opened); err != nil {
			return err
		}
	}
	owned, err := p.own()
	if err != nil {
		return err
	}
	a := p.start(owned, nil)
	defer a.close()
	if err := a.checkDevices(); err != nil {
		return err
	}
	if who != call.EchoName {
		if err := a.apply(); err != nil {
			return err
		}
	}
	events, unsubscribe := a.engine.Subscribe()
	defer unsubscribe()
	if err := a.engine.Dial(who); err != nil {
		return err
	}
	info := p.followCall(a.engine, events, length)
	if status := statusOfCall(info); status != statusDone {
		return fail(status, errors.New(howItEnded(info)))
	}
	return nil
}

// known finds out whether who can be called at all, before anything else is looked at.
func known(opened *profile.Profile, who string) error {
	if who == call.EchoName {
		return nil
	}
	if strings.HasPrefix(who, "sotto:") {
		_, _, err := identity.ParseCard(who)
		return err
	}
	_, err := opened.Find(who)
	return err
}

// ready is the check that this profile may use the network.
func ready(opened *profile.Profile) error {
	if !opened.IsSetUp() {
		return settings.ErrNotSetUp
	}
	loaded, err := opened.Settings()
	if err != nil {
		return err
	}
	if !loaded.Calls.Enabled {
		return call.ErrCallingOff
	}
	if _, err := opened.LoadContacts(); err != nil {
		return err // nobody could call
	}
	_, err = opened.Address()
	return err
}

// followCall prints what happens until the call is over; the first interrupt
// hangs up, and so does the end of its length.
func (p *program) followCall(engine *call.Engine, events <-chan call.Event, length time.Duration) call.Info {
	interrupted, stop := interrupts()
	defer stop()
	placed := ""
	if shown := engine.Snapshot().Call; shown != nil {
		placed = shown.ID
	}
	var over <-chan time.Time
	for {
		select {
		case <-interrupted:
			_ = engine.HangUp() // ErrNoCall: it is over already, and its event is on the way
		case <-over:
			_ = engine.HangUp()
		case event := <-events:
			if p.json || !saidByTheEnd(event) {
				p.tell(event)
			}
			switch event.Kind {
			case call.EventConnected:
				if length > 0 {
					over = time.After(length)
				}
			case call.EventEnded:
				if event.Call.ID == placed { // and not one that waited meanwhile
					return *event.Call
				}
			}
		}
	}
}

// saidByTheEnd reports whether what an event has to say to a person is in the error
// that the command ends with.
func saidByTheEnd(event call.Event) bool {
	switch event.Kind {
	case call.EventLine:
		return true
	case call.EventEnded:
		return event.Call.ConnectedAt.IsZero() && statusOfCall(*event.Call) != statusDone
	}
	return false
}

// tell prints an event as JSON or as a line for a person.
func (p *program) tell(event call.Event) {
	if p.json {
		if object := asJSON(event); object != nil {
			p.emit(object)
		}
		return
	}
	if text := asText(event); text != "" {
		p.say("%s", text)
	}
}

// leaving are the signals that mean: hang up and go. A terminal that is closed says
// SIGHUP, unless whoever started Sotto wants it to outlive the terminal (nohup).
func leaving() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// interrupts delivers the signals of leaving.
func interrupts() (<-chan os.Signal, func()) {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, leaving()...)
	return signals, func() { signal.Stop(signals) }
}

func (p *program) listenCommand() *cobra.Command {
	var auto []string
	command := &cobra.Command{
		Use:   "listen",
		Short: "Wait for calls without the interface",
		Long:  "Stays on your relay and tells of calls as they come in. With --auto-answer the calls of the verified\ncontacts named are answered at once. Ctrl+c hangs up and ends it.",
		Example: "  sotto listen --auto-answer bob\n" +
			"  sotto listen --auto-answer bob,carol --mic file:hello.wav --speaker file:heard.wav --json",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return p.listen(auto) },
	}
	command.Flags().StringArrayVar(&auto, "auto-answer", nil, "names of verified contacts whose calls are answered at once")
	return command
}

func (p *program) listen(auto []string) error {
	if err := p.checkWords(); err != nil {
		return err
	}
	opened, err := p.open()
	if err != nil {
		return err
	}
	keys, err := autoAnswer(opened, auto)
	if err != nil {
		return err
	}
	if err := ready(opened); err != nil {
		return err
	}
	owned, err := p.own()
	if err != nil {
		return err
	}
	a := p.start(owned, keys)
	defer a.close()
	if err := a.checkDevices(); err != nil {
		return err
	}
	events, unsubscribe := a.engine.Subscribe()
	defer unsubscribe()
	if err := a.apply(); err != nil {
		return err
	}
	return p.followLine(a, events)
}

// autoAnswer turns names into keys: unknown ones are no such contact, unverified ones a usage error.
func autoAnswer(opened *profile.Profile, names []string) (map[identity.Key]bool, error) {
	keys := make(map[identity.Key]bool)
	if len(names) == 0 {
		return keys, nil
	}
	for name := range strings.SplitSeq(strings.Join(names, ","), ",") {
		if name == "" {
			return nil, usage("--auto-answer takes the names of verified contacts with commas between them, not an empty one")
		}
		contact, err := opened.Find(name)
		if err != nil && !errors.Is(err, profile.ErrNoContact) {
			return nil, err
		}
		if err != nil {
			return nil, fail(statusNoContact, fmt.Errorf("%s is not in your contacts; --auto-answer takes the names that sotto contacts lists", name))
		}
		if !contact.Verified {
			return nil, usage("%s is not verified, and only verified contacts are answered by themselves; compare keys, then run sotto contacts verify %s", name, name)
		}
		keys[contact.Card.Key] = true
	}
	return keys, nil
}

// followLine prints what happens until an interrupt. A relay that cannot be
// reached at the start ends it; later the line keeps trying.
func (p *program) followLine(a *app, events <-chan call.Event) error {
	interrupted, stop := interrupts()
	defer stop()
	wasReady := false
	for {
		select {
		case <-interrupted:
			return p.leave(a.engine, events)
		case event := <-events:
			switch {
			case event.Kind != call.EventLine:
				p.tell(event)
			case event.Line == call.LineReady && !wasReady:
				wasReady = true
				p.tellReady(a)
			case event.Line == call.LineConnecting && event.LineError != nil && !wasReady:
				return event.LineError
			default:
				p.tell(event)
			}
		}
	}
}

func (p *program) tellReady(a *app) {
	relay := a.engine.Snapshot().Relay
	if p.json {
		p.emit(struct {
			header
			Relay string `json:"relay"`
		}{now("listen.ready"), relay})
		return
	}
	p.say("Waiting for calls on the relay %s. Ctrl+c ends it.", relay)
}

// leave hangs up and says how the call ended: status 0 unless one was ringing unanswered.
func (p *program) leave(engine *call.Engine, events <-chan call.Event) error {
	if engine.HangUp() != nil {
		return nil
	}
	for event := range events {
		p.tell(event)
		if event.Kind == call.EventEnded {
			if event.Call.ConnectedAt.IsZero() {
				return fail(statusFailed, errors.New("a call was ringing and was not answered"))
			}
			return nil
		}
	}
	return nil
}
