//go:build linux

package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// oneSentence checks that a failure said one line: what happened and what to do.
func oneSentence(t *testing.T, stderr string, mentions ...string) {
	t.Helper()
	text := strings.TrimSpace(stderr)
	if text == "" || strings.Contains(text, "\n") {
		t.Errorf("not one sentence: %q", stderr)
	}
	for _, word := range mentions {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not mention %q", text, word)
		}
	}
}

// closedPort is a loopback port that nobody listens on, nor can while the test runs: it is taken.
func closedPort(t *testing.T) string {
	t.Helper()
	taken, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(taken) })
	if err := unix.Bind(taken, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	at, err := unix.Getsockname(taken)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", at.(*unix.SockaddrInet4).Port)
}

const somePin = "#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func TestAWrongLetterInACardIsAnError(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	must(t, "--home", home, "setup", "--name", "bob", "--relay", "127.0.0.1:9"+somePin, "--calls", "off", "--yes")
	card := []byte(must(t, "--home", home, "card"))
	middle := len(card) / 2
	if card[middle]++; card[middle] == '{' || card[middle] == '[' || card[middle] == ':' {
		card[middle] = 'a'
	}
	other := t.TempDir()
	_, stderr, status := run(t, "--home", other, "contacts", "add", string(card), "--name", "bob")
	if status != statusUsage {
		t.Errorf("status %d", status)
	}
	oneSentence(t, stderr, "copy it again")
	if listed := must(t, "--home", other, "contacts", "--json"); listed != "" {
		t.Errorf("a contact was made of it: %s", listed)
	}
}

func TestAnotherKeyForAStoredNameIsAMismatch(t *testing.T) {
	t.Parallel()
	alice, bob := pair(t, "127.0.0.1:9"+somePin, "127.0.0.1:10"+somePin)
	mallory := t.TempDir()
	must(t, "--home", mallory, "setup", "--name", "bob", "--relay", "127.0.0.1:11"+somePin, "--calls", "off", "--yes")
	before := must(t, "--home", alice, "contacts", "--json")
	_, stderr, status := run(t, "--home", alice, "contacts", "add", must(t, "--home", mallory, "card"), "--name", "bob")
	if status != statusMismatch {
		t.Errorf("status %d", status)
	}
	oneSentence(t, stderr)
	if after := must(t, "--home", alice, "contacts", "--json"); keysOf(after) != keysOf(before) {
		t.Errorf("the stored contact changed: %s", after)
	}
	_ = bob
}

// keysOf drops the time stamps of printed contacts.
func keysOf(listed string) string {
	_, rest, _ := strings.Cut(listed, `"event"`)
	return rest
}

func TestARelayOutOfReachIsStatus6(t *testing.T) {
	t.Parallel()
	alice, bob := pair(t, closedPort(t)+somePin, closedPort(t)+somePin)
	for _, words := range [][]string{{"--home", alice, "call", "bob", "--mic", "null", "--speaker", "null"}, {"--home", bob, "listen", "--mic", "null", "--speaker", "null"}} {
		_, stderr, status := run(t, words...)
		if status != statusUnreachable {
			t.Errorf("%v: status %d", words[2:], status)
		}
		oneSentence(t, stderr, "relay")
	}
}

func TestTheirRelayOutOfReachIsStatus6(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	alice, _ := pair(t, address, closedPort(t)+somePin)
	_, stderr, status := run(t, "--home", alice, "call", "bob", "--mic", "null", "--speaker", "null")
	if status != statusUnreachable {
		t.Errorf("status %d", status)
	}
	oneSentence(t, stderr, "their relay")
}

func TestARelayThatChangedItsPinIsNamed(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	hostPort, _, _ := strings.Cut(address, "#")
	alice, _ := pair(t, hostPort+somePin, address)
	_, stderr, status := run(t, "--home", alice, "call", "bob", "--mic", "null", "--speaker", "null")
	if status != statusUnreachable {
		t.Errorf("status %d", status)
	}
	oneSentence(t, stderr, "key")
}

