package cli

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// strangers sets up alice and bob, who know nothing of each other.
func strangers(t *testing.T, aliceRelay, bobRelay, calls string) (alice, bob string) {
	t.Helper()
	alice, bob = filepath.Join(t.TempDir(), "alice"), filepath.Join(t.TempDir(), "bob")
	must(t, "--home", alice, "setup", "--name", "alice", "--relay", aliceRelay, "--calls", calls, "--yes")
	must(t, "--home", bob, "setup", "--name", "bob", "--relay", bobRelay, "--calls", calls, "--yes")
	return alice, bob
}

// TestAddedByCode runs the binary across two relays, then makes a call with what it
// left behind.
func TestAddedByCode(t *testing.T) {
	t.Parallel()
	_, addressA := startRelay(t, t.TempDir())
	_, addressB := startRelay(t, t.TempDir())
	alice, bob := strangers(t, addressA, addressB, "on")

	invite := start(t, "--home", alice, "invite", "--json")
	code := invite.await("invite.code").text("code")
	if _, stderr, status := run(t, "--home", alice, "invite"); status != 1 || !strings.Contains(stderr, "another Sotto") {
		t.Errorf("a second invitation of one profile: status %d, %s", status, stderr)
	}
	join := start(t, append([]string{"--home", bob, "join", "--name", "ally", "--json"}, strings.Fields(code)...)...)
	if added := join.await("contact.added"); added.text("name") != "ally" || added["verified"] != true {
		t.Errorf("bob has %v", added)
	}
	if added := invite.await("contact.added"); added.text("name") != "bob" || added["verified"] != true {
		t.Errorf("alice has %v", added)
	}
	if a, b := invite.exit(), join.exit(); a != 0 || b != 0 {
		t.Errorf("statuses %d and %d", a, b)
	}
	listen := start(t, "--home", bob, "listen", "--auto-answer", "ally", "--mic", "null", "--speaker", "null", "--json")
	listen.await("listen.ready")
	call := start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--for", "1s", "--json")
	if connected := call.await("call.connected"); connected["verified"] != true {
		t.Errorf("connected: %v", connected)
	}
	if status := call.exit(); status != 0 {
		t.Errorf("the call: status %d", status)
	}
}

// TestCodesThatDoNotAdd: a wrong word and a contact with another key, on one relay
// that runs for others, with calling off and the code in one argument.
func TestCodesThatDoNotAdd(t *testing.T) {
	t.Parallel()
	_, relay := startRelay(t, t.TempDir())
	alice, bob := strangers(t, relay, relay, "off")

	invite := start(t, "--home", alice, "invite", "--json")
	code := invite.await("invite.code").text("code")
	words := strings.Fields(code)
	if last := len(words) - 1; words[last] == "zoo" {
		words[last] = "zone"
	} else {
		words[last] = "zoo"
	}
	_, stderr, status := run(t, "--home", bob, "join", strings.Join(words, " "))
	if status != 1 || !strings.Contains(stderr, "did not match") {
		t.Errorf("bob: status %d, %s", status, stderr)
	}
	if failed := invite.await("error"); !strings.Contains(failed.text("message"), "did not match") || invite.exit() != 1 {
		t.Errorf("alice: %v", failed)
	}

	_, bobAgain := strangers(t, relay, relay, "off") // a new key under an old name
	must(t, "--home", alice, "contacts", "add", must(t, "--home", bobAgain, "card"), "--name", "bob")
	invite = start(t, "--home", alice, "invite", "--json")
	code = invite.await("invite.code").text("code")
	if _, stderr, status := run(t, "--home", bob, "join", code); status != 1 || !strings.Contains(stderr, "another key") {
		t.Errorf("bob: status %d, %s", status, stderr)
	}
	if failed := invite.await("error"); failed["status"] != 8.0 || invite.exit() != 8 {
		t.Errorf("alice: %v", failed)
	}
	if contacts := must(t, "--home", bob, "contacts", "--json"); contacts != "" {
		t.Errorf("bob has %s", contacts)
	}
}

func TestCodesMistyped(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	for _, words := range [][]string{{}, {"42"}, {"42", "apple", "river", "stone", "clud"}, {"apple river stone cloud"}} {
		if _, stderr, status := run(t, append([]string{"--home", home, "join"}, words...)...); status != 2 {
			t.Errorf("join %q: status %d, %s", words, status, stderr)
		}
	}
	if _, stderr, status := run(t, "--home", home, "join", "42 apple river stone cloud", "--name", "a,b"); status != 2 {
		t.Errorf("a bad name: status %d, %s", status, stderr)
	}
	if _, _, status := run(t, "--home", home, "invite"); status != 1 {
		t.Errorf("invite without a profile: status %d", status)
	}
	if out := must(t, "__complete", "join", "42", "clou"); !strings.HasPrefix(out, "cloud\n") {
		t.Errorf("completion of clou: %q", out)
	}
}

// TestInviteStops: the first signal ends it, with nothing added.
func TestInviteStops(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "local", "--calls", "off", "--yes")
	invite := start(t, "--home", home, "invite", "--json")
	invite.await("invite.code")
	invite.signal(syscall.SIGTERM)
	if status := invite.exit(); status != 1 {
		t.Errorf("status %d", status)
	}
}
