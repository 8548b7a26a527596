package settings

import (
	"errors"
	"path/filepath"

	"github.com/adrg/xdg"
)

// Paths says where the parts of one profile live. All paths are absolute.
type Paths struct {
	Home     string // the folder given to PathsFor, or ""
	Data     string // folder of everything but the settings
	Settings string // settings.toml
	Identity string // identity.json
	Contacts string // contacts.json
	Knocks   string // knocks
	History  string // history.json
	Card     string // card: the one given out last
	Lock     string // lock
	RelayDir string // folder of a relay on this machine
}

// PathsFor lays out a profile, without touching the disk. With home everything is
// under that folder; without, under the XDG folders for configuration and data.
func PathsFor(home string) (Paths, error) {
	config, data := home, home
	if home == "" {
		xdg.Reload() // the variables may have changed since the program started
		config, data = filepath.Join(xdg.ConfigHome, "sotto"), filepath.Join(xdg.DataHome, "sotto")
		if !filepath.IsAbs(config) || !filepath.IsAbs(data) {
			return Paths{}, errors.New("no home folder is known for this account: say where the profile shall be with --home DIR")
		}
	} else {
		absolute, err := filepath.Abs(home)
		if err != nil {
			return Paths{}, err
		}
		home, config, data = absolute, absolute, absolute
	}
	return Paths{
		Home:     home,
		Data:     data,
		Settings: filepath.Join(config, "settings.toml"),
		Identity: filepath.Join(data, "identity.json"),
		Contacts: filepath.Join(data, "contacts.json"),
		Knocks:   filepath.Join(data, "knocks"),
		History:  filepath.Join(data, "history.json"),
		Card:     filepath.Join(data, "card"),
		Lock:     filepath.Join(data, "lock"),
		RelayDir: filepath.Join(data, "relay"),
	}, nil
}

// private are the files that a passphrase seals. Every file that readPrivate and
// writePrivate are used for must be here: what is not would be lost when the
// passphrase is taken off.
func (p Paths) private() []string {
	return []string{p.Identity, p.Contacts, p.Knocks, p.History, p.Card}
}
