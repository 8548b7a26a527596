//go:build !windows

package tui

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"

	"sotto/net/call"
)

// TestMain lets the test binary play the program on a real terminal:
//
//	TUI_TEST_PROGRAM=1 TUI_TEST_SCENE=fresh|ready|ring|desk|push|panic ./tui.test
func TestMain(m *testing.M) {
	if os.Getenv("TUI_TEST_PROGRAM") != "" {
		if err := playProgram(os.Getenv("TUI_TEST_SCENE")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func playProgram(scene string) error {
	calls := &liveCalls{fakeCalls: fakeCalls{events: make(chan call.Event, 16)}}
	profile := newFakeProfile(scene != "fresh", someContacts...)
	calls.onDial = func(s *call.Snapshot) {
		dialsAtOnce(s)
		s.Call.Started = time.Now()
		go calls.goOn()
	}
	switch scene {
	case "ready", "ring", "desk", "push", "panic":
		profile.settings["calls.enabled"], profile.settings["relay.address"] = "on", "relay.example.org"
		calls.snap.Line, calls.snap.Relay = call.LineReady, "relay.example.org:443"
	}
	if scene == "push" {
		profile.settings["sound.talk"] = "push"
	}
	calls.breaks.Store(scene == "panic")
	if scene == "desk" {
		profile.settings["look.notify"] = "full"
	}
	if scene == "ring" || scene == "desk" {
		go calls.ring()
	}
	return Run(context.Background(), Config{Calls: calls, Profile: profile})
}

// liveCalls is a fake whose calls go on by themselves.
type liveCalls struct {
	fakeCalls
	breaks atomic.Bool // the next snapshot of a call panics
}

func (l *liveCalls) Snapshot() call.Snapshot {
	snap := l.fakeCalls.Snapshot()
	if snap.Call != nil && snap.Call.Phase == call.Connected {
		if l.breaks.CompareAndSwap(true, false) {
			panic("a command fell over")
		}
		since := time.Since(snap.Call.ConnectedAt).Seconds()
		snap.Call.Stats.LevelIn = -30 + 20*math.Sin(5*since)
		snap.Call.Stats.LevelOut = -35 + 25*math.Sin(3*since+1)
	}
	return snap
}

func (l *liveCalls) Silence() error { panic("a command fell over") }

func (l *liveCalls) SetMuted(muted bool) error {
	defer logged("mute")
	return l.fakeCalls.SetMuted(muted)
}

func (l *liveCalls) HangUp() error {
	defer logged("hang up")
	return l.fakeCalls.HangUp()
}

// logged tells the test beside the terminal what was asked of the calls.
func logged(what string) {
	file, err := os.OpenFile(os.Getenv("TUI_TEST_LOG"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, _ = file.WriteString(what + "\n")
		_ = file.Close()
	}
}

func (l *liveCalls) step(wait time.Duration, how func(*call.Info)) {
	time.Sleep(wait)
	l.change(func(s *call.Snapshot) {
		if s.Call.Phase != call.Ended {
			how(s.Call)
		}
	})
	l.events <- call.Event{Kind: call.EventChanged}
}

func (l *liveCalls) goOn() {
	l.step(200*time.Millisecond, func(i *call.Info) { i.Phase = call.Ringing })
	l.step(400*time.Millisecond, func(i *call.Info) { i.Phase = call.Connecting })
	l.step(200*time.Millisecond, func(i *call.Info) {
		echo := aCall()
		i.Phase, i.ConnectedAt, i.Proof, i.Quality = call.Connected, time.Now(), echo.Proof, echo.Quality
		i.Proof.RelayLocal, i.Proof.RelayRemote = "relay-a.echo:443", "relay-b.echo:443"
	})
}

func (l *liveCalls) ring() {
	time.Sleep(500 * time.Millisecond)
	l.change(func(s *call.Snapshot) {
		s.Call = aCall()
		before(call.Incoming)(s.Call)
		s.Call.Incoming, s.Call.WhyItRings, s.Call.Started = true, "bob is one of your contacts", time.Now()
	})
	l.events <- call.Event{Kind: call.EventIncoming}
}

// terminal is the program on a real pseudo-terminal with an emulated screen.
type terminal struct {
	t       *testing.T
	screen  vt10x.Terminal
	control *os.File
	command *exec.Cmd
	written atomic.Int64
	mu      sync.Mutex // guards raw
	raw     strings.Builder
	read    chan struct{} // closed when nothing more is written
	stall   sync.Mutex    // held: the terminal reads no further
}

func startProgram(t *testing.T, scene string, columns, rows uint16, environ ...string) *terminal {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = []string{
		"TUI_TEST_PROGRAM=1", "TUI_TEST_SCENE=" + scene, "TUI_TEST_LOG=" + filepath.Join(t.TempDir(), "log"), "TERM=xterm-256color", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"),
	}
	command.Env = append(command.Env, environ...)
	control, err := pty.StartWithSize(command, &pty.Winsize{Cols: columns, Rows: rows})
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{
		t: t, control: control, command: command, read: make(chan struct{}),
		screen: vt10x.New(vt10x.WithSize(int(columns), int(rows))),
	}
	go func() {
		defer close(term.read)
		chunk := make([]byte, 16*1024)
		for {
			n, err := control.Read(chunk)
			term.waitWhileStalled()
			term.written.Add(int64(n))
			_, _ = term.screen.Write(chunk[:n])
			term.mu.Lock()
			term.raw.Write(chunk[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = control.Close()
		<-term.read
	})
	return term
}

func (term *terminal) press(keys string) {
	term.t.Helper()
	if _, err := term.control.WriteString(keys); err != nil {
		term.t.Fatal(err)
	}
}

// until waits for a text to be on the screen, with a limit that only a broken
// program reaches.
func (term *terminal) until(text string) {
	term.t.Helper()
	for limit := time.Now().Add(60 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(term.screen.String(), text) {
			return
		}
	}
	term.t.Fatalf("%q does not come on the screen:\n%s", text, term.screen)
}

// left waits for the program to end and gives its exit status; everything it wrote
// has been read then.
func (term *terminal) left() int {
	term.t.Helper()
	err := term.command.Wait()
	<-term.read
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		term.t.Fatal(err)
	}
	return term.command.ProcessState.ExitCode()
}

func (term *terminal) everything() string {
	term.mu.Lock()
	defer term.mu.Unlock()
	return term.raw.String()
}

func TestOnARealTerminal(t *testing.T) {
	for _, size := range [][2]uint16{{80, 24}, {40, 12}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			t.Parallel()
			term := startProgram(t, "fresh", size[0], size[1])
			term.until("What shall people call you?")
			term.press("\r")
			term.until("On this machine")
			term.press("\r")
			term.until("Does your microphone hear you?")
			term.press("\r")
			term.until("Not now")
			term.press("\r")
			term.until("› echo")
			term.press("\r")
			term.until("inside Sotto")
			term.until("You and echo")
			if err := pty.Setsize(term.control, &pty.Winsize{Cols: 60, Rows: 16}); err != nil {
				t.Fatal(err)
			}
			term.screen.Resize(60, 16)
			term.press("m")
			term.until("muted")
			term.press("h")
			term.until("You hung up.")
			term.press("\x1b")
			term.until("› echo")
			term.press("q")
			if status := term.left(); status != 0 {
				t.Errorf("exit status is %d", status)
			}
		})
	}
}

func TestCtrlCInACallGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "ready", 80, 24)
	term.until("› echo")
	term.press("\r")
	term.until("You and echo")
	term.press("\x03")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
	for _, sequence := range []string{"\x1b[?1049l", "\x1b[?25h"} {
		if !strings.Contains(term.everything(), sequence) {
			t.Errorf("%q was not written", sequence)
		}
	}
}

func TestASignalLeavesAsCtrlCDoes(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		term := startProgram(t, "ready", 80, 24)
		term.until("› echo")
		if err := term.command.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if status := term.left(); status != 0 {
			t.Errorf("%v: exit status is %d", signal, status)
		}
	}
}

