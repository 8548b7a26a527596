//go:build !windows

package term

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/creack/pty"
)

// TestMain lets the test binary play the program that panics.
func TestMain(m *testing.M) {
	if os.Getenv("TERM_TEST_PANIC") != "" {
		panicOnTerminal()
	}
	os.Exit(m.Run())
}

func panicOnTerminal() {
	guard := NewGuard(os.Stdin, os.Stdout)
	guard.TakeBackBeyond(func() { _, _ = os.Stderr.WriteString("the desktop was taken back\n") })
	if _, err := xterm.MakeRaw(os.Stdin.Fd()); err != nil {
		os.Exit(9)
	}
	_, _ = os.Stdout.WriteString("\x1b[?1049h\x1b[?25l")
	<-guard.Go(func() { panic("the sky fell") })
	os.Exit(8)
}

func TestAPanicInAGoroutineGivesTheTerminalBack(t *testing.T) {
	control, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer control.Close()
	defer terminal.Close()
	before, err := xterm.GetState(terminal.Fd())
	if err != nil {
		t.Fatal(err)
	}

	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "TERM_TEST_PANIC=1")
	var told bytes.Buffer
	command.Stdin, command.Stdout, command.Stderr = terminal, terminal, &told
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	written := make(chan string, 1)
	go func() {
		var all strings.Builder
		chunk := make([]byte, 4096)
		for !strings.Contains(all.String(), "\x1b[?25h") {
			n, err := control.Read(chunk)
			all.Write(chunk[:n])
			if err != nil {
				break
			}
		}
		written <- all.String()
	}()
	if err := command.Wait(); err == nil || command.ProcessState.ExitCode() != 2 {
		t.Errorf("exit status is %d, want 2", command.ProcessState.ExitCode())
	}
	select {
	case all := <-written:
		for _, sequence := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l"} {
			if !strings.Contains(all, sequence) {
				t.Errorf("%q was not written", sequence)
			}
		}
	case <-time.After(30 * time.Second):
		t.Fatal("the screen was not given back")
	}
	after, err := xterm.GetState(terminal.Fd())
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Error("the terminal is still in raw mode")
	}
	if !strings.Contains(told.String(), "the sky fell") {
		t.Errorf("standard error does not tell the panic: %q", told.String())
	}
	if strings.Count(told.String(), "the desktop was taken back") != 1 {
		t.Errorf("what is beyond the terminal was not taken back once: %q", told.String())
	}
}

func TestNothingIsWrittenWhereThereIsNoTerminal(t *testing.T) {
	var output bytes.Buffer
	guard := NewGuard(strings.NewReader(""), &output)
	guard.Restore()
	if output.Len() > 0 {
		t.Errorf("wrote %q to something that is no terminal", output.String())
	}
}
