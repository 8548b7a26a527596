package line

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"sotto/net/identity"
	"sotto/net/nettest"
	"sotto/net/wire"
)

func TestHandshakeSaysNothingAboutTheClient(t *testing.T) {
	nettest.Leaks(t)
	hellos := make(chan *wire.Hello, 1)
	g := startFake(t, func(g *fakeGateway) {
		hellos <- g.welcome(time.Now())
		g.untilGone()
	})
	l := mustOpen(t, Config{Relay: g.address, Admission: "token"})
	hello := <-hellos
	if hello.Role != wire.RoleSend || hello.Key != [32]byte{} || hello.Signature != [64]byte{} || hello.Token != "token" {
		t.Fatalf("hello %+v", hello)
	}
	l.Close()
	if g.path != "/v1/line" {
		t.Errorf("it asked for %s", g.path)
	}
	allowed := map[string]bool{"Connection": true, "Upgrade": true, "Sec-Websocket-Key": true, "Sec-Websocket-Version": true}
	for name, value := range g.header {
		if !allowed[name] {
			t.Errorf("it sent the header %s: %s", name, value)
		}
	}
}

func TestReceiveKeySignsTheChallenge(t *testing.T) {
	nettest.Leaks(t)
	hellos := make(chan *wire.Hello, 1)
	g := startFake(t, func(g *fakeGateway) {
		hellos <- g.welcome(time.Now())
		g.untilGone()
	})
	key := newKey(t)
	mustOpen(t, Config{Relay: g.address, Receive: key})
	hello := <-hellos
	if hello.Role != wire.RoleReceive || !hello.Verify([32]byte{7}, g.address.HostPort()) {
		t.Fatal("the hello is not signed for this nonce and host")
	}
	if !bytes.Equal(hello.Key[:], key[32:]) {
		t.Fatal("the hello carries another key")
	}
}

