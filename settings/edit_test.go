package settings

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// editorVariable makes a run of this test binary one more writer of the files it names.
const editorVariable = "SOTTO_TEST_EDITOR"

const editsOfEach = 20

// editTogether adds contacts and counts card serials, as several processes do.
func editTogether(folder, who string) error {
	for i := range editsOfEach {
		err := EditContacts(filepath.Join(folder, "contacts.json"), func(contacts []Contact) ([]Contact, error) {
			return append(contacts, contact(who+strconv.Itoa(i))), nil
		})
		if err != nil {
			return err
		}
		err = EditSecrets(filepath.Join(folder, "identity.json"), func(secrets Secrets) Secrets {
			secrets.CardSerial++
			return secrets
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func contact(name string) Contact {
	return Contact{Name: name, Card: "sotto:x", Key: fmt.Sprintf("%064x", 7), Added: time.Unix(1, 0).UTC()}
}

func TestProcessesThatEditAtOnceLoseNothing(t *testing.T) {
	if folder := os.Getenv(editorVariable); folder != "" {
		if err := editTogether(folder, strconv.Itoa(os.Getpid())+"-"); err != nil {
			t.Fatal(err)
		}
		return
	}
	folder := t.TempDir()
	if err := SaveSecrets(filepath.Join(folder, "identity.json"), Secrets{Seed: [32]byte{1}}); err != nil {
		t.Fatal(err)
	}
	const processes, goroutines = 3, 2
	var writers sync.WaitGroup
	for range processes {
		command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		command.Env = append(os.Environ(), editorVariable+"="+folder)
		writers.Go(func() {
			if output, err := command.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
	for i := range goroutines {
		writers.Go(func() {
			if err := editTogether(folder, fmt.Sprintf("goroutine %d, ", i)); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	contacts, err := LoadContacts(filepath.Join(folder, "contacts.json"))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, each := range contacts {
		names[each.Name] = true
	}
	if want := (processes + goroutines) * editsOfEach; len(contacts) != want || len(names) != want {
		t.Errorf("%d contacts with %d names, not %d", len(contacts), len(names), want)
	}
	secrets, err := LoadSecrets(filepath.Join(folder, "identity.json"))
	if want := uint32((processes + goroutines) * editsOfEach); err != nil || secrets.CardSerial != want {
		t.Errorf("the serial is %d, not %d: %v", secrets.CardSerial, want, err)
	}
}

func TestAnEditThatFailsWritesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "contacts.json")
	if err := SaveContacts(path, []Contact{contact("bob")}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := errors.New("refused")
	err = EditContacts(path, func(contacts []Contact) ([]Contact, error) {
		contacts[0].Name = "robert"
		return contacts, refused
	})
	if !errors.Is(err, refused) {
		t.Errorf("%v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
		t.Errorf("the file changed: %s, %v", after, err)
	}
	// The lock is free again, and a file that cannot be understood is left alone.
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	called := false
	if err := EditContacts(path, func(contacts []Contact) ([]Contact, error) { called = true; return contacts, nil }); err == nil || called {
		t.Errorf("a damaged file was edited: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != "{" {
		t.Errorf("a damaged file was replaced: %s, %v", after, err)
	}
}

func TestSecretsAreEditedOnlyWhereTheyAre(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "identity.json")
	if err := EditSecrets(path, func(s Secrets) Secrets { return s }); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an identity was made: %v", err)
	}
}
