// Package theme is where colours and glyphs live. It uses the terminal's own
// sixteen colours with bold, faint and reverse, so that a person's palette
// decides how Sotto looks, and says nothing by colour alone: every colour
// stands beside a word or a glyph.
package theme

import (
	"runtime"
	"strings"

	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// Theme holds the styles by what they are for, and the glyphs a terminal can show.
type Theme struct {
	Title  lipgloss.Style // the name of the program and what a screen is about
	Accent lipgloss.Style // what is selected
	Key    lipgloss.Style // a key that can be pressed
	Strong lipgloss.Style // a name, a value
	Faint  lipgloss.Style // rules, hints, what is not selected
	Good   lipgloss.Style
	Warn   lipgloss.Style
	Bad    lipgloss.Style

	Glyph   Glyphs
	Unicode bool // false: nothing beyond ASCII may reach the screen

	profile colorprofile.Profile // by the environment
	dumb    bool                 // the terminal says that it knows no escape codes
}

// Glyphs are signs that stand beside words. None is wider than one cell.
type Glyphs struct {
	Selected, Verified, Unverified, Blocked, Warning string
	Rule, MeterFull, MeterEmpty, Ellipsis            string
	Changed, In, Out, Here                           string
	Up, Down                                         string
}

var unicodeGlyphs = Glyphs{
	Selected: "›", Verified: "✓", Unverified: "?", Blocked: "✗", Warning: "!",
	Rule: "─", MeterFull: "━", MeterEmpty: "─", Ellipsis: "…",
	Up: "↑", Down: "↓", Changed: "•", In: "←", Out: "→", Here: "•",
}

var asciiGlyphs = Glyphs{
	Selected: ">", Verified: "*", Unverified: "?", Blocked: "x", Warning: "!",
	Rule: "-", MeterFull: "=", MeterEmpty: "-", Ellipsis: "~",
	Up: "^", Down: "v", Changed: "*", In: "<", Out: ">", Here: "+",
}

// New chooses styles and glyphs by the environment: NO_COLOR with any value but
// an empty one means no colour (no-color.org), a locale that is not UTF-8 means
// ASCII glyphs.
func New(environ []string) Theme {
	env := lookup(environ)
	theme := Theme{Glyph: asciiGlyphs, Unicode: utf8Locale(env) && env["TERM"] != "linux"}
	if theme.Unicode {
		theme.Glyph = unicodeGlyphs
	}
	switch {
	case env["TERM"] == "dumb":
		theme.profile, theme.dumb = colorprofile.NoTTY, true
	case env["TERM"] == "" && runtime.GOOS != "windows":
		theme.profile = colorprofile.NoTTY
	case env["NO_COLOR"] != "":
		theme.profile = colorprofile.ASCII
	default:
		theme.profile = colorprofile.ANSI
	}
	theme.paint(theme.profile)
	return theme
}

// paint sets the styles: with the sixteen colours, with bold and faint alone, or
// with nothing at all.
func (t *Theme) paint(profile colorprofile.Profile) {
	plain := lipgloss.NewStyle()
	bold := plain.Bold(true)
	t.Title, t.Key, t.Strong, t.Faint = bold, bold, bold, plain.Faint(true)
	switch profile {
	case colorprofile.ANSI:
	case colorprofile.ASCII:
		t.Accent, t.Good, t.Warn, t.Bad = bold, plain, bold, bold
		return
	default:
		for _, style := range []*lipgloss.Style{&t.Title, &t.Accent, &t.Key, &t.Strong, &t.Faint, &t.Good, &t.Warn, &t.Bad} {
			*style = plain
		}
		return
	}
	t.Accent = bold.Foreground(lipgloss.Cyan)
	t.Key = plain.Foreground(lipgloss.Cyan)
	t.Good = plain.Foreground(lipgloss.Green)
	t.Warn = plain.Foreground(lipgloss.Yellow)
	t.Bad = bold.Foreground(lipgloss.Red)
}

// With applies what a person chose in the settings: colour "16" or "none", glyphs
// "ascii" or "unicode"; "auto" and "" leave what the environment says. What was
// chosen for Sotto goes before what the environment says to every program, NO_COLOR
// among it; only a dumb terminal, which would print the codes, gets none either way.
func (t Theme) With(colour, glyphs string) Theme {
	switch glyphs {
	case "ascii":
		t.Unicode, t.Glyph = false, asciiGlyphs
	case "unicode":
		t.Unicode, t.Glyph = true, unicodeGlyphs
	}
	switch {
	case colour == "16" && !t.dumb:
		t.paint(colorprofile.ANSI)
	case colour == "none" && t.profile == colorprofile.ANSI:
		t.paint(colorprofile.ASCII)
	}
	return t
}

// Profile is the most that may ever be sent to the terminal, whatever the settings
// say while it is open; never more than sixteen colours.
func (t Theme) Profile() colorprofile.Profile {
	if t.dumb {
		return colorprofile.NoTTY
	}
	return colorprofile.ANSI
}

// Plain replaces what an ASCII terminal cannot show by question marks, as many
// as it would have been wide.
// On any other terminal it changes nothing.
func (t Theme) Plain(text string) string {
	if t.Unicode {
		return text
	}
	var plain strings.Builder
	for _, r := range text {
		if r < 127 {
			plain.WriteRune(r)
		} else {
			plain.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return plain.String()
}

// utf8Locale follows the order of POSIX: the first of LC_ALL, LC_CTYPE and LANG that is set decides.
func utf8Locale(env map[string]string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(env[name]); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return runtime.GOOS == "windows"
}

func lookup(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}
