package pair

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/net/identity"
	"sotto/net/nettest"
	"sotto/net/wire"
)

const atMost = 30 * time.Second

// evil is a relay whose operator reads and writes everything: it serves the lines
// of both people and asks meddle what to pass on.
type evil struct {
	address identity.Address
	meddle  func(e *evil, from int, envelope *wire.Envelope) []*wire.Envelope

	serving sync.WaitGroup

	mu    sync.Mutex // guards the following
	lines []*websocket.Conn
	saw   []*wire.Envelope
}

const evilBox = 42

// honest passes everything on.
func honest(_ *evil, _ int, envelope *wire.Envelope) []*wire.Envelope {
	return []*wire.Envelope{envelope}
}

func startEvil(t *testing.T, meddle func(*evil, int, *wire.Envelope) []*wire.Envelope) *evil {
	t.Helper()
	nettest.Leaks(t)
	certificate := nettest.Certificate(t, x509.Certificate{})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := listener.Addr().(*net.TCPAddr).AddrPort()
	e := &evil{meddle: meddle, address: identity.Address{
		Host: at.Addr().String(), Port: at.Port(), Pin: sha256.Sum256(certificate.Leaf.RawSubjectPublicKeyInfo), Pinned: true,
	}}
	server := &http.Server{Handler: http.HandlerFunc(e.serve), ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
		e.mu.Lock()
		for _, conn := range e.lines {
			_ = conn.CloseNow()
		}
		e.mu.Unlock()
		e.serving.Wait()
	})
	return e
}

func (e *evil) serve(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	e.serving.Add(1)
	defer e.serving.Done()
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(wire.FrameSize)
	ctx := context.Background()
	e.mu.Lock()
	from := len(e.lines)
	e.lines = append(e.lines, conn)
	e.mu.Unlock()
	write := func(seq uint32, f wire.Frame) {
		raw, _ := wire.AppendFrame(nil, seq, f)
		_ = conn.Write(ctx, websocket.MessageBinary, raw)
	}
	write(0, &wire.Challenge{Now: time.Now().UnixMilli(), Version: wire.Version})
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return
		}
		seq, frame, err := wire.ParseFrame(raw)
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *wire.Hello:
			write(0, &wire.Welcome{Now: time.Now().UnixMilli(), Admitted: true})
		case *wire.Register:
			write(seq, &wire.Registered{})
		case *wire.BoxRequest:
			write(seq, &wire.Box{Number: evilBox, Expires: time.Now().Add(10 * time.Minute).Unix()})
		case *wire.Send:
			write(seq, &wire.Taken{})
			e.pass(from, f.Envelope)
		case *wire.BoxSend:
			write(seq, &wire.Taken{})
			e.pass(from, f.Envelope)
		}
	}
}

// pass notes an envelope and gives what meddle makes of it to everybody: clients
// take only what is for their drops.
func (e *evil) pass(from int, envelope *wire.Envelope) {
	e.mu.Lock()
	e.saw = append(e.saw, envelope)
	e.mu.Unlock()
	for _, out := range e.meddle(e, from, envelope) {
		e.put(out)
	}
}

func (e *evil) put(envelope *wire.Envelope) {
	raw, err := wire.AppendFrame(nil, 0, &wire.Deliver{Envelope: envelope})
	if err != nil {
		return
	}
	e.mu.Lock()
	lines := append([]*websocket.Conn(nil), e.lines...)
	e.mu.Unlock()
	for _, conn := range lines {
		_ = conn.Write(context.Background(), websocket.MessageBinary, raw)
	}
}

func (e *evil) seen() []*wire.Envelope {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*wire.Envelope(nil), e.saw...)
}

// someone is a person with what they keep of a pairing.
type someone struct {
	self *identity.Identity
	card []byte
	kept [][]byte
}

func newSomeone(t *testing.T, name string, relay identity.Address) *someone {
	t.Helper()
	self, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	return &someone{self: self, card: self.Sign(self.Card(relay, name, [32]byte{1}, 1))}
}

func (s *someone) config(relay identity.Address) Config {
	return Config{
		Self: s.self, Card: s.card, Relay: relay,
		Check:      func([]byte) error { return nil },
		Keep:       func(signed []byte) error { s.kept = append(s.kept, signed); return nil },
		KnowsOther: func(err error) bool { return errors.Is(err, errOther) },
		stretch:    cheap,
	}
}

var errOther = errors.New("another key is known")

// cheap is what a guess would cost without Argon2: the attackers of these tests are
// given it for nothing.
func cheap(code Code, host string, day uint32) [32]byte {
	return sha256.Sum256([]byte(code.Short() + host + string(rune(day))))
}

// attempt is one invitation and one try to join it, with words changed by typo.
type attempt struct{ invited, joined error }

func try(t *testing.T, inviter, joiner Config, typo func(*Code)) attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), atMost)
	defer cancel()
	codes, ended := make(chan Code, 1), make(chan error, 1)
	go func() { ended <- Invite(ctx, inviter, func(code Code, _ time.Time) { codes <- code }) }()
	var a attempt
	select {
	case code := <-codes:
		if typo != nil {
			typo(&code)
		}
		a.joined = Join(ctx, joiner, code)
	case err := <-ended:
		t.Fatalf("no code: %v", err)
	}
	a.invited = <-ended
	return a
}
