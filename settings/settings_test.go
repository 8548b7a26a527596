package settings

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func settingsPath(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestDefaults(t *testing.T) {
	s := Defaults()
	if s.Calls.Enabled || s.Calls.Who != Contacts || !s.Calls.Ringing || s.Calls.Direct ||
		s.Relay.Address != "" || s.Sound.Mic != "default" || s.Sound.Speaker != "default" {
		t.Errorf("%+v", s)
	}
	if got, err := Load(filepath.Join(t.TempDir(), "none", "settings.toml")); err != nil || got != s {
		t.Errorf("a missing file: %+v, %v", got, err)
	}
}

func TestDefaultFileDocumentsEveryKey(t *testing.T) {
	file := string(DefaultFile())
	d, err := parse("x", []byte(file))
	if err != nil || d.settings != Defaults() {
		t.Fatalf("%v\n%s", err, file)
	}
	if len(d.values) != len(Keys()) {
		t.Errorf("%d keys of %d are in it", len(d.values), len(Keys()))
	}
	for _, key := range Keys() {
		_, leaf := split(key.Name)
		_, above, found := strings.Cut(file, key.comment[:10])
		if key.Doc == "" || !found || !strings.Contains(above, "\n"+leaf+" = ") {
			t.Errorf("%s is not explained", key.Name)
		}
	}
	for line := range strings.SplitSeq(file, "\n") {
		if len(line) > 82 {
			t.Errorf("too wide for a small terminal: %s", line)
		}
	}
}

func TestSetAndGetEveryKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "settings.toml")
	values := map[string][]string{
		"name": {"Alice", `a "quoted" \ name`, "Žofie"}, "relay.address": {"local", "h:1#pin"},
		"relay.proxy":     {"socks5://127.0.0.1:9050", ""},
		"relay.admission": {"t=o#ken"}, "sound.mic": {"device:USB # 1", "null"}, "sound.speaker": {"tone:440"},
		"sound.ring": {"device:Loudspeakers", ""}, "sound.talk": {"push", "open"},
		"sound.echo": {"off", "auto"}, "sound.noise": {"off", "auto"}, "sound.gain": {"off", "auto"}, "sound.highpass": {"off", "auto"},
		"calls.enabled": {"on", "off"}, "calls.ringing": {"off", "on"}, "calls.presence": {"on", "off"},
		"calls.waiting": {"on", "off"}, "calls.history": {"off", "30days", "forever"}, "calls.direct": {"on", "off"},
		"calls.who": {"nobody", "verified", "contacts", "anyone"}, "look.colour": {"none", "16", "auto"}, "look.glyphs": {"ascii", "unicode"},
		"look.keys": {"mute=u, hold=z", ""}, "look.mouse": {"on", "off"}, "look.notify": {"off", "full", "bell"},
	}
	for _, key := range Keys() {
		if len(values[key.Name]) == 0 {
			t.Errorf("%s is not tested", key.Name)
		}
		for _, value := range values[key.Name] {
			if err := Set(path, key.Name, value); err != nil {
				t.Fatal(err)
			}
			s, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Get(s, key.Name); err != nil || got != value {
				t.Errorf("%s: %q, %v, want %q", key.Name, got, err, value)
			}
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

const byHand = `# mine
   name   =   'Al'    # short

# off for now
[ relay ]   # odd spacing
  address="local"     # try out

[calls]
# two of us
who = "verified"
	enabled = false # not yet
`

func TestSetKeepsEverythingElse(t *testing.T) {
	for _, test := range []struct{ key, value, old, new string }{
		{"name", "Bo", `'Al'`, `"Bo"`},
		{"relay.address", "h:2", `"local"`, `"h:2"`},
		{"calls.enabled", "on", `= false #`, `= true #`},
		{"calls.who", "anyone", `"verified"`, `"anyone"`},
		{"calls.ringing", "off", "# not yet\n", "# not yet\nringing = false\n"},
		{"relay.admission", "x", "# try out\n", "# try out\nadmission = \"x\"\n"},
		{"sound.mic", "null", "# not yet\n", "# not yet\n\n[sound]\nmic = \"null\"\n"},
	} {
		for _, newline := range []string{"\n", "\r\n"} {
			before := strings.ReplaceAll(byHand, "\n", newline)
			path := settingsPath(t, before)
			if err := Set(path, test.key, test.value); err != nil {
				t.Errorf("%s: %v", test.key, err)
				continue
			}
			want := strings.ReplaceAll(strings.Replace(byHand, test.old, test.new, 1), "\n", newline)
			if got := read(t, path); got != want {
				t.Errorf("%s became\n%q, want\n%q", test.key, got, want)
			}
		}
	}
}

func TestSetInUnusualFiles(t *testing.T) {
	for _, test := range []struct{ before, key, value, after string }{
		{"", "name", "A", "name = \"A\"\n"},
		{"# only a comment", "name", "A", "# only a comment\nname = \"A\"\n"},
		{"[calls]\n", "name", "A", "name = \"A\"\n\n[calls]\n"},
		{"[calls]", "calls.enabled", "on", "[calls]\nenabled = true\n"},
		{"calls.enabled = false", "calls.who", "nobody", "calls.enabled = false\ncalls.who = \"nobody\"\n"},
		{"calls = {}\n", "calls.who", "nobody", "calls = { who = \"nobody\" }\n"},
		{"calls = { enabled = true } # x\n", "calls.who", "nobody", "calls = { enabled = true, who = \"nobody\" } # x\n"},
		{"calls = { enabled = true } # x\n", "calls.enabled", "off", "calls = { enabled = false } # x\n"},
		{"calls = { enabled = true }\n[sound]\n", "name", "A", "calls = { enabled = true }\nname = \"A\"\n[sound]\n"},
		{`"name" = """A"""`, "name", "B", `"name" = "B"`},
		{"[\"calls\"]\n'who' = 'anyone'\n", "calls.who", "nobody", "[\"calls\"]\n'who' = \"nobody\"\n"},
		{"name = 'A'\n", "name", "A", "name = 'A'\n"}, // as it was: not even the quotes change
	} {
		path := settingsPath(t, test.before)
		if err := Set(path, test.key, test.value); err != nil {
			t.Errorf("%q: %v", test.before, err)
			continue
		}
		if got := read(t, path); got != test.after {
			t.Errorf("%q became %q, want %q", test.before, got, test.after)
		}
	}
}

func TestMistakesNameLineAndMend(t *testing.T) {
	for _, test := range []struct{ file, line, says string }{
		{"name = 'A'\n\nnmae = 'B'\n", "line 3", "the settings are name, calls.enabled"},
		{"# x\n[calls]\nwho = 'friends'\n", "line 3", "nobody, verified, contacts or anyone"},
		{"[calls]\nenabled = 'yes'\n", "line 2", "true or false, without quotes"},
		{"name = 3\n", "line 1", "text in quotes"},
		{"[sounds]\n", "line 1", "the tables are [calls], [relay], [sound] and [look]"},
		{"\n[[calls]]\n", "line 2", "single brackets"},
		{"name = 'A'\nname = 'B'\n", "line 2", "name"},
		{"name = A\n", "line 1", "mend the line"},
		{"[calls]\nwho = \n", "line 2", "mend the line"},
		{"a = 1\nb = {", "line 2", "mend the line"},
		{"calls = 3\n", "line 1", "calls"},
		{"calls.who.x = 3\n", "line 1", "calls.who.x"},
		{"name = \"\"\"\na\"\"\"\nrelay.address = \"a\\nb\"\n", "line 3", "one line"},
	} {
		path := settingsPath(t, test.file)
		_, err := Load(path)
		if !errors.Is(err, ErrBadFile) || !strings.Contains(err.Error(), test.line+":") || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v", test.file, err)
			continue
		}
		if err := Set(path, "sound.mic", "null"); err == nil {
			t.Errorf("%q: set in a file with a mistake", test.file)
		}
		if read(t, path) != test.file {
			t.Errorf("%q was changed", test.file)
		}
	}
}

func TestRefusedValuesChangeNothing(t *testing.T) {
	path := settingsPath(t, byHand)
	for _, test := range []struct {
		key, value string
		is         error
	}{
		{"calls.who", "friends", ErrBadValue},
		{"calls.who", "", ErrBadValue},
		{"calls.enabled", "maybe", ErrBadValue},
		{"name", "a\nb", ErrBadValue},
		{"name", "a\x1b[31m", ErrBadValue},
		{"name", "\xff", ErrBadValue},
		{"name", strings.Repeat("a", 65), ErrBadValue},
		{"calls.whom", "nobody", ErrUnknownKey},
		{"", "x", ErrUnknownKey},
	} {
		if err := Set(path, test.key, test.value); !errors.Is(err, test.is) {
			t.Errorf("%s = %q: %v", test.key, test.value, err)
		}
	}
	if read(t, path) != byHand {
		t.Error("the file was changed")
	}
	if _, err := Get(Defaults(), "nmae"); !errors.Is(err, ErrUnknownKey) {
		t.Error(err)
	}
}

func TestCreateKeepsWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "settings.toml")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	if read(t, path) != string(DefaultFile()) {
		t.Error("not the default file")
	}
	own := settingsPath(t, byHand)
	if err := Create(own); err != nil || read(t, own) != byHand {
		t.Error("an existing file was touched", err)
	}
}

func FuzzSet(f *testing.F) {
	f.Add([]byte(byHand), 2, "verified")
	f.Add(DefaultFile(), 0, "Alice \" \\")
	f.Add([]byte("calls = { enabled = true }"), 1, "off")
	f.Add([]byte("calls.who = 'anyone'\n[sound]"), 7, "null")
	f.Fuzz(func(t *testing.T, data []byte, which int, value string) {
		key := keys[uint(which)%uint(len(keys))]
		before, err := parse("x", data)
		if err != nil {
			return
		}
		edited, err := edit("x", data, key, value)
		if err != nil {
			return
		}
		after, err := parse("x", edited)
		if err != nil {
			t.Fatalf("%q no longer reads: %v", edited, err)
		}
		want := before.settings
		if err := key.put(&want, value); err != nil || after.settings != want {
			t.Errorf("%q: %+v, want %+v", edited, after.settings, want)
		}
		if strings.Count(string(edited), "#") < bytes.Count(data, []byte("#"))-strings.Count(key.get(&before.settings), "#") {
			t.Errorf("a comment of %q is lost in %q", data, edited)
		}
	})
}
