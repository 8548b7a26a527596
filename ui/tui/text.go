package tui

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// wrap breaks plain text into lines of at most width cells, between words only
// (a name like AES-256-GCM stays whole). A word longer than a line is broken
// too, so that nothing is ever cut off.
func wrap(text string, width int) []string {
	if width < 1 {
		width = 1
	}
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case ansi.StringWidth(*last)+1+ansi.StringWidth(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
		if last = &lines[len(lines)-1]; ansi.StringWidth(*last) > width {
			broken := strings.Split(ansi.Hardwrap(*last, width, true), "\n")
			lines = append(lines[:len(lines)-1], broken...)
		}
	}
	return lines
}

// cut shortens text to width cells, with a mark where something is missing.
func cut(text string, width int, mark string) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(text, width, mark)
}

// pad fills text with blanks up to width cells.
func pad(text string, width int) string {
	if missing := width - ansi.StringWidth(text); missing > 0 {
		return text + strings.Repeat(" ", missing)
	}
	return text
}

// nameWidth is the most a name may take in a sentence.
const nameWidth = 28

// shortName keeps a name from filling the screen. Names arrive cleaned; what
// could still move the cursor is dropped here once more, at the last place.
func (w *world) shortName(name string) string {
	if name = onlyPrinted(name); strings.TrimSpace(name) == "" {
		name = "somebody"
	}
	return cut(name, nameWidth, w.theme.Glyph.Ellipsis)
}

// onlyPrinted drops what could move the cursor or turn the line around.
func onlyPrinted(name string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || unicode.IsControl(r) || (r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069) {
			return -1
		}
		return r
	}, name)
}

// sentence makes an error's text readable on a screen: a capital, unless it
// begins with an address or a path, and a full stop.
func sentence(text string) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return ""
	}
	if word, _, _ := strings.Cut(text, " "); !strings.ContainsAny(strings.TrimRight(word, ":,;"), ".:/@#") {
		first, size := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if !strings.ContainsAny(text[len(text)-1:], ".!?") {
		text += "."
	}
	return text
}

// shortPath leaves the folders out of a path at the head of an error's text.
func shortPath(text string) string {
	if path, rest, ok := strings.Cut(text, ", "); ok && strings.ContainsRune(path, filepath.Separator) && !strings.Contains(path, ": ") {
		return filepath.Base(path) + ", " + rest
	}
	return text
}

// clock is a length of time as m:ss.
func clock(length time.Duration) string {
	seconds := int(max(length, 0) / time.Second)
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
}

// join puts sentences into one paragraph, leaving out the empty ones.
func join(sentences ...string) string {
	var kept []string
	for _, one := range sentences {
		if one != "" {
			kept = append(kept, one)
		}
	}
	return strings.Join(kept, " ")
}
