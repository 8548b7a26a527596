package line

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/nettest"
)

// TestACertificateThatIsOver says so: often it is this machine's clock that is wrong.
func TestACertificateThatIsOver(t *testing.T) {
	nettest.Leaks(t)
	certificate := nettest.Certificate(t, x509.Certificate{
		DNSNames: []string{"relay.example"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: time.Now().Add(-time.Hour),
	})
	roots := x509.NewCertPool()
	roots.AddCert(certificate.Leaf)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	_, err := Open(testContext(t), Config{
		Relay: identity.Address{Host: "relay.example", Port: 443}, roots: roots,
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	})
	if err != ErrExpired || !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v", err)
	}
}
