package plain

import (
	"strings"

	"sotto/settings"
	"sotto/ui/tui"
)

// firstRun asks the questions of the first run, a line each. An empty line takes
// what stands in brackets.
type firstRun struct {
	step   int
	answer tui.Choices
}

func newFirstRun(p *plain) *firstRun {
	p.say("This is the first run: three questions. Enter alone takes what stands in brackets. Nothing is sent anywhere.")
	f := new(firstRun)
	f.ask(p)
	return f
}

func (f *firstRun) ask(p *plain) {
	switch f.step {
	case 0:
		p.say("What shall people call you? The name stands in your card, which you give to the people who may reach you. [%s]", p.Profile.DefaultName())
	case 1:
		p.say("Which relay carries your calls? Type its address, or local for one on this machine, which reaches only people on this computer. [%s]", settings.RelayLocal)
	case 2:
		p.say("Turn calling on? On: your relay sees your address and that Sotto is open, and your contacts can call you. Not now: no connection is open, and you can still call echo. Type on or not now. [not now]")
	}
}

// take is one answer; done is true when the profile is being made.
func (f *firstRun) take(p *plain, line string) (done bool) {
	switch f.step {
	case 0:
		if f.answer.Name = line; line == "" {
			f.answer.Name = p.Profile.DefaultName()
		}
	case 1:
		if f.answer.Relay = line; line == "" {
			f.answer.Relay = settings.RelayLocal
		}
	case 2:
		switch strings.ToLower(line) {
		case "on", "yes", "y":
			f.answer.Calls = true
		case "", "not now", "off", "no", "n":
		default:
			p.say("Type on, or not now.")
			f.ask(p)
			return false
		}
	}
	if f.step++; f.step < 3 {
		f.ask(p)
		return false
	}
	return true
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
