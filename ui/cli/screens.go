package cli

import (
	"context"
	"strings"
	"time"

	"sotto/audio/open"
	"sotto/net/call"
	"sotto/net/profile"
	"sotto/settings"
	"sotto/ui/tui"
)

// screens is the app as the interface sees it.
type screens struct{ *app }

var _ tui.Profile = screens{}

func (s screens) IsSetUp() bool       { return s.profile.IsSetUp() }
func (s screens) DefaultName() string { return accountName() }

func (s screens) SetUp(choices tui.Choices) error {
	if err := s.profile.SetUp(profile.Choices{Name: choices.Name, Relay: choices.Relay, Calls: choices.Calls}); err != nil {
		return err
	}
	return s.apply()
}

func (s screens) Get(key string) (string, error) { return s.profile.Get(key) }

func (s screens) Settings() (map[string]string, error) {
	inForce, mistake := s.profile.InForce()
	values := make(map[string]string)
	for _, key := range settings.Keys() {
		value, err := settings.Get(inForce, key.Name)
		if err != nil {
			return nil, err
		}
		values[key.Name] = value
	}
	return values, mistake
}

func (s screens) Changes() <-chan struct{} { return s.changes }

func (s screens) Set(key, value string) error {
	if key == "calls.enabled" && value == "on" {
		if _, err := s.profile.Address(); err != nil {
			return err
		}
	}
	if err := s.profile.Set(key, value); err != nil {
		return err
	}
	if key == "calls.enabled" || key == "name" || strings.HasPrefix(key, "relay.") {
		return s.apply()
	}
	if key == "sound.mic" || key == "sound.speaker" {
		return s.followDevices()
	}
	s.engine.PolicyChanged()
	return nil
}

func (s screens) Contacts() ([]tui.Contact, error) {
	contacts, err := s.profile.LoadContacts()
	if err != nil {
		return nil, err
	}
	shown := make([]tui.Contact, 0, len(contacts))
	for _, contact := range contacts {
		shown = append(shown, tui.Contact{Name: contact.Name, Key: contact.Card.Key.String(), Ring: contact.Ring, Verified: contact.Verified, Blocked: contact.Blocked, Direct: contact.Direct, Presence: contact.Presence})
	}
	return shown, nil
}

func (s screens) AddContact(card, name string) (string, error) {
	added, err := s.profile.AddContact(card, name, false)
	if err != nil {
		return "", err
	}
	s.engine.PolicyChanged()
	return added.Name, nil
}

func (s screens) RenameContact(old, name string) error {
	defer s.engine.PolicyChanged()
	return s.profile.RenameContact(old, name)
}

func (s screens) VerifyContact(name string, verified bool) error {
	defer s.engine.PolicyChanged()
	return s.profile.Mark(name, &verified, nil)
}

func (s screens) BlockContact(name string, blocked bool) error {
	defer s.engine.PolicyChanged()
	return s.profile.Mark(name, nil, &blocked)
}

// History are the calls that are over, newest first, and when the person last looked.
func (s screens) History() (calls []settings.HistoryEntry, looked time.Time, err error) {
	calls, looked, err = s.profile.History()
	for n := range calls {
		calls[n].Why = onScreens(calls[n].Why)
	}
	return calls, looked, err
}

// LookAtHistory notes that they look now.
func (s screens) LookAtHistory() error { return s.profile.LookAtHistory() }

// ForgetHistory deletes them.
func (s screens) ForgetHistory() error { return s.profile.ForgetHistory() }

// SetContactRing chooses what a contact's call does here: default, silence or always.
func (s screens) SetContactRing(name, ring string) error {
	defer s.engine.PolicyChanged()
	return s.profile.SetRing(name, ring)
}

// SetContactDirect agrees to direct calls with a verified contact, or takes that back.
func (s screens) SetContactDirect(name string, direct bool) error {
	defer s.engine.PolicyChanged()
	return s.profile.SetDirect(name, direct)
}

// SetContactPresence lets a contact see that the person is here, if they let the person
// see the same, or takes that back.
func (s screens) SetContactPresence(name string, agreed bool) error {
	defer s.engine.PolicyChanged()
	return s.profile.SetPresence(name, agreed)
}

// AddressSeen is the network address that a direct call would show to the other side.
func (s screens) AddressSeen(ctx context.Context) (string, error) {
	account, err := s.profile.Account()
	if err != nil {
		return "", err
	}
	address, err := call.AddressSeen(ctx, account, call.Network{})
	if err != nil {
		return "", err
	}
	return address.String(), nil
}

// BlockCaller blocks or unblocks somebody who called, by their key as the history has it.
func (s screens) BlockCaller(key, name string, blocked bool) error {
	defer s.engine.PolicyChanged()
	return s.profile.BlockCaller(key, name, blocked)
}

func (s screens) RemoveContact(name string) error {
	defer s.engine.PolicyChanged()
	return s.profile.RemoveContact(name)
}

func (s screens) Card() (string, error) { return s.profile.Card() }

// Devices lists the microphones and speakers there are.
func (s screens) Devices() ([]open.Described, error) { return open.List() }

// Microphone gives the level of what words mean, in dBFS, ten times a second until
// ctx ends; "" is the microphone that a call would use.
func (s screens) Microphone(ctx context.Context, words string) (<-chan float64, error) {
	if words == "" {
		words, _ = s.sound()
	}
	return open.Levels(ctx, words)
}
