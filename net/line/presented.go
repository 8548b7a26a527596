package line

import (
	"context"
	"crypto/sha256"
	"crypto/tls"

	"sotto/net/identity"
)

// Presented is a relay's address with the pin of the key that it shows now, which
// nothing has proved to be the relay's: the caller holds it against what is known of the relay
// another way, before anything depends on it. Of config it uses Relay and Dial. Errors as Open.
func Presented(ctx context.Context, config Config) (identity.Address, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	config.Relay.Pinned, config.AnyKey = false, true
	conn, err := Secure(ctx, config)
	if err != nil {
		return identity.Address{}, broken(ctx, err)
	}
	defer conn.Close()
	seen := conn.(*tls.Conn).ConnectionState().PeerCertificates
	if len(seen) == 0 {
		return identity.Address{}, ErrUntrusted
	}
	address := config.Relay
	address.Pin, address.Pinned = sha256.Sum256(seen[0].RawSubjectPublicKeyInfo), true
	return address, nil
}
