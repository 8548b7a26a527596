package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"
	"github.com/zalando/go-keyring"

	"sotto/net/profile"
	"sotto/settings"
)

const (
	// passphraseFile names a file with the passphrase, for machines without a person.
	passphraseFile = "SOTTO_PASSPHRASE_FILE"

	keyringService = "sotto"

	// keyringPatience is how long the system's keyring may take, which may itself ask
	// the person something, before it counts as absent.
	keyringPatience = 20 * time.Second

	tries = 3
)

// unlock opens a profile that has a passphrase: from the file that the environment
// names, else from the system's keyring, else by asking.
func (p *program) unlock(opened *profile.Profile) error {
	if !opened.Locked() {
		return nil
	}
	if path := os.Getenv(passphraseFile); path != "" {
		passphrase, err := readPassphrase(path)
		if err != nil {
			return err
		}
		if err := opened.Unlock(passphrase); err != nil {
			return fmt.Errorf("%s, named by %s: %w", path, passphraseFile, err)
		}
		return nil
	}
	if passphrase, err := fromKeyring(opened); err == nil && passphrase != "" {
		if err := opened.Unlock(passphrase); !errors.Is(err, settings.ErrWrongPassphrase) {
			return err
		}
	}
	if !term.IsTerminal(p.stdin.Fd()) {
		return fmt.Errorf("%w; there is no terminal to ask for it on, so put it in a file that only you can read and name that file in %s", settings.ErrLocked, passphraseFile)
	}
	for try := 1; ; try++ {
		passphrase, err := p.askPassphrase("Passphrase of this profile: ")
		if err != nil {
			return err
		}
		if err := opened.Unlock(passphrase); !errors.Is(err, settings.ErrWrongPassphrase) || try == tries {
			return err
		}
		fmt.Fprintln(p.stderr, "That is not it.")
	}
}

// readPassphrase reads a file's text without the line break at its end.
func readPassphrase(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("the passphrase cannot be read: %w; check the path and its rights", err)
	}
	defer clear(data)
	return strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r"), nil
}

// askPassphrase asks without showing what is typed, from the first letter on: the
// terminal falls silent before the question is there.
func (p *program) askPassphrase(question string) (string, error) {
	state, err := term.MakeRaw(p.stdin.Fd())
	if err != nil {
		return "", fmt.Errorf("the terminal cannot be kept from showing the passphrase: %w; name a file with it in %s", err, passphraseFile)
	}
	fmt.Fprint(p.stderr, question)
	typed, err := term.ReadPassword(p.stdin.Fd())
	_ = term.Restore(p.stdin.Fd(), state)
	fmt.Fprintln(p.stderr)
	if err != nil {
		return "", fmt.Errorf("no passphrase was typed, so the profile stays locked; run the command again")
	}
	defer clear(typed)
	return string(typed), nil
}

// hasKeyring tells whether there is one to ask. Without a session bus the library
// would try to start one.
func hasKeyring() bool {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" || os.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return true
	}
	_, err := os.Stat(filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "bus"))
	return os.Getenv("XDG_RUNTIME_DIR") != "" && err == nil
}

// patiently bounds a question to the keyring; what hangs ends with the process.
func patiently(ask func() (string, error)) (string, error) {
	if !hasKeyring() {
		return "", keyring.ErrUnsupportedPlatform
	}
	type answer struct {
		text string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		text, err := ask()
		answers <- answer{text, err}
	}()
	select {
	case a := <-answers:
		return a.text, a.err
	case <-time.After(keyringPatience):
		return "", errors.New("the system's keyring does not answer")
	}
}

func fromKeyring(opened *profile.Profile) (string, error) {
	return patiently(func() (string, error) { return keyring.Get(keyringService, opened.Paths.Data) })
}

// toKeyring keeps the passphrase in the system's keyring and reads it back; "" takes
// it out.
func toKeyring(opened *profile.Profile, passphrase string) bool {
	kept, err := patiently(func() (string, error) {
		if passphrase == "" {
			return "", keyring.Delete(keyringService, opened.Paths.Data)
		}
		if err := keyring.Set(keyringService, opened.Paths.Data, passphrase); err != nil {
			return "", err
		}
		return keyring.Get(keyringService, opened.Paths.Data)
	})
	return err == nil && passphrase != "" && kept == passphrase
}

