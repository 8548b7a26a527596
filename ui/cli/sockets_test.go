//go:build linux

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOffOpensNoSocket watches the system calls of everything that a person can do
// with calling off: none of it opens an internet socket, the call to echo included.
func TestOffOpensNoSocket(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("NOT TESTED: that nothing opens a socket while calling is off (strace is not installed)")
	}
	fresh, off := t.TempDir(), t.TempDir()
	must(t, "--home", off, "setup", "--name", "alice", "--relay", "127.0.0.1:9"+somePin, "--calls", "off", "--yes")
	for _, words := range [][]string{
		{"--home", fresh, "contacts"},
		{"--home", fresh, "settings", "list"},
		{"--home", filepath.Join(fresh, "new"), "setup", "--name", "bob", "--relay", "relay.example.org", "--calls", "on", "--yes"},
		{"--home", off, "card"},
		{"--home", off, "listen"},
		{"--home", off, "call", "echo", "--mic", "tone", "--speaker", "null", "--for", "1s"},
		{"--home", fresh, "doctor", "--mic", "null", "--speaker", "null"},
		{"--home", fresh, "demo", "--headless"},
	} {
		trace := filepath.Join(t.TempDir(), "trace")
		command := exec.Command(strace, append([]string{"-f", "-e", "trace=socket", "-o", trace, sotto(t)}, words...)...)
		_ = command.Run() // listen with calling off ends with 1, as it should
		seen, err := os.ReadFile(trace)
		if err != nil {
			t.Skipf("NOT TESTED: that nothing opens a socket while calling is off: %v", err)
		}
		if !strings.Contains(string(seen), "+++ exited with") {
			t.Skip("NOT TESTED: that nothing opens a socket while calling is off (this account may not trace)")
		}
		if strings.Contains(string(seen), "AF_INET") {
			t.Errorf("%v opened an internet socket:\n%s", words[2:], seen)
		}
	}
}
