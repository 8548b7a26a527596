package identity

import (
	"strings"
	"unicode"

	"github.com/rivo/uniseg"
)

const (
	// maxNameWidth is the widest name in terminal columns.
	maxNameWidth = 32
	// maxMarks bounds the accents stacked on one letter; Vietnamese needs two.
	maxMarks = 3
)

// CleanName makes a name from outside safe to show in a terminal, a title, a
// notification or a log. It drops control, escape, bidirectional, zero-width,
// private and other invisible characters, folds white space to single spaces, and
// cuts at 32 columns or 64 bytes between whole characters. It may give "".
// Cleaning twice changes nothing.
func CleanName(name string) string { return cut(clean(name), maxNameWidth, MaxNameSize) }

// CleanText does the same with a line of text that somebody wrote, and cuts it at
// limit bytes, however wide it is.
func CleanText(text string, limit int) string { return cut(clean(text), limit, limit) }

func clean(text string) string {
	var clean strings.Builder
	space, marks := false, maxMarks
	for _, r := range strings.ToValidUTF8(text, "") {
		switch {
		case unicode.IsSpace(r):
			space, marks = clean.Len() > 0, maxMarks
			continue
		case !visible(r):
			continue
		case unicode.In(r, unicode.M):
			if marks++; marks > maxMarks {
				continue
			}
		default:
			marks = 0
		}
		if space {
			clean.WriteByte(' ')
			space = false
		}
		clean.WriteRune(r)
	}
	return clean.String()
}

// visible is false for what leaves no honest mark on a screen. U+2800 is a blank
// that Unicode counts as a symbol; U+FFFD stands for bytes that were no text.
func visible(r rune) bool {
	return unicode.IsPrint(r) && r != '\u2800' && r != unicode.ReplacementChar &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// cut keeps whole grapheme clusters up to so many columns and bytes.
func cut(text string, widest, longest int) string {
	width, end, state := 0, 0, -1
	for rest := text; rest != ""; {
		var cluster string
		var columns int
		cluster, rest, columns, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if width+columns > widest || end+len(cluster) > longest {
			break
		}
		width, end = width+columns, end+len(cluster)
	}
	return strings.TrimRight(text[:end], " ")
}
