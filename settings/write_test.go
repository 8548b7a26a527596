package settings

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	childTask = "SOTTO_TEST_TASK"
	childPath = "SOTTO_TEST_PATH"
)

// TestMain lets the test binary be the process that gets killed, or the one that
// lives on a full disk.
func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	switch os.Getenv(childTask) {
	case "":
		os.Exit(m.Run())
	case "write":
		for n := 0; ; n++ {
			report(WriteFile(path, wholeContent(n)), "wrote")
		}
	case "set":
		for n := 0; ; n++ {
			report(Set(path, "name", strings.Repeat(string('a'+rune(n%26)), 1+n%maxName)), "wrote")
		}
	case "knock":
		knocks, err := OpenKnocks(path, time.Unix(0, 0))
		report(err, "opened")
		for n := 0; ; n++ {
			id := [16]byte{byte(os.Getpid()), byte(os.Getpid() >> 8), byte(os.Getpid() >> 16), byte(n), byte(n >> 8), byte(n >> 16)}
			_, err := knocks.Seen(id, time.Unix(int64(n), 0))
			report(err, fmt.Sprintf("%x", id))
		}
	case "passphrase":
		changePassphrases(path)
	case "lock":
		_, err := Lock(Paths{Data: filepath.Dir(path), Lock: path})
		report(err, "locked")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent is done
		os.Exit(0)
	default:
		os.Exit(runOnFullDisk(path))
	}
}

// report says that a step is done, or ends the process.
func report(err error, done string) {
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(3)
	}
	fmt.Println(done)
}

// child starts the test binary for one task; the returned lines are what it says.
func child(t *testing.T, task, path string) (*exec.Cmd, *bufio.Scanner, io.WriteCloser) {
	t.Helper()
	return start(t, task, path, nil)
}

func start(t *testing.T, task, path string, attributes *syscall.SysProcAttr) (*exec.Cmd, *bufio.Scanner, io.WriteCloser) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(self)
	command.SysProcAttr = attributes
	command.Env = append(os.Environ(), childTask+"="+task, childPath+"="+path)
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); errors.Is(err, syscall.EPERM) && attributes != nil {
		t.Skip("may not make a namespace here:", err)
	} else if err != nil {
		t.Fatal(err)
	}
	return command, bufio.NewScanner(stdout), stdin
}

// killed runs a task, kills it after at least one step and a delay, and gives what
// it said.
func killed(t *testing.T, task, path string, delay time.Duration) (said []string) {
	t.Helper()
	command, lines, _ := child(t, task, path)
	for steps := 0; steps < 2 && lines.Scan(); steps++ {
		said = append(said, lines.Text())
	}
	time.Sleep(delay)
	if err := command.Process.Kill(); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
		said = append(said, lines.Text())
	}
	_ = command.Wait() // it was killed
	for _, line := range said {
		if strings.HasPrefix(line, "error:") {
			t.Fatal(line)
		}
	}
	return said
}

// wholeContent is a file of one letter, whose length goes with the letter.
func wholeContent(n int) []byte {
	return bytes.Repeat([]byte{'a' + byte(n%26)}, 100_000+n%26)
}

func TestFilesSurviveKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for round := range 15 {
		killed(t, "write", path, time.Duration(round)*700*time.Microsecond)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) == 0 || !bytes.Equal(data, wholeContent(int(data[0]-'a'))) {
			t.Fatalf("a torn file of %d bytes", len(data))
		}
	}
}

func TestSettingsSurviveKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "settings.toml")
	frame, rest, _ := strings.Cut(string(DefaultFile()), `name = ""`)
	for round := range 10 {
		killed(t, "set", path, time.Duration(round)*time.Millisecond)
		s, err := Load(path)
		if err != nil || s.Name == "" {
			t.Fatal(s.Name, err)
		}
		if want := frame + `name = "` + s.Name + `"` + rest; read(t, path) != want {
			t.Fatal("a comment is lost")
		}
	}
}

func TestWriteFileModesAndFolders(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first", "", "second, longer"} {
		if err := WriteFile(path, []byte(content)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != content {
			t.Errorf("%q, want %q", got, content)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if runtime.GOOS == "windows" {
		return // rights are not bits there
	}
	for name, want := range map[string]os.FileMode{path: 0o600, dir: 0o700, filepath.Dir(dir): 0o700} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestWriteFileKeepsASymbolicLink(t *testing.T) {
	dir := t.TempDir()
	target, link := filepath.Join(dir, "dotfiles", "real"), filepath.Join(dir, "link")
	if err := WriteFile(target, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := WriteFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 || read(t, target) != "new" {
		t.Error("the link was replaced by a file", err)
	}
}

func TestRemainsOfKilledWritersGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	old, young, foreign := filepath.Join(dir, ".file.1.tmp"), filepath.Join(dir, ".file.2.tmp"), filepath.Join(dir, ".other.1.tmp")
	for _, name := range []string{old, young, foreign} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-2 * staleAfter)
	for _, name := range []string{old, foreign} {
		if err := os.Chtimes(name, long, long); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteFile(path, nil); err != nil {
		t.Fatal(err)
	}
	for name, stays := range map[string]bool{old: false, young: true, foreign: true, path: true} {
		if _, err := os.Stat(name); (err == nil) != stays {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWriteErrorsAreSentences(t *testing.T) {
	for _, test := range []struct {
		cause error
		says  string
	}{
		{syscall.ENOSPC, "the disk is full: /p/file is as it was. free some space and try again"},
		{syscall.EROFS, "/p/file is on a read-only disk and is as it was. choose another place with --home DIR"},
		{syscall.EACCES, "this account may not write /p/file, which is as it was. give it the right to, or choose another place with --home DIR"},
	} {
		if runtime.GOOS == "windows" {
			t.Skip("other numbers there")
		}
		err := explainWrite("/p/file", &os.PathError{Op: "write", Path: "/p/.file.1.tmp", Err: test.cause})
		if err.Error() != test.says || !errors.Is(err, test.cause) {
			t.Errorf("%v: %v", test.cause, err)
		}
	}
	blocked := filepath.Join(t.TempDir(), "blocked")
	if err := os.WriteFile(blocked, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(blocked, "file"), nil); err == nil || !strings.Contains(err.Error(), "is as it was") {
		t.Error("a file in place of a folder:", err)
	}
}
