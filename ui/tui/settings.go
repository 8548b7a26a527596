package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// settingsList shows every setting with its value, and under the selected one
// what the value means.
type settingsList struct {
	at int
}

func (s *settingsList) heading(w *world) (title, status string) { return "Settings", w.status() }

func (s *settingsList) row() *settingRow { return &settingRows[s.at] }

func (s *settingsList) keys(*world) []bind {
	binds := []bind{on(up), on(down), on(back)}
	row := s.row()
	switch {
	case row.fixed != "":
		return binds
	case len(row.options) == 2:
		change := as(accept, "switch")
		change.keys = []string{"enter", "space"}
		return append([]bind{change}, binds...)
	}
	change := as(accept, "change")
	change.keys = []string{"enter", "space"}
	return append([]bind{change}, binds...)
}

func (s *settingsList) render(w *world, width int) page {
	p := page{tight: w.small}
	column := 0
	for i := range settingRows {
		column = max(column, ansi.StringWidth(settingRows[i].label))
	}
	for i := range settingRows {
		from := len(p.lines)
		s.drawRow(w, &p, i, column, width)
		if i == s.at {
			p.show(from, len(p.lines))
		}
	}
	return p
}

func (s *settingsList) drawRow(w *world, p *page, i, column, width int) {
	row := &settingRows[i]
	glyph := w.theme.Glyph
	marker, label := "  ", plainStyle
	if i == s.at {
		marker, label = w.theme.Accent.Render(glyph.Selected)+" ", w.theme.Accent
	}
	value := w.theme.Strong
	if row.fixed != "" {
		value = w.theme.Faint
	}
	room := width - column - 4
	p.add(marker + label.Render(pad(row.label, column)) + "  " + value.Render(cut(row.value(w), room, glyph.Ellipsis)))
	if i != s.at {
		return
	}
	sees, costs := row.meaning(w)
	if costs != "" {
		costs = "Cost: " + costs
	}
	if full := row.value(w); ansi.StringWidth(full) > room {
		p.say(value, full, width)
	}
	indent := 2
	if width >= 60 {
		indent = column + 4
	}
	for _, text := range []string{sees, costs} {
		if text == "" {
			continue
		}
		for _, line := range wrap(text, width-indent) {
			p.add(strings.Repeat(" ", indent) + line)
		}
	}
	p.gap()
}

func (s *settingsList) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case up:
		s.at = max(s.at-1, 0)
	case down:
		s.at = min(s.at+1, len(settingRows)-1)
	case back:
		m.pop()
	case accept:
		return s.change(m)
	}
	return nil
}

func (s *settingsList) change(m *model) tea.Cmd {
	row := s.row()
	stored := m.settings[row.key]
	switch {
	case row.fixed != "":
		return nil
	case len(row.options) == 2:
		next := row.options[0].value
		if stored == next {
			next = row.options[1].value
		}
		return m.save(row.key, next)
	case len(row.options) > 2:
		m.push(newSettingQuestion(row, stored))
	default:
		m.push(newSettingForm(&m.world, row))
	}
	return nil
}

// newSettingQuestion offers every value of a setting with what it means; the
// one in force is preselected.
func newSettingQuestion(row *settingRow, stored string) *question {
	q := &question{title: row.label, asks: row.label + "?"}
	for i, entry := range row.options {
		label := entry.label
		if entry.value == stored {
			label += " (now)"
			q.answer.at = i
		}
		q.answer.options = append(q.answer.options, option{value: entry.value, label: label, means: entry.sees + " Cost: " + entry.costs})
	}
	q.chosen = func(m *model, value string) tea.Cmd {
		return m.save(row.key, value)
	}
	return q
}
