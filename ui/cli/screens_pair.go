package cli

import (
	"context"
	"time"

	spoken "sotto/net/pair"
	"sotto/net/profile"
)

// Invite shows a code and waits until somebody uses it; it returns the name they
// are kept under.
func (s screens) Invite(ctx context.Context, onCode func(code string)) (name string, err error) {
	return s.addByCode(ctx, "", func(ctx context.Context, b pairing) error {
		return spoken.Invite(ctx, b.config, func(code spoken.Code, _ time.Time) { onCode(code.String()) })
	})
}

// Join uses a code and returns the name the other person is kept under.
func (s screens) Join(ctx context.Context, code, name string) (kept string, err error) {
	if err := profile.CheckName(name); err != nil {
		return "", err
	}
	parsed, err := spoken.ParseCode(code)
	if err != nil {
		return "", err
	}
	return s.addByCode(ctx, name, func(ctx context.Context, b pairing) error {
		return b.join(ctx, parsed)
	})
}

func (s screens) addByCode(ctx context.Context, name string, add func(context.Context, pairing) error) (string, error) {
	account, err := s.profile.Account()
	if err != nil {
		return "", err
	}
	// With calling on, the engine runs the relay on this machine already.
	if calls, err := s.profile.Get("calls.enabled"); account.Host != nil && (err != nil || calls != "on") {
		host, err := account.Host(ctx)
		if err != nil {
			return "", err
		}
		defer func() { _ = host.Close() }()
	}
	prepared := s.pairing(account, name)
	if err := add(ctx, prepared); err != nil {
		return "", err
	}
	s.engine.PolicyChanged()
	return *prepared.kept, nil
}

// Sealed, Locked, Unlock and SetPassphrase are the profile's. The interface starts unlocked;
// what it changes is asked for when Sotto starts next.
func (s screens) Sealed() bool                   { return s.profile.Sealed() }
func (s screens) Locked() bool                   { return s.profile.Locked() }
func (s screens) Unlock(passphrase string) error { return s.profile.Unlock(passphrase) }

func (s screens) SetPassphrase(old, new string) error {
	if err := s.profile.SetPassphrase(old, new); err != nil {
		return err
	}
	// A passphrase that the system's keyring holds is the old one now.
	if kept, err := fromKeyring(s.profile); err == nil && kept != "" {
		toKeyring(s.profile, new)
	}
	return nil
}
