package settings

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// These tests take passphrases that cost nothing; the program's are measured in
// BenchmarkUnlock.
func cheapPassphrases() { scryptWork = 2 }

var testSecrets = Secrets{Seed: [32]byte{1, 2, 3}, CardSecret: [32]byte{4, 5, 6}, CardSerial: 7, RelayPort: 20000}

var testContacts = []Contact{{Name: "bob", Card: "sotto:x", Key: "ee6d9c939a94ab4978449ac1358219fca2485e1a4e9b7eb62c6ae5f6f544e326"}}

// fullProfile is one of every private file.
func fullProfile(t *testing.T) Paths {
	t.Helper()
	cheapPassphrases()
	paths, err := PathsFor(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		SaveSecrets(paths.Identity, testSecrets), SaveContacts(paths.Contacts, testContacts),
		WritePrivate(paths.Card, []byte("sotto:card\n")), noteKnock(paths, 9),
		AddHistory(paths.History, KeepForever, HistoryEntry{ID: "1", Name: "bob"}, time.Now()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func noteKnock(paths Paths, id byte) error {
	knocks, err := OpenKnocks(paths.Knocks, time.Now())
	if err != nil {
		return err
	}
	_, err = knocks.Seen([16]byte{id}, time.Now())
	return errors.Join(err, knocks.Close())
}

// check reads everything back.
func check(t *testing.T, paths Paths) {
	t.Helper()
	secrets, err := LoadSecrets(paths.Identity)
	if err != nil || secrets != testSecrets {
		t.Fatalf("secrets: %v, %v", secrets, err)
	}
	contacts, err := LoadContacts(paths.Contacts)
	if err != nil || !reflect.DeepEqual(contacts, testContacts) {
		t.Fatalf("contacts: %v, %v", contacts, err)
	}
	card, err := ReadPrivate(paths.Card)
	if err != nil || string(card) != "sotto:card\n" {
		t.Fatalf("card: %q, %v", card, err)
	}
	calls, _, err := LoadHistory(paths.History, KeepForever, time.Now())
	if err != nil || len(calls) != 1 || calls[0].Name != "bob" {
		t.Fatalf("history: %v, %v", calls, err)
	}
	knocks, err := OpenKnocks(paths.Knocks, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if seen, err := knocks.Seen([16]byte{9}, time.Now()); !seen || err != nil {
		t.Fatalf("the knock is forgotten: %v", err)
	}
	if err := knocks.Close(); err != nil {
		t.Fatal(err)
	}
}

// restart forgets what this process unlocked.
func restart(paths Paths) { keepSeal(paths.Data, nil) }

func inClear(t *testing.T, paths Paths) (clear int) {
	t.Helper()
	for _, path := range paths.private() {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(data, sealedMagic) {
			clear++
		}
	}
	return clear
}

func TestPassphraseSealsEverything(t *testing.T) {
	paths := fullProfile(t)
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		t.Fatal(err)
	}
	if n := inClear(t, paths); n != 0 {
		t.Errorf("%d files are in clear", n)
	}
	check(t, paths)
	restart(paths)
	if !Sealed(paths) || !Locked(paths) {
		t.Fatal("not locked")
	}
	for _, err := range []error{
		second(LoadSecrets(paths.Identity)), second(LoadContacts(paths.Contacts)), second(ReadPrivate(paths.Card)),
		noteKnock(paths, 1), SaveContacts(paths.Contacts, nil), SaveSecrets(paths.Identity, Secrets{Seed: [32]byte{1}}),
	} {
		if !errors.Is(err, ErrLocked) {
			t.Errorf("a locked profile: %v", err)
		}
	}
	for _, wrong := range []string{"", "First passphrase", "first passphrase "} {
		if err := Unlock(paths, wrong); !errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if err := Unlock(paths, "first passphrase"); err != nil {
		t.Fatal(err)
	}
	check(t, paths)
	if err := noteKnock(paths, 10); err != nil {
		t.Fatal(err)
	}
	if n := inClear(t, paths); n != 0 {
		t.Errorf("%d files are in clear after writing", n)
	}
	check(t, paths)
}

func second[T any](_ T, err error) error { return err }

func TestPassphraseChangesAndGoes(t *testing.T) {
	paths := fullProfile(t)
	if err := SetPassphrase(paths, "", "short"); !errors.Is(err, ErrShortPassphrase) || Sealed(paths) {
		t.Fatalf("a short one: %v", err)
	}
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		t.Fatal(err)
	}
	before := fileBytes(t, paths.Identity)
	if err := SetPassphrase(paths, "wrong passphrase", "second passphrase"); !errors.Is(err, ErrWrongPassphrase) {
		t.Fatal(err)
	}
	if !bytes.Equal(before, fileBytes(t, paths.Identity)) {
		t.Error("a wrong passphrase changed something")
	}
	old := fileBytes(t, filepath.Join(paths.Data, sealName))
	if err := SetPassphrase(paths, "first passphrase", "second passphrase"); err != nil {
		t.Fatal(err)
	}
	check(t, paths)
	restart(paths)
	if err := Unlock(paths, "first passphrase"); !errors.Is(err, ErrWrongPassphrase) {
		t.Errorf("the old passphrase: %v", err)
	}
	if err := Unlock(paths, "second passphrase"); err != nil {
		t.Fatal(err)
	}
	// Whoever kept the old seal.age and learns the old passphrase opens nothing new.
	now := fileBytes(t, filepath.Join(paths.Data, sealName))
	if err := os.WriteFile(filepath.Join(paths.Data, sealName), old, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Unlock(paths, "first passphrase"); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadSecrets(paths.Identity); !errors.Is(err, errResealed) {
		t.Errorf("the old key opens what the new one sealed: %v", err)
	}
	if err := os.WriteFile(filepath.Join(paths.Data, sealName), now, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := SetPassphrase(paths, "second passphrase", ""); err != nil {
		t.Fatal(err)
	}
	if n := inClear(t, paths); n != len(paths.private()) || Sealed(paths) {
		t.Errorf("%d files are in clear", n)
	}
	check(t, paths)
}

func fileBytes(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestOldKeyWritesNoMore: a process that unlocked before the passphrase changed must
// not write what nobody could read.
func TestOldKeyWritesNoMore(t *testing.T) {
	paths := fullProfile(t)
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		t.Fatal(err)
	}
	stale := sealOf(paths.Data)
	for _, next := range []string{"second passphrase", ""} {
		last := map[string]string{"second passphrase": "first passphrase", "": "second passphrase"}[next]
		if err := SetPassphrase(paths, last, next); err != nil {
			t.Fatal(err)
		}
		fresh := sealOf(paths.Data)
		keepSeal(paths.Data, stale)
		if err := SaveContacts(paths.Contacts, nil); !errors.Is(err, errResealed) {
			t.Errorf("after a change to %q: %v", next, err)
		}
		keepSeal(paths.Data, fresh)
		check(t, paths)
	}
}

func TestMendSealsWhatLiesOpen(t *testing.T) {
	paths := fullProfile(t)
	plain := fileBytes(t, paths.Contacts)
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths.Contacts, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	check(t, paths)
	if err := Mend(paths); err != nil {
		t.Fatal(err)
	}
	if n := inClear(t, paths); n != 0 {
		t.Errorf("%d files are in clear", n)
	}
	check(t, paths)
}

func TestDamagedSeal(t *testing.T) {
	paths := fullProfile(t)
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(paths.Data, sealName)
	whole := fileBytes(t, path)
	for _, torn := range [][]byte{nil, whole[:len(whole)/2], []byte("nonsense"), append(bytes.Clone(whole[:len(whole)-1]), whole[len(whole)-1]^1)} {
		if err := os.WriteFile(path, torn, 0o600); err != nil {
			t.Fatal(err)
		}
		restart(paths)
		if err := Unlock(paths, "first passphrase"); err == nil || errors.Is(err, ErrWrongPassphrase) {
			t.Errorf("%d bytes: %v", len(torn), err)
		}
		if _, err := LoadSecrets(paths.Identity); !errors.Is(err, ErrLocked) {
			t.Errorf("%d bytes: %v", len(torn), err)
		}
	}
}

var testPassphrases = []string{"", "first passphrase", "second passphrase"}

// present finds the passphrase of a profile, -1 for none of them.
func present(paths Paths) int {
	if !Sealed(paths) {
		restart(paths)
		return 0
	}
	for i, passphrase := range testPassphrases[1:] {
		if Unlock(paths, passphrase) == nil {
			return i + 1
		}
	}
	return -1
}

// changePassphrases is a task of the process that gets killed.
func changePassphrases(home string) {
	cheapPassphrases()
	paths, err := PathsFor(home)
	report(err, "found")
	for n := 0; ; n++ {
		now := present(paths)
		if now < 0 {
			report(errors.New("no passphrase opens it"), "")
		}
		report(Mend(paths), "mended")
		next := (now + 1 + n%2) % len(testPassphrases)
		report(SetPassphrase(paths, testPassphrases[now], testPassphrases[next]), "set")
	}
}

func TestPassphraseSurvivesKills(t *testing.T) {
	paths := fullProfile(t)
	for round := range 20 {
		killed(t, "passphrase", paths.Home, time.Duration(round)*1300*time.Microsecond)
		if present(paths) < 0 {
			t.Fatal("no passphrase opens the profile")
		}
		check(t, paths)
	}
}

func BenchmarkUnlock(b *testing.B) {
	paths, err := PathsFor(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	if err := SaveSecrets(paths.Identity, testSecrets); err != nil {
		b.Fatal(err)
	}
	if err := SetPassphrase(paths, "", "first passphrase"); err != nil {
		b.Fatal(err)
	}
	b.Run("unlock", func(b *testing.B) {
		for b.Loop() {
			if err := Unlock(paths, "first passphrase"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			if err := SaveSecrets(paths.Identity, testSecrets); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("load", func(b *testing.B) {
		for b.Loop() {
			if _, err := LoadSecrets(paths.Identity); err != nil {
				b.Fatal(err)
			}
		}
	})
}
