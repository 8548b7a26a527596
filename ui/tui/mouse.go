package tui

import tea "charm.land/bubbletea/v2"

// stretch are the lines of a page that belong to one entry of a list.
type stretch struct{ from, to, entry int }

// pointed is a list of which an entry can be selected with the mouse.
type pointed interface {
	point(entry int)
}

// entry remembers that the lines from here to the end of the page are entry i.
func (p *page) entry(i, from int) {
	p.entries = append(p.entries, stretch{from, len(p.lines), i})
}

// mouse selects what is clicked on, and scrolls. A click never does more than a
// selection: nobody is called by a slip of the hand.
func (m *model) mouse(msg tea.MouseMsg) tea.Cmd {
	if m.settings["look.mouse"] != "on" || m.asked || m.inGrace() {
		return nil
	}
	switch at := msg.Mouse(); at.Button {
	case tea.MouseWheelUp, tea.MouseWheelDown:
		way := up
		if at.Button == tea.MouseWheelDown {
			way = down
		}
		switch {
		case m.palette != nil:
			m.palette.move(m, way)
		case m.helping || !m.moves():
			m.scrollBy(way)
		default:
			return m.current().do(m, way)
		}
	case tea.MouseLeft:
		if _, click := msg.(tea.MouseClickMsg); click {
			m.click(at.Y)
		}
	}
	return nil
}

func (m *model) click(y int) {
	body, height := m.body()
	_, first := body.window(height, m.scroll)
	line := y - len(m.head(m.frame())) - len(body.fixed)
	if line < 0 || line >= height {
		return
	}
	var list pointed
	switch {
	case m.palette != nil:
		list = m.palette
	case !m.helping:
		list, _ = m.current().(pointed)
	}
	for _, one := range body.entries {
		if list != nil && first+line >= one.from && first+line < one.to {
			list.point(one.entry)
		}
	}
}

func (c *contactList) point(entry int)    { c.at = entry }
func (s *settingsList) point(entry int)   { s.at = entry }
func (p *commandPalette) point(entry int) { p.at = entry }
func (q *question) point(entry int)       { q.answer.at = entry }
