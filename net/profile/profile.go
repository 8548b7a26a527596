// Package profile is one person's profile in use: settings, identity and
// address book, parsed, checked and turned into what the call engine needs. It
// touches the disk only; nothing here opens a socket.
package profile

import (
	"errors"
	"os"
	"sync"
	"time"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/proxy"
	"sotto/net/relay"
	"sotto/settings"
	"sotto/settings/advice"
)

// LocalRelay is the relay.address that means: run a relay inside this process.
const LocalRelay = "local"

// Errors a caller branches on; each is a finished sentence.
var (
	ErrNoRelay    = advice.New("no relay is chosen", advice.ChooseRelay)
	ErrProxyHere  = advice.New("a relay on this machine reaches others without the proxy; choose another relay", advice.DropProxy)
	ErrNoContact  = call.ErrNoContact
	ErrOtherKey   = errors.New("this card has another key than the contact of that name: either they made a new profile, or somebody is posing as them; ask them in person, and remove the old contact first if it is right")
	ErrOwnCard    = errors.New("this is your own card; ask the other person for theirs")
	ErrNameTaken  = errors.New("another contact has that name already; choose a different one")
	ErrKeyTaken   = advice.New("this person is in your contacts already, under another name", advice.RenameContact)
	ErrBadName    = errors.New("a contact's name is at most 32 columns wide, without commas, invisible characters or spaces at its ends, does not begin with - or sotto: and is not echo")
	ErrBadRing    = errors.New("a contact's call rings by default, in silence or always; say one of default, silence and always")
	ErrUnverified = errors.New("direct calls are for verified contacts only: they learn your network address; compare the safety words in a call first, then verify them")
	ErrBadKey     = errors.New("this is not a caller's key: it has 64 hexadecimal digits, as sotto history --json shows it")
	ErrNoName     = errors.New("a name is needed that people can read: one or more visible letters")
)

// Profile is an open profile. Its methods may be called from any goroutine.
type Profile struct {
	Paths settings.Paths

	mu       sync.Mutex // guards the following
	good     settings.Settings
	book     []call.Contact
	blocked  map[identity.Key]bool // strangers; read with book, never changed
	bookAt   stamp
	knocks   *settings.Knocks // opened at the first knock
	goodAt   stamp
	goodRead bool
	goodErr  error // the mistake in the file, while it has one
}

