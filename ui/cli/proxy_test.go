package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/armon/go-socks5"
)

// socksServer is a SOCKS5 proxy on loopback that notes what it was asked to reach.
type socksServer struct {
	address string

	mu    sync.Mutex // guards the following
	asked []string
}

func startSocks(t *testing.T) *socksServer {
	t.Helper()
	s := new(socksServer)
	server, err := socks5.New(&socks5.Config{Rules: s, Resolver: s, Logger: log.New(io.Discard, "", 0)})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() { _ = server.Serve(listener) }()
	s.address = "socks5://" + listener.Addr().String()
	return s
}

// Resolve knows no names, and notes that it was asked.
func (s *socksServer) Resolve(ctx context.Context, name string) (context.Context, net.IP, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, name)
	return ctx, nil, errors.New("no such name")
}

// Allow notes a request as it came, a name before it is resolved.
func (s *socksServer) Allow(ctx context.Context, request *socks5.Request) (context.Context, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := request.DestAddr
	host := to.FQDN
	if host == "" {
		host = to.IP.String()
	}
	s.asked = append(s.asked, fmt.Sprintf("%s:%d", host, to.Port))
	return ctx, true
}

func (s *socksServer) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// internetSockets are the far ends of a process's internet sockets ("udp" for any UDP
// socket), as the system knows them.
func internetSockets(t *testing.T, pid int) (ends []string) {
	t.Helper()
	inodes := map[string]bool{}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, "socket:[") {
			inodes[strings.Trim(target, "socket:[]")] = true
		}
	}
	for _, kind := range []string{"tcp", "tcp6", "udp", "udp6"} {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, kind))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(table), "\n")[1:] {
			fields := strings.Fields(line)
			if len(fields) < 10 || !inodes[fields[9]] {
				continue
			}
			if strings.HasPrefix(kind, "udp") {
				ends = append(ends, "udp")
				continue
			}
			var ip, port uint32
			if _, err := fmt.Sscanf(fields[2], "%X:%X", &ip, &port); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, fmt.Sprintf("%d.%d.%d.%d:%d", byte(ip), byte(ip>>8), byte(ip>>16), byte(ip>>24), port))
		}
	}
	return ends
}

// TestCallThroughAProxy: line and sound of the caller go through a real SOCKS5 server
// and through nothing else; the relay's name is resolved there.
func TestCallThroughAProxy(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT TESTED HERE: the sockets of a call through a proxy (they are read from /proc)")
	}
	socks := startSocks(t)
	_, relayA := startRelay(t, t.TempDir())
	_, relayB := startRelay(t, t.TempDir())
	alice, bob := pair(t, relayA, relayB)
	must(t, "--home", alice, "settings", "set", "relay.proxy", socks.address)
	heard := filepath.Join(t.TempDir(), "heard.wav")
	listen := start(t, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "file:testdata/sentence.wav", "--speaker", "null", "--json")
	listen.await("listen.ready")
	call := start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "file:"+heard, "--for", "6s", "--json")
	if c := call.await("call.connected"); c.text("route") != "relay" || c.text("transport") != "tls" || c.text("proxy") != socks.address {
		t.Errorf("connected: %v", c)
	}
	if c := listen.await("call.connected"); c.text("transport") != "udp" || c["proxy"] != nil {
		t.Errorf("bob, who has no proxy: %v", c)
	}
	call.await("call.audio")
	proxy := strings.TrimPrefix(socks.address, "socks5://")
	ends := internetSockets(t, call.command.Process.Pid)
	if len(ends) < 2 {
		t.Errorf("only %v is open in a call", ends)
	}
	for _, end := range ends {
		if end != proxy {
			t.Errorf("a socket to %s is open, which is not the proxy", end)
		}
	}
	if e := call.await("call.ended"); e.text("transport") != "tls" || e.text("proxy") != socks.address || !strings.Contains(e.text("receipt"), proxy) {
		t.Errorf("ended: %v", e)
	}
	if status := call.exit(); status != 0 {
		t.Errorf("status %d\n%s", status, call.stderr)
	}
	checks, _, _ := examine(t, "--home", alice, "--mic", "tone", "--speaker", "null")
	allWell(t, checks, "relay", "clock", "tls")
	if checks["udp"] != nil || !strings.Contains(checks["tls"].text("detail"), socks.address) {
		t.Errorf("the doctor behind a proxy: %v", checks)
	}
	relay, _, _ := strings.Cut(relayA, "#")
	for _, asked := range socks.all() {
		if asked != relay {
			t.Errorf("the proxy was asked for %s", asked)
		}
	}
	// On a busy machine TCP holds sound up; a sound that is not bob's is below 0.2.
	if score := heardLike(t, heard); score < 0.4 {
		t.Errorf("what alice heard is only %.2f like what bob said", score)
	}
}

