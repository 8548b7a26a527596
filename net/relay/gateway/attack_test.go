package gateway

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

// hostile lists envelopes that must be lost, and one that nobody waits for.
func hostile(t *testing.T, g *Gateway) map[string]*wire.Envelope {
	t.Helper()
	key, here := newKey(t), g.config.Address
	forged := seal(t, key, here, 1)
	forged.Signature[3] ^= 1
	body := seal(t, key, here, 1)
	body.Body[9] ^= 1
	elsewhere := here
	elsewhere.Port++
	dated := func(offset time.Duration) *wire.Envelope {
		e, err := wire.NewEnvelope(key, here.HostPort(), time.Now().Add(offset), make([]byte, wire.BodySize))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	return map[string]*wire.Envelope{
		"forged signature": forged, "changed body": body, "for another host": seal(t, key, elsewhere, 1),
		"expired": dated(-time.Hour), "dated ahead": dated(time.Hour), "unregistered": seal(t, newKey(t), here, 1),
	}
}

func TestTakenIsTheSameBytesWhatever(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.LineSends = Rate{0.001, 12} })
	key := newKey(t)
	r, raw := receiver(t, g, key), openRaw(t, g, wire.RoleSend)
	good := seal(t, key, g.config.Address, 1)
	want := raw.taken("", good)
	expect(t, r, good)
	check := func(what string, got []byte) {
		t.Helper()
		if !bytes.Equal(got, want) {
			t.Errorf("%s is answered with other bytes", what)
		}
	}
	check("a replay", raw.taken("", good))
	for what, e := range hostile(t, g) {
		check(what, raw.taken("", e))
	}
	check("the own address", raw.taken(g.config.Address.String(), seal(t, newKey(t), g.config.Address, 1)))
	for range 10 {
		check("over the limit", raw.taken("", seal(t, key, g.config.Address, 9)))
	}
	waitFor(t, func() bool {
		s := g.Snapshot()
		return s.Replayed == 1 && s.Forged == 3 && s.Untimely == 2 && s.Limited == 7
	})
}

// The answer cannot depend on what becomes of an envelope: it is written while
// everything that could tell is still locked.
func TestTakenComesBeforeTheEnvelopeIsLookedAt(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	key := newKey(t)
	r, raw := receiver(t, g, key), openRaw(t, g, wire.RoleSend)
	e := seal(t, key, g.config.Address, 1)
	g.replays.mu.Lock()
	g.drops.mu.Lock()
	raw.taken("", e)
	raw.taken("", seal(t, newKey(t), g.config.Address, 2))
	g.drops.mu.Unlock()
	g.replays.mu.Unlock()
	expect(t, r, e)
}

func TestHostileEnvelopesAreLost(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	key := newKey(t)
	r, raw := openRaw(t, g, wire.RoleReceive), openRaw(t, g, wire.RoleSend)
	drops := []wire.DropID{dropOf(key)}
	bad := hostile(t, g)
	delete(bad, "unregistered")
	for _, e := range bad {
		drops = append(drops, e.Drop())
	}
	r.write(1, &wire.Register{Parts: 1, Drops: drops})
	if _, ok := r.readFrame().(*wire.Registered); !ok {
		t.Fatal("not registered")
	}
	for _, e := range bad {
		raw.taken("", e)
	}
	good := seal(t, key, g.config.Address, 1)
	raw.taken("", good)
	raw.taken("", good)
	waitFor(t, func() bool { s := g.Snapshot(); return s.Forged == 3 && s.Untimely == 2 && s.Replayed == 1 })
	last := seal(t, key, g.config.Address, 2)
	raw.taken("", last)
	for _, want := range []*wire.Envelope{good, last} {
		if got, ok := r.readFrame().(*wire.Deliver); !ok || *got.Envelope != *want {
			t.Fatal("something else was delivered")
		}
	}
}

