//go:build linux

package cli

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestTheInterfaceFromEndToEnd walks through a first run, a call, a change of a
// setting and the way out, with the real program on a real terminal: bare, and
// inside the two multiplexers.
func TestTheInterfaceFromEndToEnd(t *testing.T) {
	t.Run("bare", func(t *testing.T) {
		t.Parallel()
		home := filepath.Join(t.TempDir(), "me")
		term := onDisplay(t, 80, 24, atTerminal(t), sotto(t), "--home", home, "--mic", "tone", "--speaker", "null")
		walk(t, term, home)
	})
	t.Run("narrow", func(t *testing.T) {
		t.Parallel()
		home := filepath.Join(t.TempDir(), "me")
		term := onDisplay(t, 40, 12, atTerminal(t, "NO_COLOR=1"), sotto(t), "--home", home, "--mic", "tone", "--speaker", "null")
		walk(t, term, home)
	})
	t.Run("tmux", func(t *testing.T) {
		t.Parallel()
		tmux := multiplexer(t, "tmux")
		home, socket := filepath.Join(t.TempDir(), "me"), filepath.Join(shortFolder(t), "tmux")
		term := onDisplay(t, 80, 25, atTerminal(t), tmux, "-S", socket, "-f", "/dev/null", "new-session", "-s", "walk", inside(t, home))
		t.Cleanup(func() { _ = exec.Command(tmux, "-S", socket, "kill-server").Run() })
		walk(t, term, home)
		endedWell(t, home)
	})
	t.Run("screen", func(t *testing.T) {
		t.Parallel()
		screen := multiplexer(t, "screen")
		home, folder := filepath.Join(t.TempDir(), "me"), shortFolder(t)
		environ := atTerminal(t, "SCREENDIR="+folder)
		name := fmt.Sprintf("walk-%d", os.Getpid())
		term := onDisplay(t, 80, 24, environ, screen, "-U", "-c", "/dev/null", "-S", name, "sh", "-c", inside(t, home))
		t.Cleanup(func() {
			quit := exec.Command(screen, "-S", name, "-X", "quit")
			quit.Env = environ
			_ = quit.Run()
		})
		walk(t, term, home)
		endedWell(t, home)
	})
}

// TestALateFrameLeavesNoMargins: a frame for the old size, scrolled within its margins, comes
// after the terminal has grown. What is drawn then uses all of the screen.
func TestALateFrameLeavesNoMargins(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "me")
	term := onDisplay(t, 60, 14, atTerminal(t), sotto(t), "--home", home, "--mic", "null", "--speaker", "null")
	term.until("What shall people call you?")
	term.press("\r")
	term.until("On this machine")
	term.resize(80, 24, "\x1b[1;14r")
	term.meets("a screen of 24 rows", func(screen string) bool {
		rows := strings.Split(screen, "\n")
		return strings.Contains(rows[0], "Sotto") && len(rows) == 24 && strings.Contains(rows[23], "help")
	})
	term.press("\r")
	term.until("Does your microphone hear you?")
	term.press("\r")
	term.until("Not now")
	term.press("\r")
	term.until("› echo")
	term.press("s")
	term.meets("a whole screen of settings", func(screen string) bool {
		rows := strings.Split(screen, "\n")
		return strings.Contains(screen, "What do others see now?") && strings.Contains(screen, "Your name") &&
			strings.Contains(rows[0], "Settings") && strings.Contains(rows[23], "find")
	})
}

// multiplexer finds one that is installed.
func multiplexer(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: the interface inside %s, because it is not installed", name)
	}
	return path
}

// shortFolder is one whose sockets have names that are short enough.
func shortFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "mux")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// inside is the command for a shell inside a multiplexer; the status is kept beside the profile.
func inside(t *testing.T, home string) string {
	t.Helper()
	return fmt.Sprintf("'%s' --home '%s' --mic tone --speaker null; echo $? >'%s.status'", sotto(t), home, home)
}

// walk is what a person does on a first evening.
func walk(t *testing.T, term *display, home string) {
	t.Helper()
	columns, rows := term.size()
	term.until("What shall people call you?")
	term.press("\x15Zoë\r") // ctrl+u: not the name of the account
	term.until("On this machine")
	term.press("\r")
	term.until("Does your microphone hear you?")
	term.press("\r")
	term.until("Not now")
	term.press("\r")
	term.until("› echo")

	term.press("\r")
	term.until("inside Sotto", "You and echo")
	term.resize(60, 20)
	term.meets("the call at its new size", func(screen string) bool {
		return strings.Contains(screen, strings.Repeat("─", 56)) && !strings.Contains(screen, strings.Repeat("─", 57)) &&
			strings.Contains(screen, "h hang up")
	})
	term.press("m")
	term.until("muted")
	term.press("p")
	term.until("ML-KEM-768")
	term.press("\x1b")
	term.until("h hang up", "unmute")
	term.resize(columns, rows)
	term.press("h")
	term.until("You hung up.")
	term.press("\x1b")
	term.until("› echo", "settings")

	term.press("s")
	term.until("What do others see now?")
	term.press("/that it ri")
	term.until("Say that it rings", "show all")
	term.meets("one setting found", func(screen string) bool { return !strings.Contains(screen, "Your name") })
	term.press("\r") // back to all of them, with this one opened
	term.until("Say that it rings", "Who sees what", "on, a contact")
	term.press("\r")
	term.until("Saved.")
	kept, err := os.ReadFile(filepath.Join(home, "settings.toml"))
	if err != nil || !strings.Contains(string(kept), `name = "Zoë"`) || !strings.Contains(string(kept), "ringing = false") {
		t.Errorf("the settings were not kept: %v\n%s", err, kept)
	}
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status %d\n%s", status, term.text())
	}
	term.gaveBack()
}

// endedWell checks the exit status that the shell inside a multiplexer saw.
func endedWell(t *testing.T, home string) {
	t.Helper()
	if status, err := os.ReadFile(home + ".status"); err != nil || string(status) != "0\n" {
		t.Errorf("inside, the status was %q, %v", status, err)
	}
}

// gaveBack checks that the terminal is as a shell wants it.
func (term *display) gaveBack() {
	term.t.Helper()
	term.mu.Lock()
	defer term.mu.Unlock()
	if term.screen.IsAltScreen() || term.screen.CursorHidden() {
		term.t.Errorf("the terminal was not given back: alternate screen %v, cursor hidden %v", term.screen.IsAltScreen(), term.screen.CursorHidden())
	}
}
