package tui

import tea "charm.land/bubbletea/v2"

// question asks for one of several answers and does what the answer says.
type question struct {
	title  string
	asks   string
	about  string // what it is for; may be empty
	answer choice
	refuse func(m *model, value string) bool // the answer is not whole, and that was told; nil: every one is
	chosen func(m *model, value string) tea.Cmd
}

func (q *question) typing() *field { return q.answer.typing() }

func (q *question) heading(w *world) (title, status string) { return q.title, w.status() }

func (q *question) keys(*world) []bind {
	return []bind{as(accept, "choose"), on(up), on(down), on(back)}
}

func (q *question) render(w *world, width int) page {
	p := page{tight: w.small}
	p.say(w.theme.Strong, q.asks, width)
	p.say(plainStyle, q.about, width)
	p.gap()
	q.answer.draw(w, &p, width)
	return p
}

func (q *question) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case up:
		q.answer.move(-1)
	case down:
		q.answer.move(1)
	case back:
		m.pop()
	case accept:
		value := q.answer.selected().value
		if q.refuse != nil && q.refuse(m, value) {
			return nil
		}
		m.pop()
		return q.chosen(m, value)
	}
	return nil
}

// newRemoval asks before a contact is removed; keeping it is preselected.
func newRemoval(w *world, name string) *question {
	short := w.shortName(name)
	return &question{
		title: "Remove a contact",
		asks:  "Remove " + short + "?",
		answer: choice{options: []option{
			{value: "keep", label: "Keep", means: "Nothing changes."},
			{value: "remove", label: "Remove", means: "They can no longer reach you as a contact, and you cannot call them, until you add their card again."},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			if value != "remove" {
				return nil
			}
			profile := m.profile
			return act(func() error { return profile.RemoveContact(name) }, func(m *model) tea.Cmd {
				if view, ok := m.stack[len(m.stack)-1].(*contactView); ok && view.name == name {
					m.pop()
				}
				m.tell(short + " was removed.")
				return m.load()
			})
		},
	}
}
