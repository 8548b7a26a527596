package tui

import (
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/ansi"
)

var plainStyle = lipgloss.NewStyle()

// page is what a screen draws: lines that stay, lines that may scroll, and
// which of these must be in sight.
type page struct {
	fixed    []string // always at the top
	lines    []string
	from, to int  // lines[from:to] must be in sight; to 0: nothing in particular
	tight    bool // a small terminal: no empty lines

	cursorX, cursorY int // cursorY counts in lines, or in fixed
	cursor           bool
	cursorFixed      bool

	entries []stretch // which lines are which entry of a list
}

func (p *page) add(lines ...string) { p.lines = append(p.lines, lines...) }

// gap adds an empty line where there is room for it.
func (p *page) gap() {
	if !p.tight {
		p.add("")
	}
}

// say adds a paragraph.
func (p *page) say(style lipgloss.Style, text string, width int) {
	if text == "" {
		return
	}
	for _, line := range wrap(text, width) {
		p.add(style.Render(line))
	}
}

func (p *page) show(from, to int) { p.from, p.to = from, to }

// input draws a text field with the cursor in it, indented by some cells.
func (p *page) input(w *world, f *field, hint string, indent, width int) {
	text, at := f.show(width - indent - 1)
	line := strings.Repeat(" ", indent)
	if text == "" && hint != "" {
		line += w.theme.Faint.Render(cut(hint, width-indent, w.theme.Glyph.Ellipsis))
	} else {
		line += w.theme.Strong.Render(text)
	}
	p.cursor, p.cursorX, p.cursorY = true, indent+at, len(p.lines)
	p.add(line)
	if p.tight {
		return
	}
	p.add(strings.Repeat(" ", indent) + w.theme.Faint.Render(strings.Repeat(w.theme.Glyph.Rule, min(max(width-indent, 1), 44))))
}

// row adds a label with a paragraph beside it, or with the label at its head
// where there is little room. The label names what the paragraph is about.
func (p *page) row(w *world, label, text string, style lipgloss.Style, width int) {
	if text == "" {
		return
	}
	const labelWidth = 16
	if width < 60 {
		for i, line := range wrap(label+": "+text, width-2) {
			switch after, ok := strings.CutPrefix(line, label+":"); {
			case i == 0 && ok:
				p.add(w.theme.Faint.Render(label+":") + style.Render(after))
			case i == 0:
				p.add(style.Render(line))
			default:
				p.add("  " + style.Render(line))
			}
		}
		return
	}
	for i, line := range wrap(text, width-labelWidth) {
		head := strings.Repeat(" ", labelWidth)
		if i == 0 {
			head = w.theme.Faint.Render(pad(cut(label, labelWidth-1, w.theme.Glyph.Ellipsis), labelWidth))
		}
		p.add(head + style.Render(line))
	}
}

// window is the part of the scrolling lines that fits into height, and the
// number of its first line. scroll is where the person has scrolled to.
func (p *page) window(height, scroll int) ([]string, int) {
	if height <= 0 {
		return nil, 0
	}
	most := max(len(p.lines)-height, 0)
	first := min(max(scroll, 0), most)
	if p.to > 0 {
		// Scroll no further than it takes to see what is selected and the line
		// after it; its first line counts most.
		first = min(max(p.to+1-height, 0), most, p.from)
	}
	if p.cursor && !p.cursorFixed {
		first = min(max(first, p.cursorY-height+1), p.cursorY)
	}
	return p.lines[first:min(first+height, len(p.lines))], first
}

// pair puts one text at the left end of a line and another at its right end,
// or below it where both do not fit.
func (p *page) pair(left, right string, width int) {
	if right == "" || ansi.StringWidth(left)+2+ansi.StringWidth(right) <= width {
		p.add(spread(left, right, width))
		return
	}
	p.add(left, right)
}

// spread puts one text at the left end of a line and another at its right end.
func spread(left, right string, width int) string {
	gap := width - ansi.StringWidth(left) - ansi.StringWidth(right)
	if gap < 1 {
		return left
	}
	return left + strings.Repeat(" ", gap) + right
}
