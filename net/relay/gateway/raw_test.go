package gateway

import (
	"context"
	"crypto/tls"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/net/wire"
)

// rawLine is a line that keeps no rules but those a test gives it.
type rawLine struct {
	t         *testing.T
	conn      *websocket.Conn
	challenge *wire.Challenge
}

// dialRaw connects and reads the challenge.
func dialRaw(t *testing.T, g *Gateway) *rawLine {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
	conn, _, err := websocket.Dial(testContext(t), "https://"+g.config.Address.HostPort()+"/v1/line",
		&websocket.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.CloseNow()
		transport.CloseIdleConnections()
	})
	conn.SetReadLimit(wire.FrameSize)
	r := &rawLine{t: t, conn: conn}
	r.challenge = r.readFrame().(*wire.Challenge)
	return r
}

// openRaw also says hello, as a nameless sending line.
func openRaw(t *testing.T, g *Gateway, role wire.Role) *rawLine {
	t.Helper()
	r := dialRaw(t, g)
	hello := &wire.Hello{Role: role}
	if role == wire.RoleReceive {
		hello.Key, hello.Signature = wire.SignHello(newKey(t), r.challenge.Nonce, g.config.Address.HostPort())
	}
	r.write(0, hello)
	if _, ok := r.readFrame().(*wire.Welcome); !ok {
		t.Fatal("no welcome")
	}
	return r
}

func (r *rawLine) write(seq uint32, f wire.Frame) {
	r.t.Helper()
	raw, err := wire.AppendFrame(nil, seq, f)
	if err != nil {
		r.t.Fatal(err)
	}
	r.writeBytes(websocket.MessageBinary, raw)
}

func (r *rawLine) writeBytes(kind websocket.MessageType, raw []byte) {
	r.t.Helper()
	if err := r.conn.Write(testContext(r.t), kind, raw); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rawLine) read() []byte {
	r.t.Helper()
	kind, raw, err := r.conn.Read(testContext(r.t))
	if err != nil {
		r.t.Fatal(err)
	}
	if kind != websocket.MessageBinary || len(raw) != wire.FrameSize {
		r.t.Fatalf("the gateway wrote %d bytes of type %v", len(raw), kind)
	}
	return raw
}

func (r *rawLine) readFrame() wire.Frame {
	r.t.Helper()
	_, f, err := wire.ParseFrame(r.read())
	if err != nil {
		r.t.Fatal(err)
	}
	return f
}

// refusedFor reads the answer and checks that it is a refusal for this reason.
func (r *rawLine) refusedFor(want wire.Reason) {
	r.t.Helper()
	answer := r.readFrame()
	if refused, ok := answer.(*wire.Refused); !ok || refused.Reason != want {
		r.t.Fatalf("answer %T %+v, want a refusal for reason %d", answer, answer, want)
	}
}

// mustEnd reads on until the gateway has cut the line.
func (r *rawLine) mustEnd() {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		if _, _, err := r.conn.Read(ctx); err != nil {
			if ctx.Err() != nil {
				r.t.Fatal("the line was not cut")
			}
			return
		}
	}
}

// taken sends an envelope and returns the answer's bytes.
func (r *rawLine) taken(to string, e *wire.Envelope) []byte {
	r.t.Helper()
	r.write(7, &wire.Send{To: to, Envelope: e})
	raw := r.read()
	if _, f, err := wire.ParseFrame(raw); err != nil || f == nil {
		r.t.Fatal(err)
	} else if _, ok := f.(*wire.Taken); !ok {
		r.t.Fatalf("answer %T", f)
	}
	return raw
}

// quiet checks that nothing arrives on a channel while a mark sent afterwards does.
func quiet(t *testing.T, deliveries <-chan *wire.Envelope, mark byte) {
	t.Helper()
	select {
	case e := <-deliveries:
		if e == nil || e.Body[0] != mark {
			t.Fatal("what should have been lost was delivered")
		}
	case <-time.After(patience):
		t.Fatal("the line is dead")
	}
}
