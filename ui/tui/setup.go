package tui

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"sotto/net/identity"
)

// nameLimit is what fits into a card, in bytes.
const nameLimit = 64

// relayMeans explains the word where a person meets it first.
const relayMeans = "A relay carries your calls, so nobody you talk to sees your network address. " +
	"It sees it, but cannot hear you."

// setup is the first run: one question a screen, each with an answer that Enter
// accepts. Nothing is stored before the last answer.
type setup struct {
	step    int // 0 name, 1 relay, 2 calling
	preset  string
	name    field
	address field
	relay   choice
	calling choice
	saving  bool
}

func newSetup(name string) *setup {
	s := &setup{preset: name, name: newField(name, nameLimit)}
	s.address.solid = true
	s.relay = choice{options: []option{
		{
			value: "local", label: "On this machine",
			means: "For trying Sotto out. It reaches only people on this computer, and such a relay has your address.",
		},
		{
			value: "address", label: "At an address",
			means: "A relay that you, or somebody you trust, runs elsewhere.",
			field: &s.address, hint: "relay.example.org",
		},
	}}
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

func (s *setup) heading(*world) (title, status string) {
	return "First run", fmt.Sprintf("%d of 3", s.step+1)
}

func (s *setup) keys(*world) []bind {
	binds := []bind{as(accept, "continue")}
	if s.step > 0 {
		binds = append(binds, on(up), on(down), on(back))
	}
	if s.step == 2 {
		binds[0].does = "finish"
	}
	return binds
}

func (s *setup) typing() *field {
	switch {
	case s.saving:
		return nil
	case s.step == 0:
		return &s.name
	case s.step == 1:
		return s.relay.typing()
	}
	return nil
}

func (s *setup) render(w *world, width int) page {
	p := page{tight: w.small}
	switch s.step {
	case 0:
		p.say(w.theme.Strong, "What shall people call you?", width)
		p.gap()
		p.input(w, &s.name, "your name", 0, width)
		p.gap()
		p.say(plainStyle, "The name stands in your card, which you give to the people who may reach you. Nobody else sees it.", width)
	case 1:
		p.say(w.theme.Strong, "Which relay carries your calls?", width)
		p.say(plainStyle, relayMeans, width)
		p.gap()
		s.relay.draw(w, &p, width)
	case 2:
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
		if s.step == 1 {
			s.relay.move(by)
		} else {
			s.calling.move(by)
		}
	case back:
		s.step = max(s.step-1, 0)
	case accept:
		return s.accept(m)
	}
	return nil
}

func (s *setup) accept(m *model) tea.Cmd {
	switch {
	case s.step == 0 && s.name.value() == "":
		if s.name = newField(s.preset, nameLimit); s.preset == "" {
			m.tell("Type a name: any word that your contacts will know you by.")
		}
	case s.step == 1 && s.relay.selected().value == "address" && s.address.value() == "":
		m.tell("Type the relay's address, or choose the relay on this machine.")
	case s.step == 1 && s.relay.selected().value == "address":
		if _, err := identity.ParseAddress(s.address.value()); err != nil {
			m.complain(err)
			return nil
		}
		s.step++
	case s.step < 2:
		s.step++
	default:
		return s.finish(m)
	}
	return nil
}

func (s *setup) finish(m *model) tea.Cmd {
	choices := Choices{Name: s.name.value(), Relay: "local", Calls: s.calling.selected().value == "on"}
	if s.relay.selected().value == "address" {
		choices.Relay = s.address.value()
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
	result.screen.saving = false
	if result.err != nil {
		m.complain(result.err)
		return nil
	}
	m.stack = []screen{&contactList{}}
	m.scroll = 0
	return m.load()
}
