package profile

import (
	"encoding/hex"
	"strings"
	"time"
	"unicode/utf8"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

// Contacts are the people in the address book, cards parsed, in the order they
// were added. An entry whose card no longer parses is left out of calls.
func (p *Profile) Contacts() []call.Contact {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := stampOf(p.Paths.Contacts); p.book == nil || now != p.bookAt {
		stored, err := settings.LoadContacts(p.Paths.Contacts)
		if err != nil {
			return p.book
		}
		p.book, p.blocked, p.bookAt = parsed(stored), strangers(stored), now
	}
	return append([]call.Contact(nil), p.book...)
}

// LoadContacts is Contacts for a caller that wants to know when the file cannot be read.
func (p *Profile) LoadContacts() ([]call.Contact, error) {
	if _, err := settings.LoadContacts(p.Paths.Contacts); err != nil {
		return nil, err
	}
	return p.Contacts(), nil
}

// strangers are the blocked keys that belong to no contact.
func strangers(stored []settings.Contact) map[identity.Key]bool {
	blocked := make(map[identity.Key]bool)
	for _, entry := range stored {
		raw, err := hex.DecodeString(entry.Key)
		if key, bad := identity.ParseKey(raw); entry.Card == "" && entry.Blocked && err == nil && bad == nil {
			blocked[key] = true
		}
	}
	return blocked
}

func parsed(stored []settings.Contact) []call.Contact {
	book := make([]call.Contact, 0, len(stored))
	for _, entry := range stored {
		card, _, err := identity.ParseCard(entry.Card)
		if err != nil {
			continue
		}
		book = append(book, call.Contact{
			Name: entry.Name, Card: card, Verified: entry.Verified, Blocked: entry.Blocked, Ring: entry.Ring, Direct: entry.Direct, Reached: entry.Reached,
			Presence: entry.Presence,
		})
	}
	return book
}

// Find is the contact of that name. Where the address book cannot be read, that is
// the error: nobody can tell who is in it.
func (p *Profile) Find(name string) (call.Contact, error) {
	contacts, err := p.LoadContacts()
	for _, contact := range contacts {
		if contact.Name == name {
			return contact, nil
		}
	}
	if err != nil {
		return call.Contact{}, err
	}
	return call.Contact{}, ErrNoContact
}

// AddContact puts a card into the address book under name ("" takes the card's).
// The same person's newer card replaces the stored one; verified is never taken away.
func (p *Profile) AddContact(uri, name string, verified bool) (call.Contact, error) {
	// A card copied off a screen comes with the line breaks it was shown with; its
	// checksum tells whether the rest is right.
	card, signed, err := identity.ParseCard(strings.Join(strings.Fields(uri), ""))
	if err != nil {
		return call.Contact{}, err
	}
	if secrets, err := settings.LoadSecrets(p.Paths.Identity); err == nil && identity.FromSeed(secrets.Seed).Key() == card.Key {
		return call.Contact{}, ErrOwnCard
	}
	if name == "" {
		name = identity.CleanName(card.Name)
	}
	if err := checkName(name); err != nil {
		return call.Contact{}, err
	}
	var added settings.Contact
	err = p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i, entry := range stored {
			if entry.Key == card.Key.String() && entry.Card == "" { // a blocked stranger, now chosen
				stored[i].Name, stored[i].Card, stored[i].Verified, stored[i].Blocked = name, identity.URI(signed), verified, false
				added = stored[i]
				return stored, nil
			}
			switch sameKey, sameName := entry.Key == card.Key.String(), entry.Name == name; {
			case sameName && !sameKey:
				return nil, ErrOtherKey
			case sameKey && !sameName:
				return nil, ErrKeyTaken
			case sameKey:
				stored[i].Verified = entry.Verified || verified
				if old, _, err := identity.ParseCard(entry.Card); err != nil || card.Serial > old.Serial {
					stored[i].Card = identity.URI(signed)
				}
				added = stored[i]
				return stored, nil
			}
		}
		added = settings.Contact{Name: name, Card: identity.URI(signed), Key: card.Key.String(), Verified: verified, Added: time.Now().UTC().Truncate(time.Second)}
		return append(stored, added), nil
	})
	return call.Contact{Name: added.Name, Card: card, Verified: added.Verified, Blocked: added.Blocked, Reached: added.Reached}, err
}

func checkName(name string) error {
	if name == "" || utf8.RuneCountInString(name) > 64 || name != identity.CleanName(name) || strings.TrimSpace(name) != name ||
		strings.ContainsAny(name, ",") || strings.EqualFold(name, call.EchoName) || strings.HasPrefix(name, "sotto:") || strings.HasPrefix(name, "-") {
		return ErrBadName
	}
	return nil
}

