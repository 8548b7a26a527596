package settings

import (
	"errors"
	"io/fs"
	"time"
)

// What a contact's call does here, whatever calls.who says of everybody.
const (
	RingDefault = "default" // as calls.who says; "" in the file
	RingSilence = "silence" // it rings without a sound
	RingAlways  = "always"  // it rings also where calls.who would not let it, except for nobody
)

// Contact is a person in the address book, or, without a card, a stranger who called
// and was blocked.
type Contact struct {
	Name     string    `json:"name"`
	Card     string    `json:"card"`     // their newest card, a sotto: URI; "" for a blocked stranger
	Key      string    `json:"key"`      // their identity key, 64 hexadecimal digits
	Verified bool      `json:"verified"` // keys were compared
	Blocked  bool      `json:"blocked"`
	Ring     string    `json:"ring,omitempty"`   // RingSilence, RingAlways, or "" for RingDefault
	Direct   bool      `json:"direct,omitempty"` // direct calls with them are agreed to
	Reached  bool      `json:"reached"`          // a call went through once, so both hold each other's card
	Presence Presence  `json:"presence,omitzero"`
	Added    time.Time `json:"added"`
}

// Presence is what two contacts have said of seeing that the other is here.
type Presence struct {
	Agreed bool  `json:"agreed"` // this person lets them see it
	Told   bool  `json:"told"`   // they have been told so, and not the contrary since
	Theirs bool  `json:"theirs"` // they have said the same to this person
	At     int64 `json:"at"`     // when they said the latest, Unix milliseconds by their relay
}

type contactsFile struct {
	Version  int       `json:"version"`
	Contacts []Contact `json:"contacts"`
}

// LoadContacts reads the address book in the order it was saved; without a file it
// is empty.
func LoadContacts(path string) ([]Contact, error) {
	data, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var file contactsFile
	if err := unmarshal(path, data, &file); err != nil {
		return nil, err
	}
	for _, contact := range file.Contacts {
		var key [32]byte
		if contact.Name == "" || !decodeHex(&key, contact.Key) || contact.Ring != "" && contact.Ring != RingSilence && contact.Ring != RingAlways {
			return nil, damaged(path)
		}
	}
	return file.Contacts, nil
}

// SaveContacts replaces the address book.
func SaveContacts(path string, contacts []Contact) error {
	if contacts == nil {
		contacts = []Contact{}
	}
	return save(path, contactsFile{Version: fileVersion, Contacts: contacts})
}
