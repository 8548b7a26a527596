package relay

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sotto/settings"
)

const (
	keyFile    = "relay.key"   // PEM, PKCS #8, ECDSA P-256
	secretFile = "turn.secret" // 32 bytes, shared with a coturn if there is one

	turnSecretSize = 32
	pemKey         = "PRIVATE KEY"

	// reloadEvery is how often a certificate file is looked at for a newer version.
	reloadEvery = time.Minute
)

// keys are what proves that this is the relay people chose.
type keys struct {
	pin         [32]byte // SHA-256 of the SubjectPublicKeyInfo
	pinned      bool     // false with a certificate that browsers trust
	certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	turnSecret  []byte
}

// Pin is the pin of the relay whose key lives in dir. The key is made if there is
// none, so that an address can be given out before the relay has ever run.
func Pin(dir string) ([32]byte, error) {
	key, err := loadKey(dir)
	if err != nil {
		return [32]byte{}, err
	}
	return pinOf(key)
}

func loadKeys(config Config) (*keys, error) {
	k := &keys{pinned: config.CertFile == ""}
	var err error
	if k.turnSecret, err = loadSecret(config.Dir); err != nil {
		return nil, err
	}
	if !k.pinned {
		files := &certificateFiles{certFile: config.CertFile, keyFile: config.KeyFile}
		k.certificate = files.get
		_, err := files.get(nil)
		return k, err
	}
	key, err := loadKey(config.Dir)
	if err != nil {
		return nil, err
	}
	if k.pin, err = pinOf(key); err != nil {
		return nil, err
	}
	own, err := selfSigned(key)
	if err != nil {
		return nil, err
	}
	k.certificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own, nil }
	return k, nil
}

func pinOf(key *ecdsa.PrivateKey) ([32]byte, error) {
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return [32]byte{}, fmt.Errorf("the relay's key cannot be used: %w", err)
	}
	return sha256.Sum256(public), nil
}

// loadKey reads the relay's key from dir, or makes it.
func loadKey(dir string) (*ecdsa.PrivateKey, error) {
	raw, err := stored(dir, keyFile, func() ([]byte, error) {
		fresh, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(fresh)
		if err != nil {
			return nil, err
		}
		return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
	})
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(raw); block != nil && block.Type == pemKey {
		if parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if key, ok := parsed.(*ecdsa.PrivateKey); ok {
				return key, nil
			}
		}
	}
	return nil, fmt.Errorf("the relay's key in %s is damaged; restore it from a copy, or remove it and give people the new address", filepath.Join(dir, keyFile))
}

func loadSecret(dir string) ([]byte, error) {
	secret, err := stored(dir, secretFile, func() ([]byte, error) {
		fresh := make([]byte, turnSecretSize)
		_, err := rand.Read(fresh)
		return fresh, err
	})
	if err == nil && len(secret) < turnSecretSize/2 {
		return nil, fmt.Errorf("the turn secret in %s is damaged; remove the file and start again", filepath.Join(dir, secretFile))
	}
	return secret, err
}

// stored reads a file of dir, or fills it with what create makes. Without dir it
// creates afresh each time.
func stored(dir, name string, create func() ([]byte, error)) ([]byte, error) {
	if dir == "" {
		return create()
	}
	path := filepath.Join(dir, name)
	raw, err := os.ReadFile(path)
	if err == nil {
		return raw, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the relay's %s cannot be read (%w); check the folder's owner and permissions", name, err)
	}
	if raw, err = create(); err != nil {
		return nil, err
	}
	if err := settings.WriteFile(path, raw); err != nil {
		return nil, err
	}
	return os.ReadFile(path) // the same for two processes that began at once
}

// selfSigned wraps the key in a certificate. Clients compare the key's hash only,
// so the rest is as empty as X.509 allows and never expires in practice.
func selfSigned(key *ecdsa.PrivateKey) (*tls.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), // RFC 5280 §4.1.2.5: no well-defined end
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("the relay's certificate cannot be made: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// certificateFiles serves a certificate from disk and follows its renewals.
type certificateFiles struct {
	certFile, keyFile string

	mu      sync.Mutex // guards the following
	loaded  *tls.Certificate
	version time.Time // modification time of certFile when it was loaded
	looked  time.Time
}

// get is a tls.Config.GetCertificate. A renewal that cannot be read leaves the
// old certificate in use.
func (c *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded != nil && time.Since(c.looked) < reloadEvery {
		return c.loaded, nil
	}
	c.looked = time.Now()
	info, err := os.Stat(c.certFile)
	if err == nil && (c.loaded == nil || !info.ModTime().Equal(c.version)) {
		var fresh tls.Certificate
		if fresh, err = tls.LoadX509KeyPair(c.certFile, c.keyFile); err == nil {
			c.loaded, c.version = &fresh, info.ModTime()
		}
	}
	if c.loaded == nil {
		return nil, fmt.Errorf("the relay's certificate cannot be used (%w); check --cert and --key", err)
	}
	return c.loaded, nil
}