// TestACallOutlivesItsRelay: a relay is killed in the middle of a call and started again
// where it was. The call goes on without a new answer, and its end is told.
func TestACallOutlivesItsRelay(t *testing.T) {
	t.Parallel()
	_, addressA := startRelay(t, t.TempDir())
	folder := t.TempDir()
	relayB := start(t, "relay", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--public-ip", "127.0.0.1", "--admission", "open", "--dir", folder, "--json")
	ready := relayB.await("relay.ready")
	addressB := ready.text("address")
	alice, bob := pair(t, addressA, addressB)
	listen := start(t, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "tone", "--speaker", "null", "--json")
	listen.await("listen.ready")
	call := start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--json")
	call.await("call.audio")
	relayB.signal(syscall.SIGKILL)
	for call.await("call.changed")["reconnecting"] != true {
	}
	hostPort, _, _ := strings.Cut(addressB, "#")
	start(t, "relay", "--listen", hostPort, "--turn-listen", ready.text("turn"), "--public-ip", "127.0.0.1", "--admission", "open", "--dir", folder, "--json").await("relay.ready")
	for call.await("call.changed")["reconnecting"] != false {
	}
	call.signal(syscall.SIGINT)
	if ended := call.await("call.ended"); ended.text("reason") != "hung-up" || !strings.Contains(ended.text("receipt"), "two relays") {
		t.Errorf("alice: %v", ended)
	}
	if status := call.exit(); status != statusDone {
		t.Errorf("alice: status %d", status)
	}
	if ended := listen.await("call.ended"); ended.text("reason") != "peer-hung-up" {
		t.Errorf("bob: %v", ended)
	}
}

func TestTheChecksRunInTheirOrder(t *testing.T) {
	t.Parallel()
	fresh := t.TempDir()
	set, _ := pair(t, "127.0.0.1:9"+somePin, "127.0.0.1:10"+somePin)
	off := t.TempDir()
	must(t, "--home", off, "setup", "--name", "carol", "--yes")
	for _, check := range []struct {
		status int
		words  []string
	}{
		{statusUsage, []string{"--home", fresh, "call", "nobody", "--mic", "what:ever"}},
		{statusUsage, []string{"--home", fresh, "call"}},
		{statusUsage, []string{"--home", fresh, "no-such-command"}},
		{statusUsage, []string{"--home", fresh, "call", "nobody", "--for", "-3s"}},
		{statusUsage, []string{"--home", fresh, "setup", "--name", "x"}}, // no --yes and no terminal
		{statusNoContact, []string{"--home", fresh, "call", "nobody"}},
		{statusNoContact, []string{"--home", off, "call", "nobody"}},
		{statusFailed, []string{"--home", fresh, "listen"}},
		{statusFailed, []string{"--home", off, "listen"}},
		{statusNoContact, []string{"--home", set, "listen", "--auto-answer", "nobody"}},
		{statusDevice, []string{"--home", set, "call", "bob", "--mic", "device:no such microphone"}},
		{statusUnreachable, []string{"--home", set, "call", "bob", "--mic", "null", "--speaker", "null"}},
		{statusUsage, []string{"--home", set, "settings", "set", "calls.who", "everybody"}},
		{statusUsage, []string{"--home", set, "settings", "get", "no.such.key"}},
	} {
		stdout, stderr, status := run(t, check.words...)
		if status != check.status {
			t.Errorf("%v: status %d, not %d\n%s%s", check.words[2:], status, check.status, stdout, stderr)
			continue
		}
		oneSentence(t, stderr)
	}
}

func TestSetupAgainChangesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	must(t, "--home", home, "setup", "--name", "bob", "--relay", "127.0.0.1:9"+somePin, "--calls", "on", "--yes")
	must(t, "--home", home, "setup", "--name", "robert", "--yes")
	for key, want := range map[string]string{"name": "robert", "relay.address": "127.0.0.1:9" + somePin, "calls.enabled": "on"} {
		if got := must(t, "--home", home, "settings", "get", key); got != want {
			t.Errorf("%s is %q, not %q", key, got, want)
		}
	}
}

func TestASecondProcessIsTold(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	_, bob := pair(t, "127.0.0.1:9"+somePin, address)
	listen := start(t, "--home", bob, "listen", "--json")
	listen.await("listen.ready")
	_, stderr, status := run(t, "--home", bob, "setup", "--name", "robert", "--yes")
	if status != statusFailed {
		t.Errorf("status %d", status)
	}
	oneSentence(t, stderr, "already runs")
	must(t, "--home", bob, "card")
	must(t, "--home", bob, "contacts")
	must(t, "--home", bob, "settings", "get", "calls.who")
}

func TestAnInterruptBeforeTheAnswerIsStatus1(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	alice, _ := pair(t, address, address)
	call := start(t, "--home", alice, "call", "bob", "--mic", "null", "--speaker", "null", "--json")
	call.await("call.dialling")
	call.signal(syscall.SIGINT)
	if ended := call.await("call.ended"); ended.text("reason") != "cancelled" {
		t.Errorf("%v", ended)
	}
	if status := call.exit(); status != statusFailed {
		t.Errorf("status %d", status)
	}
}

func TestNobodyThereIsNoAnswer(t *testing.T) {
	t.Parallel() // it rings for the whole 45 s
	_, address := startRelay(t, t.TempDir())
	alice, _ := pair(t, address, address)
	call := start(t, "--home", alice, "call", "bob", "--mic", "null", "--speaker", "null", "--json")
	call.await("call.dialling")
	if ended := call.awaitWithin("call.ended", 2*patience); ended.text("reason") != "no-answer" {
		t.Errorf("%v", ended)
	}
	if status := call.exit(); status != statusNoAnswer {
		t.Errorf("status %d", status)
	}
}

// TestAFullDiskLosesNothing fills a small file system of its own.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	home := filepath.Join(disk, "home")
	must(t, "--home", home, "setup", "--name", "bob", "--relay", "127.0.0.1:9"+somePin, "--calls", "off", "--yes")
	card := must(t, "--home", home, "card")
	fillDisk(t, disk)
	for _, words := range [][]string{
		{"--home", home, "settings", "set", "calls.who", "nobody"},
		{"--home", home, "setup", "--name", "robert", "--yes"},
	} {
		_, stderr, status := run(t, words...)
		if status != statusFailed {
			t.Errorf("%v: status %d", words[2:], status)
		}
		oneSentence(t, stderr, "full")
	}
	if err := os.Remove(filepath.Join(disk, "fill")); err != nil {
		t.Fatal(err)
	}
	if after := must(t, "--home", home, "card"); after != card {
		t.Error("the card changed")
	}
	if who := must(t, "--home", home, "settings", "get", "calls.who"); who != "contacts" {
		t.Errorf("calls.who is %q", who)
	}
}
