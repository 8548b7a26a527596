package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// helpPage lists every key that works on the screen below it, from the same
// bindings that make them work.
func (m *model) helpPage(width int) page {
	m.helping = false
	binds, typing := m.binds(), m.typing() != nil
	m.helping = true

	p := page{tight: m.small}
	title, _ := m.current().heading(&m.world)
	p.add(m.theme.Strong.Render(title))
	var entries [][2]string
	for _, entry := range binds {
		means := entry.means
		if means == "" {
			means = entry.does
		}
		entries = append(entries, [2]string{allShown(entry.keys, m.theme.Unicode), means})
	}
	p.glossary(&m.world, entries, width)
	if !typing {
		return p
	}
	p.gap()
	p.add(m.theme.Strong.Render("In the line of text"))
	entries = nil
	for _, entry := range editing {
		entries = append(entries, [2]string{allShown(entry.keys, m.theme.Unicode), entry.does})
	}
	p.glossary(&m.world, entries, width)
	return p
}

// glossary lists keys with what they do, in two columns.
func (p *page) glossary(w *world, entries [][2]string, width int) {
	column := 0
	for _, entry := range entries {
		column = max(column, ansi.StringWidth(entry[0]))
	}
	for _, entry := range entries {
		for i, line := range wrap(entry[1], max(width-column-2, 8)) {
			keys := ""
			if i == 0 {
				keys = entry[0]
			}
			p.add(w.theme.Key.Render(keys) + strings.Repeat(" ", column-ansi.StringWidth(keys)+2) + line)
		}
	}
}