func TestOpenErrors(t *testing.T) {
	nettest.Leaks(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := closed.Addr().(*net.TCPAddr).AddrPort()
	_ = closed.Close()
	nobody := identity.Address{Host: at.Addr().String(), Port: at.Port(), Pinned: true}
	refusing := func(f wire.Frame) identity.Address {
		return startFake(t, func(g *fakeGateway) { g.write(0, f); g.untilGone() }).address
	}
	web, _ := serveHTTP(t, http.NotFoundHandler())
	changed := web
	changed.Pin[31] ^= 1
	for what, c := range map[string]struct {
		relay identity.Address
		want  error
		says  string
	}{
		"nobody listens":  {nobody, ErrUnreachable, "connection refused"},
		"a web server":    {web, ErrUnreachable, "404"},
		"another key":     {changed, ErrPinMismatch, "has changed"},
		"full":            {refusing(&wire.Refused{Reason: wire.RefusedBusy}), ErrRefused, "full"},
		"another version": {refusing(&wire.Challenge{Version: 99}), ErrRefused, "another version"},
		"out of order":    {refusing(&wire.Taken{}), ErrUnreachable, "malformed"},
	} {
		l, err := Open(testContext(t), Config{Relay: c.relay})
		if err == nil {
			l.Close()
		}
		if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestCertificateOfAnUnpinnedRelay(t *testing.T) {
	nettest.Leaks(t)
	g := startFake(t, func(g *fakeGateway) { g.welcome(time.Now()); g.untilGone() })
	unpinned := identity.Address{Host: g.address.Host, Port: g.address.Port}
	mustOpen(t, Config{Relay: unpinned, roots: g.roots}).Close()
	named := identity.Address{Host: "example.com", Port: g.address.Port} // a name in the test certificate
	toGateway := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, g.address.HostPort())
	}
	mustOpen(t, Config{Relay: named, roots: g.roots, Dial: toGateway}).Close()
	other := identity.Address{Host: "example.org", Port: g.address.Port}
	for what, config := range map[string]Config{
		"nobody vouches": {Relay: unpinned},
		"another name":   {Relay: other, roots: g.roots, Dial: toGateway},
	} {
		_, err := Open(testContext(t), config)
		if err != ErrUntrusted || !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	nettest.Leaks(t)
	var followed atomic.Bool
	target, _ := serveHTTP(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	from, _ := serveHTTP(t, http.RedirectHandler("https://"+target.HostPort()+"/v1/line", http.StatusFound))
	if _, err := Open(testContext(t), Config{Relay: from}); !errors.Is(err, ErrUnreachable) {
		t.Fatalf("a redirect: %v", err)
	}
	if followed.Load() {
		t.Fatal("a redirect was followed")
	}
}

func TestOpenCanBeGivenUp(t *testing.T) {
	nettest.Leaks(t)
	started := make(chan struct{}, 1)
	g := startFake(t, func(g *fakeGateway) { started <- struct{}{}; g.untilGone() })
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	if _, err := Open(ctx, Config{Relay: g.address}); !errors.Is(err, context.Canceled) {
		t.Fatalf("given up: %v", err)
	}
	short, stop := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer stop()
	if _, err := Open(short, Config{Relay: g.address}); !errors.Is(err, ErrUnreachable) {
		t.Fatalf("a mute relay: %v", err)
	}
}

// A relay that lies about what arrived cannot make the client believe it.
func TestDeliveriesAreVerified(t *testing.T) {
	nettest.Leaks(t)
	mine, foreign := newKey(t), newKey(t)
	body := make([]byte, wire.BodySize)
	g := startFake(t, func(g *fakeGateway) {
		g.welcome(time.Now())
		seq, _ := g.read()
		g.write(seq, &wire.Registered{})
		here := g.address.HostPort()
		make := func(host string, offset time.Duration) *wire.Envelope {
			e, err := wire.NewEnvelope(mine, host, time.Now().Add(offset), body)
			if err != nil {
				t.Error(err)
			}
			return e
		}
		forged := make(here, time.Minute)
		forged.Body[0] = 1
		unasked, err := wire.NewEnvelope(foreign, here, time.Now().Add(time.Minute), body)
		if err != nil {
			t.Error(err)
		}
		for _, e := range []*wire.Envelope{
			forged, unasked, make("other:443", time.Minute), make(here, -time.Hour), make(here, time.Hour), make(here, 30*time.Second),
		} {
			g.write(0, &wire.Deliver{Envelope: e})
		}
		g.untilGone()
	})
	l := mustOpen(t, Config{Relay: g.address, Receive: newKey(t)})
	if err := l.Register(testContext(t), []wire.DropID{dropOf(mine)}); err != nil {
		t.Fatal(err)
	}
	select {
	case e := <-l.Deliveries():
		if e.Body[0] != 0 || e.Drop() != dropOf(mine) || !e.Timely(time.Now()) {
			t.Fatal("a lie was believed")
		}
	case <-time.After(patience):
		t.Fatal("the true one was lost as well")
	}
	if len(l.Deliveries()) != 0 || l.Dropped() != 0 {
		t.Fatal("more than one was believed")
	}
}

func TestSlowReaderLosesTheOldest(t *testing.T) {
	queue := make(chan int, 3)
	var lost uint64
	for i := range 5 {
		lost += push(queue, i)
	}
	if got := [3]int{<-queue, <-queue, <-queue}; lost != 2 || got != [3]int{2, 3, 4} {
		t.Fatalf("%v left, %d lost", got, lost)
	}
}

func TestUndeliverableIsPassedOn(t *testing.T) {
	nettest.Leaks(t)
	want := identity.Address{Host: "relay.example", Port: 8443}
	g := startFake(t, func(g *fakeGateway) {
		g.welcome(time.Now())
		g.write(0, &wire.Undeliverable{To: "not an address"})
		g.write(0, &wire.Undeliverable{To: want.String()})
		g.untilGone()
	})
	l := mustOpen(t, Config{Relay: g.address})
	select {
	case got := <-l.Undeliverable():
		if got != want {
			t.Fatalf("got %v", got)
		}
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
}

func TestBrokenRelaysEndTheLine(t *testing.T) {
	nettest.Leaks(t)
	for what, fault := range map[string]func(*fakeGateway){
		"hangs up":     func(*fakeGateway) {},
		"says goodbye": func(g *fakeGateway) { _ = g.conn.Close(websocket.StatusGoingAway, "") },
		"long message": func(g *fakeGateway) {
			_ = g.conn.Write(context.Background(), websocket.MessageBinary, make([]byte, 1<<16))
		},
		"short message": func(g *fakeGateway) { _ = g.conn.Write(context.Background(), websocket.MessageBinary, []byte("x")) },
		"text": func(g *fakeGateway) {
			_ = g.conn.Write(context.Background(), websocket.MessageText, make([]byte, wire.FrameSize))
		},
	} {
		g := startFake(t, func(g *fakeGateway) { g.welcome(time.Now()); g.read(); fault(g) })
		l := mustOpen(t, Config{Relay: g.address})
		if _, err := l.Credential(testContext(t)); !errors.Is(err, ErrUnreachable) {
			t.Errorf("%s: a request ends with %v", what, err)
		}
		mustEnd(t, l)
		if !errors.Is(l.Err(), ErrUnreachable) {
			t.Errorf("%s: the line ended with %v", what, l.Err())
		}
	}
}

func TestMuteRelayIsFoundByPing(t *testing.T) {
	nettest.Leaks(t)
	release := make(chan struct{})
	g := startFake(t, func(g *fakeGateway) { g.welcome(time.Now()); <-release })
	t.Cleanup(func() { close(release) })
	l := mustOpen(t, Config{Relay: g.address, pingEvery: 100 * time.Millisecond})
	mustEnd(t, l)
	if !errors.Is(l.Err(), ErrUnreachable) {
		t.Fatalf("it ended with %v", l.Err())
	}
}

func TestCloseEndsRequests(t *testing.T) {
	nettest.Leaks(t)
	asked := make(chan struct{})
	g := startFake(t, func(g *fakeGateway) { g.welcome(time.Now()); g.read(); close(asked); g.untilGone() })
	l := mustOpen(t, Config{Relay: g.address})
	go func() { <-asked; l.Close() }()
	if _, err := l.Credential(testContext(t)); !errors.Is(err, ErrClosed) {
		t.Fatalf("a request on a closed line: %v", err)
	}
	if _, err := l.Credential(testContext(t)); !errors.Is(err, ErrClosed) || !errors.Is(l.Err(), ErrClosed) {
		t.Fatalf("a request after Close: %v", err)
	}
	if _, open := <-l.Deliveries(); open {
		t.Fatal("deliveries are still open")
	}
}

func TestCancelledRequestSparesTheLine(t *testing.T) {
	nettest.Leaks(t)
	asked := make(chan struct{}, 2)
	g := startFake(t, func(g *fakeGateway) {
		g.welcome(time.Now())
		first, _ := g.read()
		asked <- struct{}{}
		second, _ := g.read()
		g.write(first, &wire.Taken{}) // too late, and not for the second
		g.write(second, &wire.Credential{Username: "u", Password: "p", Turn: netipLoopback, Expires: 1})
		g.untilGone()
	})
	l := mustOpen(t, Config{Relay: g.address})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	if _, err := l.Credential(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled request: %v", err)
	}
	if c, err := l.Credential(testContext(t)); err != nil || c.Username != "u" {
		t.Fatalf("the next request: %+v, %v", c, err)
	}
}

func TestClockIsTheGateways(t *testing.T) {
	nettest.Leaks(t)
	there := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	g := startFake(t, func(g *fakeGateway) { g.welcome(there); g.untilGone() })
	l := mustOpen(t, Config{Relay: g.address})
	if off := l.Now().Sub(there); off < 0 || off > patience {
		t.Fatalf("the clock is %v off", off)
	}
}