func heardLike(t *testing.T, path string) float64 {
	t.Helper()
	return heard(readWAV(t, "testdata/sentence.wav"), readWAV(t, path))
}

// TestProxyResolvesNames, and a proxy that is not there is said to be so: nothing goes
// another way.
func TestProxyResolvesNames(t *testing.T) {
	socks := startSocks(t)
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "relay.invalid", "--calls", "off", "--yes")
	must(t, "--home", home, "settings", "set", "relay.proxy", socks.address)
	if _, stderr, status := run(t, "--home", home, "invite"); status != 6 || !strings.Contains(stderr, "proxy") {
		t.Errorf("a name that is none: status %d, %s", status, stderr)
	}
	if asked := socks.all(); len(asked) == 0 || asked[0] != "relay.invalid" {
		t.Errorf("the proxy was asked for %v", asked)
	}
	must(t, "--home", home, "settings", "set", "relay.proxy", "socks5://127.0.0.1:9")
	if _, stderr, status := run(t, "--home", home, "invite"); status != 6 || !strings.Contains(stderr, "proxy") {
		t.Errorf("no proxy there: status %d, %s", status, stderr)
	}
	for _, wrong := range []string{"http://127.0.0.1:1", "socks5://proxy.example:1080", "127.0.0.1:9050", "socks5://127.0.0.1"} {
		if _, _, status := run(t, "--home", home, "settings", "set", "relay.proxy", wrong); status != 2 {
			t.Errorf("%s: status %d", wrong, status)
		}
	}
	must(t, "--home", home, "settings", "set", "relay.proxy", socks.address)
	must(t, "--home", home, "settings", "set", "relay.address", "local")
	if _, stderr, status := run(t, "--home", home, "invite"); status != 1 || !strings.Contains(stderr, "relay on this machine") {
		t.Errorf("a relay on this machine: status %d, %s", status, stderr)
	}
}

// TestTorWithoutANetwork: the real Tor, which may not go anywhere, is reported as a
// proxy that does not connect, and nothing goes another way.
func TestTorWithoutANetwork(t *testing.T) {
	tor, err := exec.LookPath("tor")
	if err != nil {
		t.Skip("NOT TESTED HERE: Tor as the proxy (tor is not installed)")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().String()
	_ = listener.Close()
	command := exec.Command(tor, "--DisableNetwork", "1", "--SocksPort", at, "--DataDirectory", t.TempDir(), "-f", filepath.Join(t.TempDir(), "torrc"), "--ignore-missing-torrc")
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	started := false
	for lines := bufio.NewScanner(output); !started && lines.Scan(); {
		started = strings.Contains(lines.Text(), "Bootstrapped 0%")
	}
	if !started {
		t.Fatal("tor did not start")
	}
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "relay.invalid", "--calls", "off", "--yes")
	must(t, "--home", home, "settings", "set", "relay.proxy", "socks5://"+at)
	if _, stderr, status := run(t, "--home", home, "invite"); status != 6 || !strings.Contains(stderr, "proxy") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
