package settings

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// EditContacts reads the address book, lets edit change it, and writes it. A lock
// beside the file keeps every other process out meanwhile: contacts are added
// beside a running Sotto, which itself notes who was reached. When edit fails
// nothing is written and its error comes back.
func EditContacts(path string, edit func([]Contact) ([]Contact, error)) error {
	return alone(path, func() error {
		contacts, err := LoadContacts(path)
		if err != nil {
			return err
		}
		if contacts, err = edit(contacts); err != nil {
			return err
		}
		return SaveContacts(path, contacts)
	})
}

// EditSecrets does the same with an identity file that exists; without one it is
// ErrNotSetUp. A card is made beside a running Sotto, which may renew it.
func EditSecrets(path string, edit func(Secrets) Secrets) error {
	return alone(path, func() error {
		secrets, err := LoadSecrets(path)
		if err != nil {
			return err
		}
		return SaveSecrets(path, edit(secrets))
	})
}

// alone does something to a file while no other caller of alone does.
func alone(path string, do func() error) error {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return explainWrite(path, err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return explainWrite(path, err)
	}
	defer lock.Close()
	return do()
}
