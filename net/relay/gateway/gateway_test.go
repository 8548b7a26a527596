package gateway

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

const patience = 20 * time.Second

// testContext bounds a test's waits.
func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// testCertificate is a self-signed certificate and its pin.
func testCertificate(t testing.TB) (tls.Certificate, [32]byte) {
	t.Helper()
	certificate := nettest.Certificate(t, x509.Certificate{})
	return certificate, sha256.Sum256(certificate.Leaf.RawSubjectPublicKeyInfo)
}

// startGateway runs an open laboratory gateway on loopback, changed by change.
func startGateway(t testing.TB, change func(*Config)) *Gateway {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	certificate, pin := testCertificate(t)
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	config := Config{
		Address:    identity.Address{Host: at.Addr().String(), Port: at.Port(), Pin: pin, Pinned: true},
		Listener:   listener,
		TLS:        &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS13},
		Open:       true,
		Laboratory: true,
		Credential: func(now time.Time) *wire.Credential {
			return &wire.Credential{
				Username: "user", Password: "password",
				Turn: netip.MustParseAddrPort("127.0.0.1:3478"), Expires: now.Add(time.Hour).Unix(),
			}
		},
	}
	if change != nil {
		change(&config)
	}
	g, err := Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func newKey(t testing.TB) ed25519.PrivateKey {
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

func openLine(t testing.TB, config line.Config) *line.Line {
	t.Helper()
	l, err := line.Open(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// receiver opens a receiving line with the drops of keys registered.
func receiver(t testing.TB, g *Gateway, keys ...ed25519.PrivateKey) *line.Line {
	t.Helper()
	l := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	var drops []wire.DropID
	for _, key := range keys {
		drops = append(drops, dropOf(key))
	}
	if err := l.Register(testContext(t), drops); err != nil {
		t.Fatal(err)
	}
	return l
}

func sender(t testing.TB, g *Gateway) *line.Line {
	t.Helper()
	return openLine(t, line.Config{Relay: g.config.Address})
}

// seal makes an envelope for a relay whose first body byte is mark.
func seal(t *testing.T, key ed25519.PrivateKey, to identity.Address, mark byte) *wire.Envelope {
	t.Helper()
	e, err := wire.NewEnvelope(key, to.HostPort(), time.Now().Add(time.Minute), bytes.Repeat([]byte{mark}, wire.BodySize))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func send(t *testing.T, l *line.Line, to identity.Address, e *wire.Envelope) {
	t.Helper()
	if err := l.Send(testContext(t), to, e); err != nil {
		t.Fatal(err)
	}
}

// expect waits for the delivery of exactly this envelope.
func expect(t *testing.T, l *line.Line, want *wire.Envelope) {
	t.Helper()
	select {
	case got, open := <-l.Deliveries():
		if !open {
			t.Fatalf("the line ended: %v", l.Err())
		}
		if *got != *want {
			t.Fatalf("another envelope arrived, mark %d instead of %d", got.Body[0], want.Body[0])
		}
	case <-time.After(patience):
		t.Fatal("the envelope did not arrive")
	}
}

func TestEnvelopeReachesItsDrop(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	key := newKey(t)
	r, s := receiver(t, g, key), sender(t, g)
	e := seal(t, key, g.config.Address, 1)
	send(t, s, g.config.Address, e)
	expect(t, r, e)
}

func TestEachLineOfADropGetsACopy(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	key := newKey(t)
	first, second, s := receiver(t, g, key), receiver(t, g, key), sender(t, g)
	e := seal(t, key, g.config.Address, 1)
	send(t, s, g.config.Address, e)
	expect(t, first, e)
	expect(t, second, e)
	first.Close()
	again := seal(t, key, g.config.Address, 2)
	send(t, s, g.config.Address, again)
	expect(t, second, again)
}

func TestRegisterReplaces(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	gone, kept := newKey(t), newKey(t)
	r, s := receiver(t, g, gone), sender(t, g)
	if err := r.Register(testContext(t), []wire.DropID{dropOf(kept)}); err != nil {
		t.Fatal(err)
	}
	send(t, s, g.config.Address, seal(t, gone, g.config.Address, 1))
	e := seal(t, kept, g.config.Address, 2)
	send(t, s, g.config.Address, e)
	expect(t, r, e)
	if n := g.drops.count(); n != 16 {
		t.Fatalf("%d ids are registered, not 16", n)
	}
	many := make([]wire.DropID, 300) // three parts
	for i := range many {
		many[i] = dropOf(newKey(t))
	}
	if err := r.Register(testContext(t), many); err != nil {
		t.Fatal(err)
	}
	if n := g.drops.count(); n != 512 {
		t.Fatalf("%d ids are registered, not 512", n)
	}
	r.Close()
	waitFor(t, func() bool { return g.drops.count() == 0 })
}

// waitFor polls for what another goroutine brings about.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it did not come about")
		}
	}
}

func TestReceivingLineSends(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	a, b := newKey(t), newKey(t)
	first, second := receiver(t, g, a), receiver(t, g, b)
	e := seal(t, b, g.config.Address, 1)
	send(t, first, g.config.Address, e)
	expect(t, second, e)
}

func TestCredentialAndClock(t *testing.T) {
	nettest.Leaks(t)
	ahead := 40 * time.Minute
	g := startGateway(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(ahead) } })
	s := sender(t, g)
	c, err := s.Credential(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if c.Username != "user" || c.Password != "password" || c.Turn.Port() != 3478 {
		t.Fatalf("credential %+v", c)
	}
	if off := s.Now().Sub(time.Now().Add(ahead)).Abs(); off > 10*time.Second {
		t.Fatalf("the line's clock is %v off the gateway's", off)
	}
	if left := c.Expires.Sub(s.Now()); left < 50*time.Minute || left > 70*time.Minute {
		t.Fatalf("the credential lasts %v", left)
	}
}

func TestStrangersMayOnlyFillDrops(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Open, c.Tokens = false, []string{"first", "second"} })
	key := newKey(t)
	ours := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t), Admission: "second"})
	if err := ours.Register(testContext(t), []wire.DropID{dropOf(key)}); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.Credential(testContext(t)); err != nil {
		t.Fatal(err)
	}
	stranger := sender(t, g)
	e := seal(t, key, g.config.Address, 1)
	send(t, stranger, g.config.Address, e)
	expect(t, ours, e)
	if _, err := stranger.Credential(testContext(t)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("credential: %v", err)
	}
	elsewhere := identity.Address{Host: "relay.example", Port: 443}
	if err := stranger.Send(testContext(t), elsewhere, seal(t, key, elsewhere, 2)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("forwarding: %v", err)
	}
	squatter := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	if err := squatter.Register(testContext(t), make([]wire.DropID, 200)); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("registering: %v", err)
	}
	if _, err := line.Open(testContext(t), line.Config{Relay: g.config.Address, Admission: "third"}); !errors.Is(err, line.ErrRefused) {
		t.Fatalf("a wrong token: %v", err)
	}
}
