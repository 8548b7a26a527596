//go:build linux

package hosts

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds each wait; nothing is asserted to be fast.
const patience = 60 * time.Second

// Object is one JSON object that a program printed.
type Object map[string]any

// Text is a field that is a string; "" for none.
func (o Object) Text(key string) string { value, _ := o[key].(string); return value }

// Process is a program on a host. It is killed when the test ends.
type Process struct {
	t       testing.TB
	command *exec.Cmd
	events  chan Object
	ended   chan struct{}

	mu   sync.Mutex // guards the following
	said strings.Builder
}

// Command is a program on the host, not yet started.
func (h *Host) Command(program string, words ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", h.namespace, program}, words...)...)
}

// Start runs a program on a host. Its output is kept, and read as JSON lines where it is.
func (h *Host) Start(t testing.TB, program string, words ...string) *Process {
	t.Helper()
	return h.StartWith(t, nil, program, words...)
}

// StartWith is Start with variables added to the environment.
func (h *Host) StartWith(t testing.TB, environment []string, program string, words ...string) *Process {
	t.Helper()
	p := &Process{t: t, command: h.Command(program, words...), events: make(chan Object, 4096), ended: make(chan struct{})}
	p.command.Env = append(os.Environ(), environment...)
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() { p.read(stdout, true) })
	reading.Go(func() { p.read(stderr, false) })
	go func() {
		reading.Wait()
		_ = p.command.Wait() // the status is read from ProcessState
		close(p.ended)
		close(p.events)
	}()
	t.Cleanup(p.Kill)
	return p
}

func (p *Process) read(from io.Reader, objects bool) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		p.said.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		parsed := Object{}
		if objects && json.Unmarshal(lines.Bytes(), &parsed) == nil {
			p.events <- parsed
		}
	}
}

// Await reads objects until one of that event, and returns it.
func (p *Process) Await(event string) Object {
	p.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case got, open := <-p.events:
			if !open {
				p.t.Fatalf("%v ended before it said %s:\n%s", p.command.Args[4:], event, p.Said())
			}
			if got.Text("event") == event {
				return got
			}
		case <-timeout:
			p.t.Fatalf("%v did not say %s:\n%s", p.command.Args[4:], event, p.Said())
		}
	}
}

// Said is all that the program has printed so far, on both outputs.
func (p *Process) Said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// ID is the program's process: ip gives its own to the program it runs.
func (p *Process) ID() int { return p.command.Process.Pid }

// Signal sends a signal, if the program still runs.
func (p *Process) Signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Fatal(err)
	}
}

// Kill ends the program at once, if it still runs.
func (p *Process) Kill() {
	_ = p.command.Process.Kill()
	<-p.ended
}

// Exit waits for the program to end and returns its status, -1 if a signal ended it.
func (p *Process) Exit() int {
	p.t.Helper()
	go func() {
		for range p.events { // what is left is nobody's
		}
	}()
	select {
	case <-p.ended:
		return p.command.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%v did not end:\n%s", p.command.Args[4:], p.Said())
		return -1
	}
}