func (p *program) passphraseCommand() *cobra.Command {
	var file, ring string
	var remove bool
	command := &cobra.Command{
		Use:   "passphrase",
		Short: "Lock the profile with a passphrase, change it, or take it off",
		Long: "Seals identity, contacts, history, calls already seen and the card with age under a passphrase. It is asked for when\n" +
			"Sotto starts, or kept in the system's keyring where there is one, or read from the file that " + passphraseFile + "\n" +
			"names. The settings file and the key of a relay on this machine are not sealed. There is no way back without it.",
		Example: "  sotto settings passphrase\n  sotto settings passphrase --file new.txt --keyring off\n  sotto settings passphrase --remove",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			switch {
			case ring != "auto" && ring != "off":
				return usage("--keyring takes auto or off, not %q", ring)
			case remove && file != "":
				return usage("--remove takes the passphrase off, so --file has no meaning beside it")
			}
			return p.changePassphrase(file, remove, ring == "auto")
		},
	}
	flags := command.Flags()
	flags.StringVar(&file, "file", "", "read the new passphrase from this file instead of asking")
	flags.StringVar(&ring, "keyring", "auto", "auto: keep it in the system's keyring if there is one; off: ask for it each time")
	flags.BoolVar(&remove, "remove", false, "take the passphrase off")
	return command
}

func (p *program) changePassphrase(file string, remove, ring bool) error {
	owned, err := p.ownLocked()
	if err != nil {
		return err
	}
	defer owned.release()
	old, err := p.presentPassphrase(owned.profile)
	if err != nil {
		return err
	}
	fresh, err := p.newPassphrase(file, remove)
	if err != nil {
		return err
	}
	if err := owned.profile.SetPassphrase(old, fresh); err != nil {
		return err
	}
	if !ring {
		toKeyring(owned.profile, "")
	}
	kept := ring && toKeyring(owned.profile, fresh)
	switch {
	case p.json:
		p.emit(struct {
			header
			Sealed  bool `json:"sealed"`
			Keyring bool `json:"keyring"`
		}{now("passphrase.set"), fresh != "", kept})
	case remove:
		p.say("This profile has no passphrase any more: whoever reads its files has your identity.")
	case kept:
		p.say("This profile is sealed. The passphrase is in the system's keyring, which opens it while you are logged in.")
	default:
		p.say("This profile is sealed. Sotto asks for the passphrase when it starts.")
	}
	return nil
}

// presentPassphrase is the one that is set now, as unlock would find it; "" if none is.
func (p *program) presentPassphrase(opened *profile.Profile) (string, error) {
	if !opened.Sealed() {
		return "", nil
	}
	if path := os.Getenv(passphraseFile); path != "" {
		return readPassphrase(path)
	}
	if passphrase, err := fromKeyring(opened); err == nil && opened.Unlock(passphrase) == nil {
		return passphrase, nil
	}
	if !term.IsTerminal(p.stdin.Fd()) {
		return "", usage("there is no terminal to ask for the present passphrase on; name a file with it in %s", passphraseFile)
	}
	return p.askPassphrase("Present passphrase: ")
}

func (p *program) newPassphrase(file string, remove bool) (string, error) {
	switch {
	case remove:
		return "", nil
	case file != "":
		fresh, err := readPassphrase(file)
		if err == nil && fresh == "" {
			return "", settings.ErrShortPassphrase
		}
		return fresh, err
	case !term.IsTerminal(p.stdin.Fd()):
		return "", usage("there is no terminal to ask for a new passphrase on; give a file with it as --file")
	}
	fresh, err := p.askPassphrase("New passphrase: ")
	if err != nil {
		return "", err
	}
	again, err := p.askPassphrase("The same again: ")
	if err != nil {
		return "", err
	}
	if fresh != again {
		return "", usage("the two were not the same, so nothing was changed; run the command again")
	}
	if fresh == "" {
		return "", settings.ErrShortPassphrase
	}
	return fresh, nil
}
