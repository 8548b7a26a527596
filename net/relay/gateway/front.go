package gateway

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	idleTimeout    = 15 * time.Second
	maxHeaderBytes = 4096

	// socketBuffer is what the kernel holds for a connection each way. A flooded
	// line's pongs wait behind it, so it is what a slow link drains in seconds.
	socketBuffer = 32 << 10
)

// front is the TLS port's listener: it refuses connections over a prefix's share
// before a byte of them is read, and can cut all that are left.
//
// Every connection passes here in the clear of TLS's outside; what they speak inside
// is told apart by the sorter.
type front struct {
	net.Listener
	prefixes *prefixTable
	limit    int
	refused  atomic.Uint64

	mu   sync.Mutex // guards the following
	open map[*frontConn]struct{}
	shut bool
}

// frontConn gives its place back when it is closed.
type frontConn struct {
	net.Conn
	front  *front
	prefix *prefix
	once   sync.Once
}

func newFront(listener net.Listener, prefixes *prefixTable, limit int) *front {
	return &front{Listener: listener, prefixes: prefixes, limit: limit, open: make(map[*frontConn]struct{})}
}

// Accept returns the next connection that is within its share.
func (f *front) Accept() (net.Conn, error) {
	for {
		inner, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if conn := f.admit(inner); conn != nil {
			return conn, nil
		}
		f.refused.Add(1)
		_ = inner.Close()
	}
}

func (f *front) admit(inner net.Conn) net.Conn {
	p, ok := f.prefixes.enter(prefixOf(inner.RemoteAddr()))
	if !ok {
		return nil
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(socketBuffer) // without it the line is only less even
		_ = tcp.SetReadBuffer(socketBuffer)
	}
	conn := &frontConn{Conn: inner, front: f, prefix: p}
	f.mu.Lock()
	full := f.shut || len(f.open) >= f.limit
	if !full {
		f.open[conn] = struct{}{}
	}
	f.mu.Unlock()
	if full {
		f.prefixes.leave(p)
		return nil
	}
	return conn
}

func (c *frontConn) Close() error {
	c.once.Do(func() {
		c.front.mu.Lock()
		delete(c.front.open, c)
		c.front.mu.Unlock()
		c.front.prefixes.leave(c.prefix)
	})
	return c.Conn.Close()
}

// cut closes every connection at once, below TLS.
func (f *front) cut() {
	f.mu.Lock()
	f.shut = true
	open := make([]*frontConn, 0, len(f.open))
	for conn := range f.open {
		open = append(open, conn)
	}
	f.mu.Unlock()
	for _, conn := range open {
		_ = conn.Close()
	}
}

// connKey finds the frontConn under a request's TLS in its context.
type connKey struct{}

func withConn(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*begunConn); ok {
		return context.WithValue(ctx, connKey{}, secure.NetConn())
	}
	return ctx
}

// prefixFrom is the share that a request's connection was counted in.
func prefixFrom(ctx context.Context) *prefix {
	conn, ok := ctx.Value(connKey{}).(*frontConn)
	if !ok {
		return nil
	}
	return conn.prefix
}

func newServer(g *Gateway) *http.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/line", g.serveLine)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/line" {
			w.Header().Set("Connection", "close") // connections are rationed, requests are not
		}
		mux.ServeHTTP(w, r)
	})
	return &http.Server{
		Handler:           handler,
		Protocols:         protocols,
		ConnContext:       withConn,
		ReadHeaderTimeout: g.config.Limits.Patience,
		ReadTimeout:       g.config.Limits.Patience,
		WriteTimeout:      idleTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // it would name addresses
	}
}
