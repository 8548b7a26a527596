package line

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"sotto/net/wire"
)

// openTimeout bounds everything from the name lookup to the gateway's welcome.
const openTimeout = 10 * time.Second

// Open connects to the relay and logs in. It returns ErrUnreachable,
// ErrPinMismatch, ErrUntrusted or ErrRefused, or the cause of a cancelled ctx;
// ctx bounds the opening only.
func Open(ctx context.Context, config Config) (*Line, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	conn, err := connect(ctx, config)
	if err != nil {
		return nil, broken(ctx, err)
	}
	l := newLine(config, conn)
	if err := l.login(ctx); err != nil {
		l.hangUp()
		return nil, broken(ctx, err)
	}
	l.start()
	return l, nil
}

// connect upgrades one fresh connection to a WebSocket.
func connect(ctx context.Context, config Config) (*websocket.Conn, error) {
	transport := &http.Transport{
		DisableKeepAlives:  true,
		DisableCompression: true, // no Accept-Encoding header
		DialTLSContext:     func(ctx context.Context, _, _ string) (net.Conn, error) { return secure(ctx, config, prompt) },
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	conn, response, err := websocket.Dial(ctx, "https://"+config.Relay.HostPort()+"/v1/line", &websocket.DialOptions{
		HTTPClient:      client,
		HTTPHeader:      http.Header{"User-Agent": {""}}, // an empty value sends no header
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if response != nil && response.Body != nil {
			_ = response.Body.Close()
		}
		return nil, err
	}
	conn.SetReadLimit(wire.FrameSize)
	return conn, nil
}

// Secure connects to the relay's TLS port and checks that it is that relay. What is
// spoken inside is the caller's business: a line, or TURN.
func Secure(ctx context.Context, config Config) (net.Conn, error) {
	return secure(ctx, config, func(conn net.Conn) net.Conn { return conn })
}

func secure(ctx context.Context, config Config, below func(net.Conn) net.Conn) (net.Conn, error) {
	dialled, err := dialer(config)(ctx, "tcp", config.Relay.HostPort())
	if err != nil {
		return nil, err
	}
	secure := tls.Client(below(dialled), tlsConfig(config))
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = dialled.Close()
		if invalid := (x509.CertificateInvalidError{}); errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			return nil, fmt.Errorf("%w (%w)", ErrExpired, err)
		}
		if unknown := (*tls.CertificateVerificationError)(nil); errors.As(err, &unknown) {
			return nil, fmt.Errorf("%w (%w)", ErrUntrusted, err)
		}
		return nil, err
	}
	return secure, nil
}

// promptConn bounds the one write that has a deadline, TLS's goodbye, for which
// crypto/tls would wait five seconds when the other end does not read.
type promptConn struct{ net.Conn }

func prompt(conn net.Conn) net.Conn { return promptConn{conn} }

func (c promptConn) SetWriteDeadline(at time.Time) error {
	if soon := time.Now().Add(closeGrace); at.After(soon) {
		at = soon
	}
	return c.Conn.SetWriteDeadline(at)
}

func dialer(config Config) func(context.Context, string, string) (net.Conn, error) {
	if config.Dial != nil {
		return config.Dial
	}
	return (&net.Dialer{}).DialContext
}

// tlsConfig verifies the pin of a pinned relay and nothing else, and the
// certificate of any other as a browser would, unless any key will do. There is no session cache: a
// resumed session would link two lines.
func tlsConfig(of Config) *tls.Config {
	relay := of.Relay
	config := &tls.Config{ServerName: relay.Host, MinVersion: tls.VersionTLS13, RootCAs: of.roots}
	if !relay.Pinned {
		config.InsecureSkipVerify = of.AnyKey
		return config
	}
	config.InsecureSkipVerify = true // VerifyConnection does it, and is called for every connection
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return ErrPinMismatch
		}
		pin := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
		if subtle.ConstantTimeCompare(pin[:], relay.Pin[:]) != 1 {
			return ErrPinMismatch
		}
		return nil
	}
	return config
}

// login answers the challenge and reads the welcome.
func (l *Line) login(ctx context.Context) error {
	_, first, err := l.readFrame(ctx)
	if err != nil {
		return err
	}
	challenge, ok := first.(*wire.Challenge)
	if !ok {
		return refused(first)
	}
	if challenge.Version != wire.Version {
		return refusal{wire.RefusedVersion}
	}
	hello := &wire.Hello{Role: wire.RoleSend, Token: l.config.Admission}
	switch {
	case l.config.Receive != nil:
		hello.Role = wire.RoleReceive
		hello.Key, hello.Signature = wire.SignHello(l.config.Receive, challenge.Nonce, l.host)
	case l.config.Shared:
		hello.Role = wire.RoleRelay
	}
	frame, err := wire.AppendFrame(nil, 0, hello)
	if err != nil {
		return refusal{wire.RefusedAdmission} // only a token can be too long
	}
	if err := l.conn.Write(ctx, websocket.MessageBinary, frame); err != nil {
		return err
	}
	_, second, err := l.readFrame(ctx)
	if err != nil {
		return err
	}
	welcome, ok := second.(*wire.Welcome)
	if !ok {
		return refused(second)
	}
	l.clock, l.clockRead, l.admitted = wire.Clock(welcome.Now), time.Now(), welcome.Admitted
	return nil
}

// refused reads an answer that is not the one asked for.
func refused(frame wire.Frame) error {
	if r, ok := frame.(*wire.Refused); ok {
		return refusal{r.Reason}
	}
	return fmt.Errorf("%w: the relay answered with %T", wire.ErrMalformed, frame)
}

func (l *Line) readFrame(ctx context.Context) (uint32, wire.Frame, error) {
	kind, raw, err := l.conn.Read(ctx)
	if err != nil {
		return 0, nil, err
	}
	if kind != websocket.MessageBinary {
		return 0, nil, fmt.Errorf("%w: a text message", wire.ErrMalformed)
	}
	return wire.ParseFrame(raw)
}
