package gateway

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"

	"sotto/net/stream"
)

// sorter tells apart what is spoken inside TLS: what begins as STUN goes to the TURN
// server, everything else is HTTP's. It is the HTTP server's listener.
type sorter struct {
	front  net.Listener
	tls    *tls.Config
	wait   time.Duration // for TLS and the first byte
	stream func(net.Conn)
	ctx    context.Context // ends both below
	loops  *sync.WaitGroup

	http   chan net.Conn
	failed chan error // capacity one: why the front takes no more
}

func newSorter(ctx context.Context, loops *sync.WaitGroup, front net.Listener, config Config) *sorter {
	s := &sorter{
		front: front, tls: config.TLS, wait: config.Limits.Patience, stream: config.Stream, ctx: ctx, loops: loops,
		http: make(chan net.Conn), failed: make(chan error, 1),
	}
	loops.Add(1)
	go s.run()
	return s
}

func (s *sorter) run() {
	defer s.loops.Done()
	for {
		conn, err := s.front.Accept()
		if err != nil {
			s.failed <- err
			return
		}
		s.loops.Add(1)
		go s.sort(conn)
	}
}

// sort waits for the first byte inside TLS. It lasts as long as a TURN client does.
func (s *sorter) sort(conn net.Conn) {
	defer s.loops.Done()
	secure := tls.Server(conn, s.tls)
	_ = conn.SetDeadline(time.Now().Add(s.wait))
	first := make([]byte, 1)
	if _, err := secure.Read(first); err != nil { // it shakes hands first
		_ = conn.Close()
		return
	}
	_ = conn.SetDeadline(time.Time{})
	begun := &begunConn{Conn: secure, first: first}
	if s.stream != nil && stream.Begins(first[0]) {
		s.stream(begun)
		return
	}
	select {
	case s.http <- begun:
	case <-s.ctx.Done():
		_ = conn.Close()
	}
}

// Accept gives the next connection that speaks HTTP, or the front's failure.
func (s *sorter) Accept() (net.Conn, error) {
	select {
	case conn := <-s.http:
		return conn, nil
	case err := <-s.failed:
		return nil, err
	}
}

// Close closes the front.
func (s *sorter) Close() error { return s.front.Close() }

// Addr is the front's.
func (s *sorter) Addr() net.Addr { return s.front.Addr() }

// begunConn is a connection whose first byte has been read. Its Read is for one
// goroutine.
type begunConn struct {
	*tls.Conn
	first []byte
}

func (c *begunConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 && len(p) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}
