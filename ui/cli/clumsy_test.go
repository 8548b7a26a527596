//go:build linux

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestWhereTheProfileIs(t *testing.T) {
	t.Parallel()
	empty, inVariable := t.TempDir(), t.TempDir()
	variables := []string{"HOME=" + empty, "XDG_CONFIG_HOME=", "XDG_DATA_HOME=", "SOTTO_HOME=" + inVariable}
	if printed, status := runWith(t, variables, "setup", "--name", "alice", "--relay", "relay.example.org", "--yes"); status != statusDone {
		t.Fatalf("status %d: %s", status, printed)
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) != 0 {
		t.Errorf("SOTTO_HOME was set, and HOME has %v, %v", left, err)
	}
	named := t.TempDir()
	setUpAt(t, named, "bob")
	for home, want := range map[string]string{inVariable: "alice", named: "bob"} {
		words := []string{"settings", "get", "name"}
		if home == named {
			words = append([]string{"--home", home}, words...)
		}
		if printed, status := runWith(t, variables, words...); status != statusDone || strings.TrimSpace(printed) != want {
			t.Errorf("%v: status %d: %q", words, status, printed)
		}
	}
	deep := t.TempDir()
	for range 4 {
		deep = filepath.Join(deep, strings.Repeat("d", 200))
	}
	setUpAt(t, deep, "carol")
	if !strings.HasPrefix(must(t, "--home", deep, "card"), "sotto:") {
		t.Error("no card from a long path")
	}
	must(t, "--home", deep, "call", "echo", "--mic", "tone", "--speaker", "null", "--for", "500ms")
	// Every file is its owner's alone.
	_ = filepath.Walk(named, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.Mode().Perm()&0o077 != 0 && path != named {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
		return nil
	})
}

func TestClumsySetup(t *testing.T) {
	t.Parallel()
	for _, words := range [][]string{
		{"--name", "", "--yes"},
		{"--name", "\x1b\x07", "--yes"},
		{"--name", "\xff\xfe", "--yes"},
		{"--name"},
		{"--name", "a", "--relay", "two words", "--yes"},
		{"--name", "a", "--relay", ":::", "--yes"},
		{"--name", "a", "--relay", "host:99999", "--yes"},
		{"--name", "a", "--relay", "host:443#", "--yes"},
		{"--name", "a", "--relay", "0x7f000001", "--yes"},
		{"--name", "a", "--calls", "maybe", "--yes"},
		{"--name", "a", "--yes", "more"},
		{"--name", "a"},
	} {
		home := filepath.Join(t.TempDir(), "home")
		_, stderr, status := run(t, append([]string{"--home", home, "setup"}, words...)...)
		if status != statusUsage {
			t.Errorf("setup %q: status %d", words, status)
		}
		oneSentence(t, stderr)
		if _, err := os.Stat(home); err == nil {
			t.Errorf("setup %q left something behind", words)
		}
	}
	for _, given := range []struct{ name, kept string }{
		{"👩‍👩‍👧 é", "👩👩👧 é"},
		{"\u202eevil\u202c", "evil"},
		{strings.Repeat("x", 5000), strings.Repeat("x", 32)},
	} {
		home := t.TempDir()
		// Of a flag that is given twice the last one counts.
		must(t, "--home", home, "setup", "--name", "first", "--name", given.name, "--relay", "local", "--yes")
		if name := must(t, "--home", home, "settings", "get", "name"); name != given.kept {
			t.Errorf("%.20q is kept as %q", given.name, name)
		}
		must(t, "--home", home, "card")
	}
}

