package profile

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"sotto/net/identity"
	"sotto/net/relay"
	"sotto/settings"
)

func newSecret() (secret [32]byte) {
	_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
	return secret
}

// Card is the own card as a sotto: URI.
func (p *Profile) Card() (string, error) {
	uri, _, err := p.card()
	return uri, err
}

// RenewCard replaces the card's secret, so that the old card no longer reaches
// this profile under "anyone with my card". Contacts keep reaching it.
func (p *Profile) RenewCard() (string, error) {
	err := settings.EditSecrets(p.Paths.Identity, func(secrets settings.Secrets) settings.Secrets {
		secrets.CardSecret = newSecret()
		return secrets
	})
	if err != nil {
		return "", err
	}
	return p.Card()
}

// card is the newest signed card. The last one given out is kept beside the
// identity; when name, relay or secret no longer agree with it, a new one with
// the next serial takes its place. The identity file counts the serials, so that
// contacts follow the new card even after the kept one was lost.
func (p *Profile) card() (uri string, signed []byte, err error) {
	address, err := p.Address()
	if err != nil {
		return "", nil, err
	}
	return p.cardAt(address)
}

// cardAt is card with a relay in it that need not be the one in the settings.
func (p *Profile) cardAt(address identity.Address) (uri string, signed []byte, err error) {
	secrets, err := settings.LoadSecrets(p.Paths.Identity)
	if err != nil {
		return "", nil, err
	}
	loaded, err := p.Settings()
	if err != nil {
		return "", nil, err
	}
	self := identity.FromSeed(secrets.Seed)
	want := identity.Card{Key: self.Key(), Relay: address, Name: loaded.Name, Secret: secrets.CardSecret}
	kept, err := settings.ReadPrivate(p.Paths.Card)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", nil, fmt.Errorf("the card that was given out last cannot be read: %w", err)
	}
	last, signed, err := identity.ParseCard(strings.TrimSpace(string(kept)))
	if err == nil && last.Key == want.Key {
		if want.Serial = last.Serial; last == want {
			return strings.TrimSpace(string(kept)), signed, nil
		}
	}
	err = settings.EditSecrets(p.Paths.Identity, func(secrets settings.Secrets) settings.Secrets {
		want.Secret, want.Serial = secrets.CardSecret, max(want.Serial, secrets.CardSerial)+1
		secrets.CardSerial = want.Serial
		return secrets
	})
	if err != nil {
		return "", nil, err
	}
	signed = self.Sign(want)
	uri = identity.URI(signed)
	return uri, signed, settings.WritePrivate(p.Paths.Card, []byte(uri+"\n"))
}

// hostRelay starts the relay that runs inside this process, on loopback.
func (p *Profile) hostRelay(address identity.Address) func(context.Context) (io.Closer, error) {
	return func(ctx context.Context) (io.Closer, error) {
		return relay.Start(ctx, relay.Config{
			Dir:        p.Paths.RelayDir,
			Listen:     net.JoinHostPort(address.Host, strconv.Itoa(int(address.Port))),
			TurnListen: net.JoinHostPort(address.Host, "0"),
			PublicIP:   netip.MustParseAddr("127.0.0.1"),
			Open:       true,
			Forward:    relay.ForwardOpen,
		})
	}
}
