package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// widest keeps lines short enough to read on a wide terminal.
const widest = 86

// frame is how the screen is shared out.
type frame struct {
	margin, width int // of everything
	rule, air     bool
}

func (m *model) frame() frame {
	f := frame{margin: 2, rule: m.height >= 8, air: m.height >= 18}
	switch {
	case m.width < 24:
		f.margin = 0
	case m.width < 60:
		f.margin = 1
	}
	f.width = min(max(m.width-2*f.margin, 1), widest)
	return f
}

// View draws the whole screen: heading, body, notice, keys.
func (m *model) View() tea.View {
	f := m.frame()
	body, height := m.body()
	shown, first := body.window(height, m.scroll)

	lines := m.head(f)
	lines = append(lines, body.fixed...)
	top := len(lines)
	lines = append(lines, shown...)
	for range height - len(shown) {
		lines = append(lines, "")
	}
	lines = append(lines, m.foot(f, scrollMark(m, &body, first, height))...)

	view := tea.NewView(m.finish(lines, f))
	view.AltScreen = true
	if m.settings["look.mouse"] == "on" {
		view.MouseMode = tea.MouseModeCellMotion
	}
	m.askForReleases(&view)
	view.WindowTitle = m.title()
	if x, y, ok := m.cursor(&body, f, top, first, height); ok {
		view.Cursor = tea.NewCursor(x, y)
		view.Cursor.Shape = tea.CursorBar
		view.Cursor.Blink = false
	}
	return view
}

// cursor is where the cursor stands, if the line it is in can be seen.
func (m *model) cursor(body *page, f frame, top, first, height int) (x, y int, ok bool) {
	x, y = f.margin+body.cursorX, top+body.cursorY-first
	if body.cursorFixed {
		y = top - len(body.fixed) + body.cursorY
	} else if body.cursorY < first || body.cursorY >= first+height {
		return 0, 0, false
	}
	return x, y, body.cursor && !m.helping && x < m.width && y < m.height
}

// body draws the screen and says how many lines are left for what scrolls.
func (m *model) body() (page, int) {
	f := m.frame()
	m.small = !f.air
	m.room = m.height - len(m.head(f)) - len(m.foot(f, ""))
	var body page
	if m.palette != nil {
		body = m.palette.render(m, f.width)
	} else if m.helping {
		body = m.helpPage(f.width)
	} else {
		body = m.current().render(&m.world, f.width)
	}
	taken := len(m.head(f)) + len(body.fixed) + len(m.foot(f, ""))
	height := m.height - taken
	if height < 3 && len(body.fixed) > 0 {
		// Too little room for anything to stay: let all of it scroll.
		body.lines = append(body.fixed, body.lines...)
		body.from, body.to = body.from+len(body.fixed), body.to+len(body.fixed)
		if body.to == len(body.fixed) {
			body.from, body.to = 0, 0
		}
		if !body.cursorFixed {
			body.cursorY += len(body.fixed)
		}
		body.cursorFixed = false
		for i := range body.entries {
			body.entries[i].from += len(body.fixed)
			body.entries[i].to += len(body.fixed)
		}
		height += len(body.fixed)
		body.fixed = nil
	}
	return body, max(height, 0)
}

func (m *model) head(f frame) []string {
	title, status := m.current().heading(&m.world)
	switch {
	case m.palette != nil:
		title = "Everything"
	case m.helping:
		title, status = "Help", ""
	}
	look := m.theme
	left := look.Title.Render("Sotto") + "  " + cut(title, max(f.width-7, 1), look.Glyph.Ellipsis)
	lines := []string{spread(left, look.Faint.Render(status), f.width)}
	if f.rule {
		lines = append(lines, look.Faint.Render(strings.Repeat(look.Glyph.Rule, f.width)))
	}
	if f.air {
		lines = append(lines, "")
	}
	return lines
}

// foot is the notice, if there is one, and the keys that matter now.
func (m *model) foot(f frame, mark string) []string {
	var lines []string
	if f.air {
		lines = append(lines, "")
	}
	if m.notice != "" {
		style := plainStyle
		text := m.notice
		if m.noticeBad {
			style = m.theme.Bad
			text = m.theme.Glyph.Warning + " " + text
		}
		for _, line := range wrap(text, f.width) {
			lines = append(lines, style.Render(line))
		}
		if f.air {
			lines = append(lines, "")
		}
	}
	return append(lines, m.keyLine(f.width, mark))
}

// keyLine names as many keys as fit. Help stays when others have to go.
func (m *model) keyLine(width int, mark string) string {
	var parts []string
	var last string
	room := width
	if mark != "" {
		room -= ansi.StringWidth(mark) + 2
	}
	for _, candidate := range m.binds() {
		if candidate.silent {
			continue
		}
		label := shown(candidate.keys[0], m.theme.Unicode)
		part := m.theme.Key.Render(label) + " " + m.theme.Faint.Render(candidate.does)
		if m.inert() {
			part = m.theme.Faint.Render(label + " " + candidate.does)
		}
		if candidate.act == help {
			last = part
			continue
		}
		parts = append(parts, part)
	}
	for ; len(parts) > 0; parts = parts[:len(parts)-1] {
		shown := parts
		if last != "" {
			shown = append(slices.Clone(parts), last)
		}
		if line := strings.Join(shown, "   "); ansi.StringWidth(line) <= room {
			return spread(line, m.theme.Faint.Render(mark), width)
		}
		if line := strings.Join(shown, "  "); ansi.StringWidth(line) <= room {
			return spread(line, m.theme.Faint.Render(mark), width)
		}
	}
	return spread(cut(last, room, m.theme.Glyph.Ellipsis), m.theme.Faint.Render(mark), width)
}

// inert reports whether the keys shown do nothing yet.
func (m *model) inert() bool {
	_, ringing := m.current().(incoming)
	return ringing && m.world.inGrace()
}

// scrollMark says that there is more above or below: arrows, and the words
// where there is room.
func scrollMark(m *model, body *page, first, height int) string {
	mark := arrowsFor(m, body, first, height)
	if mark != "" && m.width >= 60 {
		mark += " more"
	}
	return mark
}

func arrowsFor(m *model, body *page, first, height int) string {
	above, below := first > 0, first+height < len(body.lines)
	up, down := m.theme.Glyph.Up, m.theme.Glyph.Down
	switch {
	case above && below:
		return up + down
	case above:
		return up
	case below:
		return down
	}
	return ""
}

// finish makes exactly as many lines of at most the width as the terminal has.
// Where even the least does not fit, the keys at the bottom stay.
func (m *model) finish(lines []string, f frame) string {
	if len(lines) > m.height {
		last := lines[len(lines)-1]
		lines = append(lines[:max(m.height-1, 0)], last)
	}
	indent := strings.Repeat(" ", f.margin)
	for i, line := range lines {
		if line != "" {
			line = ansi.Truncate(indent+line, m.width, "")
		}
		lines[i] = m.theme.Plain(line)
	}
	return strings.Join(lines, "\n")
}
