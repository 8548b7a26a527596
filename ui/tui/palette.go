package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// commandPalette lies over every screen and finds whatever can be done by a few
// letters of its name.
type commandPalette struct {
	filter filter
	at     int
}

// deed is one thing that can be done, and the key that does it too.
type deed struct {
	name, key string
	run       func(m *model) tea.Cmd
}

func newPalette() *commandPalette {
	p := &commandPalette{}
	p.filter.start()
	return p
}

// deeds are what works on the screen below, and then every place one can go.
func (m *model) deeds() []deed {
	var all []deed
	listed := map[action]bool{}
	for _, one := range usable(m.keymap.apply(m.screenBinds()), false) {
		if one.silent || one.act == palette {
			continue
		}
		name := one.means
		if name == "" {
			name = one.does
		}
		listed[one.act] = true
		all = append(all, deed{name, shown(one.keys[0], m.theme.Unicode), func(m *model) tea.Cmd { return m.perform(one.act) }})
	}
	for _, act := range places {
		if !listed[act] {
			all = append(all, deed{on(act).means, "", func(m *model) tea.Cmd { return m.goTo(act) }})
		}
	}
	if m.live() || m.dialling {
		return all
	}
	for _, contact := range m.listed() {
		who := contact.Name
		all = append(all, deed{"call " + m.shortName(who), "", func(m *model) tea.Cmd {
			m.tell("Calling " + m.shortName(who) + ".")
			return m.dialWho(who)
		}})
	}
	return all
}

// places can be gone to from anywhere.
var places = []action{openSettings, openHistory, showCard, addContact}

// goTo opens a place over the contacts; a call that goes on is left in the background.
func (m *model) goTo(act action) tea.Cmd {
	m.stack = m.stack[:1]
	if m.live() {
		m.peek()
	} else if info := m.snap.Call; info != nil {
		m.dismissed = info.ID
	}
	return m.stack[0].do(m, act)
}

// matching are the deeds that the filter leaves.
func (p *commandPalette) matching(m *model) []deed {
	all := m.deeds()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].name
	}
	kept := make([]deed, 0, len(all))
	for _, i := range p.filter.keep(names) {
		kept = append(kept, all[i])
	}
	p.at = min(max(p.at, 0), max(len(kept)-1, 0))
	return kept
}

func (p *commandPalette) binds() []bind {
	return []bind{as(accept, "do it"), on(up), on(down), as(back, "close"), on(leave)}
}

func (p *commandPalette) render(m *model, width int) page {
	body := page{tight: m.small}
	p.filter.draw(&m.world, &body, width)
	found := p.matching(m)
	if len(found) == 0 {
		body.say(m.theme.Faint, "Nothing is called like that.", width)
	}
	for i, one := range found {
		marker, style := "  ", plainStyle
		if i == p.at {
			marker, style = m.theme.Accent.Render(m.theme.Glyph.Selected)+" ", m.theme.Accent
			body.show(i, i+1)
		}
		room := width - 3 - ansi.StringWidth(one.key)
		name := cut(one.name, room, m.theme.Glyph.Ellipsis)
		body.add(marker + style.Render(name) + strings.Repeat(" ", max(room-ansi.StringWidth(name), 0)) + " " + m.theme.Key.Render(one.key))
		body.entry(i, len(body.lines)-1)
	}
	return body
}

// press takes a key while the palette is open.
func (p *commandPalette) press(m *model, msg tea.KeyPressMsg) tea.Cmd {
	chosen, known := find(p.binds(), msg, true)
	if !known {
		p.filter.field.press(msg)
		p.at = 0
		return nil
	}
	found := p.matching(m)
	switch chosen {
	case up, down:
		p.move(m, chosen)
	case back:
		m.palette = nil
	case accept:
		if len(found) > 0 {
			m.palette = nil
			return found[p.at].run(m)
		}
	}
	return nil
}

func (p *commandPalette) move(m *model, way action) {
	if p.at++; way == up {
		p.at -= 2
	}
	p.matching(m)
}