// TestSpoiledProfiles takes a good profile, spoils one file of it and looks for one
// sentence that names the file.
func TestSpoiledProfiles(t *testing.T) {
	t.Parallel()
	good := t.TempDir()
	setUpAt(t, good, "alice")
	must(t, "--home", good, "settings", "set", "calls.enabled", "on")
	must(t, "--home", good, "card")
	folderInstead := func(path string) error {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
		return os.Mkdir(path, 0o700)
	}
	torn := func(path string) error { return os.Truncate(path, 40) }
	garbage := func(path string) error { return os.WriteFile(path, []byte("{\"version\":1,"), 0o600) }
	unknownKey := func(path string) error {
		return os.WriteFile(path, []byte("name = \"alice\"\n\ncolour = \"red\"\n"), 0o600)
	}
	newer := func(path string) error { return os.WriteFile(path, []byte("{\"version\":99}"), 0o600) }
	for _, check := range []struct {
		file    string
		spoil   func(string) error
		mention string
		each    []string
	}{
		{"identity.json", torn, "identity.json", []string{"card", "setup --name x --yes", "listen"}},
		{"identity.json", folderInstead, "identity.json", []string{"card", "card --new", "setup --name x --yes"}},
		{"identity.json", newer, "update Sotto", []string{"card"}},
		{"contacts.json", garbage, "contacts.json", []string{"contacts", "contacts list", "contacts remove bob", "call bob", "listen", "listen --auto-answer bob"}},
		{"contacts.json", folderInstead, "contacts.json", []string{"contacts", "call bob", "contacts verify bob"}},
		{"settings.toml", unknownKey, "line 3", []string{"card", "settings list", "settings get name", "settings set name x", "setup --name x --yes", "listen"}},
		{"settings.toml", folderInstead, "settings.toml", []string{"settings list", "settings set name x", "card"}},
		{"card", folderInstead, "card", []string{"card"}},
		{"lock", folderInstead, "lock", []string{"setup --name x --yes"}},
	} {
		home := t.TempDir()
		if err := os.CopyFS(home, os.DirFS(good)); err != nil {
			t.Fatal(err)
		}
		if err := check.spoil(filepath.Join(home, check.file)); err != nil {
			t.Fatal(err)
		}
		for _, words := range check.each {
			stdout, stderr, status := run(t, append([]string{"--home", home}, strings.Fields(words)...)...)
			if status != statusFailed || stdout != "" {
				t.Errorf("%s, %s: status %d: %s", check.file, words, status, stdout)
			}
			oneSentence(t, stderr, check.mention)
		}
	}
}

func TestAFileIsNoProfile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, home := range []string{file, filepath.Join(file, "inside")} {
		for _, words := range []string{"card", "contacts", "settings list", "setup --name a --yes", "call bob", "listen"} {
			_, stderr, status := run(t, append([]string{"--home", home}, strings.Fields(words)...)...)
			if status != statusUsage {
				t.Errorf("%s: status %d", words, status)
			}
			oneSentence(t, stderr, "a profile is a folder")
		}
	}
}

// TestAnAccountWithoutRights runs sotto as an account that may not write the
// profile, and as one that may not read it.
func TestAnAccountWithoutRights(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("NOT TESTED: a profile without rights needs the right to become another account")
	}
	folder, err := os.MkdirTemp("", "sotto-rights-") // t.TempDir is its owner's alone
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	binary, home := filepath.Join(folder, "sotto"), filepath.Join(folder, "home")
	program, err := os.ReadFile(sotto(t))
	if err != nil {
		t.Fatal(err)
	}
	setUpAt(t, home, "alice")
	must(t, "--home", home, "card")
	const nobody = 65534
	for _, err := range []error{
		os.WriteFile(binary, program, 0o755),
		os.Chmod(folder, 0o755),
		filepath.Walk(home, func(path string, _ os.FileInfo, _ error) error { return os.Chown(path, nobody, nobody) }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	as := func(words ...string) (string, int) {
		command := exec.Command(binary, append([]string{"--home", home}, words...)...)
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		var stderr bytes.Buffer
		command.Stderr = &stderr
		err := command.Run()
		if command.ProcessState == nil {
			t.Fatal(err)
		}
		return stderr.String(), command.ProcessState.ExitCode()
	}
	if err := os.Chmod(home, 0o500); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"card", "contacts", "settings list"} {
		if stderr, status := as(strings.Fields(words)...); status != statusDone {
			t.Errorf("%s in a home that can only be read: status %d: %s", words, status, stderr)
		}
	}
	for _, words := range []string{"card --new", "settings set name x", "setup --name x --yes", "contacts remove bob"} {
		stderr, status := as(strings.Fields(words)...)
		if status != statusFailed {
			t.Errorf("%s in a home that can only be read: status %d", words, status)
		}
		oneSentence(t, stderr, "may not write")
	}
	if err := os.Chmod(home, 0); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"card", "contacts", "settings list", "settings set name x", "setup --name x --yes"} {
		stderr, status := as(strings.Fields(words)...)
		if status != statusFailed {
			t.Errorf("%s in a home that is closed: status %d", words, status)
		}
		oneSentence(t, stderr, home)
	}
}

