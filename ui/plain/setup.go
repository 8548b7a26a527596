package plain

import (
	"context"
	"errors"
	"strings"
	"time"

	"sotto/net/identity"
	"sotto/net/pair"
	"sotto/settings"
	"sotto/ui/tui"
)

// firstRun asks the questions of the first run, a line each. An empty line takes
// what stands in brackets. Nothing is stored before the last answer.
type firstRun struct {
	step   int // of the constants below
	answer tui.Choices
	code   string             // told by somebody, in place of a relay; "": none was
	quiet  context.CancelFunc // closes the microphone that is tried out
}

// The steps of the first run, the same as those of the screens.
const (
	stepName = iota
	stepRelay
	stepMicrophone
	stepCalling
	steps
)

// stillNothing is how long a microphone may hear nothing until that is said.
const stillNothing = 6 * time.Second

func newFirstRun(p *plain) *firstRun {
	p.say("This is the first run: four questions. Enter alone takes what stands in brackets. Nothing is sent anywhere.")
	f := &firstRun{quiet: func() {}}
	f.ask(p)
	return f
}

func (f *firstRun) ask(p *plain) {
	switch f.step {
	case stepName:
		p.say("What shall people call you? The name stands in your card, which you give to the people who may reach you. [%s]", p.Profile.DefaultName())
	case stepRelay:
		p.say("Which relay carries your calls? Type its address, or local for one on this machine, which reaches only people on this computer. [%s]", settings.RelayLocal)
		p.say("Did somebody tell you a code? Then type that, with their relay's name in front, such as relay.example.org 42 apple river stone cloud. It becomes your relay too, and they your first contact.")
	case stepMicrophone:
		p.say("Does your microphone hear you? Say something. It is open until you press Enter; nothing is recorded, and nothing is sent.")
		f.listen(p)
	case stepCalling:
		p.say("Turn calling on? On: your relay sees your address and that Sotto is open, and your contacts can call you. Not now: no connection is open, and you can still call echo. Type on or not now. [not now]")
	}
}

// listen opens the microphone that a call would use and says, once, whether it hears
// anything.
func (f *firstRun) listen(p *plain) {
	ctx, quiet := context.WithCancel(p.ctx)
	f.quiet = quiet
	p.aside.Go(func() {
		levels, err := p.Profile.Microphone(ctx, "")
		if err != nil {
			if ctx.Err() == nil {
				p.complain(err)
				p.say("Go on with Enter: you can hear others without it, and choose a microphone later.")
			}
			return
		}
		late := time.After(stillNothing)
		heard := false
		for {
			select {
			case <-late:
				if !heard {
					p.say("Nothing was heard so far. See whether the microphone is muted, or go on with Enter and choose another one later: type devices.")
				}
			case level, open := <-levels:
				switch {
				case ctx.Err() != nil:
					return
				case !open:
					p.say("The microphone went away. Press Enter to go on.")
					return
				case !heard && tui.Hears(level):
					heard = true
					p.say("It hears you. Press Enter to go on.")
				}
			}
		}
	})
}

// take is one answer; done is true when the profile is being made.
func (f *firstRun) take(p *plain, line string) (done bool) {
	f.quiet()
	if err := f.keep(p, line); err != nil {
		p.say("%s", told(err))
		f.ask(p)
		return false
	}
	if f.step++; f.step < steps {
		f.ask(p)
		return false
	}
	return true
}

// keep keeps an answer, or says what is missing in it.
func (f *firstRun) keep(p *plain, line string) error {
	switch f.step {
	case stepName:
		if f.answer.Name = line; line == "" {
			f.answer.Name = p.Profile.DefaultName()
		}
	case stepRelay:
		return f.keepRelay(line)
	case stepCalling:
		switch strings.ToLower(line) {
		case "on", "yes", "y":
			f.answer.Calls = true
		case "", "not now", "off", "no", "n":
		default:
			return errors.New("type on, or not now")
		}
	}
	return nil
}

// keepRelay takes a relay or, in several words, a code.
func (f *firstRun) keepRelay(line string) error {
	f.code = ""
	switch {
	case line == "" || strings.EqualFold(line, settings.RelayLocal):
		f.answer.Relay = settings.RelayLocal
		return nil
	case !strings.Contains(line, " "):
		f.answer.Relay = line
		_, err := identity.ParseAddress(line)
		return err
	}
	code, err := pair.ParseCode(line)
	if err != nil {
		return err
	}
	if code.Relay.Host == "" {
		return errors.New("ask for the name of their relay too, and type it in front of the number")
	}
	f.answer.Relay, f.code = code.Relay.String(), line
	return nil
}

// finish makes the profile; after a mistake the questions are asked again.
func (f *firstRun) finish(p *plain) (again bool) {
	if err := p.Profile.SetUp(f.answer); err != nil {
		p.complain(err)
		if !p.Profile.IsSetUp() {
			return true
		}
	}
	p.say("You are set up as %s.", f.answer.Name)
	p.standing()
	return false
}

// joining uses the code of the first run once the profile is made.
func (f *firstRun) joining() *verb {
	return &verb{aside: true, run: func(p *plain, _ string) error {
		if !p.Profile.IsSetUp() {
			return nil
		}
		return join(p, f.code)
	}}
}
