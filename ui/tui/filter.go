package tui

import (
	"github.com/sahilm/fuzzy"
)

// filter narrows a list while something is typed into it.
type filter struct {
	open  bool
	field field
}

func (f *filter) start() { *f = filter{open: true, field: newField("", 64)} }

func (f *filter) close() { *f = filter{} }

// typing is the filter's field while it is open.
func (f *filter) typing() *field {
	if f.open {
		return &f.field
	}
	return nil
}

// keep gives the numbers of the texts that match, the best first, or all of them
// in their order while nothing is typed.
func (f *filter) keep(texts []string) []int {
	pattern := f.field.value()
	kept := make([]int, 0, len(texts))
	if pattern == "" {
		for i := range texts {
			kept = append(kept, i)
		}
		return kept
	}
	for _, match := range fuzzy.Find(pattern, texts) {
		kept = append(kept, match.Index)
	}
	return kept
}

// draw puts the filter's line at the top of a page, where it stays.
func (f *filter) draw(w *world, p *page, width int) {
	if !f.open {
		return
	}
	text, at := f.field.show(width - 3)
	p.cursor, p.cursorFixed, p.cursorX, p.cursorY = true, true, 2+at, len(p.fixed)
	p.fixed = append(p.fixed, w.theme.Accent.Render("/")+" "+w.theme.Strong.Render(text))
	if !p.tight {
		p.fixed = append(p.fixed, "")
	}
}
