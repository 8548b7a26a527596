package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
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
)

// patience bounds each wait in these tests; nothing is asserted to be fast.
const patience = 30 * time.Second

var built struct {
	once sync.Once
	path string
	err  error
}

// sotto is the path of the binary, built once for all tests.
func sotto(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		folder, err := os.MkdirTemp("", "sotto-test-")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(folder, "sotto")
		build := exec.Command("go", "build", "-tags", "nolibopusfile", "-o", built.path, "sotto")
		if output, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w\n%s", err, output)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	// These tests wait for other processes, most of the time: more of them than
	// processors run side by side, unless the command line says otherwise.
	flag.Parse()
	if given := flag.Lookup("test.parallel"); given.Value.String() == given.DefValue {
		_ = given.Value.Set("6")
	}
	status := m.Run()
	if built.path != "" {
		_ = os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(status)
}

// process is a running sotto whose standard output is JSON lines.
type process struct {
	t       testing.TB
	command *exec.Cmd
	events  chan object
	stderr  *bytes.Buffer
	status  chan int
}

type object map[string]any

func (o object) text(key string) string { value, _ := o[key].(string); return value }

// start runs sotto and reads its events until it ends. It is killed when the test ends.
func start(t testing.TB, arguments ...string) *process {
	t.Helper()
	return startWith(t, nil, arguments...)
}

// startWith is start with more in the environment, each a NAME=VALUE.
func startWith(t testing.TB, environment []string, arguments ...string) *process {
	t.Helper()
	p := &process{t: t, command: exec.Command(sotto(t), arguments...), events: make(chan object, 4096), stderr: new(bytes.Buffer), status: make(chan int, 1)}
	p.command.Env = append(os.Environ(), environment...)
	p.command.Stderr = p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go p.read(stdout)
	t.Cleanup(func() { _ = p.command.Process.Kill() })
	return p
}

func (p *process) read(stdout io.Reader) {
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		parsed := object{}
		if err := json.Unmarshal(lines.Bytes(), &parsed); err != nil {
			parsed = object{"event": "not json", "line": lines.Text()}
		}
		p.events <- parsed
	}
	close(p.events)
	_ = p.command.Wait() // the status is read from ProcessState
	p.status <- p.command.ProcessState.ExitCode()
}

// await reads events until one of that name, and returns it.
func (p *process) await(event string) object {
	p.t.Helper()
	return p.awaitWithin(event, patience)
}

func (p *process) awaitWithin(event string, within time.Duration) object {
	p.t.Helper()
	timeout := time.After(within)
	var seen []string
	for {
		select {
		case got, open := <-p.events:
			if !open {
				p.t.Fatalf("%v ended before %q; it said %v\n%s", p.command.Args[1:], event, seen, p.stderr)
			}
			seen = append(seen, got.text("event"))
			if got.text("event") == event {
				return got
			}
		case <-timeout:
			p.t.Fatalf("%v did not say %q; it said %v\n%s", p.command.Args[1:], event, seen, p.stderr)
		}
	}
}

// exit waits for the process to end and returns its status.
func (p *process) exit() int {
	p.t.Helper()
	go func() {
		for range p.events { // what is left is nobody's
		}
	}()
	select {
	case status := <-p.status:
		return status
	case <-time.After(patience):
		p.t.Fatalf("%v did not end\n%s", p.command.Args[1:], p.stderr)
		return -1
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
}

// run runs sotto to its end and returns what it printed and its status.
func run(t testing.TB, arguments ...string) (stdout, stderr string, status int) {
	t.Helper()
	command := exec.Command(sotto(t), arguments...)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), errs.String(), command.ProcessState.ExitCode()
}

// must runs sotto and fails the test unless it ends with 0.
func must(t testing.TB, arguments ...string) string {
	t.Helper()
	stdout, stderr, status := run(t, arguments...)
	if status != 0 {
		t.Fatalf("sotto %s: status %d\n%s%s", strings.Join(arguments, " "), status, stdout, stderr)
	}
	return strings.TrimSpace(stdout)
}

// startRelay runs a relay on loopback and returns it with its address.
func startRelay(t testing.TB, folder string) (*process, string) {
	t.Helper()
	relay := start(t, "relay", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--public-ip", "127.0.0.1",
		"--admission", "open", "--dir", folder, "--json")
	return relay, relay.await("relay.ready").text("address")
}

// pair sets up alice and bob on their relays as each other's verified contacts.
func pair(t testing.TB, aliceRelay, bobRelay string) (alice, bob string) {
	t.Helper()
	alice, bob = filepath.Join(t.TempDir(), "alice"), filepath.Join(t.TempDir(), "bob")
	must(t, "--home", alice, "setup", "--name", "alice", "--relay", aliceRelay, "--calls", "on", "--yes")
	must(t, "--home", bob, "setup", "--name", "bob", "--relay", bobRelay, "--calls", "on", "--yes")
	must(t, "--home", alice, "contacts", "add", must(t, "--home", bob, "card"), "--name", "bob", "--verified")
	must(t, "--home", bob, "contacts", "add", must(t, "--home", alice, "card"), "--name", "alice", "--verified")
	return alice, bob
}
