package settings

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

var now = time.Unix(1_800_000_000, 0)

func TestPathsUnderOneFolder(t *testing.T) {
	home := filepath.Join(t.TempDir(), "profile")
	t.Setenv("XDG_CONFIG_HOME", "/nowhere")
	paths, err := PathsFor(home)
	if err != nil {
		t.Fatal(err)
	}
	value := reflect.ValueOf(paths)
	for n := range value.NumField() {
		if path := value.Field(n).String(); path != home && filepath.Dir(path) != home {
			t.Errorf("%s is %s, outside", value.Type().Field(n).Name, path)
		}
	}
	if _, err := os.Stat(home); err == nil {
		t.Error("asking for the paths made the folder")
	}
	t.Chdir(t.TempDir())
	if relative, err := PathsFor("here"); err != nil || !filepath.IsAbs(relative.Settings) || !filepath.IsAbs(relative.Home) {
		t.Error(relative, err)
	}
}

func TestPathsOfXDG(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("other folders there")
	}
	config, data := t.TempDir(), t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	t.Setenv("XDG_DATA_HOME", data)
	paths, err := PathsFor("")
	if err != nil || paths.Home != "" || paths.Settings != filepath.Join(config, "sotto", "settings.toml") ||
		paths.Identity != filepath.Join(data, "sotto", "identity.json") || paths.Data != filepath.Join(data, "sotto") {
		t.Error(paths, err)
	}
}

