package tui

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// stop makes the terminal read nothing more and fills what the kernel holds for
// it, so that the program's next byte would have to wait.
func (term *terminal) stop() {
	term.t.Helper()
	term.stall.Lock()
	number, err := unix.IoctlGetInt(int(term.control.Fd()), unix.TIOCGPTN)
	if err != nil {
		term.t.Fatal(err)
	}
	// A file description of its own: the program's stays one that waits.
	other, err := unix.Open(fmt.Sprintf("/dev/pts/%d", number), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		term.t.Fatal(err)
	}
	defer unix.Close(other)
	nothing := make([]byte, 4096) // NUL moves no cursor
	for full := 0; full < 5; {
		if _, err := unix.Write(other, nothing); errors.Is(err, unix.EAGAIN) {
			full++ // more than once: the reader takes what it had asked for
			time.Sleep(20 * time.Millisecond)
		} else if err != nil {
			term.t.Fatal(err)
		}
		if full > 0 {
			nothing = nothing[:1]
		}
	}
}

// untilLogged waits for the program to ask something of the calls.
func (term *terminal) untilLogged(what string) {
	term.t.Helper()
	var path string
	for _, entry := range term.command.Env {
		if value, ok := strings.CutPrefix(entry, "TUI_TEST_LOG="); ok {
			path = value
		}
	}
	for limit := time.Now().Add(60 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if log, _ := os.ReadFile(path); strings.Contains(string(log), what+"\n") {
			return
		}
	}
	term.t.Fatalf("%q was not asked for while the terminal does not read", what)
}

func TestAStalledTerminalDoesNotHoldUpTheCall(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "ready", 80, 24)
	term.until("› echo")
	term.press("\r")
	term.until("You and echo")
	term.stop()
	for i := range uint16(40) { // each a whole frame that cannot leave
		if err := pty.Setsize(term.control, &pty.Winsize{Cols: 80 - i%2, Rows: 24}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	term.press("m")
	term.untilLogged("mute")
	term.press("h")
	term.untilLogged("hang up")

	term.stall.Unlock()
	term.until("You hung up.") // drawn anew
	term.press("\x1b")
	term.until("› echo")
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
}

func TestLeavingWhileTheTerminalIsStalled(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "ready", 80, 24)
	term.until("› echo")
	term.press("\r")
	term.until("You and echo")
	term.stop()
	term.press("\x03")
	term.untilLogged("hang up")
	if err := term.command.Wait(); err != nil { // ends although nothing it writes arrives
		t.Error(err)
	}
	term.stall.Unlock()
}
