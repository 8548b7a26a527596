package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sotto/ui/theme"
)

func ansiStrip(text string) string { return ansi.Strip(text) }

func TestWrapLosesNothing(t *testing.T) {
	text := "a sotto:verylongwordthatdoesnotfit AES-256-GCM 山田太郎山田太郎山田太郎 🎧🎧🎧 end"
	for width := 2; width < 60; width++ {
		lines := wrap(text, width)
		for _, line := range lines {
			if ansi.StringWidth(line) > width {
				t.Errorf("width %d: %q is too wide", width, line)
			}
		}
		if got, want := strings.ReplaceAll(strings.Join(lines, ""), " ", ""), strings.ReplaceAll(text, " ", ""); got != want {
			t.Errorf("width %d: %q is left of %q", width, got, want)
		}
	}
	if got := wrap("", 10); len(got) != 1 || got[0] != "" {
		t.Errorf("wrapping nothing gives %q", got)
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"the disk is full":           "The disk is full.",
		"is it?":                     "Is it?",
		"relay.example.org is gone":  "relay.example.org is gone.",
		"/home/x: no space left":     "/home/x: no space left.",
		"übung":                      "Übung.",
		"settings: line 3 is broken": "Settings: line 3 is broken.",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}

func TestClock(t *testing.T) {
	for length, want := range map[time.Duration]string{
		0: "0:00", 65 * time.Second: "1:05", 59999 * time.Millisecond: "0:59",
		100 * time.Minute: "100:00", -time.Second: "0:00",
	} {
		if got := clock(length); got != want {
			t.Errorf("%v is %q, want %q", length, got, want)
		}
	}
}

func TestNamesCannotDisturbTheScreen(t *testing.T) {
	w := &world{theme: theme.New(inColour)}
	for name, want := range map[string]string{
		"bob":                     "bob",
		"":                        "somebody",
		"\x1b[31mred\a":           "[31mred",
		"\u202egnp.exe":           "gnp.exe",
		strings.Repeat("x", 50):   strings.Repeat("x", 27) + "…",
		strings.Repeat("太", 20):   strings.Repeat("太", 13) + "…",
		"Zoë 👩‍👩‍👧 \u2066x\u2069": "Zoë 👩‍👩‍👧 x",
	} {
		if got := w.shortName(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

func TestField(t *testing.T) {
	f := newField("a👩‍👩‍👧太", 0)
	if len(f.letters) != 3 {
		t.Fatalf("%q has %d letters, want 3", f.text(), len(f.letters))
	}
	if _, cursor := f.show(20); cursor != 5 {
		t.Errorf("the cursor is at cell %d, want 5", cursor)
	}
	for _, step := range []struct{ key, want string }{
		{"backspace", "a👩‍👩‍👧"},
		{"backspace", "a"},
		{"left", "a"},
		{"b", "ba"},
		{"end", "ba"},
		{"space", "ba "},
		{"c", "ba c"},
		{"ctrl+w", "ba "},
		{"home", "ba "},
		{"delete", "a "},
		{"ctrl+k", ""},
		{"backspace", ""},
		{"left", ""},
		{"right", ""},
		{"delete", ""},
	} {
		f.press(keyNamed(t, step.key))
		if f.text() != step.want {
			t.Errorf("after %s the text is %q, want %q", step.key, f.text(), step.want)
		}
	}
	f.insert("one\ttwo\nthree\x1b[A")
	if f.text() != "one two three[A" {
		t.Errorf("the text is %q", f.text())
	}
	limited := newField(strings.Repeat("é", 40), nameLimit)
	if limited.text() != strings.Repeat("é", 32) {
		t.Errorf("a name of %d bytes was taken", len(limited.text()))
	}
}

func TestAFieldShowsThePartAroundTheCursor(t *testing.T) {
	f := newField(strings.Repeat("太", 30), 0)
	for range 31 {
		text, cursor := f.show(11)
		if ansi.StringWidth(text) > 11 || cursor < 0 || cursor > 10 {
			t.Fatalf("%q is shown with the cursor at %d", text, cursor)
		}
		f.press(keyNamed(t, "left"))
	}
	if text, cursor := f.show(11); cursor != 0 || text != strings.Repeat("太", 5) {
		t.Errorf("at the start %q is shown with the cursor at %d", text, cursor)
	}
}
