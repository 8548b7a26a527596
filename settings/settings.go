package settings

import (
	"errors"
	"io/fs"
	"os"
)

// Who says whose calls may ring.
type Who string

const (
	Nobody   Who = "nobody"   // no call rings
	Verified Who = "verified" // contacts whose keys were compared
	Contacts Who = "contacts" // all contacts
	Anyone   Who = "anyone"   // whoever has the card
)

// Settings is what a person chose. The zero value is not the default: see Defaults.
type Settings struct {
	Name  string // shown to people who get the card
	Calls struct {
		Enabled  bool // calls can be made and received
		Who      Who  // whose calls ring
		Ringing  bool // contacts who call are told that it rings
		History  Keep // for how long calls stay in the history
		Waiting  bool // a contact's call waits while another is talking
		Direct   bool // calls may leave the relays, with contacts for whom that is chosen too
		Presence bool // contacts for whom that is chosen see that the person is here, and the other way round
	}
	Relay struct {
		Address   string // "" none, "local" on this machine, or "host[:port][#pin]"
		Proxy     string // "" none, or "socks5://address:port"
		Admission string // token of a relay that asks for one, or ""
	}
	Sound struct {
		Mic, Speaker string // "default", "device:NAME", "null", "tone[:HZ]", "file:PATH.wav"
		Ring         string // where an incoming call rings: as Speaker, "" for the same as Speaker
		Talk         string // "open", or "push": the microphone is closed until a key is held

		Echo, Noise, Gain, HighPass string // what is done to the microphone's sound: "auto" or "off"
	}
	Look struct {
		Colour string // "auto", "16" or "none"
		Glyphs string // "auto", "ascii" or "unicode"
		Keys   string // "action=key, …", checked by the screens; "" for the program's own
		Mouse  bool
		Notify string // "off", "bell" or "full"
	}
}

// RelayLocal is the relay address that means "run one on this machine".
const RelayLocal = "local"

// Defaults gives the settings of a profile without a settings file: everything off.
func Defaults() Settings {
	var s Settings
	for _, key := range keys {
		if err := key.put(&s, key.Default); err != nil {
			panic(err) // the table's defaults are tested
		}
	}
	return s
}

// Load reads a settings file; one that is not there gives the defaults. Errors
// name the line and the mend.
func Load(path string) (Settings, error) {
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Defaults(), nil
	}
	if err != nil {
		return Settings{}, err
	}
	document, err := parse(path, data)
	if err != nil {
		return Settings{}, err
	}
	return document.settings, nil
}

func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, explainRead(path, err)
	}
	return data, nil
}

// Get gives one setting as text; switches are "on" or "off".
func Get(s Settings, name string) (string, error) {
	key, err := find(name)
	if err != nil {
		return "", err
	}
	return key.get(&s), nil
}

// Create writes the commented default file if there is none.
func Create(path string) error {
	if _, err := readFile(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return WriteFile(path, DefaultFile())
}

// Set changes one setting in the file and leaves every other letter of it alone:
// comments, order, spacing. Without a file it writes the commented default first.
// A value that is refused changes nothing. Several processes may do it at once.
func Set(path, name, value string) error {
	key, err := find(name)
	if err != nil {
		return err
	}
	return alone(path, func() error {
		data, err := readFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			data, err = DefaultFile(), nil
		}
		if err != nil {
			return err
		}
		edited, err := edit(path, data, key, value)
		if err != nil {
			return err
		}
		return WriteFile(path, edited)
	})
}
