package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5"
	"github.com/pion/transport/v5/stdnet"
	pion "github.com/pion/turn/v5"
)

const patience = 5 * time.Second

var secret = []byte("a secret for tests")

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Unix(1_800_000_000, 0)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// tap is a network whose sockets send nothing: it keeps where each packet was to go.
type tap struct {
	transport.Net
	mu   sync.Mutex
	sent []netip.AddrPort
}

func newTap(t *testing.T) *tap {
	t.Helper()
	network, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	return &tap{Net: network}
}

// tapped hides the fast paths of a UDP socket on purpose, so that the slow ones are tested too.
type tapped struct {
	transport.UDPConn
	tap *tap
}

func (n *tap) ListenUDP(_ string, at *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.Port})
	if err != nil {
		return nil, err
	}
	return &tapped{UDPConn: conn, tap: n}, nil
}

func (c *tapped) WriteToUDP(p []byte, to *net.UDPAddr) (int, error) {
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.tap.sent = append(c.tap.sent, to.AddrPort())
	return len(p), nil
}

func (n *tap) Sent() []netip.AddrPort {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]netip.AddrPort(nil), n.sent...)
}

// start runs a laboratory on loopback; change may make it something else.
func start(t *testing.T, change func(*Config)) *Server {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	config := Config{Conn: conn, PublicIP: netip.MustParseAddr("127.0.0.1"), Secret: secret}
	if change != nil {
		change(&config)
	}
	server, err := Start(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}

// client is pion's TURN client, as the other end of a real program would be.
func client(t *testing.T, server *Server, now time.Time) (*pion.Client, net.PacketConn) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	username, password := Issue(secret, time.Minute, now)
	c, err := pion.NewClient(&pion.ClientConfig{
		TURNServerAddr: fmt.Sprintf("127.0.0.1:%d", server.Addr().Port()), Conn: conn, Username: username, Password: password,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := c.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = relayed.Close() // may have been closed by the test
		c.Close()
		_ = conn.Close()
	})
	return c, relayed
}

// raw speaks STUN by hand, to say what a decent client never would.
type raw struct {
	t                         *testing.T
	server                    *Server
	conn                      *net.UDPConn
	username, password, realm string
	nonce                     stun.Nonce
}

func newRaw(t *testing.T, server *Server, username, password string) *raw {
	t.Helper()
	conn, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(server.Addr().Port())})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &raw{t: t, server: server, conn: conn, username: username, password: password, realm: realm}
}

// issued is a raw client with a good credential for a minute from now.
func issued(t *testing.T, server *Server, now time.Time) *raw {
	username, password := Issue(secret, time.Minute, now)
	return newRaw(t, server, username, password)
}

var errSilence = errors.New("no answer")

// ask sends one request and returns its answer; the first unauthorized answer teaches the nonce.
func (r *raw) ask(method stun.Method, setters ...stun.Setter) (*stun.Message, error) {
	r.t.Helper()
	for try := 0; ; try++ {
		all := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, setters...)
		if len(r.nonce) > 0 {
			key := stun.NewLongTermIntegrity(r.username, r.realm, r.password)
			all = append(all, stun.NewUsername(r.username), stun.NewRealm(r.realm), r.nonce, key)
		}
		request, err := stun.Build(all...)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.conn.Write(request.Raw); err != nil {
			r.t.Fatal(err)
		}
		answer, err := r.hear(request.TransactionID)
		if err != nil {
			return nil, err
		}
		var nonce stun.Nonce
		if try > 0 || len(r.nonce) > 0 || nonce.GetFrom(answer) != nil {
			return answer, nil
		}
		r.nonce = nonce
	}
}

func (r *raw) hear(id [stun.TransactionIDSize]byte) (*stun.Message, error) {
	buffer := make([]byte, 1500)
	_ = r.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		n, err := r.conn.Read(buffer)
		if err != nil {
			return nil, errSilence
		}
		answer := &stun.Message{Raw: append([]byte(nil), buffer[:n]...)}
		if answer.Decode() == nil && answer.TransactionID == id {
			return answer, nil
		}
	}
}

// code asks and returns the error code, 0 for success.
func (r *raw) code(method stun.Method, setters ...stun.Setter) int {
	r.t.Helper()
	answer, err := r.ask(method, setters...)
	if err != nil {
		r.t.Fatalf("%v: %v", method, err)
	}
	if answer.Type.Class == stun.ClassSuccessResponse {
		return 0
	}
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(answer); err != nil {
		r.t.Fatal(err)
	}
	return int(code.Code)
}

// indicate sends one Send indication: data for a peer.
func (r *raw) indicate(to netip.AddrPort, data []byte) {
	r.t.Helper()
	message := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerAddress(to), stun.RawAttribute{Type: stun.AttrData, Value: data})
	if _, err := r.conn.Write(message.Raw); err != nil {
		r.t.Fatal(err)
	}
}

// setter is a STUN attribute as a function.
type setter func(*stun.Message) error

func (s setter) AddTo(m *stun.Message) error { return s(m) }

func peerAddress(at netip.AddrPort) stun.Setter {
	return setter(func(m *stun.Message) error {
		address := stun.XORMappedAddress{IP: at.Addr().AsSlice(), Port: int(at.Port())}
		return address.AddToAs(m, stun.AttrXORPeerAddress)
	})
}

func attribute(kind stun.AttrType, value ...byte) stun.Setter {
	return setter(func(m *stun.Message) error { m.Add(kind, value); return nil })
}

func lifetime(seconds byte) stun.Setter { return attribute(stun.AttrLifetime, 0, 0, 0, seconds) }

var (
	udp = attribute(stun.AttrRequestedTransport, 17, 0, 0, 0)
	tcp = attribute(stun.AttrRequestedTransport, 6, 0, 0, 0)
	ip6 = attribute(stun.AttrRequestedAddressFamily, 2, 0, 0, 0)
)

// until waits for something that must come true.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never happened: %s", what)
		}
	}
}