// RenameContact gives a contact another name.
func (p *Profile) RenameContact(old, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		found := -1
		for i, entry := range stored {
			if entry.Name == name && old != name {
				return nil, ErrNameTaken
			}
			if entry.Name == old {
				found = i
			}
		}
		if found < 0 {
			return nil, ErrNoContact
		}
		stored[found].Name = name
		return stored, nil
	})
}

// RemoveContact forgets a contact.
func (p *Profile) RemoveContact(name string) error {
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i, entry := range stored {
			if entry.Name == name {
				return append(stored[:i], stored[i+1:]...), nil
			}
		}
		return nil, ErrNoContact
	})
}

// Mark changes a contact's verified and blocked marks; nil leaves one as it is.
func (p *Profile) Mark(name string, verified, blocked *bool) error {
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i := range stored {
			if stored[i].Name != name {
				continue
			}
			if stored[i].Card == "" { // a blocked stranger can only be let go
				if blocked == nil || *blocked {
					return nil, ErrNoContact
				}
				return append(stored[:i], stored[i+1:]...), nil
			}
			if verified != nil {
				stored[i].Verified, stored[i].Direct = *verified, stored[i].Direct && *verified
			}
			if blocked != nil {
				stored[i].Blocked = *blocked
			}
			return stored, nil
		}
		return nil, ErrNoContact
	})
}

// SetRing chooses what a contact's call does here: settings.RingDefault, RingSilence
// or RingAlways.
func (p *Profile) SetRing(name, ring string) error {
	switch ring {
	case settings.RingDefault:
		ring = ""
	case settings.RingSilence, settings.RingAlways:
	default:
		return ErrBadRing
	}
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i := range stored {
			if stored[i].Name == name && stored[i].Card != "" {
				stored[i].Ring = ring
				return stored, nil
			}
		}
		return nil, ErrNoContact
	})
}

// SetDirect agrees to direct calls with a verified contact, or takes that back.
func (p *Profile) SetDirect(name string, direct bool) error {
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i := range stored {
			if stored[i].Name != name || stored[i].Card == "" {
				continue
			}
			if direct && !stored[i].Verified {
				return nil, ErrUnverified
			}
			stored[i].Direct = direct
			return stored, nil
		}
		return nil, ErrNoContact
	})
}

// BlockCaller blocks the key of a caller who is no contact, as the history has it, or
// takes that back. A contact of that key is blocked or unblocked as such.
func (p *Profile) BlockCaller(key, name string, blocked bool) error {
	raw, err := hex.DecodeString(key)
	if err != nil {
		return ErrBadKey
	}
	if _, err := identity.ParseKey(raw); err != nil {
		return ErrBadKey
	}
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		taken := false
		for i, entry := range stored {
			taken = taken || entry.Name == name
			switch {
			case entry.Key != key:
			case entry.Card != "" || blocked:
				stored[i].Blocked = blocked
				return stored, nil
			default:
				return append(stored[:i], stored[i+1:]...), nil
			}
		}
		if !blocked {
			return nil, ErrNoContact
		}
		if name = identity.CleanName(name); name == "" || taken {
			name = "stranger " + key[:8]
		}
		return append(stored, settings.Contact{Name: name, Key: key, Blocked: true, Added: time.Now().UTC().Truncate(time.Second)}), nil
	})
}

// BlockedCallers are the strangers whose calls were blocked: their names as they gave
// them, by key.
func (p *Profile) BlockedCallers() (map[string]string, error) {
	stored, err := settings.LoadContacts(p.Paths.Contacts)
	if err != nil {
		return nil, err
	}
	callers := make(map[string]string)
	for _, entry := range stored {
		if entry.Card == "" && entry.Blocked {
			callers[entry.Key] = entry.Name
		}
	}
	return callers, nil
}

// Reached notes that a contact and this profile hold each other's cards, and
// keeps the newer card they sent in the call.
func (p *Profile) Reached(key identity.Key, newer []byte) error {
	known := false
	for _, contact := range p.Contacts() {
		if contact.Card.Key == key {
			known = true
			if contact.Reached && newer == nil {
				return nil
			}
		}
	}
	if !known {
		return nil
	}
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i, entry := range stored {
			if entry.Key != key.String() {
				continue
			}
			stored[i].Reached = true
			if newer != nil {
				card, err := identity.ParseCardBytes(newer)
				if old, _, stale := identity.ParseCard(entry.Card); err == nil && card.Key == key && (stale != nil || card.Serial > old.Serial) {
					stored[i].Card = identity.URI(newer)
				}
			}
		}
		return stored, nil
	})
}

// change reads, edits and writes the address book while no other process does.
func (p *Profile) change(edit func([]settings.Contact) ([]settings.Contact, error)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return settings.EditContacts(p.Paths.Contacts, edit)
}
