package tui

// option is one of several answers, with what it means.
type option struct {
	value, label string
	means        string
	field        *field // an answer that needs a line of text
	hint         string // beside an empty field
}

// choice is a list of answers of which exactly one is selected.
type choice struct {
	options []option
	at      int
	full    bool // what every answer means is shown on a small terminal too
}

func (c *choice) move(by int) {
	c.at = min(max(c.at+by, 0), len(c.options)-1)
}

func (c *choice) selected() *option { return &c.options[c.at] }

// typing is the field of the selected answer, nil if it has none.
func (c *choice) typing() *field { return c.options[c.at].field }

// draw appends the answers to a page, the selected one marked and in sight.
func (c *choice) draw(w *world, p *page, width int) {
	for i := range c.options {
		c.drawOption(w, p, width, i)
		if i < len(c.options)-1 && !p.tight {
			p.add("")
		}
	}
}

func (c *choice) drawOption(w *world, p *page, width, i int) {
	entry := &c.options[i]
	from := len(p.lines)
	label, means := w.theme.Strong, w.theme.Faint
	marker := "  "
	if i == c.at {
		marker = w.theme.Accent.Render(w.theme.Glyph.Selected) + " "
		label, means = w.theme.Accent, plainStyle
	}
	p.add(marker + label.Render(cut(entry.label, width-2, w.theme.Glyph.Ellipsis)))
	defer func() { p.entry(i, from) }()
	if p.tight && i != c.at && !c.full {
		return
	}
	if entry.means != "" {
		for _, line := range wrap(entry.means, width-2) {
			p.add("  " + means.Render(line))
		}
	}
	if entry.field != nil && i == c.at {
		p.input(w, entry.field, entry.hint, 2, width)
	}
	if i == c.at {
		p.show(from, len(p.lines))
	}
}
