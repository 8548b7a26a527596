//go:build !windows

package plain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is what only a broken program reaches.
const patience = 60 * time.Second

var built struct {
	once sync.Once
	path string
	err  error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(status)
}

// sotto builds the program once and gives its path.
func sotto(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		folder, err := os.MkdirTemp("", "sotto-plain-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(folder, "sotto")
		if output, err := exec.Command("go", "build", "-tags", "nolibopusfile", "-o", built.path, "sotto").CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w\n%s", err, output)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

// session is a running sotto and everything it has written.
type session struct {
	t       *testing.T
	command *exec.Cmd
	input   io.WriteCloser
	ended   chan struct{} // closed when all of its output was read and it is gone

	mu   sync.Mutex // guards the following
	said bytes.Buffer
	from int // what until has come to
}

func command(t *testing.T, home string, arguments ...string) *exec.Cmd {
	t.Helper()
	run := exec.Command(sotto(t), append([]string{"--home", home, "--mic", "tone", "--speaker", "null"}, arguments...)...)
	run.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "ACCESSIBLE=", "DBUS_SESSION_BUS_ADDRESS=", "XDG_RUNTIME_DIR="+home)
	return run
}

// piped runs it with pipes for input and output.
func piped(t *testing.T, home string, arguments ...string) *session {
	t.Helper()
	run := command(t, home, arguments...)
	input, err := run.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	run.Stderr = run.Stdout
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	return follow(t, run, input, output)
}

// onTerminal runs it on a pseudo-terminal.
func onTerminal(t *testing.T, run *exec.Cmd) *session {
	t.Helper()
	control, err := pty.StartWithSize(run, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = control.Close() })
	return follow(t, run, control, control)
}

func follow(t *testing.T, run *exec.Cmd, input io.WriteCloser, output io.Reader) *session {
	s := &session{t: t, command: run, input: input, ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		piece := make([]byte, 4096)
		for {
			n, err := output.Read(piece)
			s.mu.Lock()
			s.said.Write(piece[:n])
			s.mu.Unlock()
			if err != nil {
				break
			}
		}
		_ = run.Wait() // the status is read from ProcessState
	}()
	t.Cleanup(func() {
		_ = run.Process.Kill()
		<-s.ended
	})
	return s
}

func (s *session) typed(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.input, line+"\n"); err != nil {
		s.t.Fatal(err)
	}
}

// until waits for a text after what was waited for before.
func (s *session) until(text string) {
	s.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(5 * time.Millisecond) {
		s.mu.Lock()
		at := strings.Index(s.said.String()[s.from:], text)
		if at >= 0 {
			s.from += at + len(text)
		}
		s.mu.Unlock()
		if at >= 0 {
			return
		}
	}
	s.t.Fatalf("it does not say %q:\n%s", text, s.all())
}

// asked types a verb again and again until the answer has a text: the first frames
// that prove a connection come a moment after it.
func (s *session) asked(verb, text string) {
	s.t.Helper()
	for limit := time.Now().Add(patience); time.Now().Before(limit); time.Sleep(300 * time.Millisecond) {
		s.mu.Lock()
		found := strings.Contains(s.said.String()[s.from:], text)
		s.mu.Unlock()
		if found {
			break
		}
		s.typed(verb)
	}
	s.until(text)
}

func (s *session) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said.String()
}

func (s *session) signal(what syscall.Signal) {
	s.t.Helper()
	if err := s.command.Process.Signal(what); err != nil {
		s.t.Fatal(err)
	}
}

// left waits for the end and wants status 0 and no escape byte in all that was written.
func (s *session) left() {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatalf("it does not end:\n%s", s.all())
	}
	if status := s.command.ProcessState.ExitCode(); status != 0 {
		s.t.Errorf("exit status is %d:\n%s", status, s.all())
	}
	if all := s.all(); strings.ContainsAny(all, "\x1b\x07\x08") {
		s.t.Errorf("a control character was written: %q", all)
	}
}

// must runs sotto to its end and gives what it printed.
func must(t *testing.T, home string, arguments ...string) string {
	t.Helper()
	output, err := command(t, home, arguments...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		t.Fatalf("sotto %v: %v\n%s", arguments, err, failed.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}
