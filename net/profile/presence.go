package profile

import (
	"sotto/net/identity"
	"sotto/settings"
)

// SetPresence lets a contact see that this person is here, if they let this person see
// the same, or takes that back. It is for contacts verified or not: what it shows, that
// somebody is here, a contact who calls hears too, and it is chosen for each by name.
func (p *Profile) SetPresence(name string, agreed bool) error {
	return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
		for i := range stored {
			if stored[i].Name == name && stored[i].Card != "" {
				stored[i].Presence.Agreed = agreed
				return stored, nil
			}
		}
		return nil, ErrNoContact
	})
}

// PresenceTold notes what a contact was told last of SetPresence.
func (p *Profile) PresenceTold(key identity.Key, agreed bool) error {
	return p.presence(key, func(known *settings.Presence) { known.Told = agreed })
}

// PresenceHeard notes what a contact has said of the same, and when by their relay, in
// Unix milliseconds.
func (p *Profile) PresenceHeard(key identity.Key, agreed bool, at int64) error {
	return p.presence(key, func(known *settings.Presence) { known.Theirs, known.At = agreed, at })
}

// presence changes what is known of one contact; where that says nothing new, no file is written.
func (p *Profile) presence(key identity.Key, edit func(*settings.Presence)) error {
	for _, contact := range p.Contacts() {
		known := contact.Presence
		if edit(&known); contact.Card.Key != key || known == contact.Presence {
			continue
		}
		return p.change(func(stored []settings.Contact) ([]settings.Contact, error) {
			for i := range stored {
				if stored[i].Key == key.String() {
					edit(&stored[i].Presence)
				}
			}
			return stored, nil
		})
	}
	return nil
}