func TestAbuseOfTheProtocolIsCut(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.Frames = Rate{0.001, 20} })
	binary := websocket.MessageBinary
	unknown := make([]byte, wire.FrameSize)
	unknown[0] = 99
	for what, attack := range map[string]func(r *rawLine){
		"a text message":   func(r *rawLine) { r.writeBytes(websocket.MessageText, bytes.Repeat([]byte("a"), wire.FrameSize)) },
		"a long message":   func(r *rawLine) { r.writeBytes(binary, make([]byte, wire.FrameSize+1)) },
		"a huge message":   func(r *rawLine) { _ = r.conn.Write(testContext(t), binary, make([]byte, 1<<20)) },
		"a short message":  func(r *rawLine) { r.writeBytes(binary, make([]byte, wire.FrameSize-1)) },
		"an empty message": func(r *rawLine) { r.writeBytes(binary, nil) },
		"an unknown kind":  func(r *rawLine) { r.writeBytes(binary, unknown) },
		"a second hello":   func(r *rawLine) { r.write(0, &wire.Hello{Role: wire.RoleSend}) },
		"a welcome":        func(r *rawLine) { r.write(0, &wire.Welcome{}) },
		"a bad address":    func(r *rawLine) { r.write(1, &wire.Send{To: "a b", Envelope: &wire.Envelope{}}) },
		"a part too early": func(r *rawLine) { r.write(1, &wire.Register{Part: 1, Parts: 2}) },
		"parts of two requests": func(r *rawLine) {
			r.write(1, &wire.Register{Part: 0, Parts: 2})
			r.write(2, &wire.Register{Part: 1, Parts: 2})
		},
		"a flood of pings": func(r *rawLine) {
			reading := r.conn.CloseRead(context.Background())
			for range 100 {
				if r.conn.Ping(reading) != nil {
					return
				}
			}
			t.Error("100 pings were answered")
		},
	} {
		before := g.Snapshot().Cut
		r := openRaw(t, g, wire.RoleReceive)
		attack(r)
		if what != "a flood of pings" { // whose reader is already gone
			r.mustEnd()
		}
		waitFor(t, func() bool { return g.Snapshot().Cut > before })
	}
	if _, err := line.Open(testContext(t), line.Config{Relay: g.config.Address}); err != nil {
		t.Fatalf("the gateway suffered: %v", err)
	}
}

func TestForgedHelloIsRefused(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	host := g.config.Address.HostPort()
	for what, change := range map[string]func(h *wire.Hello, nonce [32]byte){
		"for another host":  func(h *wire.Hello, n [32]byte) { h.Key, h.Signature = wire.SignHello(newKey(t), n, "other:443") },
		"for another nonce": func(h *wire.Hello, _ [32]byte) { h.Key, h.Signature = wire.SignHello(newKey(t), [32]byte{}, host) },
		"by another key": func(h *wire.Hello, n [32]byte) {
			_, h.Signature = wire.SignHello(newKey(t), n, host)
			h.Key[0] = 1
		},
		"unsigned": func(*wire.Hello, [32]byte) {},
	} {
		r := dialRaw(t, g)
		hello := &wire.Hello{Role: wire.RoleReceive}
		change(hello, r.challenge.Nonce)
		r.write(0, hello)
		if refused, ok := r.readFrame().(*wire.Refused); !ok || refused.Reason != wire.RefusedKey {
			t.Errorf("a signature %s is not refused", what)
		}
		r.mustEnd()
	}
}

func TestSlowStrangersAreCut(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.Patience = 3 * time.Second })
	endsSoon := func(what string, conn net.Conn) {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) || isTimeout(err) {
			t.Errorf("%s: still connected", what)
		}
		_ = conn.Close()
	}
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", g.config.Address.HostPort())
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	mute, raw := dial(), dialRaw(t, g) // all three at once
	secure := tls.Client(dial(), &tls.Config{InsecureSkipVerify: true})
	if _, err := io.WriteString(secure, "GET /v1/line HTTP/1.1\r\nHost: x\r\n"); err != nil {
		t.Fatal(err)
	}
	endsSoon("no TLS", mute)
	endsSoon("unfinished headers", secure)
	raw.mustEnd() // no hello
	waitFor(t, func() bool { g.front.mu.Lock(); defer g.front.mu.Unlock(); return len(g.front.open) == 0 })
}

func TestSilentLinesAreCut(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	silent, talking := sender(t, g), sender(t, g)
	waitFor(t, func() bool { return g.Snapshot().Lines == 2 })
	g.lines.cutSilent(time.Now().Add(-silence))
	for _, l := range []*line.Line{silent, talking} { // neither has been silent for long
		if _, err := l.Credential(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
	since := time.Now()
	if _, err := talking.Credential(testContext(t)); err != nil {
		t.Fatal(err)
	}
	g.lines.cutSilent(since)
	select {
	case <-silent.Done():
	case <-time.After(patience):
		t.Fatal("a silent line stays")
	}
	if _, err := talking.Credential(testContext(t)); err != nil {
		t.Fatal(err)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func TestHealthAndNothingElse(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	for path, want := range map[string]int{"/health": 200, "/": 404, "/v1/line": 426, "/health/x": 404, "/debug/pprof": 404} {
		response, err := client.Get("https://" + g.config.Address.HostPort() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != want || len(body) > 200 || response.Header.Get("Server") != "" {
			t.Errorf("%s: status %d, %d bytes", path, response.StatusCode, len(body))
		}
	}
}
