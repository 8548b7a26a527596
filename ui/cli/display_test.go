//go:build linux

package cli

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// display is a program on a real pseudo-terminal, with an emulator at the other
// end that keeps the screen and answers what the program asks of it.
type display struct {
	t       testing.TB
	control *os.File
	command *exec.Cmd
	began   time.Time
	read    chan struct{} // closed when nothing more is written
	changed chan struct{} // one place: the screen is another

	mu      sync.Mutex // guards the following
	screen  *vt.Emulator
	written int
}

// atTerminal is the environment of a program on a terminal, and nothing of ours.
func atTerminal(t testing.TB, more ...string) []string {
	return append([]string{
		"TERM=xterm-256color", "LANG=C.UTF-8", "LC_ALL=C.UTF-8", "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "SHELL=/bin/sh",
	}, more...)
}

// onDisplay starts a program on a terminal of that size. It is killed when the test ends.
func onDisplay(t testing.TB, columns, rows int, environ []string, words ...string) *display {
	t.Helper()
	term := &display{
		t: t, command: exec.Command(words[0], words[1:]...), read: make(chan struct{}), changed: make(chan struct{}, 1),
		screen: vt.NewEmulator(columns, rows),
	}
	term.screen.RegisterCsiHandler('r', func(params ansi.Params) (handled bool) {
		bottom, _, _ := params.Param(1, 0)
		return bottom > term.screen.Height() // the emulator would fall over margins for a screen that was taller a moment ago
	})
	term.command.Env = environ
	term.began = time.Now()
	control, err := pty.StartWithSize(term.command, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		t.Fatal(err)
	}
	term.control = control
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = io.Copy(control, term.screen) // what the emulator answers
	}()
	go func() {
		defer close(term.read)
		term.show()
	}()
	t.Cleanup(func() {
		_ = term.command.Process.Kill()
		_ = term.command.Wait()
		_ = control.Close()
		<-term.read
		_ = term.screen.InputPipe().(io.Closer).Close()
		<-answered
	})
	return term
}

// show puts on the screen what the program writes, until it writes no more.
func (term *display) show() {
	chunk := make([]byte, 64*1024)
	for {
		n, err := term.control.Read(chunk)
		term.mu.Lock()
		term.written += n
		_, _ = term.screen.Write(chunk[:n])
		term.mu.Unlock()
		select {
		case term.changed <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (term *display) press(keys string) {
	term.t.Helper()
	if _, err := term.control.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// resize is a terminal that takes a last frame, drawn for its old size, before the program
// knows of the new one; late is what of that stays.
func (term *display) resize(columns, rows int, late ...string) {
	term.t.Helper()
	term.mu.Lock()
	term.screen.Resize(columns, rows)
	_, _ = io.WriteString(term.screen, strings.Join(late, ""))
	term.mu.Unlock()
	if err := pty.Setsize(term.control, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)}); err != nil {
		term.t.Fatal(err)
	}
}

func (term *display) size() (columns, rows int) {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.Width(), term.screen.Height()
}

func (term *display) text() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.screen.String()
}

// bytes is how much the program has written so far.
func (term *display) bytes() int {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.written
}

// until waits for all of the texts to be on the screen together.
func (term *display) until(texts ...string) {
	term.t.Helper()
	term.meets(strings.Join(texts, ", "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
}

// meets waits for a screen as it should be, with a limit that only a broken program reaches.
func (term *display) meets(what string, as func(screen string) bool) {
	term.t.Helper()
	limit := time.After(patience)
	for {
		if as(term.text()) {
			return
		}
		select {
		case <-term.changed:
		case <-limit:
			term.t.Fatalf("%q does not come on the screen:\n%s", what, term.text())
		}
	}
}

// left waits for the program to end and returns its exit status; everything it
// wrote is on the screen then.
func (term *display) left() int {
	term.t.Helper()
	select {
	case <-term.read:
	case <-time.After(patience):
		term.t.Fatalf("the program does not end:\n%s", term.text())
	}
	_ = term.command.Wait() // the status is read from ProcessState
	return term.command.ProcessState.ExitCode()
}
