package theme

import (
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

func TestColours(t *testing.T) {
	for _, test := range []struct {
		name    string
		environ []string
		want    colorprofile.Profile
	}{
		{"a terminal", []string{"TERM=xterm-256color"}, colorprofile.ANSI},
		{"true colour is not used", []string{"TERM=xterm", "COLORTERM=truecolor"}, colorprofile.ANSI},
		{"NO_COLOR=1", []string{"TERM=xterm", "NO_COLOR=1"}, colorprofile.ASCII},
		{"NO_COLOR with any value", []string{"TERM=xterm", "NO_COLOR=false"}, colorprofile.ASCII},
		{"empty NO_COLOR does not count", []string{"TERM=xterm", "NO_COLOR="}, colorprofile.ANSI},
		{"dumb", []string{"TERM=dumb"}, colorprofile.NoTTY},
	} {
		t.Run(test.name, func(t *testing.T) {
			theme := New(test.environ)
			if got := theme.Profile(); got != test.want {
				t.Errorf("profile is %v, want %v", got, test.want)
			}
			coloured := strings.Contains(theme.Bad.Render("x"), "31") || strings.Contains(theme.Good.Render("x"), "32")
			if coloured != (test.want == colorprofile.ANSI) {
				t.Errorf("colours in the styles: %v", coloured)
			}
		})
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
			glyphs.Rule, glyphs.MeterFull, glyphs.MeterEmpty, glyphs.Ellipsis, glyphs.Up, glyphs.Down,
		} {
			if ansi.StringWidth(glyph) != 1 || ansi.StringWidthWc(glyph) != 1 {
				t.Errorf("%q is not one cell wide", glyph)
			}
		}
	}
}
