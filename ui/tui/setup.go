package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"sotto/net/identity"
	"sotto/net/pair"
)

// nameLimit is what fits into a card, in bytes.
const nameLimit = 64

// relayMeans explains the word where a person meets it first.
const relayMeans = "A relay carries your calls, so nobody you talk to sees your network address. " +
	"It sees it, but cannot hear you."

// setup is the first run: one question a screen, each with an answer that Enter
// accepts. Nothing is stored before the last answer.
type setup struct {
	step    int // of the constants below
	preset  string
	name    field
	address field
	code    field // told by somebody, in place of a relay
	relay   choice
	mic     *listening // not nil while the microphone is tried out
	calling choice
	saving  bool
}

// The steps of the first run.
const (
	stepName = iota
	stepRelay
	stepMicrophone
	stepCalling
)

func newSetup(name string) *setup {
	s := &setup{preset: name, name: newField(name, nameLimit)}
	s.address.solid = true
	s.relay = choice{options: append(relayOptions(&s.address), option{
		value: "code", label: "I have a code",
		means: "Somebody told you one, with a relay's name in front: it becomes your relay too, and they your first contact.",
		field: &s.code, hint: "relay.example.org 42 apple river stone cloud",
	})}
	s.calling = choice{full: true, options: []option{
		{
			value: "off", label: "Not now",
			means: "No connection is open, and nobody can call you. You can still call echo.",
		},
		{
			value: "on", label: "Turn on",
			means: "Your relay sees your address and that Sotto is open. Your contacts can call you; you may decline.",
		},
	}}
	return s
}

// relayOptions are the relays that there can be.
func relayOptions(address *field) []option {
	return []option{
		{
			value: "local", label: "On this machine",
			means: "For trying Sotto out. It reaches only people on this computer, and such a relay has your address.",
		},
		{
			value: "address", label: "At an address",
			means: "A relay that you, or somebody you trust, runs elsewhere.",
			field: address, hint: "relay.example.org",
		},
	}
}

// isRelayAddress reports whether a relay's address was typed, and says what is wrong.
func (m *model) isRelayAddress(typed string) bool {
	if typed == "" {
		m.tell("Type the relay's address, or choose the relay on this machine.")
		return false
	}
	if _, err := identity.ParseAddress(typed); err != nil {
		m.complain(err)
		return false
	}
	return true
}

func (s *setup) heading(*world) (title, status string) {
	return "First run", fmt.Sprintf("%d of 4", s.step+1)
}

func (s *setup) keys(*world) []bind {
	binds := []bind{as(accept, "continue")}
	switch s.step {
	case stepRelay, stepCalling:
		binds = append(binds, on(up), on(down), on(back))
	case stepMicrophone:
		binds = append(binds, on(back))
	}
	if s.step == stepRelay && s.relay.selected().value == "code" {
		binds = append(binds, on(complete))
	}
	if s.step == stepCalling {
		binds[0].does = "finish"
	}
	return binds
}

func (s *setup) typing() *field {
	switch {
	case s.saving:
		return nil
	case s.step == stepName:
		return &s.name
	case s.step == stepRelay:
		return s.relay.typing()
	}
	return nil
}

func (s *setup) render(w *world, width int) page {
	p := page{tight: w.small}
	switch s.step {
	case stepName:
		p.say(w.theme.Strong, "What shall people call you?", width)
		p.gap()
		p.input(w, &s.name, "your name", 0, width)
		p.gap()
		p.say(plainStyle, "The name stands in your card, which you give to the people who may reach you. Nobody else sees it.", width)
	case stepRelay:
		p.say(w.theme.Strong, "Which relay carries your calls?", width)
		p.say(plainStyle, relayMeans, width)
		p.gap()
		s.relay.draw(w, &p, width)
	case stepMicrophone:
		p.say(w.theme.Strong, "Does your microphone hear you?", width)
		p.gap()
		s.mic.draw(w, &p, width)
		p.gap()
		p.say(w.theme.Faint, "It is open only while this screen shows. Nothing is recorded, and nothing is sent.", width)
	case stepCalling:
		p.say(w.theme.Strong, "Turn calling on?", width)
		p.gap()
		s.calling.draw(w, &p, width)
		p.gap()
		if !p.tight {
			p.say(w.theme.Faint, "You can change this at any time in the settings.", width)
		}
	}
	return p
}

func (s *setup) do(m *model, chosen action) tea.Cmd {
	if s.saving {
		return nil
	}
	switch chosen {
	case up, down:
		by := 1
		if chosen == up {
			by = -1
		}
		if s.step == stepRelay {
			s.relay.move(by)
		} else {
			s.calling.move(by)
		}
	case complete:
		if found := completeWord(&s.code, pair.Complete); len(found) > 0 {
			m.tell(strings.Join(found[:min(len(found), 12)], "  "))
		}
	case back:
		return s.turn(m, max(s.step-1, stepName))
	case accept:
		return s.accept(m)
	}
	return nil
}

// turn goes to another step; the microphone is open on its own only.
func (s *setup) turn(m *model, step int) tea.Cmd {
	if s.mic != nil {
		s.mic.cancel()
		s.mic = nil
	}
	s.step = step
	if step != stepMicrophone {
		return nil
	}
	var listen tea.Cmd
	s.mic, listen = m.listen()
	return listen
}

func (s *setup) accept(m *model) tea.Cmd {
	switch s.step {
	case stepName:
		if s.name.value() == "" {
			if s.name = newField(s.preset, nameLimit); s.preset == "" {
				m.tell("Type a name: any word that your contacts will know you by.")
			}
			return nil
		}
	case stepRelay:
		if !s.relayChosen(m) {
			return nil
		}
	case stepCalling:
		return s.finish(m)
	}
	return s.turn(m, s.step+1)
}

// relayChosen reports whether the answer about the relay is whole, and says what is missing.
func (s *setup) relayChosen(m *model) bool {
	switch s.relay.selected().value {
	case "address":
		return m.isRelayAddress(s.address.value())
	case "code":
		code, err := pair.ParseCode(s.code.value())
		switch {
		case s.code.value() == "":
			m.tell("Type the code that somebody told you, or choose a relay.")
			return false
		case err != nil:
			m.complain(err)
			return false
		case code.Relay.Host == "":
			m.tell("Ask for the name of their relay too, and type it in front of the number.")
			return false
		}
	}
	return true
}

func (s *setup) finish(m *model) tea.Cmd {
	choices := Choices{Name: s.name.value(), Relay: "local", Calls: s.calling.selected().value == "on"}
	switch s.relay.selected().value {
	case "address":
		choices.Relay = s.address.value()
	case "code":
		if code, err := pair.ParseCode(s.code.value()); err == nil {
			choices.Relay = code.Relay.String()
		}
	}
	s.saving = true
	profile := m.profile
	return func() tea.Msg {
		return setUp{s, profile.SetUp(choices)}
	}
}

// setUp is the end of the first run, or what stands in its way.
type setUp struct {
	screen *setup
	err    error
}

func (m *model) finishSetUp(result setUp) tea.Cmd {
	s := result.screen
	s.saving = false
	if result.err != nil {
		m.complain(result.err)
		return nil
	}
	m.stack = []screen{&contactList{}}
	m.scroll = 0
	if s.relay.selected().value != "code" {
		return m.load()
	}
	join := newJoinForm(m.ctx, s.code.value())
	m.push(join)
	join.at = len(join.fields) - 1
	return tea.Batch(m.load(), join.do(m, accept))
}
