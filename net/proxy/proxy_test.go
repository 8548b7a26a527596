package proxy

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/armon/go-socks5"

	"sotto/net/line"
	"sotto/net/nettest"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"socks5://127.0.0.1:9050": "socks5://127.0.0.1:9050", "socks5h://localhost:1080/": "socks5://127.0.0.1:1080",
		"socks5://me:secret@[2001:db8::1]:1080": "socks5://[2001:db8::1]:1080",
	} {
		if got, err := Parse(text); err != nil || got.String() != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", "127.0.0.1:9050", "http://127.0.0.1:1", "socks5://proxy.example:1080", "socks5://127.0.0.1", "socks5://127.0.0.1:0",
		"socks5://0.0.0.0:1", "socks5://127.0.0.1:1/path", "socks5://127.0.0.1:1?q", "socks5://:x@127.0.0.1:1", "socks4://127.0.0.1:1",
	} {
		if _, err := Parse(text); !errors.Is(err, ErrBadProxy) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("socks5://me:secret@127.0.0.1:9050")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			return
		}
		if again, err := Parse(p.String()); err != nil || again.address != p.address {
			t.Fatalf("%q came back as %q, %v", text, p, err)
		}
	})
}

// TestPasswordIsAskedFor uses a real server that wants one.
func TestPasswordIsAskedFor(t *testing.T) {
	nettest.Leaks(t)
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	server, err := socks5.New(&socks5.Config{Credentials: socks5.StaticCredentials{"me": "secret"}})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(listener) }()
	defer func() { _ = listener.Close(); <-done }()
	for user, works := range map[string]bool{"me:secret@": true, "me:wrong@": false, "": false} {
		p, err := Parse("socks5://" + user + listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := p.Dial(t.Context(), "tcp", target.Addr().String())
		if works != (err == nil) || err != nil && !errors.Is(err, line.ErrUnreachable) {
			t.Errorf("%q: %v", user, err)
		}
		if err == nil {
			_ = conn.Close()
		}
	}
}

// TestSilentProxy: one that takes the connection and says nothing is given up with the
// context.
func TestSilentProxy(t *testing.T) {
	nettest.Leaks(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	p, err := Parse("socks5://" + listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.Dial(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, line.ErrProxy) {
		t.Error(err)
	}
	if _, err := p.Dial(t.Context(), "udp", "127.0.0.1:1"); !errors.Is(err, line.ErrProxy) {
		t.Errorf("udp: %v", err)
	}
}