// stamp tells whether a file changed since it was read.
type stamp struct {
	modified time.Time
	size     int64
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// Open finds the profile at home ("" is the account's own place). It need not be set up.
func Open(home string) (*Profile, error) {
	paths, err := settings.PathsFor(home)
	if err != nil {
		return nil, err
	}
	return &Profile{Paths: paths}, nil
}

// Choices are the answers of the first run.
type Choices struct {
	Name  string
	Relay string // LocalRelay, an address, or "" for none yet
	Calls bool
}

// IsSetUp reports whether the profile has an identity.
func (p *Profile) IsSetUp() bool {
	_, err := settings.LoadSecrets(p.Paths.Identity)
	return !errors.Is(err, settings.ErrNotSetUp)
}

// SetUp makes the identity, unless there is one, and writes the choices. An
// identity that exists is never replaced.
func (p *Profile) SetUp(choices Choices) error {
	name := identity.CleanName(choices.Name)
	if name == "" {
		return ErrNoName
	}
	if choices.Relay != "" && choices.Relay != LocalRelay {
		if _, err := identity.ParseAddress(choices.Relay); err != nil {
			return err
		}
	}
	if _, err := settings.LoadSecrets(p.Paths.Identity); errors.Is(err, settings.ErrNotSetUp) {
		if err := p.makeIdentity(); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	calls := "off"
	if choices.Calls {
		calls = "on"
	}
	for _, pair := range [][2]string{{"name", name}, {"relay.address", choices.Relay}, {"calls.enabled", calls}} {
		if err := settings.Set(p.Paths.Settings, pair[0], pair[1]); err != nil {
			return err
		}
	}
	return nil
}

func (p *Profile) makeIdentity() error {
	self, err := identity.New()
	if err != nil {
		return err
	}
	secrets := settings.Secrets{Seed: self.Seed(), CardSecret: newSecret(), RelayPort: localPort(self.Key())}
	return settings.SaveSecrets(p.Paths.Identity, secrets)
}

// localPort is where a relay on this machine listens: fixed per identity, since a
// card names it, and chosen without asking the network.
func localPort(key identity.Key) int {
	const first, span = 20000, 20000
	return first + (int(key[0])<<8|int(key[1]))%span
}

// Settings are the settings as they are on disk.
func (p *Profile) Settings() (settings.Settings, error) {
	return settings.Load(p.Paths.Settings)
}

// InForce are the settings that hold: those on disk or, with the mistake in the
// file as the error, the last ones that could be read.
func (p *Profile) InForce() (settings.Settings, error) {
	good := p.lastGood()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.goodRead {
		good = settings.Defaults()
	}
	return good, p.goodErr
}

// lastGood are the settings, or the last ones that could be read while the file has a mistake in it.
func (p *Profile) lastGood() settings.Settings {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := stampOf(p.Paths.Settings); !p.goodRead || p.goodErr != nil || now != p.goodAt {
		loaded, err := settings.Load(p.Paths.Settings)
		if err == nil {
			p.good, p.goodRead = loaded, true
		}
		p.goodErr = err
		p.goodAt = now
	}
	return p.good
}

// Get is one setting as text.
func (p *Profile) Get(key string) (string, error) {
	loaded, err := p.Settings()
	if err != nil {
		return "", err
	}
	return settings.Get(loaded, key)
}

// Set checks and writes one setting.
func (p *Profile) Set(key, value string) error {
	switch key {
	case "relay.address":
		if value != "" && value != LocalRelay {
			if _, err := identity.ParseAddress(value); err != nil {
				return err
			}
		}
	case "relay.proxy":
		if value != "" {
			if _, err := proxy.Parse(value); err != nil {
				return err
			}
		}
	case "name":
		if value = identity.CleanName(value); value == "" {
			return ErrNoName
		}
	}
	if err := settings.Set(p.Paths.Settings, key, value); err != nil || key != "calls.history" {
		return err
	}
	return p.TidyHistory()
}

// Address is the own relay's address. For a relay on this machine that is where it will listen.
func (p *Profile) Address() (identity.Address, error) {
	loaded, err := p.Settings()
	if err != nil {
		return identity.Address{}, err
	}
	switch loaded.Relay.Address {
	case "":
		if !p.IsSetUp() {
			return identity.Address{}, settings.ErrNotSetUp
		}
		return identity.Address{}, ErrNoRelay
	case LocalRelay:
		secrets, err := settings.LoadSecrets(p.Paths.Identity)
		if err != nil {
			return identity.Address{}, err
		}
		pin, err := relay.Pin(p.Paths.RelayDir)
		if err != nil {
			return identity.Address{}, err
		}
		return identity.Address{Host: "127.0.0.1", Port: uint16(secrets.RelayPort), Pin: pin, Pinned: true}, nil
	}
	return identity.ParseAddress(loaded.Relay.Address)
}

// Account is what the call engine needs to go on the own relay.
func (p *Profile) Account() (call.Account, error) {
	address, err := p.Address()
	if err != nil {
		return call.Account{}, err
	}
	return p.AccountAt(address)
}

// AccountAt is Account on a relay that is not in the settings, or not yet.
func (p *Profile) AccountAt(address identity.Address) (call.Account, error) {
	secrets, err := settings.LoadSecrets(p.Paths.Identity)
	if err != nil {
		return call.Account{}, err
	}
	loaded, err := p.Settings()
	if err != nil {
		return call.Account{}, err
	}
	_, card, err := p.cardAt(address)
	if err != nil {
		return call.Account{}, err
	}
	account := call.Account{
		Self: identity.FromSeed(secrets.Seed), Card: card, Relay: address, Admission: loaded.Relay.Admission,
	}
	if loaded.Relay.Address == LocalRelay {
		account.Host = p.hostRelay(address)
	}
	if loaded.Relay.Proxy == "" {
		return account, nil
	}
	through, err := proxy.Parse(loaded.Relay.Proxy)
	if err != nil {
		return call.Account{}, err
	}
	if account.Host != nil {
		return call.Account{}, ErrProxyHere // its own sockets would go past the proxy
	}
	account.Proxy, account.Dial = through.String(), through.Dial
	return account, nil
}

// Changed reports whether settings or contacts changed on disk since last was taken, and the new stamp.
func (p *Profile) Changed(last Stamp) (Stamp, bool) {
	now := Stamp{stampOf(p.Paths.Settings), stampOf(p.Paths.Contacts)}
	return now, now != last
}

// Stamp is a state of the profile's files.
type Stamp struct{ settings, contacts stamp }

// Policy is who may call, as the settings stand now.
func (p *Profile) Policy() call.Policy {
	loaded := p.lastGood()
	p.Contacts() // and with them the strangers that are blocked
	p.mu.Lock()
	defer p.mu.Unlock()
	return call.Policy{Blocked: p.blocked, Who: loaded.Calls.Who, Ringing: loaded.Calls.Ringing, Waiting: loaded.Calls.Waiting, Presence: loaded.Calls.Presence, Direct: loaded.Calls.Direct && loaded.Relay.Proxy == ""}
}

// Seen remembers a knock on disk and reports whether it was seen before.
func (p *Profile) Seen(id [16]byte, now time.Time) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.knocks == nil {
		knocks, err := settings.OpenKnocks(p.Paths.Knocks, now)
		if err != nil {
			return false, err
		}
		p.knocks = knocks
	}
	return p.knocks.Seen(id, now)
}

// Close lets go of what the profile holds open.
func (p *Profile) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.knocks == nil {
		return nil
	}
	err := p.knocks.Close()
	p.knocks = nil
	return err
}

var _ call.Book = (*Profile)(nil)
