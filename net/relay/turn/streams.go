package turn

import (
	"encoding/binary"
	"net"
	"net/netip"
	"sync"
	"time"

	"sotto/net/stream"
)

const (
	// arrivalQueue bounds what has been read from all streams and not been looked at.
	arrivalQueue = 1024

	// streamSilence is how long a stream may say nothing. A call's says something each
	// second; one that waits for an answer may be silent while it rings.
	streamSilence = 2 * time.Minute
)

// streams are the clients that came over TLS, as pion/turn sees them: one more packet
// socket, each client at an address of its own from 100::/64, which leads nowhere (RFC
// 6666). So everything that holds for clients over UDP holds for them.
type streams struct {
	server   *Server
	arrivals chan arrival
	closed   chan struct{}
	closing  sync.Once
	ended    chan struct{} // closed once pion/turn's reading goroutine reads no more
	end      sync.Once

	mu     sync.Mutex // guards the following
	next   uint64
	open   map[netip.AddrPort]*stream.Conn
	shut   bool
	serves sync.WaitGroup
}

type arrival struct {
	from   *net.UDPAddr
	packet []byte
}

func newStreams(server *Server) *streams {
	return &streams{
		server: server, arrivals: make(chan arrival, arrivalQueue), closed: make(chan struct{}), ended: make(chan struct{}),
		open: make(map[netip.AddrPort]*stream.Conn),
	}
}

// ServeStream serves TURN on a connection that is secured already, until it ends or the
// server does. It closes conn.
func (s *Server) ServeStream(conn net.Conn) { s.streams.serve(conn) }

func (t *streams) serve(conn net.Conn) {
	c := stream.New(conn)
	defer c.Close()
	at, ok := t.enter(c)
	if !ok {
		return
	}
	defer t.leave(at)
	from := net.UDPAddrFromAddrPort(at)
	packet := make([]byte, 2048)
	for {
		_ = c.SetReadDeadline(time.Now().Add(streamSilence))
		n, err := c.Read(packet)
		if err != nil {
			return
		}
		select {
		case t.arrivals <- arrival{from, append([]byte(nil), packet[:n]...)}:
		case <-t.closed:
			return
		}
	}
}

func (t *streams) enter(c *stream.Conn) (netip.AddrPort, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.shut {
		return netip.AddrPort{}, false
	}
	t.next++
	address := [16]byte{0: 1}
	binary.BigEndian.PutUint64(address[8:], t.next)
	at := netip.AddrPortFrom(netip.AddrFrom16(address), 1)
	t.open[at] = c
	t.serves.Add(1)
	return at, true
}

func (t *streams) leave(at netip.AddrPort) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.open, at)
	t.serves.Done()
}

// ReadFrom waits for a message of any stream.
func (t *streams) ReadFrom(p []byte) (int, net.Addr, error) {
	select {
	case a := <-t.arrivals:
		return copy(p, a.packet), a.from, nil
	case <-t.closed:
		t.end.Do(func() { close(t.ended) })
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends a message down the stream of that address, if it is still there.
func (t *streams) WriteTo(p []byte, to net.Addr) (int, error) {
	t.mu.Lock()
	c := t.open[addrPort(to)]
	t.mu.Unlock()
	if c != nil {
		_, _ = c.Write(p) // one that just ended is a client that is gone
	}
	return len(p), nil
}

// Close ends every stream and waits for those that serve them.
func (t *streams) Close() error {
	t.closing.Do(func() {
		close(t.closed)
		t.mu.Lock()
		t.shut = true
		open := make([]*stream.Conn, 0, len(t.open))
		for _, c := range t.open {
			open = append(open, c)
		}
		t.mu.Unlock()
		var closing sync.WaitGroup // each may wait a moment for a client that does not read
		for _, c := range open {
			closing.Go(func() { _ = c.Close() })
		}
		closing.Wait()
		t.serves.Wait()
	})
	return nil
}

// LocalAddr is where clients find this server over UDP; nothing is sent from here.
func (t *streams) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(t.server.Addr()) }

func (t *streams) SetDeadline(time.Time) error      { return nil }
func (t *streams) SetReadDeadline(time.Time) error  { return nil }
func (t *streams) SetWriteDeadline(time.Time) error { return nil }
