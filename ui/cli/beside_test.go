package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestSettingsBesideARunningSotto: the command writes the file, says who takes it over,
// and the running one does; a passphrase is still for one process alone.
func TestSettingsBesideARunningSotto(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "local", "--calls", "on", "--yes")
	if said := must(t, "--home", home, "settings", "set", "calls.who", "verified"); said != "" {
		t.Errorf("with nothing running it says %q", said)
	}
	listen := start(t, "--home", home, "listen", "--mic", "null", "--speaker", "null", "--json")
	listen.await("listen.ready")
	if said := must(t, "--home", home, "settings", "set", "calls.enabled", "off"); !strings.Contains(said, "Sotto runs for this profile") {
		t.Errorf("beside a running one it says %q", said)
	}
	for listen.await("line").text("state") != "off" {
	}
	if _, stderr, status := run(t, "--home", home, "settings", "passphrase", "--file", "/dev/null"); status != 1 || !strings.Contains(stderr, "another Sotto") {
		t.Errorf("a passphrase beside it: status %d, %s", status, stderr)
	}
}
