package theme

import (
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestColours(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		chosen  string // look.colour
		want    colorprofile.Profile
	}{
		{"a terminal", []string{"TERM=xterm-256color"}, "auto", colorprofile.ANSI},
		{"true colour is not used", []string{"TERM=xterm", "COLORTERM=truecolor"}, "auto", colorprofile.ANSI},
		{"NO_COLOR=1", []string{"TERM=xterm", "NO_COLOR=1"}, "auto", colorprofile.ASCII},
		{"NO_COLOR with any value", []string{"TERM=xterm", "NO_COLOR=false"}, "auto", colorprofile.ASCII},
		{"empty NO_COLOR does not count", []string{"TERM=xterm", "NO_COLOR="}, "auto", colorprofile.ANSI},
		{"no terminal is named", nil, "auto", colorprofile.NoTTY},
		{"dumb", []string{"TERM=dumb"}, "auto", colorprofile.NoTTY},
		{"none", []string{"TERM=xterm"}, "none", colorprofile.ASCII},
		{"none, and no terminal is named", nil, "none", colorprofile.NoTTY},
		{"none and dumb", []string{"TERM=dumb"}, "none", colorprofile.NoTTY},
		{"16", []string{"TERM=xterm"}, "16", colorprofile.ANSI},
		{"16 goes before NO_COLOR", []string{"TERM=xterm", "NO_COLOR=1"}, "16", colorprofile.ANSI},
		{"16, and no terminal is named", nil, "16", colorprofile.ANSI},
		{"16 and dumb", []string{"TERM=dumb"}, "16", colorprofile.NoTTY},
	} {
		t.Run(test.name, func(t *testing.T) {
			theme := New(test.environ).With(test.chosen, "auto")
			if got := theme.Profile(); got < test.want {
				t.Errorf("no more than %v is sent, want %v", got, test.want)
			}
			got := colorprofile.NoTTY
			switch {
			case theme.Bad.Render("x") == "\x1b[1;31mx\x1b[m" && theme.Good.Render("x") == "\x1b[32mx\x1b[m":
				got = colorprofile.ANSI
			case theme.Bad.Render("x") == "\x1b[1mx\x1b[m" && theme.Faint.Render("x") == "\x1b[2mx\x1b[m":
				got = colorprofile.ASCII
			case theme.Bad.Render("x") != "x" || theme.Faint.Render("x") != "x":
				t.Errorf("the styles are %q and %q", theme.Bad.Render("x"), theme.Faint.Render("x"))
			}
			if got != test.want {
				t.Errorf("the styles are of %v, want %v", got, test.want)
			}
		})
	}
	if got := New([]string{"TERM=dumb"}).Profile(); got != colorprofile.NoTTY {
		t.Errorf("%v may be sent to a dumb terminal", got)
	}
}

func TestGlyphsFollowTheLocale(t *testing.T) {
	for _, test := range []struct {
		environ []string
		unicode bool
	}{
		{[]string{"LANG=en_GB.UTF-8"}, true},
		{[]string{"LANG=en_GB.UTF-8", "LC_ALL=C"}, false},
		{[]string{"LANG=C", "LC_CTYPE=C.utf8"}, true},
		{[]string{"LANG=de_DE.ISO-8859-1"}, false},
		{[]string{"LANG=en_GB.UTF-8", "TERM=linux"}, false},
	} {
		if got := New(test.environ).Unicode; got != test.unicode {
			t.Errorf("%v: unicode is %v, want %v", test.environ, got, test.unicode)
		}
	}
	ascii := New([]string{"LANG=C"})
	if got := ascii.Plain("Zoë ✓"); got != "Zo? ?" {
		t.Errorf("Plain gave %q", got)
	}
}

func TestGlyphsAreOneCellWide(t *testing.T) {
	for _, glyphs := range []Glyphs{unicodeGlyphs, asciiGlyphs} {
		for _, glyph := range []string{
			glyphs.Selected, glyphs.Verified, glyphs.Unverified, glyphs.Blocked, glyphs.Warning,
			glyphs.Rule, glyphs.MeterFull, glyphs.MeterEmpty, glyphs.Ellipsis, glyphs.Up, glyphs.Down, glyphs.Here,
		} {
			if ansi.StringWidth(glyph) != 1 || ansi.StringWidthWc(glyph) != 1 {
				t.Errorf("%q is not one cell wide", glyph)
			}
		}
	}
}
