//go:build linux

package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// leaktestOf runs sotto leaktest and returns its report.
func leaktestOf(t *testing.T, home string) object {
	t.Helper()
	said := must(t, "--home", home, "leaktest", "--json")
	report := object{}
	if err := json.Unmarshal([]byte(said), &report); err != nil || report.text("event") != "leaktest.report" {
		t.Fatalf("%v: %s", err, said)
	}
	if report["strays"] != 0.0 || report["connected"] != true || report["relay_only"] != true || report["inventory"] != true {
		t.Errorf("%v", report)
	}
	return report
}

func TestLeaktest(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "fresh")
	if which := leaktestOf(t, fresh).text("relay"); which != "laboratory" {
		t.Errorf("a fresh profile was tested through %q", which)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("the test left a profile behind")
	}
	_, address := startRelay(t, t.TempDir())
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", address, "--calls", "on", "--yes")
	report := leaktestOf(t, home)
	host, _, _ := strings.Cut(address, "#")
	if relays, _ := report["relays"].([]any); report.text("relay") != "own" || len(relays) != 1 || relays[0] != host {
		t.Errorf("%v", report)
	}
	must(t, "--home", home, "settings", "set", "calls.enabled", "off")
	if stdout := must(t, "--home", home, "leaktest"); !strings.Contains(stdout, "Calling is off") || !strings.Contains(stdout, "strays 0") || strings.Contains(stdout, host) {
		t.Errorf("with calling off:\n%s", stdout)
	}
	must(t, "--home", home, "settings", "set", "calls.enabled", "on")
	must(t, "--home", home, "settings", "set", "relay.address", "127.0.0.1:9"+somePin)
	if _, stderr, status := run(t, "--home", home, "leaktest"); status != statusUnreachable {
		t.Errorf("without the relay: status %d\n%s", status, stderr)
	}
}

// TestLeaktestThroughAProxy: the proxy is the only place that packets go to, and one that is
// not there is not gone around.
func TestLeaktestThroughAProxy(t *testing.T) {
	socks := startSocks(t)
	_, address := startRelay(t, t.TempDir())
	host, _, _ := strings.Cut(address, "#")
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", address, "--calls", "on", "--yes")
	must(t, "--home", home, "settings", "set", "relay.proxy", socks.address)
	sockets, _ := leaktestOf(t, home)["sockets"].([]any)
	if len(sockets) == 0 {
		t.Error("no socket was seen")
	}
	for _, one := range sockets {
		socket, _ := one.(map[string]any)
		if socket["peer"] != strings.TrimPrefix(socks.address, "socks5://") || socket["verdict"] != "proxy" {
			t.Errorf("a socket that is not for the proxy: %v", socket)
		}
	}
	asked := socks.all()
	if len(asked) == 0 {
		t.Error("the proxy was asked for nothing")
	}
	for _, one := range asked {
		if one != host {
			t.Errorf("the proxy was asked for %s", one)
		}
	}
	must(t, "--home", home, "settings", "set", "relay.proxy", "socks5://127.0.0.1:9")
	if _, stderr, status := run(t, "--home", home, "leaktest"); status != statusUnreachable || !strings.Contains(stderr, "proxy") {
		t.Errorf("without the proxy: status %d\n%s", status, stderr)
	}
}
