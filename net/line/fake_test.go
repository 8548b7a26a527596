package line

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/net/identity"
	"sotto/net/wire"
)

const patience = 20 * time.Second

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
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

// fakeGateway is a relay that does what a test tells it to: a broken or lying one.
type fakeGateway struct {
	t       *testing.T
	address identity.Address
	header  http.Header // of the last request; read after its line was served
	path    string
	conn    *websocket.Conn // of the line being served
	roots   *x509.CertPool  // that vouch for it
}

// serveHTTP starts a TLS server on loopback.
func serveHTTP(t *testing.T, handler http.Handler) (identity.Address, *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	at := server.Listener.Addr().(*net.TCPAddr).AddrPort()
	pin := sha256.Sum256(server.Certificate().RawSubjectPublicKeyInfo)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return identity.Address{Host: at.Addr().String(), Port: at.Port(), Pin: pin, Pinned: true}, roots
}

// startFake serves each line with serve, one at a time, after the WebSocket is up.
func startFake(t *testing.T, serve func(*fakeGateway)) *fakeGateway {
	t.Helper()
	g := &fakeGateway{t: t}
	var one sync.Mutex
	g.address, g.roots = serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		one.Lock()
		defer one.Unlock()
		g.header, g.path = r.Header.Clone(), r.URL.String()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		conn.SetReadLimit(1 << 20)
		g.conn = conn
		serve(g)
	}))
	return g
}

func (g *fakeGateway) write(seq uint32, f wire.Frame) {
	raw, err := wire.AppendFrame(nil, seq, f)
	if err != nil {
		g.t.Error(err)
		return
	}
	_ = g.conn.Write(context.Background(), websocket.MessageBinary, raw)
}

// read is the client's next frame; nil when the line has ended.
func (g *fakeGateway) read() (uint32, wire.Frame) {
	_, raw, err := g.conn.Read(context.Background())
	if err != nil {
		return 0, nil
	}
	seq, f, err := wire.ParseFrame(raw)
	if err != nil {
		g.t.Errorf("the client wrote %d bytes: %v", len(raw), err)
		return 0, nil
	}
	return seq, f
}

// welcome goes through the hello and returns the client's.
func (g *fakeGateway) welcome(now time.Time) *wire.Hello {
	g.write(0, &wire.Challenge{Nonce: [32]byte{7}, Now: now.UnixMilli(), Version: wire.Version})
	_, f := g.read()
	hello, ok := f.(*wire.Hello)
	if !ok {
		return nil
	}
	g.write(0, &wire.Welcome{Now: now.UnixMilli(), Admitted: true})
	return hello
}

// untilGone reads and answers nothing until the client leaves.
func (g *fakeGateway) untilGone() {
	for {
		if _, f := g.read(); f == nil {
			return
		}
	}
}

func mustOpen(t *testing.T, config Config) *Line {
	t.Helper()
	l, err := Open(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func mustEnd(t *testing.T, l *Line) {
	t.Helper()
	select {
	case <-l.Done():
	case <-time.After(patience):
		t.Fatal("the line did not end")
	}
}