func TestAPanicGivesTheTerminalBack(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "panic", 80, 24)
	term.until("› echo")
	term.press("\r")
	if status := term.left(); status != 1 {
		t.Errorf("exit status is %d, want 1", status)
	}
	if !strings.Contains(term.everything(), "\x1b[?1049l") {
		t.Error("the alternate screen was not left")
	}
	if !strings.Contains(term.everything(), "\x1b[23;2t") {
		t.Error("the title from before was not brought back")
	}
}

func TestAnIncomingCallIsAnsweredOnPurpose(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "ring", 40, 12)
	term.until("bob is calling")
	term.untilWritten("\x1b[22;2t")
	term.untilWritten("]2;Incoming call - Sotto\a")
	term.untilWritten("\x1b[?1049h")
	term.until("decline")
	time.Sleep(grace + burst)
	term.press("\r")
	term.until("Connecting")
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
	if !strings.HasSuffix(term.everything(), "\x1b[23;2t") {
		t.Error("the title from before was not brought back")
	}
}

func TestAnIdleScreenWritesNothing(t *testing.T) {
	t.Parallel()
	for _, scene := range []string{"fresh", "ready"} {
		term := startProgram(t, scene, 80, 24)
		term.until("Sotto")
		var before int64
		for settled := 0; settled < 20; settled++ { // nothing new for two seconds
			if now := term.written.Load(); now != before {
				before, settled = now, 0
			}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(1500 * time.Millisecond)
		if after := term.written.Load(); after != before {
			t.Errorf("%s: %d bytes were written while nothing moved", scene, after-before)
		}
	}
}

func (term *terminal) waitWhileStalled() {
	term.stall.Lock()
	defer term.stall.Unlock()
}
