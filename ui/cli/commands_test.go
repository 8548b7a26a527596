//go:build linux

package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// objects runs sotto with --json and checks that each line it prints is an object
// with a time and an event.
func objects(t *testing.T, words ...string) []object {
	t.Helper()
	printed := must(t, append(words, "--json")...)
	var all []object
	for line := range strings.Lines(printed) {
		parsed := object{}
		if err := json.Unmarshal([]byte(line), &parsed); err != nil {
			t.Fatalf("%v: not JSON: %q", words, line)
		}
		if _, err := time.Parse(time.RFC3339, parsed.text("time")); err != nil || parsed.text("event") == "" {
			t.Errorf("%v: no time or no event: %q", words, line)
		}
		all = append(all, parsed)
	}
	return all
}

// only is the one object that sotto prints.
func only(t *testing.T, event string, words ...string) object {
	t.Helper()
	all := objects(t, words...)
	if len(all) != 1 || all[0].text("event") != event {
		t.Fatalf("%v printed %v, not one %s", words, all, event)
	}
	return all[0]
}

// runWith is run with variables added to the environment.
func runWith(t *testing.T, variables []string, words ...string) (output string, status int) {
	t.Helper()
	command := exec.Command(sotto(t), words...)
	command.Env = append(os.Environ(), variables...)
	printed, err := command.CombinedOutput()
	if command.ProcessState == nil {
		t.Fatal(err)
	}
	return string(printed), command.ProcessState.ExitCode()
}

func setUpAt(t *testing.T, home, name string) {
	t.Helper()
	must(t, "--home", home, "setup", "--name", name, "--relay", "127.0.0.1:9"+somePin, "--calls", "off", "--yes")
}

func TestEveryCommandHasHelp(t *testing.T) {
	t.Parallel()
	names := strings.Fields("setup call listen card contacts settings devices demo relay completion man help")
	commands := [][]string{{}}
	for _, name := range names {
		commands = append(commands, []string{name})
	}
	for _, name := range strings.Fields("list add rename remove verify block unblock") {
		commands = append(commands, []string{"contacts", name})
	}
	for _, name := range strings.Fields("path list get set edit") {
		commands = append(commands, []string{"settings", name})
	}
	for _, words := range commands {
		// Each tells of itself, and not of the command above it.
		if help := must(t, append(words, "--help")...); !strings.Contains(help, strings.Join(append([]string{"sotto"}, words...), " ")) {
			t.Errorf("%v: the help is of something else:\n%s", words, help)
		}
	}
	for _, words := range [][]string{{"help", "no-such-command"}, {"completion", "klingon"}, {"completion", "bash", "more"}, {"contacts", "bogus"}, {"settings", "path", "bogus"}, {"settings", "bogus"}, {"--bogus"}} {
		_, stderr, status := run(t, words...)
		if status != statusUsage {
			t.Errorf("%v: status %d", words, status)
		}
		oneSentence(t, stderr)
	}
}

func TestSetupAndCard(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	done := only(t, "setup.done", "--home", home, "setup", "--name", "alice\n\u202eb", "--relay", "relay.example.org", "--calls", "on", "--yes")
	if done.text("name") != "alice b" || done.text("relay") != "relay.example.org" || done["calls"] != true {
		t.Errorf("%v", done)
	}
	card := must(t, "--home", home, "card")
	if !strings.HasPrefix(card, "sotto:") || strings.ContainsAny(card, " \n") {
		t.Errorf("not a card alone on one line: %q", card)
	}
	if again := only(t, "card", "--home", home, "card"); again.text("card") != card {
		t.Errorf("the card changed: %v", again)
	}
	renewed := must(t, "--home", home, "card", "--new")
	if renewed == card || must(t, "--home", home, "card") != renewed {
		t.Errorf("--new gave %q", renewed)
	}
	if err := os.Remove(filepath.Join(home, "card")); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	must(t, "--home", other, "contacts", "add", card, "--name", "alice", "--verified")
	must(t, "--home", other, "contacts", "add", renewed, "--name", "alice") // the same person's newer card
	must(t, "--home", other, "contacts", "add", must(t, "--home", home, "card"), "--name", "alice")
	if listed := only(t, "contact", "--home", other, "contacts"); listed["verified"] != true {
		t.Errorf("%v", listed)
	}
}

func TestContactsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	alice, bob := t.TempDir(), t.TempDir()
	setUpAt(t, bob, "bob")
	if listed := must(t, "--home", alice, "contacts"); !strings.Contains(listed, "contacts add") {
		t.Errorf("an empty list does not say how to fill it: %q", listed)
	}
	card := must(t, "--home", bob, "card")
	added := only(t, "contact.added", "--home", alice, "contacts", "add", card)
	if added.text("name") != "bob" || len(added.text("key")) != 64 || added.text("relay") != "127.0.0.1:9"+somePin || added["verified"] != false {
		t.Errorf("%v", added)
	}
	must(t, "--home", alice, "contacts", "rename", "bob", "Bób Ω 日本")
	name := "Bób Ω 日本"
	for _, step := range []struct {
		command           string
		verified, blocked bool
	}{{"verify", true, false}, {"block", true, true}, {"unblock", true, false}} {
		must(t, "--home", alice, "contacts", step.command, name)
		for _, list := range [][]string{{"contacts"}, {"contacts", "list"}} {
			listed := only(t, "contact", append([]string{"--home", alice}, list...)...)
			if listed.text("name") != name || listed["verified"] != step.verified || listed["blocked"] != step.blocked || listed["key"] != added["key"] {
				t.Errorf("after %s: %v", step.command, listed)
			}
		}
	}
	for _, check := range []struct {
		status int
		words  []string
	}{
		{statusUsage, []string{"add", card, "--name", "echo"}},
		{statusUsage, []string{"add", card, "--name", "a,b"}},
		{statusUsage, []string{"add", card, "--name", "a\nb"}},
		{statusUsage, []string{"add", card, "--name", strings.Repeat("x", 500)}},
		{statusUsage, []string{"add", card, "--name"}},
		{statusUsage, []string{"add", ""}},
		{statusUsage, []string{"add"}},
		{statusUsage, []string{"rename", name, "\u202e"}},
		{statusUsage, []string{"rename", name, ""}},
		{statusUsage, []string{"rename", name}},
		{statusFailed, []string{"add", card, "--name", "another name"}},
		{statusNoContact, []string{"rename", "carol", "caroline"}},
		{statusNoContact, []string{"remove", ""}},
		{statusNoContact, []string{"verify", "carol"}},
		{statusNoContact, []string{"block", "carol"}},
		{statusNoContact, []string{"unblock", "carol"}},
	} {
		_, stderr, status := run(t, append([]string{"--home", alice, "contacts"}, check.words...)...)
		if status != check.status {
			t.Errorf("contacts %.60v: status %d, not %d: %s", check.words, status, check.status, stderr)
		}
		oneSentence(t, stderr)
	}
	must(t, "--home", alice, "contacts", "remove", name)
	if left := objects(t, "--home", alice, "contacts"); len(left) != 0 {
		t.Errorf("%v", left)
	}
}

func TestSettingsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	path := must(t, "--home", home, "settings", "path")
	if path != filepath.Join(home, "settings.toml") {
		t.Errorf("path: %q", path)
	}
	var keys []string
	for _, setting := range objects(t, "--home", home, "settings", "list") {
		keys = append(keys, setting.text("key"))
		value, known := setting["value"].(string)
		if _, hasDefault := setting["default"].(string); !known || !hasDefault || value != setting.text("default") || setting.text("doc") == "" {
			t.Errorf("a fresh profile has %v", setting)
		}
		if got := must(t, "--home", home, "settings", "get", setting.text("key")); got != value {
			t.Errorf("get %s: %q, not %q", setting.text("key"), got, value)
		}
	}
	if !slices.Contains(keys, "calls.who") || !slices.Contains(keys, "relay.address") {
		t.Errorf("%v", keys)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("looking at settings made the file")
	}
	for key, value := range map[string]string{"calls.who": "verified", "calls.ringing": "off", "relay.address": "[2001:db8::1]:443", "sound.mic": "tone:300", "name": `Ω "quoted" \ #`} {
		must(t, "--home", home, "settings", "set", key, value)
		if got := only(t, "setting", "--home", home, "settings", "get", key); got.text("value") != value {
			t.Errorf("%s is %v, not %q", key, got, value)
		}
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range [][]string{
		{"get", ""},
		{"get"},
		{"get", "a", "b"},
		{"set", "calls.who"},
		{"set", "calls.who", "friends"},
		{"set", "calls.enabled", "perhaps"},
		{"set", "calls.direct", "perhaps"},
		{"set", "name", "\x07"},
		{"set", "relay.address", "127.1"},
		{"set", "relay.address", "relay.example.org:70000"},
		{"set", "relay.address", "relay.example.org#short"},
		{"set", "sound.mic", "what:ever"},
		{"set", "sound.speaker", "tone"},
	} {
		_, stderr, status := run(t, append([]string{"--home", home, "settings"}, words...)...)
		if status != statusUsage {
			t.Errorf("settings %q: status %d", words, status)
		}
		oneSentence(t, stderr)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("refused values changed the file: %v\n%s", err, after)
	}
}

func TestSettingsInAnEditor(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), `a "home" of $(touch pwned) 'quotes'`)
	edit := func(editor string) (string, int) {
		return runWith(t, []string{"VISUAL=", "EDITOR=" + editor}, "--home", home, "settings", "edit")
	}
	if printed, status := edit("true"); status != statusDone || printed != "" {
		t.Errorf("status %d: %s", status, printed)
	}
	if file, err := os.ReadFile(filepath.Join(home, "settings.toml")); err != nil || !strings.Contains(string(file), "# Whose calls ring here") {
		t.Errorf("the editor was not given the commented file: %v", err)
	}
	script := filepath.Join(t.TempDir(), "my editor")
	if err := os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$1\" > \"$2\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if printed, status := edit("'" + script + "' 'name = \"Ω\"'"); status != statusDone {
		t.Errorf("status %d: %s", status, printed)
	}
	if name := must(t, "--home", home, "settings", "get", "name"); name != "Ω" {
		t.Errorf("name is %q", name)
	}
	printed, status := edit("'" + script + "' 'nme = 1'")
	if status != statusFailed {
		t.Errorf("a mistake: status %d", status)
	}
	oneSentence(t, printed, "line 1", "nme")
	for editor, want := range map[string]int{"false": statusFailed, "/no/such/editor": statusFailed, "": statusUsage} {
		printed, status := edit(editor)
		if status != want || !strings.Contains(printed, "set EDITOR") {
			t.Errorf("editor %q: status %d: %s", editor, status, printed)
		}
	}
	if _, err := os.Stat("pwned"); err == nil {
		_ = os.Remove("pwned")
		t.Error("the path was run by the shell")
	}
}

