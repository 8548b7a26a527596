package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// sealedHome is alice's profile under a passphrase, in a world without a keyring.
func sealedHome(t *testing.T) (home, passphrase string) {
	t.Helper()
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "")
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	home, passphrase = filepath.Join(t.TempDir(), "alice"), filepath.Join(t.TempDir(), "passphrase")
	write(t, passphrase, "correct horse\n")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "local", "--calls", "off", "--yes")
	must(t, "--home", home, "settings", "passphrase", "--file", passphrase)
	return home, passphrase
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestPassphraseFromAFile(t *testing.T) {
	home, passphrase := sealedHome(t)
	if _, stderr, status := run(t, "--home", home, "card"); status != 1 || !strings.Contains(stderr, "SOTTO_PASSPHRASE_FILE") {
		t.Errorf("without one: status %d, %s", status, stderr)
	}
	if got := must(t, "--home", home, "settings", "get", "calls.enabled"); got != "off" {
		t.Errorf("settings need no passphrase, but say %q", got)
	}
	t.Setenv(passphraseFile, passphrase)
	card := must(t, "--home", home, "card")
	wrong := filepath.Join(t.TempDir(), "wrong")
	write(t, wrong, "incorrect horse\n")
	t.Setenv(passphraseFile, wrong)
	if _, stderr, status := run(t, "--home", home, "card"); status != 1 || !strings.Contains(stderr, "not this profile's passphrase") {
		t.Errorf("a wrong one: status %d, %s", status, stderr)
	}
	t.Setenv(passphraseFile, filepath.Join(t.TempDir(), "nowhere"))
	if _, _, status := run(t, "--home", home, "card"); status != 1 {
		t.Errorf("a file that is not there: status %d", status)
	}
	t.Setenv(passphraseFile, passphrase)
	short := filepath.Join(t.TempDir(), "short")
	write(t, short, "1234567")
	if _, _, status := run(t, "--home", home, "settings", "passphrase", "--file", short); status != 2 {
		t.Errorf("a short one: status %d", status)
	}
	must(t, "--home", home, "settings", "passphrase", "--remove")
	t.Setenv(passphraseFile, "")
	if got := must(t, "--home", home, "card"); got != card {
		t.Error("the card is another after the passphrase was taken off")
	}
}

// terminal runs sotto on a pseudo-terminal and collects what it shows.
type terminal struct {
	t      *testing.T
	file   *os.File
	shown  chan []byte
	so     bytes.Buffer
	ended  chan error
	killed func()
}

func onTerminal(t *testing.T, arguments ...string) *terminal {
	t.Helper()
	command := exec.Command(sotto(t), arguments...)
	command.Env = append(os.Environ(), "TERM=xterm-256color")
	file, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	r := &terminal{t: t, file: file, shown: make(chan []byte, 1024), ended: make(chan error, 1), killed: func() { _ = command.Process.Signal(syscall.SIGKILL) }}
	go func() {
		defer close(r.shown)
		for {
			piece := make([]byte, 4096)
			n, err := file.Read(piece)
			if err != nil {
				return
			}
			r.shown <- piece[:n]
		}
	}()
	go func() { r.ended <- command.Wait() }()
	t.Cleanup(func() { r.killed(); _ = file.Close() })
	return r
}

// until waits for text on the terminal.
func (r *terminal) until(text string) {
	r.t.Helper()
	r.untilMatch(regexp.MustCompile(regexp.QuoteMeta(text)))
}

// untilMatch waits until all that was shown so far matches.
func (r *terminal) untilMatch(wanted *regexp.Regexp) {
	r.t.Helper()
	timeout := time.After(patience)
	for !wanted.MatchString(r.so.String()) {
		select {
		case piece, open := <-r.shown:
			if !open {
				r.t.Fatalf("it ended before %q:\n%s", wanted, &r.so)
			}
			r.so.Write(piece)
		case <-timeout:
			r.t.Fatalf("no %q on the terminal:\n%s", wanted, &r.so)
		}
	}
}

func (r *terminal) typed(text string) {
	r.t.Helper()
	if _, err := r.file.WriteString(text); err != nil {
		r.t.Fatal(err)
	}
}

// TestPassphraseIsAskedFor: a command and the interface ask, show nothing of what is
// typed, and take a second try.
func TestPassphraseIsAskedFor(t *testing.T) {
	home, _ := sealedHome(t)
	card := onTerminal(t, "--home", home, "card")
	card.until("Passphrase of this profile: ")
	card.typed("incorrect horse\n")
	card.untilMatch(regexp.MustCompile(`(?s)That is not it\..*Passphrase of this profile: `))
	card.typed("correct horse\n")
	card.until("sotto:")
	if strings.Contains(card.so.String(), "horse") {
		t.Errorf("the passphrase is on the terminal:\n%s", &card.so)
	}
	screen := onTerminal(t, "--home", home)
	screen.until("Passphrase of this profile: ")
	screen.typed("correct horse\n")
	screen.until("\x1b[?1049h") // the screens have begun
	if strings.Contains(screen.so.String(), "horse") {
		t.Error("the passphrase is on the terminal")
	}
	screen.typed("\x03")
	select {
	case err := <-screen.ended:
		if err != nil {
			t.Errorf("the interface ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("the interface did not end")
	}
}

func TestNewPassphraseIsAskedTwice(t *testing.T) {
	home, _ := sealedHome(t)
	change := onTerminal(t, "--home", home, "settings", "passphrase")
	change.until("Present passphrase: ")
	change.typed("correct horse\n")
	change.until("New passphrase: ")
	change.typed("battery staple\n")
	change.until("The same again: ")
	change.typed("battery stable\n")
	change.until("not the same")
}

// TestKeyringOpensTheProfile uses a real keyring on a real bus of its own.
func TestKeyringOpensTheProfile(t *testing.T) {
	for _, tool := range []string{"dbus-run-session", "gnome-keyring-daemon"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT TESTED HERE: the system's keyring (%s is not installed)", tool)
		}
	}
	home, passphrase := sealedHome(t)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv("SOTTO", sotto(t))
	t.Setenv("PROFILE", home)
	t.Setenv("FILE", passphrase)
	script := `set -e
eval "$(printf login | gnome-keyring-daemon --unlock --components=secrets)"
SOTTO_PASSPHRASE_FILE="$FILE" "$SOTTO" --home "$PROFILE" settings passphrase --file "$FILE"
"$SOTTO" --home "$PROFILE" card
"$SOTTO" --home "$PROFILE" settings passphrase --remove
"$SOTTO" --home "$PROFILE" card`
	output, err := exec.Command("dbus-run-session", "--", "sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	if !strings.Contains(string(output), "is in the system's keyring") || strings.Count(string(output), "sotto:") != 2 {
		t.Errorf("it said:\n%s", output)
	}
}
