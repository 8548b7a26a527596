//go:build linux

package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// TestScreenshots draws the pictures of the README from the real program, into
// the folder that SOTTO_SCREENSHOTS names: make screenshots.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("SOTTO_SCREENSHOTS")
	if folder == "" {
		t.Skip("SOTTO_SCREENSHOTS names no folder to draw into")
	}
	keep := func(term *display, name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name+".svg"), []byte(term.svg()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sound := []string{"--mic", "file:testdata/sentence.wav", "--speaker", "null"}
	at := func(home string) *display {
		return onDisplay(t, 80, 24, atTerminal(t), append([]string{sotto(t), "--home", home}, sound...)...)
	}

	first := at(filepath.Join(t.TempDir(), "new"))
	first.until("What shall people call you?")
	first.press("\x15alice\r")
	first.until("Which relay carries your calls?", "continue")
	keep(first, "first-run")

	_, addressA := startRelay(t, t.TempDir())
	_, addressB := startRelay(t, t.TempDir())
	alice, bob := pair(t, addressA, addressB)
	stranger := filepath.Join(t.TempDir(), "stranger")
	must(t, "--home", stranger, "setup", "--name", "美咲", "--relay", addressB, "--calls", "off", "--yes")
	must(t, "--home", alice, "contacts", "add", must(t, "--home", stranger, "card"), "--name", "美咲")
	listen := start(t, append([]string{"--home", bob, "listen", "--auto-answer", "alice", "--json"}, sound...)...)
	listen.await("listen.ready")

	term := at(alice)
	term.until("› ", "bob", "美咲", "echo", "ready")
	keep(term, "contacts")

	term.press("s")
	term.until("What do others see now?")
	term.press("/who may")
	term.until("Who may call", "show all")
	term.press("\r")
	term.until("Who overrules it", "Who sees what", "History")
	keep(term, "settings")
	term.press("\x1b")
	term.until("› ", "enter call")

	term.press("/echo\r")
	term.until("enter call")
	term.press("\r")
	term.until("You and echo", "0:03")
	keep(term, "call")
	term.press("h")
	term.until("You hung up.")
	term.press("\x1b")
	term.until("enter call")

	term.press("/bob\r")
	term.until("enter call")
	term.press("\r")
	term.until("You and bob", "0:02")
	term.press("p")
	term.until("Read from the connection", "0:04")
	keep(term, "proof")
	term.press("h")
	term.until("You hung up.")
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("status %d", status)
	}
}
