package peer

import (
	"context"
	"net"
	"time"

	"sotto/net/stream"
)

// dialTimeout bounds the way to the relay over TLS, with a proxy's detours.
const dialTimeout = 15 * time.Second

// tunnel is a stream to the own relay in the shape of a socket: what pion sends as
// packets goes as TURN over TLS. pion itself knows of neither, so nothing of its own
// TCP machinery, which tells local addresses and can be made to dial, is ever used.
type tunnel struct{ *stream.Conn }

// openTunnel dials the stream; end gives up.
func openTunnel(end context.Context, dial func(context.Context) (net.Conn, error)) (tunnel, error) {
	ctx, cancel := context.WithTimeout(end, dialTimeout)
	defer cancel()
	conn, err := dial(ctx)
	if err != nil {
		return tunnel{}, err
	}
	return tunnel{stream.New(conn)}, nil
}

// The rest of transport.UDPConn is answered by guarded, or means nothing here.

func (tunnel) LocalAddr() net.Addr              { return nil }
func (tunnel) RemoteAddr() net.Addr             { return nil }
func (tunnel) SetDeadline(time.Time) error      { return nil }
func (tunnel) SetWriteDeadline(time.Time) error { return nil }
func (tunnel) SetReadBuffer(int) error          { return nil }
func (tunnel) SetWriteBuffer(int) error         { return nil }

func (t tunnel) ReadFrom(p []byte) (int, net.Addr, error) {
	n, err := t.Read(p)
	return n, nil, err
}

func (t tunnel) ReadFromUDP(p []byte) (int, *net.UDPAddr, error) {
	n, err := t.Read(p)
	return n, nil, err
}

func (tunnel) ReadMsgUDP([]byte, []byte) (int, int, int, *net.UDPAddr, error) {
	return 0, 0, 0, nil, errRefused
}

func (t tunnel) WriteTo(p []byte, _ net.Addr) (int, error)        { return t.Write(p) }
func (t tunnel) WriteToUDP(p []byte, _ *net.UDPAddr) (int, error) { return t.Write(p) }

func (tunnel) WriteMsgUDP([]byte, []byte, *net.UDPAddr) (int, int, error) { return 0, 0, errRefused }
