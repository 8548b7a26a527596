package relay

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/net/nettest"
)

// writeCertificate puts a fresh certificate for 127.0.0.1 and names, and its key, into dir.
func writeCertificate(t *testing.T, dir string, serial int64, names ...string) (certFile, keyFile string) {
	t.Helper()
	certificate := nettest.Certificate(t, x509.Certificate{
		SerialNumber: big.NewInt(serial), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: names,
	})
	private, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		certFile: {Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}, keyFile: {Type: pemKey, Bytes: private},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func TestCertificateFile(t *testing.T) {
	nettest.Leaks(t)
	certFile, keyFile := writeCertificate(t, t.TempDir(), 42)
	s := startRelay(t, func(c *Config) { c.CertFile, c.KeyFile = certFile, keyFile })
	if s.Address().Pinned {
		t.Fatal("a relay with a certificate for browsers has a pin")
	}
	conn, err := tls.Dial("tcp", s.Address().HostPort(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if state := conn.ConnectionState(); state.PeerCertificates[0].SerialNumber.Int64() != 42 || state.Version != tls.VersionTLS13 {
		t.Fatal("another certificate, or an old TLS")
	}
	old, err := tls.Dial("tcp", s.Address().HostPort(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err == nil {
		_ = old.Close()
		t.Fatal("the relay speaks TLS 1.2")
	}
}

// TestTheRelaysNameIsRemarkedOn where nobody would reach it by the one it has.
func TestTheRelaysNameIsRemarkedOn(t *testing.T) {
	certFile, keyFile := writeCertificate(t, t.TempDir(), 42, "relay.example.org", "other.example.org")
	public := netip.MustParseAddr("203.0.113.7")
	for _, test := range []struct {
		config Config
		host   string
		want   string // in the remark; "": there is none
	}{
		{Config{PublicIP: public}, "203.0.113.7", "start the relay with --name"},
		{Config{PublicIP: public, Name: "relay.example.org"}, "relay.example.org", ""},
		{Config{PublicIP: netip.MustParseAddr("127.0.0.1")}, "127.0.0.1", ""},
		{Config{PublicIP: public, CertFile: certFile, KeyFile: keyFile}, "203.0.113.7", "start the relay with --name relay.example.org."},
		{Config{PublicIP: public, CertFile: certFile, KeyFile: keyFile, Name: "relay.example.net"}, "relay.example.net", "and not for relay.example.net"},
		{Config{PublicIP: public, CertFile: certFile, KeyFile: keyFile, Name: "other.example.org"}, "other.example.org", ""},
	} {
		keys, err := loadKeys(test.config)
		if err != nil {
			t.Fatal(err)
		}
		got := remark(test.config, test.host, keys)
		if (test.want == "") != (got == "") || !strings.Contains(got, test.want) {
			t.Errorf("%+v: %q, want %q in it", test.config, got, test.want)
		}
	}
}

func TestRenewedCertificateIsPickedUp(t *testing.T) {
	dir := t.TempDir()
	files := &certificateFiles{}
	files.certFile, files.keyFile = writeCertificate(t, dir, 1)
	serial := func() int64 {
		t.Helper()
		c, err := files.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	if serial() != 1 {
		t.Fatal("another certificate")
	}
	later := func(serial int64) {
		writeCertificate(t, dir, serial)
		at := time.Now().Add(time.Duration(serial) * time.Hour)
		if err := os.Chtimes(files.certFile, at, at); err != nil {
			t.Fatal(err)
		}
		files.looked = time.Now().Add(-reloadEvery)
	}
	later(2)
	if serial() != 2 {
		t.Fatal("the renewal is not used")
	}
	later(3)
	if err := os.WriteFile(files.keyFile, []byte("half written"), 0o600); err != nil {
		t.Fatal(err)
	}
	if serial() != 2 {
		t.Fatal("a broken renewal replaced a good certificate")
	}
	if _, err := (&certificateFiles{certFile: "missing", keyFile: "missing"}).get(nil); err == nil {
		t.Fatal("a missing certificate is no error")
	}
}
