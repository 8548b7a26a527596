package bus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sotto/net/wire"
)

// ownSockets lists the IP sockets of this process by the kernel's account.
func ownSockets(t *testing.T) map[string]string {
	t.Helper()
	inodes := make(map[string]bool)
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(target[len("socket:"):], "[]")] = true
		}
	}
	sockets := make(map[string]string)
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		raw, err := os.ReadFile("/proc/self/net/" + table)
		if err != nil {
			continue // a kernel without IPv6
		}
		for _, row := range strings.Split(string(raw), "\n") {
			fields := strings.Fields(row)
			if len(fields) > 9 && inodes[fields[9]] {
				sockets[table+" "+fields[1]] = fields[3]
			}
		}
	}
	return sockets
}

func TestNoSocketAtAll(t *testing.T) {
	before := ownSockets(t)
	b, _ := startBus(t)
	if _, err := b.Subscribe(wire.DropID{1}); err != nil {
		t.Fatal(err)
	}
	if err := b.Flush(); err != nil {
		t.Fatal(err)
	}
	for socket, state := range ownSockets(t) {
		if _, old := before[socket]; !old {
			t.Errorf("the bus opened a socket: %s, state %s", socket, state)
		}
	}
}
