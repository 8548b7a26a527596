//go:build !windows

package tui

import (
	"strings"
	"testing"
	"time"
)

// untilWritten waits for the program to have written a sequence.
func (term *terminal) untilWritten(sequence string) {
	term.t.Helper()
	for limit := time.Now().Add(60 * time.Second); time.Now().Before(limit); time.Sleep(10 * time.Millisecond) {
		if strings.Contains(term.everything(), sequence) {
			return
		}
	}
	term.t.Fatalf("%q was not written", sequence)
}

func TestPushToTalkOnATerminalWithTheKittyProtocol(t *testing.T) {
	t.Parallel()
	term := startProgram(t, "push", 80, 24)
	term.until("› echo")
	term.press("\r")
	term.until("You and echo")
	term.untilWritten("\x1b[=27;1u") // disambiguate, event types, all keys, text
	term.untilWritten("\x1b[?1004h") // focus
	term.until("press space to talk")
	term.press("\x1b[?27u") // the terminal's answer
	term.until("only while you hold space")
	term.press("\x1b[32;1:1;32u")
	term.until("until you let go of space")
	term.press("\x1b[32;1:2;32u\x1b[32;1:2;32u\x1b[32;1:3u")
	term.until("only while you hold space")
	term.press("\x1b[32;1:1;32u")
	term.until("until you let go of space")
	term.press("\x1b[O") // the window is left
	term.until("only while you hold space")
	term.press("\x1b[104;1:1;104u\x1b[104;1:3u")
	term.until("You hung up.")
	term.untilWritten("\x1b[=1;1u")
	term.press("\x1b")
	term.until("› echo")
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
	if !strings.Contains(term.everything(), "\x1b[<1u") && !strings.Contains(term.everything(), "\x1b[<u") {
		t.Error("the keyboard was not given back")
	}
}