func TestLockIsHeldByOne(t *testing.T) {
	paths, err := PathsFor(filepath.Join(t.TempDir(), "new"))
	if err != nil {
		t.Fatal(err)
	}
	lock, err := Lock(paths)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(paths); !errors.Is(err, ErrInUse) {
		t.Error(err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	again, err := Lock(paths)
	if err != nil {
		t.Fatal("after a release:", err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

func TestLockEndsWithItsProcess(t *testing.T) {
	paths, err := PathsFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	command, lines, _ := child(t, "lock", paths.Lock)
	if !lines.Scan() || lines.Text() != "locked" {
		t.Fatal(lines.Text())
	}
	if _, err := Lock(paths); !errors.Is(err, ErrInUse) {
		t.Error("while another process holds it:", err)
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = command.Wait() // it was killed
	lock, err := Lock(paths)
	if err != nil {
		t.Fatal("after the kill:", err)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
}

func TestSecrets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "identity.json")
	if _, err := LoadSecrets(path); !errors.Is(err, ErrNotSetUp) {
		t.Fatal(err)
	}
	want := Secrets{Seed: [32]byte{1}, CardSecret: [32]byte{2}, CardSerial: 1<<32 - 1, RelayPort: 65535}
	if err := SaveSecrets(path, want); err != nil {
		t.Fatal(err)
	}
	if got, err := LoadSecrets(path); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSecrets(path); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error("others may still read the seed:", info.Mode(), err)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	seed := strings.Repeat("01", 32)
	for _, content := range []string{
		"", "{", "[]", "null", "{}", `{"version":0}`,
		`{"version":1,"seed":"` + seed + `","card_secret":"00"}`,
		`{"version":1,"seed":"` + seed[2:] + `","card_secret":"` + seed + `"}`,
		`{"version":1,"seed":"` + seed + `00","card_secret":"` + seed + `"}`,
		`{"version":1,"seed":"` + strings.Repeat("00", 32) + `","card_secret":"` + seed + `"}`,
		`{"version":1,"seed":"` + seed + `","card_secret":"` + seed + `","relay_port":70000}`,
		`{"version":1,"seed":"` + seed + `","card_secret":"` + seed + `","more":1}`,
		`{"version":1,"contacts":[{"name":"bob","key":"00"}]}`,
		`{"version":1,"contacts":[{"name":"","key":"` + seed + `"}]}`,
		`{"version":1,"contacts":3}`,
	} {
		path := settingsPath(t, content)
		if _, err := LoadSecrets(path); err == nil || !strings.Contains(err.Error(), "is damaged: put a copy from a backup") {
			t.Errorf("identity %q: %v", content, err)
		}
		if content == `{"version":1}` {
			continue
		}
		if _, err := LoadContacts(path); err == nil || !strings.Contains(err.Error(), "is damaged: put a copy from a backup") {
			t.Errorf("contacts %q: %v", content, err)
		}
	}
	newer := settingsPath(t, `{"version":2,"new":true}`)
	if _, err := LoadSecrets(newer); err == nil || !strings.Contains(err.Error(), "newer Sotto") {
		t.Error(err)
	}
}

func TestContacts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "contacts.json")
	if none, err := LoadContacts(path); err != nil || len(none) != 0 {
		t.Error(none, err)
	}
	key := strings.Repeat("ab", 32)
	want := []Contact{
		{Name: "bob", Card: "sotto:x", Key: key, Verified: true, Added: now.UTC()},
		{Name: "<carol> & é", Key: key, Blocked: true, Reached: true, Added: now.UTC()},
	}
	for _, contacts := range [][]Contact{want, want[:1], {}} {
		if err := SaveContacts(path, contacts); err != nil {
			t.Fatal(err)
		}
		if got, err := LoadContacts(path); err != nil || !reflect.DeepEqual(got, contacts) {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if err := SaveContacts(path, nil); err != nil || strings.Contains(read(t, path), "null") {
		t.Error("no contacts are not an empty list", err)
	}
}

func knockID(n int) [16]byte { return [16]byte{byte(n), byte(n >> 8), byte(n >> 16)} }

func openKnocks(t *testing.T, path string, at time.Time) *Knocks {
	t.Helper()
	knocks, err := OpenKnocks(path, at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := knocks.Close(); err != nil {
			t.Error(err)
		}
	})
	return knocks
}

func seen(t *testing.T, knocks *Knocks, n int, at time.Time) bool {
	t.Helper()
	already, err := knocks.Seen(knockID(n), at)
	if err != nil {
		t.Fatal(err)
	}
	return already
}

func TestKnocksAreRememberedForTwoDays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "knocks")
	knocks := openKnocks(t, path, now)
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		t.Error("opening made the folder")
	}
	if seen(t, knocks, 1, now) || !seen(t, knocks, 1, now) || seen(t, knocks, 2, now) {
		t.Error("within one process")
	}
	for _, test := range []struct {
		later time.Duration
		want  bool
	}{{0, true}, {-time.Hour, true}, {knockMemory - time.Second, true}, {knockMemory, false}} {
		again := openKnocks(t, path, now.Add(test.later))
		if got := seen(t, again, 1, now.Add(test.later)); got != test.want {
			t.Errorf("%v later: %v", test.later, got)
		}
	}
}

func TestKnocksWithATornLine(t *testing.T) {
	whole := fmt.Sprintf("%s%s", knockLine(knockID(1), now), knockLine(knockID(2), now))
	for length := range len(whole) {
		path := settingsPath(t, whole[:length])
		first := openKnocks(t, path, now)
		if seen(t, first, 3, now) {
			t.Fatalf("%d bytes", length)
		}
		knocks := openKnocks(t, path, now)
		want := length >= len(whole)/2
		if !seen(t, knocks, 3, now) || seen(t, knocks, 1, now) != want || seen(t, knocks, 2, now) {
			t.Errorf("after a tear at byte %d", length)
		}
	}
}

func TestKnocksSurviveKills(t *testing.T) {
	path := filepath.Join(t.TempDir(), "knocks")
	rang := map[string]bool{}
	for round := range 8 {
		for _, line := range killed(t, "knock", path, time.Duration(round)*time.Millisecond) {
			if id, err := hex.DecodeString(line); err == nil && len(id) == 16 {
				rang[line] = true
			}
		}
	}
	if len(rang) < 8 {
		t.Fatalf("only %d knocks were tried", len(rang))
	}
	knocks := openKnocks(t, path, time.Unix(0, 0))
	for line := range rang {
		id, _ := hex.DecodeString(line)
		if already, err := knocks.Seen([16]byte(id), time.Unix(0, 0)); err != nil || !already {
			t.Errorf("%s would ring again: %v", line, err)
		}
	}
}

func TestKnocksAreBounded(t *testing.T) {
	var old, full bytes.Buffer
	for n := range 3000 {
		old.Write(knockLine(knockID(n), now.Add(-knockMemory)))
	}
	for n := range maxKnocks {
		full.Write(knockLine(knockID(n), now.Add(time.Duration(n-maxKnocks)*time.Second/2)))
	}
	path := settingsPath(t, old.String())
	if seen(t, openKnocks(t, path, now), 5000, now) || len(read(t, path)) > 100 {
		t.Errorf("a file of old knocks keeps %d bytes", len(read(t, path)))
	}
	path = settingsPath(t, full.String())
	knocks := openKnocks(t, path, now)
	if seen(t, knocks, maxKnocks, now) || len(knocks.seen) != maxKnocks/2 {
		t.Errorf("%d are kept", len(knocks.seen))
	}
	if !seen(t, knocks, maxKnocks-1, now) || !seen(t, openKnocks(t, path, now), maxKnocks, now) {
		t.Error("the newest were dropped")
	}
}

func FuzzKnocksFile(f *testing.F) {
	f.Add(append(knockLine(knockID(1), now), "17999"...))
	f.Add([]byte("\n \n1 \nx y\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := settingsPath(t, string(data))
		before := openKnocks(t, path, now)
		if _, err := before.Seen(knockID(7), now); err != nil {
			t.Fatal(err)
		}
		after := openKnocks(t, path, now)
		for id, at := range before.seen {
			if now.Sub(at) < knockMemory && after.seen[id].Unix() != at.Unix() {
				t.Errorf("%x at %v is lost from %q", id, at, data)
			}
		}
	})
}
