package profile

import "sotto/settings"

// Sealed tells whether a passphrase is set.
func (p *Profile) Sealed() bool { return settings.Sealed(p.Paths) }

// Locked tells whether the profile has a passphrase that was not given yet. Until
// Unlock, whatever reads identity or contacts fails with settings.ErrLocked.
func (p *Profile) Locked() bool { return settings.Locked(p.Paths) }

// Unlock opens the profile for the rest of this process; it takes about a second.
func (p *Profile) Unlock(passphrase string) error { return settings.Unlock(p.Paths, passphrase) }

// SetPassphrase changes the passphrase from old to new; "" is none. The process must
// own the profile. Killed at any instant, the profile opens with one of the two.
func (p *Profile) SetPassphrase(old, new string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return settings.SetPassphrase(p.Paths, old, new)
}