// TestOutputThatGoesNowhere prints into a full device and into a pipe that nobody reads.
func TestOutputThatGoesNowhere(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	setUpAt(t, home, "alice")
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("NOT TESTED: output that cannot be written: %v", err)
	}
	defer full.Close()
	for _, words := range [][]string{{"card"}, {"card", "--json"}, {"settings", "list"}} {
		command := exec.Command(sotto(t), append([]string{"--home", home}, words...)...)
		var stderr bytes.Buffer
		command.Stdout, command.Stderr = full, &stderr
		_ = command.Run()
		if status := command.ProcessState.ExitCode(); status != statusFailed {
			t.Errorf("%v into a full device: status %d", words, status)
		}
		oneSentence(t, stderr.String(), "printed")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = read.Close()
	defer write.Close()
	command := exec.Command(sotto(t), "--home", home, "settings", "list")
	var stderr bytes.Buffer
	command.Stdout, command.Stderr = write, &stderr
	_ = command.Run()
	if ended, ok := command.ProcessState.Sys().(syscall.WaitStatus); !ok || ended.Signal() != syscall.SIGPIPE || stderr.Len() > 0 {
		t.Errorf("into a closed pipe: %v: %s", command.ProcessState, &stderr)
	}
}

func TestClumsyCalls(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, check := range []struct {
		status int
		words  []string
	}{
		{statusNoContact, []string{"call", ""}},
		{statusNoContact, []string{"call", " "}},
		{statusNoContact, []string{"call", "\u202e\x1b[31m"}},
		{statusUsage, []string{"call", "sotto:xxx"}},
		{statusUsage, []string{"call", "two", "people"}},
		{statusUsage, []string{"call", "echo", "--for", "0"}},
		{statusUsage, []string{"call", "echo", "--for", "soon"}},
		{statusUsage, []string{"call", "echo", "--mic", "tone:loud"}},
		{statusUsage, []string{"call", "echo", "--speaker", "tone"}},
		{statusDevice, []string{"call", "echo", "--mic", "file:/no/such.wav"}},
		{statusDevice, []string{"call", "echo", "--speaker", "file:/no/such/folder.wav"}},
		{statusUsage, []string{"listen", "--auto-answer", ","}},
		{statusUsage, []string{"listen", "--auto-answer", ""}},
		{statusUsage, []string{"listen", "now"}},
		{statusNoContact, []string{"listen", "--auto-answer", `a"b`}},
		{statusUsage, []string{"relay"}},
		{statusUsage, []string{"relay", "--public-ip", "here"}},
		{statusUsage, []string{"relay", "--public-ip", "0.0.0.0"}},
		{statusUsage, []string{"relay", "--public-ip", "127.0.0.1", "--admission", "some"}},
		{statusUsage, []string{"relay", "--public-ip", "127.0.0.1", "--admission", "open", "--allow-peer", "10.0.0.0"}},
		{statusUsage, []string{"relay", "--public-ip", "127.0.0.1", "--admission", "open", "--cert", "only"}},
		{statusFailed, []string{"relay", "--public-ip", "127.0.0.1", "--admission", "open", "--listen", "nonsense"}},
	} {
		_, stderr, status := run(t, append([]string{"--home", home}, check.words...)...)
		if status != check.status {
			t.Errorf("%q: status %d, not %d: %s", check.words, status, check.status, stderr)
		}
		oneSentence(t, stderr)
	}
	unverified := t.TempDir()
	setUpAt(t, home, "bob")
	must(t, "--home", unverified, "contacts", "add", must(t, "--home", home, "card"))
	_, stderr, status := run(t, "--home", unverified, "listen", "--auto-answer", "bob")
	if status != statusUsage {
		t.Errorf("an unverified name: status %d", status)
	}
	oneSentence(t, stderr, "contacts verify bob")
}
