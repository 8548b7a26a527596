package relay

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

const patience = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// startRelay runs an open laboratory relay on loopback, changed by change.
func startRelay(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	config := Config{
		Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", PublicIP: netip.MustParseAddr("127.0.0.1"), Open: true,
	}
	if change != nil {
		change(&config)
	}
	s, err := Start(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func newKey(t *testing.T) ed25519.PrivateKey {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func dropOf(key ed25519.PrivateKey) wire.DropID {
	return wire.DropOf(key.Public().(ed25519.PublicKey))
}

func openLine(t *testing.T, config line.Config) *line.Line {
	t.Helper()
	l, err := line.Open(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// pass sends an envelope from a person on one relay to a drop at another and
// waits for it there.
func pass(t *testing.T, from, to line.Config) {
	t.Helper()
	key := newKey(t)
	to.Receive = newKey(t)
	r, s := openLine(t, to), openLine(t, from)
	if err := r.Register(testContext(t), []wire.DropID{dropOf(key)}); err != nil {
		t.Fatal(err)
	}
	e, err := wire.NewEnvelope(key, to.Relay.HostPort(), s.Now().Add(time.Minute), bytes.Repeat([]byte{5}, wire.BodySize))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(testContext(t), to.Relay, e); err != nil {
		t.Fatal(err)
	}
	select {
	case got := <-r.Deliveries():
		if got == nil || *got != *e {
			t.Fatal("another envelope arrived")
		}
	case relay := <-s.Undeliverable():
		t.Fatalf("%s is said to be out of reach", relay)
	case <-time.After(patience):
		t.Fatal("the envelope did not arrive")
	}
}

func TestTwoRelaysPassEnvelopes(t *testing.T) {
	nettest.Leaks(t)
	a, b := startRelay(t, nil), startRelay(t, nil)
	pass(t, line.Config{Relay: a.Address()}, line.Config{Relay: b.Address()})
	pass(t, line.Config{Relay: b.Address()}, line.Config{Relay: a.Address()})
}

func TestCredentialNamesTheTurnServer(t *testing.T) {
	nettest.Leaks(t)
	a := startRelay(t, nil)
	l := openLine(t, line.Config{Relay: a.Address()})
	first, err := l.Credential(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Credential(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if first.Turn != a.TurnAddress() || !first.Turn.IsValid() {
		t.Fatalf("turn at %v, not %v", first.Turn, a.TurnAddress())
	}
	if first.Username == second.Username || first.Password == second.Password {
		t.Fatal("two credentials of one line can be linked")
	}
	if !first.Expires.After(l.Now()) {
		t.Fatal("a credential has expired before its use")
	}
}

func TestKeyOutlivesTheRelay(t *testing.T) {
	nettest.Leaks(t)
	dir := filepath.Join(t.TempDir(), "relay")
	pin, err := Pin(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s := startRelay(t, func(c *Config) { c.Dir = dir })
		if got := s.Address(); got.Pin != pin || !got.Pinned {
			t.Fatal("the relay has another key than before")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{keyFile, secretFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Fatalf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, keyFile), []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Pin(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Fatalf("a damaged key: %v", err)
	}
}

func TestChangedPinIsRefused(t *testing.T) {
	nettest.Leaks(t)
	address := startRelay(t, nil).Address()
	address.Pin[0] ^= 1
	if _, err := line.Open(testContext(t), line.Config{Relay: address}); err != line.ErrPinMismatch {
		t.Fatalf("another pin: %v", err)
	}
	address.Pinned = false
	if _, err := line.Open(testContext(t), line.Config{Relay: address}); !errors.Is(err, line.ErrUntrusted) {
		t.Fatalf("a certificate nobody vouches for: %v", err)
	}
}

func TestBadSettingsAreSentences(t *testing.T) {
	nettest.Leaks(t)
	loopback := netip.MustParseAddr("127.0.0.1")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	for want, config := range map[string]Config{
		"--public-ip":   {},
		"--listen":      {PublicIP: loopback, Listen: taken.Addr().String()},
		"--turn-listen": {PublicIP: loopback, Listen: "127.0.0.1:0", TurnListen: "nowhere"},
		"--cert":        {PublicIP: loopback, Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", CertFile: "missing", KeyFile: "missing"},
		"own name":      {PublicIP: loopback, Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", Name: "not a name"},
		"off, allow":    {PublicIP: loopback, Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", Forward: "sometimes"},
		"token":         {PublicIP: loopback, Listen: "127.0.0.1:0", TurnListen: "127.0.0.1:0", Tokens: []string{""}},
	} {
		s, err := Start(testContext(t), config)
		if err == nil {
			_ = s.Close()
			t.Errorf("%s: it started", want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not speak of %s", err, want)
		}
	}
}

func TestCloseIsPoliteAndFrees(t *testing.T) {
	nettest.Leaks(t)
	s := startRelay(t, nil)
	l := openLine(t, line.Config{Relay: s.Address(), Receive: newKey(t)})
	idle, err := net.Dial("tcp", s.Address().HostPort()) // says nothing, not even TLS
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = idle.Close() })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.Done():
	case <-time.After(patience):
		t.Fatal("the line outlived its relay")
	}
	if !errors.Is(l.Err(), line.ErrUnreachable) || !strings.Contains(l.Err().Error(), "closed the line") {
		t.Fatalf("no goodbye was said: %v", l.Err())
	}
	if _, err := idle.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && err == nil {
		t.Fatal("a mute connection outlived the relay")
	}
	again, err := net.Listen("tcp", s.Address().HostPort())
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	_ = again.Close()
	if s.Close() != nil {
		t.Fatal("a second Close fails")
	}
}

// pipeListener is a listener of in-memory connections.
type pipeListener struct {
	address netip.AddrPort
	dialled chan net.Conn
	closed  chan struct{}
}

func newPipeListener(address string) *pipeListener {
	return &pipeListener{netip.MustParseAddrPort(address), make(chan net.Conn), make(chan struct{})}
}

func (p *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-p.dialled:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipeListener) Close() error {
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	return nil
}

func (p *pipeListener) Addr() net.Addr { return net.TCPAddrFromAddrPort(p.address) }

// pipeDialer dials pipe listeners by their address.
func pipeDialer(listeners ...*pipeListener) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, _, address string) (net.Conn, error) {
		for _, l := range listeners {
			if l.address.String() != address {
				continue
			}
			near, far := net.Pipe()
			select {
			case l.dialled <- far:
				return near, nil
			case <-l.closed:
			case <-ctx.Done():
			}
		}
		return nil, errors.New("nobody listens at " + address)
	}
}
