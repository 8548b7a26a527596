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
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return explainWrite(path, err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(fileMode))
	if err := lock.Lock(); err != nil {
		return explainWrite(path, err)
	}
	defer lock.Close()
	contacts, err := LoadContacts(path)
	if err != nil {
		return err
	}
	if contacts, err = edit(contacts); err != nil {
		return err
	}
	return SaveContacts(path, contacts)
}