// TestDemoNeedsAndLeavesNothing runs the demo in a home that is empty before and after.
func TestDemoNeedsAndLeavesNothing(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	command := exec.Command(sotto(t), "demo", "--headless", "--json")
	command.Env = []string{"HOME=" + home, "PATH=" + os.Getenv("PATH")}
	command.Dir = home
	printed, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, printed)
	}
	if left, err := os.ReadDir(home); err != nil || len(left) != 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	report := object{}
	for line := range strings.Lines(string(printed)) {
		report = object{}
		if err := json.Unmarshal([]byte(line), &report); err != nil || report.text("time") == "" || report.text("event") == "" {
			t.Fatalf("%v: %q", err, line)
		}
	}
	if report.text("event") != "demo.report" {
		t.Fatalf("it ends with %v", report)
	}
	for _, promise := range []string{"connected", "relay_only", "encrypted", "verified"} {
		if report[promise] != true {
			t.Errorf("%s is %v", promise, report[promise])
		}
	}
	for _, figure := range []string{"connect_ms", "answer_to_audio_ms", "mouth_to_ear_ms"} {
		if value, number := report[figure].(float64); !number || value <= 0 {
			t.Errorf("%s is %v", figure, report[figure])
		}
	}
	if ratio, number := report["concealed_ratio"].(float64); !number || ratio < 0 || ratio > 1 {
		t.Errorf("concealed_ratio is %v", report["concealed_ratio"])
	}
	for _, list := range []string{"peer_saw", "relay_saw"} {
		if seen, ok := report[list].([]any); !ok || len(seen) == 0 {
			t.Errorf("%s is %v", list, report[list])
		}
	}
}

func TestDevicesAsObjects(t *testing.T) {
	t.Parallel()
	for _, device := range objects(t, "devices") { // none, where there is no sound
		kind := device.text("kind")
		_, isDefault := device["default"].(bool)
		if device.text("event") != "device" || device.text("id") == "" || device.text("name") == "" || !isDefault || (kind != "capture" && kind != "playback") {
			t.Errorf("%v", device)
		}
	}
}

// TestHistoryAndPolicyPerContact: what the commands for one person and for the history
// say and refuse, without any network.
func TestHistoryAndPolicyPerContact(t *testing.T) {
	alice, _ := pair(t, "127.0.0.1:9"+somePin, "127.0.0.1:10"+somePin)
	home := []string{"--home", alice}
	line := func(words ...string) string { return must(t, append(home, words...)...) }
	if got := line("history"); !strings.Contains(got, "No calls yet") {
		t.Errorf("an empty history: %q", got)
	}
	line("history", "clear")
	for _, words := range [][]string{{"silence", "bob"}, {"always", "bob"}, {"direct", "bob", "on"}, {"presence", "bob", "on"}, {"block", "bob"}} {
		line(append([]string{"contacts"}, words...)...)
	}
	if got := line("contacts"); !strings.Contains(got, "blocked") || !strings.Contains(got, "rings always") || !strings.Contains(got, "direct calls agreed to") || !strings.Contains(got, "may see when you are here once they choose the same") {
		t.Errorf("%q", got)
	}
	if object := objects(t, append(home, "contacts")...)[0]; object["presence"] != true || object["presence_theirs"] != false {
		t.Errorf("%v", object)
	}
	for _, words := range [][]string{{"default", "bob"}, {"presence", "bob", "off"}, {"unblock", "bob"}, {"unverify", "bob"}} {
		line(append([]string{"contacts"}, words...)...)
	}
	if got := line("contacts"); !strings.Contains(got, "not verified") || strings.Contains(got, "block") || strings.Contains(got, "always") || strings.Contains(got, "direct") || strings.Contains(got, "here") {
		t.Errorf("%q", got)
	}
	stranger := strings.Repeat("58", 8) + "66" // too short for a key
	for words, want := range map[string]int{
		"contacts silence carol": statusNoContact, "contacts block carol": statusNoContact, "contacts block " + stranger: statusNoContact,
		"contacts direct bob": statusUsage, "contacts direct bob perhaps": statusUsage, "contacts direct bob on": statusFailed,
		"contacts presence bob": statusUsage, "contacts presence bob perhaps": statusUsage, "contacts presence carol on": statusNoContact,
		"history clear all": statusUsage, "contacts always": statusUsage,
	} {
		_, stderr, status := run(t, append(home, strings.Fields(words)...)...)
		if status != want {
			t.Errorf("%s: status %d, not %d", words, status, want)
		}
		oneSentence(t, stderr)
	}
}
