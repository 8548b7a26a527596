package profile

import (
	"errors"
	"time"

	"sotto/net/identity"
	"sotto/settings"
)

// CheckName refuses what no contact can be called; "" is fine and takes the card's name.
func CheckName(name string) error {
	if name == "" {
		return nil
	}
	return checkName(name)
}

// CheckPaired tells whether KeepPaired would keep a card, without changing anything.
func (p *Profile) CheckPaired(signed []byte, name string) error {
	stored, err := settings.LoadContacts(p.Paths.Contacts)
	if err != nil {
		return err
	}
	_, _, err = p.paired(stored, signed, name)
	return err
}

// KeepPaired puts the card of somebody this person added by a spoken code among the
// verified contacts, under name ("" takes the card's), and gives the name it is
// kept under: somebody who is a contact already keeps theirs.
func (p *Profile) KeepPaired(signed []byte, name string) (kept string, err error) {
	err = p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		changed, name, err := p.paired(stored, signed, name)
		kept = name
		return changed, err
	})
	return kept, err
}

// paired is the address book with that card in it.
func (p *Profile) paired(stored []settings.Contact, signed []byte, name string) ([]settings.Contact, string, error) {
	card, err := identity.ParseCardBytes(signed)
	if err != nil {
		return nil, "", err
	}
	if secrets, err := settings.LoadSecrets(p.Paths.Identity); err == nil && identity.FromSeed(secrets.Seed).Key() == card.Key {
		return nil, "", ErrOwnCard
	}
	if name == "" {
		name = card.Name
	}
	known := -1
	for i, entry := range stored {
		switch sameKey, sameName := entry.Key == card.Key.String(), entry.Name == name; {
		case sameName && !sameKey:
			return nil, "", ErrOtherKey
		case sameKey:
			known = i
		}
	}
	if known >= 0 {
		entry := &stored[known]
		if entry.Card == "" { // a caller who was blocked by key, and now chosen
			if err := checkName(name); err != nil {
				return nil, "", err
			}
			entry.Name, entry.Blocked = name, false
		}
		entry.Verified, entry.Reached = true, true
		if old, _, err := identity.ParseCard(entry.Card); err != nil || card.Serial > old.Serial {
			entry.Card = identity.URI(signed)
		}
		return stored, entry.Name, nil
	}
	if err := checkName(name); err != nil {
		return nil, "", err
	}
	return append(stored, settings.Contact{
		Name: name, Card: identity.URI(signed), Key: card.Key.String(), Verified: true, Reached: true,
		Added: time.Now().UTC().Truncate(time.Second),
	}), name, nil
}

// IsOtherKey tells whether an error means that a card has another key than the
// contact of its name.
func IsOtherKey(err error) bool { return errors.Is(err, ErrOtherKey) }
