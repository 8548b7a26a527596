package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

var update = flag.Bool("update", false, "write what the screens show into testdata")

var sizes = [][2]int{{80, 24}, {40, 12}, {120, 40}}

// colours matches every sequence that sets a foreground or background colour.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*\b(3[0-79]|4[0-79]|9[0-7]|10[0-7]|38|48)[0-9;]*m`)

func TestGoldenScreens(t *testing.T) {
	for _, one := range scenes() {
		for _, size := range sizes {
			name := fmt.Sprintf("%s-%dx%d", one.name, size[0], size[1])
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				plain := one.build(t, size[0], size[1], "TERM=xterm", "NO_COLOR=yes", "LANG=C.UTF-8")
				content := plain.m.View().Content
				if found := colours.FindString(content); found != "" {
					t.Errorf("NO_COLOR is set and there is %q", found)
				}
				checkSize(t, content, size[0], size[1])
				compare(t, name+".txt", withCursor(plain))

				coloured := one.build(t, size[0], size[1])
				content = coloured.m.View().Content
				compare(t, name+".ansi", content)
				if coloured.seen() != plain.seen() {
					t.Error("colour changes more than colours")
				}
			})
		}
	}
}

func TestScreensInASCII(t *testing.T) {
	for _, one := range scenes() {
		d := one.build(t, 80, 24, "TERM=xterm", "LANG=C")
		for _, r := range d.seen() {
			if r > 126 {
				t.Errorf("%s: %q reaches a terminal that cannot show it", one.name, r)
			}
		}
		switch one.name {
		case "contacts", "call", "help":
			compare(t, one.name+"-ascii.txt", d.seen())
		}
	}
}

// TestAnySize draws every screen in every small size and some large ones: exactly
// as many lines as there are, none too wide, and no panic.
func TestAnySize(t *testing.T) {
	for _, one := range scenes() {
		d := one.build(t, 80, 24)
		for _, size := range [][2]int{{1, 1}, {23, 7}, {40, 17}, {300, 1}, {3, 100}, {300, 100}} {
			d.resize(size[0], size[1])
			checkSize(t, d.m.View().Content, size[0], size[1])
			if size[1] == 7 {
				d.press("pgdown", "pgup")
			}
		}
	}
}

func checkSize(t *testing.T, content string, width, height int) {
	t.Helper()
	lines := strings.Split(content, "\n")
	if len(lines) != height {
		t.Errorf("%dx%d: there are %d lines", width, height, len(lines))
	}
	for _, line := range lines {
		if got := ansi.StringWidth(line); got > width {
			t.Errorf("%dx%d: %q is %d cells wide", width, height, line, got)
		}
	}
}

// withCursor is what is seen, and where the cursor stands.
func withCursor(d *driver) string {
	text := d.seen()
	if cursor := d.m.View().Cursor; cursor != nil {
		text += fmt.Sprintf("\n(the cursor is in line %d, column %d)", cursor.Y+1, cursor.X+1)
	}
	return text
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got += "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (write it with: go test ./ui/tui -update)", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s\nwant:\n%s", name, got, want)
	}
}

// TestColoursAsChosen draws the contacts with look.colour against what the
// environment says.
func TestColoursAsChosen(t *testing.T) {
	for _, test := range []struct {
		chosen   string
		environ  []string
		coloured bool
	}{
		{"16", []string{"TERM=xterm", "NO_COLOR=1", "LANG=C.UTF-8"}, true},
		{"none", inColour, false},
	} {
		for _, size := range sizes[:2] {
			set := map[string]string{"look.colour": test.chosen, "calls.enabled": "on", "relay.address": "relay.example.org"}
			one := scene{snap: ready, with: someContacts, set: set, play: keysPressed("down")}
			d := one.build(t, size[0], size[1], test.environ...)
			content := d.m.View().Content
			if colours.MatchString(content) != test.coloured {
				t.Errorf("look.colour %s: colours are %v", test.chosen, !test.coloured)
			}
			compare(t, fmt.Sprintf("contacts-colour-%s-%dx%d.ansi", test.chosen, size[0], size[1]), content)
		}
	}
}
