//go:build !windows

package term

import (
	"bytes"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	xterm "github.com/charmbracelet/x/term"
	"github.com/creack/pty"
)

// limit is what only a broken program reaches.
const limit = 30 * time.Second

// openRaw gives both ends of a pseudo-terminal that changes no byte.
func openRaw(t *testing.T) (control, terminal *os.File) {
	t.Helper()
	control, terminal, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = control.Close(), terminal.Close() })
	if _, err := xterm.MakeRaw(terminal.Fd()); err != nil {
		t.Fatal(err)
	}
	return control, terminal
}

func within(t *testing.T, what string, work func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); work() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatal(what)
	}
}

// readUntil reads the terminal's output up to and with text.
func readUntil(t *testing.T, control *os.File, text string) string {
	t.Helper()
	var all strings.Builder
	within(t, text+" does not arrive", func() {
		chunk := make([]byte, 4096)
		for !strings.HasSuffix(all.String(), text) {
			n, err := control.Read(chunk)
			all.Write(chunk[:n])
			if err != nil {
				return
			}
		}
	})
	return all.String()
}

func TestWhatIsWrittenArrivesInOrder(t *testing.T) {
	control, terminal := openRaw(t)
	writer := NewWriter(terminal, NewGuard(terminal, terminal))
	if !xterm.IsTerminal(writer.Fd()) {
		t.Error("the writer is no terminal to whoever asks")
	}
	_, _ = writer.Write([]byte("one "))
	_, _ = io.WriteString(writer, "two ")
	_, _ = io.Copy(writer, struct{ io.Reader }{strings.NewReader("three ")})
	writer.Finish("end")
	if got := readUntil(t, control, "end"); got != "one two three end" {
		t.Errorf("what arrived is %q", got)
	}
	if _, err := writer.Write([]byte("late")); err == nil {
		t.Error("a write after the end is taken")
	}
}

func TestAFrameThatClearsTheScreenTakesOffMargins(t *testing.T) {
	control, terminal := openRaw(t)
	writer := NewWriter(terminal, NewGuard(terminal, terminal))
	frame := []byte("\x1b[m\x1b[H\x1b[2Jwhole")
	if n, err := writer.Write(frame); n != len(frame) || err != nil {
		t.Errorf("of %d bytes %d are taken, %v", len(frame), n, err)
	}
	writer.Finish("end")
	if got := readUntil(t, control, "end"); got != "\x1b[m\x1b[r\x1b[H\x1b[2Jwholeend" {
		t.Errorf("what arrives is %q", got)
	}
}

func TestAStalledTerminalHoldsUpNobody(t *testing.T) {
	control, terminal := openRaw(t)
	writer := NewWriter(terminal, NewGuard(terminal, terminal))
	_, _ = writer.Write(append([]byte("\x1b[?1049h\x1b[?25l"), bytes.Repeat([]byte("x"), 1<<20)...))
	within(t, "the first frame is not taken", func() { // it is under way: more than a terminal holds
		for waiting := true; waiting; time.Sleep(time.Millisecond) {
			writer.mu.Lock()
			waiting = writer.queued > 0
			writer.mu.Unlock()
		}
	})
	frame := append([]byte("\x1b[H\x1b[1m"), bytes.Repeat([]byte("x"), 4000)...)
	within(t, "writing waits for a terminal that does not read", func() {
		for range 300 {
			_, _ = writer.Write(frame)
		}
		_, _ = writer.Write([]byte("\x1b[m\x1b[?25h\x1b]2;last\x07lost"))
	})
	writer.mu.Lock()
	if writer.queued > queueLimit || writer.modes.size > modesLimit || !writer.lost {
		t.Errorf("%d bytes wait, %d of modes, lost is %v", writer.queued, writer.modes.size, writer.lost)
	}
	writer.mu.Unlock()
	select {
	case <-writer.Redraw():
		t.Fatal("a redraw is asked for while the terminal does not read")
	default:
	}

	got := readUntil(t, control, "\x1b[m\x1b[?25h\x1b]2;last\x07")
	within(t, "no redraw is asked for", func() { <-writer.Redraw() })
	if len(got) >= 1<<20+300*len(frame) {
		t.Error("nothing was dropped")
	}
	_, _ = writer.Write([]byte("fresh"))
	writer.Finish(" end")
	if got := readUntil(t, control, " end"); got != "fresh end" {
		t.Errorf("after the overflow %q arrives", got)
	}
}

func TestLeavingDoesNotWaitForAStalledTerminal(t *testing.T) {
	_, terminal := openRaw(t)
	guard := NewGuard(terminal, terminal)
	writer := NewWriter(terminal, guard)
	for range 100 {
		_, _ = writer.Write(bytes.Repeat([]byte("x"), 4000))
	}
	within(t, "restoring waits for the terminal", guard.Restore)
	within(t, "finishing waits for the terminal", func() { writer.Finish("") })
}

func TestATerminalThatIsGoneEndsTheWriting(t *testing.T) {
	control, terminal := openRaw(t)
	writer := NewWriter(terminal, NewGuard(terminal, terminal))
	_ = control.Close()
	within(t, "writes go on to a terminal that is gone", func() {
		for {
			if _, err := writer.Write([]byte("x")); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	within(t, "finishing hangs", func() { writer.Finish("end") })
}

func TestModesAreWhatIsLeftOfDroppedFrames(t *testing.T) {
	for _, test := range []struct{ name, frames, want string }{
		{"text and movement", "\x1b[2J\x1b[3;4Hhello\r\n\x1b[K wörld 漢", "\x1b[m"},
		{"the last word counts", "\x1b[?25lx\x1b[?1049h\x1b[?25h", "\x1b[?1049h\x1b[?25h"},
		{"styles add up", "\x1b[1m\x1b[36mx", "\x1b[1m\x1b[36m"},
		{"a reset ends them", "\x1b[1mx\x1b[m\x1b[31my\x1b[0m", "\x1b[0m"},
		{"titles", "\x1b]0;one\x07\x1b]2;two\x1b\\", "\x1b]2;two\x1b\\"},
		{"notifications and bells are told once or not at all", "\x1b]9;bob\x07\x1b]99;;bob\x1b\\\x1b]777;notify;a;b\x07\a", "\x1b[m"},
		{"key reports", "\x1b[>1u\x1b[=3;1u\x1b[>4;2m\x1b[=1;1u\x1b[<1u", "\x1b[>1u\x1b[>4;2m\x1b[=1;1u\x1b[<1u"},
		{"a title put away", "\x1b[22;2t\x1b[23;2t", "\x1b[22;2t\x1b[23;2t"},
		{"questions", "\x1b[?u\x1b[?2026$p\x1b[c", "\x1b[m"},
		{"cursor's looks", "\x1b[6 q\x1b[2 q", "\x1b[2 q"},
		{"half a sequence", "x\x1b[?25", "\x1b[m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var kept modes
			kept.keep([]byte(test.frames))
			if got := string(kept.sequences()); got != test.want {
				t.Errorf("kept %q, want %q", got, test.want)
			}
		})
	}
	var kept modes
	for range 5000 {
		kept.keep([]byte("\x1b[>1u\x1b[1;2r"))
	}
	if kept.size > modesLimit || len(kept.sequences()) != kept.size {
		t.Errorf("%d bytes are kept, counted as %d", len(kept.sequences()), kept.size)
	}
}
