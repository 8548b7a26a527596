package world

import (
	"context"
	"net"
	"sync"
)

// pipes are the in-memory listeners of a world by address.
type pipes struct {
	mu        sync.Mutex // guards the following
	listeners map[string]*pipeListener
}

func newPipes() *pipes { return &pipes{listeners: make(map[string]*pipeListener)} }

func (p *pipes) listen(address string) net.Listener {
	l := &pipeListener{address: pipeAddress(address), accepting: make(chan net.Conn), closed: make(chan struct{})}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners[address] = l
	return l
}

func (p *pipes) dial(ctx context.Context, address string) (net.Conn, error) {
	p.mu.Lock()
	l := p.listeners[address]
	p.mu.Unlock()
	if l == nil {
		return nil, errGone(address)
	}
	near, far := net.Pipe()
	select {
	case l.accepting <- far:
		return near, nil
	case <-l.closed:
		return nil, errGone(address)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.listeners {
		_ = l.Close()
	}
}

// pipeListener accepts the far ends of pipes.
type pipeListener struct {
	address   pipeAddress
	accepting chan net.Conn
	closed    chan struct{}
	once      sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepting:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return l.address }

type pipeAddress string

func (pipeAddress) Network() string  { return "pipe" }
func (a pipeAddress) String() string { return string(a) }
