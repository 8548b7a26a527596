package tui

import (
	"context"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/ui/theme"
)

// driver is a model with its clock and its ticks in the test's hands. Commands
// run to their end as soon as they are returned.
type driver struct {
	t       *testing.T
	m       *model
	calls   *fakeCalls
	profile *fakeProfile
	now     time.Time
	ticks   []tick
	quit    bool
}

type tick struct {
	wait time.Duration
	fire func(time.Time) tea.Msg
}

var inColour = []string{"TERM=xterm-256color", "LANG=C.UTF-8"}

func newDriver(t *testing.T, calls *fakeCalls, profile *fakeProfile, environ ...string) *driver {
	t.Helper()
	if len(environ) == 0 {
		environ = append(environ, inColour...)
	}
	d := &driver{t: t, calls: calls, profile: profile, now: start}
	// With an ended context the wait for events ends at once; tests say what
	// happened by sending eventHappened themselves.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cfg := Config{
		Calls: calls, Profile: profile, Environ: environ,
		Now: func() time.Time { return d.now },
		after: func(wait time.Duration, fire func(time.Time) tea.Msg) tea.Cmd {
			d.ticks = append(d.ticks, tick{wait, fire})
			return nil
		},
	}
	d.m = newModel(ctx, cfg, theme.New(environ), nil)
	d.run(d.m.Init())
	return d
}

func (d *driver) run(command tea.Cmd) {
	if command == nil {
		return
	}
	switch msg := command().(type) {
	case nil:
	case tea.BatchMsg:
		for _, one := range msg {
			d.run(one)
		}
	case tea.QuitMsg:
		d.quit = true
	default:
		d.send(msg)
	}
}

func (d *driver) send(msg tea.Msg) {
	_, command := d.m.Update(msg)
	d.m.View()
	d.run(command)
}

// happen is an event of the calls, whose snapshot was changed before.
func (d *driver) happen() { d.send(eventHappened{}) }

// press types keys by their names, a moment apart.
func (d *driver) press(names ...string) {
	for _, name := range names {
		d.send(keyNamed(d.t, name))
		d.now = d.now.Add(10 * time.Millisecond)
	}
}

// write types a text letter by letter.
func (d *driver) write(text string) {
	for _, letter := range text {
		d.send(tea.KeyPressMsg{Code: letter, Text: string(letter)})
	}
}

// seek presses down until the line that begins with label is selected.
func (d *driver) seek(label string) {
	d.t.Helper()
	for range 80 {
		if strings.Contains(d.flat(), d.m.theme.Glyph.Selected+" "+label) {
			return
		}
		d.press("down")
	}
	d.t.Fatalf("%q cannot be selected:\n%s", label, d.seen())
}

func (d *driver) resize(width, height int) { d.send(tea.WindowSizeMsg{Width: width, Height: height}) }

// seen is what the screen shows, without colours.
func (d *driver) seen() string {
	lines := strings.Split(ansi.Strip(d.m.View().Content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

// flat is what the screen says, with its lines run together.
func (d *driver) flat() string { return strings.Join(strings.Fields(d.seen()), " ") }

func (d *driver) wants(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if !strings.Contains(d.flat(), text) {
			d.t.Errorf("the screen does not say %q:\n%s", text, d.seen())
		}
	}
}

func (d *driver) wantsNot(texts ...string) {
	d.t.Helper()
	for _, text := range texts {
		if strings.Contains(d.flat(), text) {
			d.t.Errorf("the screen says %q:\n%s", text, d.seen())
		}
	}
}

func (d *driver) wantsAsked(want string) {
	d.t.Helper()
	if got := strings.Join(d.calls.requests(), ", "); got != want {
		d.t.Errorf("the calls were asked %q, want %q", got, want)
	}
}

var namedKeys = map[string]tea.KeyPressMsg{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp},
	"backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete}, "f1": {Code: tea.KeyF1},
	"shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift}, "space": {Code: tea.KeySpace, Text: " "},
}

func keyNamed(t *testing.T, name string) tea.KeyPressMsg {
	t.Helper()
	msg, ok := namedKeys[name]
	switch {
	case ok:
	case len(name) == 1:
		msg = tea.KeyPressMsg{Code: rune(name[0]), Text: name}
	case strings.HasPrefix(name, "ctrl+"):
		msg = tea.KeyPressMsg{Code: rune(name[5]), Mod: tea.ModCtrl}
	default:
		t.Fatalf("no key is called %q", name)
	}
	if msg.String() != name {
		t.Fatalf("Bubble Tea calls the key %q %q", name, msg.String())
	}
	return msg
}
