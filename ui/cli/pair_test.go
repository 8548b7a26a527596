package cli

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/armon/go-socks5"
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

// TestJoiningByTheRelaysName: the joiner knows of a relay with a pin only what the code
// says, its name, and ends with the pin in the settings and the card.
func TestJoiningByTheRelaysName(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	name, _, _ := strings.Cut(address, "#")
	alice, bob := strangers(t, address, name, "on")
	for _, how := range []string{"with the relay's name", "without it"} {
		must(t, "--home", bob, "settings", "set", "relay.address", name)
		invite := start(t, "--home", alice, "invite", "--json")
		words := strings.Fields(invite.await("invite.code").text("code"))
		if how == "without it" {
			words = words[1:]
		}
		must(t, append([]string{"--home", bob, "join"}, words...)...)
		if status := invite.exit(); status != 0 {
			t.Errorf("%s: the invitation ended with %d", how, status)
		}
		if kept := must(t, "--home", bob, "settings", "get", "relay.address"); kept != address {
			t.Errorf("%s: bob's relay is %s, not %s", how, kept, address)
		}
	}
	if known := must(t, "--home", alice, "contacts", "--json"); !strings.Contains(known, address) {
		t.Errorf("alice knows bob under %s", known)
	}
	listen := start(t, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "null", "--speaker", "null", "--json")
	listen.await("listen.ready")
	call := start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--for", "1s", "--json")
	call.await("call.connected")
	if status := call.exit(); status != 0 {
		t.Errorf("the call: status %d", status)
	}
}

// inBetween is a SOCKS5 proxy that takes everybody to a machine which holds a key of
// its own and passes on, opened, what is meant for the relay of that name.
func inBetween(t *testing.T, relay string) (proxy string) {
	t.Helper()
	onward := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "https", Host: relay})
	onward.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	onward.ErrorLog = log.New(io.Discard, "", 0)
	machine := httptest.NewTLSServer(onward)
	machine.Config.ErrorLog = onward.ErrorLog
	t.Cleanup(machine.Close)
	server, err := socks5.New(&socks5.Config{
		Logger: onward.ErrorLog,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, machine.Listener.Addr().String())
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() { _ = server.Serve(listener) }()
	return "socks5://" + listener.Addr().String()
}

// TestAnotherKeyThanTheCardSays: somebody stands between the joiner and the relay whose
// name they know, and passes on what both say. The code is right, and nobody is added.
func TestAnotherKeyThanTheCardSays(t *testing.T) {
	t.Parallel()
	_, address := startRelay(t, t.TempDir())
	name, _, _ := strings.Cut(address, "#")
	alice, bob := strangers(t, address, name, "off")
	must(t, "--home", bob, "settings", "set", "relay.proxy", inBetween(t, name))
	invite := start(t, "--home", alice, "invite", "--json")
	code := invite.await("invite.code").text("code")
	_, stderr, status := run(t, "--home", bob, "join", code)
	if status != 6 || !strings.Contains(stderr, "another key than the card") {
		t.Errorf("bob: status %d, %s", status, stderr)
	}
	if failed := invite.await("error"); invite.exit() == 0 {
		t.Errorf("alice: %v", failed)
	}
	for _, home := range []string{alice, bob} {
		if known := must(t, "--home", home, "contacts", "--json"); known != "" {
			t.Errorf("%s has %s", home, known)
		}
	}
	if kept := must(t, "--home", bob, "settings", "get", "relay.address"); kept != name {
		t.Errorf("bob's relay is %s", kept)
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
