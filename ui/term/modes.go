package term

import (
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// modesLimit bounds what is kept of the modes, in bytes. A program knows a few
// dozen of them; what goes beyond is dropped, oldest first.
const modesLimit = 4 * 1024

// modes is what frames do to a terminal beyond the cells: the alternate screen,
// the cursor's looks, key reports, the title, the pen's style. Of each the last
// word counts; they stand in the order in which they last came.
type modes struct {
	kept []mode
	size int // bytes of all sequences
}

type mode struct{ name, sequence string }

// counted is the name of modes that add up: pushes and pops, each counts.
const counted = "counted"

// style is how the names of the pen's styles begin.
const style = "style "

// keep takes the modes out of a frame: what is drawn, and where, is left out.
func (m *modes) keep(frame []byte) {
	var state byte
	rest := string(frame)
	for rest != "" {
		sequence, _, n, next := ansi.DecodeSequence(rest, state, nil)
		if n <= 0 {
			return
		}
		state, rest = next, rest[n:]
		if name := nameOf(sequence); name != "" {
			m.set(name, sequence)
		}
	}
}

func (m *modes) set(name, sequence string) {
	m.drop(func(old mode) bool {
		return old.name == name && name != counted || name == style && strings.HasPrefix(old.name, style)
	})
	m.kept = append(m.kept, mode{name, sequence})
	m.size += len(sequence)
	for m.size > modesLimit {
		m.size -= len(m.kept[0].sequence)
		m.kept = m.kept[1:]
	}
}

func (m *modes) drop(which func(mode) bool) {
	m.kept = slices.DeleteFunc(m.kept, func(old mode) bool {
		if !which(old) {
			return false
		}
		m.size -= len(old.sequence)
		return true
	})
}

// sequences is what brings a terminal that missed frames to where it would be,
// but for the cells. It is never empty.
func (m *modes) sequences() []byte {
	var all strings.Builder
	for _, one := range m.kept {
		all.WriteString(one.sequence)
	}
	if all.Len() == 0 {
		return []byte(ansi.ResetStyle)
	}
	return []byte(all.String())
}

// nameOf says what a sequence sets; "" for one that draws, moves, asks or tells.
// The finals are those of ECMA-48 and xterm's control sequences, u those of the
// Kitty keyboard protocol.
func nameOf(sequence string) string {
	if body, ok := strings.CutPrefix(sequence, "\x1b]"); ok {
		if number, _, _ := strings.Cut(body, ";"); number == "0" || number == "2" {
			return "title"
		}
		return ""
	}
	body, ok := strings.CutPrefix(sequence, "\x1b[")
	if !ok || len(body) == 0 {
		return ""
	}
	body, final := body[:len(body)-1], body[len(body)-1]
	switch final {
	case 'h', 'l':
		return "mode " + body
	case 'm':
		switch {
		case body == "" || body == "0":
			return style
		case body[0] >= '0' && body[0] <= '9':
			return style + body
		}
		return "keys" + body[:1]
	case 'q':
		if strings.HasSuffix(body, " ") {
			return "cursor"
		}
	case 'r':
		return "margins"
	case 't':
		if strings.HasPrefix(body, "22") || strings.HasPrefix(body, "23") {
			return counted
		}
	case 'u':
		switch {
		case strings.HasPrefix(body, ">"), strings.HasPrefix(body, "<"):
			return counted
		case strings.HasPrefix(body, "="):
			return "keys"
		}
	}
	return ""
}
