package tui

import (
	"slices"
	"strings"
	"unicode"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/rivo/uniseg"
)

// field is one line of text being typed, counted in grapheme clusters, so that
// the cursor stands right behind wide letters and one press of backspace takes
// one letter away, however many code points it is made of.
type field struct {
	letters []string
	at      int  // the cursor stands before letters[at]
	solid   bool // blanks and line breaks are dropped, as in a pasted card
	limit   int  // most bytes; 0: none
	secret  bool // shown as so many stars
}

func newField(text string, limit int) field {
	f := field{limit: limit}
	f.insert(text)
	return f
}

func (f *field) text() string { return strings.Join(f.letters, "") }

// value is the text without blanks around it.
func (f *field) value() string { return strings.TrimSpace(f.text()) }

func (f *field) insert(text string) {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) && f.solid:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
	for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
		letter := graphemes.Str()
		if f.limit > 0 && len(f.text())+len(letter) > f.limit {
			return
		}
		f.letters = append(f.letters[:f.at], append([]string{letter}, f.letters[f.at:]...)...)
		f.at++
	}
}

// editing is every key that a field knows beside letters. They are shown in the help.
var editing = []struct {
	keys []string
	does string
	edit func(*field)
}{
	{[]string{"left", "ctrl+b"}, "a letter to the left", func(f *field) { f.at = max(f.at-1, 0) }},
	{[]string{"right", "ctrl+f"}, "a letter to the right", func(f *field) { f.at = min(f.at+1, len(f.letters)) }},
	{[]string{"home", "ctrl+a"}, "to the start", func(f *field) { f.at = 0 }},
	{[]string{"end", "ctrl+e"}, "to the end", func(f *field) { f.at = len(f.letters) }},
	{[]string{"backspace", "ctrl+h"}, "delete the letter before the cursor", func(f *field) { f.remove(f.at-1, f.at) }},
	{[]string{"delete", "ctrl+d"}, "delete the letter under the cursor", func(f *field) { f.remove(f.at, f.at+1) }},
	{[]string{"ctrl+w"}, "delete the word before the cursor", func(f *field) { f.remove(f.wordStart(), f.at) }},
	{[]string{"ctrl+u"}, "delete everything before the cursor", func(f *field) { f.remove(0, f.at) }},
	{[]string{"ctrl+k"}, "delete everything after the cursor", func(f *field) { f.remove(f.at, len(f.letters)) }},
}

func (f *field) press(msg tea.KeyPressMsg) {
	name := msg.String()
	for _, entry := range editing {
		for _, key := range entry.keys {
			if key == name {
				entry.edit(f)
				return
			}
		}
	}
	if msg.Text != "" {
		f.insert(msg.Text)
	}
}

func (f *field) remove(from, to int) {
	from, to = max(from, 0), min(to, len(f.letters))
	if from >= to {
		return
	}
	f.letters = append(f.letters[:from], f.letters[to:]...)
	if f.at > from {
		f.at = max(from, f.at-(to-from))
	}
}

func (f *field) wordStart() int {
	start := f.at
	for start > 0 && f.letters[start-1] == " " {
		start--
	}
	for start > 0 && f.letters[start-1] != " " {
		start--
	}
	return start
}

// show returns the part of the text that fits into width cells around the
// cursor, and the cell at which the cursor stands in it.
func (f *field) show(width int) (string, int) {
	if f.secret {
		stars := &field{at: f.at, letters: slices.Repeat([]string{"*"}, len(f.letters))}
		return stars.show(width)
	}
	width = max(width, 2)
	first, cursor := 0, 0
	for i := range f.at {
		cursor += ansi.StringWidth(f.letters[i])
	}
	for cursor > width-1 && first < f.at {
		cursor -= ansi.StringWidth(f.letters[first])
		first++
	}
	var seen strings.Builder
	used := 0
	for _, letter := range f.letters[first:] {
		used += ansi.StringWidth(letter)
		if used > width {
			break
		}
		seen.WriteString(letter)
	}
	return seen.String(), cursor
}
