package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"filippo.io/age"
)

// At rest: with a passphrase set, every private file of a profile is an age file
// (age-encryption.org/v1) to one post-quantum hybrid key, and seal.age holds that
// key under the passphrase (scrypt). The slow step is done once a process, saving
// costs a millisecond, and a passphrase is changed by steps each of which leaves a
// profile that opens:
//
//	set, change   seal.age ← new key, and the old one; every file ← new key; seal.age ← new key
//	remove        seal.age ← the same key, written anew; every file in clear; no seal.age
//
// After a kill in between, files in clear, under the old and under the new key lie
// side by side, all of which open with what seal.age holds; Mend ends what was begun.
// A process that unlocked the profile before seal.age changed no longer writes.

const (
	sealName = "seal.age"

	minPassphrase = 8 // letters
)

// scryptWork is the cost of one guess at a passphrase: 2^18, about a second and 256
// MiB. Tests that do not measure it lower it.
var scryptWork = 18

var sealedMagic = []byte("age-encryption.org/v1\n")

// Each is a finished sentence.
var (
	ErrLocked          = errors.New("this profile is locked with a passphrase, which was not given")
	ErrWrongPassphrase = errors.New("that is not this profile's passphrase; nothing was changed, try again")
	ErrShortPassphrase = fmt.Errorf("a passphrase has at least %d letters; choose a longer one", minPassphrase)
	errResealed        = errors.New("this profile's passphrase was changed by another Sotto meanwhile; start again")
)

// seal is what a process that knows the passphrase holds.
type seal struct {
	keys []*age.HybridIdentity // the first seals, all open
	at   fs.FileInfo           // of seal.age, when they were read
}

// seals are the unlocked profiles of this process, by the folder of their data.
var seals struct {
	mu sync.Mutex // guards the following
	by map[string]*seal
}

func sealOf(folder string) *seal {
	seals.mu.Lock()
	defer seals.mu.Unlock()
	return seals.by[folder]
}

func keepSeal(folder string, s *seal) {
	seals.mu.Lock()
	defer seals.mu.Unlock()
	if seals.by == nil {
		seals.by = make(map[string]*seal)
	}
	if s == nil {
		delete(seals.by, folder)
		return
	}
	seals.by[folder] = s
}

// Sealed tells whether a passphrase is set.
func Sealed(paths Paths) bool { return isSealed(paths.Data) }

// isSealed is on the safe side: what cannot be told apart from a sealed profile is one,
// so that nothing is written to it in the open.
func isSealed(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, sealName))
	return !errors.Is(err, fs.ErrNotExist)
}

// Locked tells whether the passphrase has yet to be given to Unlock in this process.
// A folder that may not be looked into is none to ask a passphrase for: reading it
// says what is wrong.
func Locked(paths Paths) bool {
	_, err := os.Lstat(filepath.Join(paths.Data, sealName))
	return err == nil && sealOf(paths.Data) == nil
}

// Unlock opens a profile for the rest of this process. It takes about a second. A
// profile without a passphrase needs none. The error is ErrWrongPassphrase, or a
// file that cannot be read.
func Unlock(paths Paths, passphrase string) error {
	if !Sealed(paths) {
		return nil
	}
	opened, err := readSeal(paths.Data, passphrase)
	if err == nil {
		keepSeal(paths.Data, opened)
	}
	return err
}

// SetPassphrase changes the passphrase from old to new; "" is none. It is for the
// process that owns the profile. Killed at any instant, it leaves a profile that
// opens with one of the two.
func SetPassphrase(paths Paths, old, new string) error {
	if new != "" && len([]rune(new)) < minPassphrase {
		return ErrShortPassphrase
	}
	var keys []*age.HybridIdentity
	if Sealed(paths) {
		opened, err := readSeal(paths.Data, old)
		if err != nil {
			return err
		}
		keys = opened.keys
	}
	if new == "" {
		if keys == nil {
			return nil
		}
		return unseal(paths, keys, old)
	}
	fresh, err := age.GenerateHybridIdentity()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(paths.Data, dirMode); err != nil {
		return explainWrite(paths.Data, err)
	}
	if err := writeSeal(paths.Data, append([]*age.HybridIdentity{fresh}, keys...), new); err != nil {
		return err
	}
	if err := reseal(paths); err != nil || keys == nil {
		return err
	}
	return writeSeal(paths.Data, []*age.HybridIdentity{fresh}, new)
}

// unseal takes the passphrase off.
func unseal(paths Paths, keys []*age.HybridIdentity, passphrase string) error {
	if err := writeSeal(paths.Data, keys, passphrase); err != nil {
		return err
	}
	for _, path := range paths.private() {
		err := alone(path, func() error {
			data, err := readPrivate(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return WriteFile(path, data)
		})
		if err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(paths.Data, sealName)); err != nil {
		return explainWrite(filepath.Join(paths.Data, sealName), err)
	}
	keepSeal(paths.Data, nil)
	return syncDir(paths.Data)
}

// Mend seals what an interrupted SetPassphrase, or a file put there by hand, left in
// clear. It is for the process that owns the profile, once that is unlocked.
func Mend(paths Paths) error {
	opened := sealOf(paths.Data)
	if opened == nil || !Sealed(paths) {
		return nil
	}
	if len(opened.keys) > 1 {
		return reseal(paths)
	}
	for _, path := range paths.private() {
		if data, err := os.ReadFile(path); err == nil && !bytes.HasPrefix(data, sealedMagic) {
			return reseal(paths)
		}
	}
	return nil
}

// reseal writes every private file under the first key.
func reseal(paths Paths) error {
	for _, path := range paths.private() {
		err := alone(path, func() error {
			data, err := readPrivate(path)
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			return writePrivate(path, data)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// readSeal opens seal.age.
func readSeal(folder, passphrase string) (*seal, error) {
	path := filepath.Join(folder, sealName)
	at, err := os.Stat(path)
	if err != nil {
		return nil, explainRead(path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, explainRead(path, err)
	}
	if passphrase == "" {
		return nil, ErrWrongPassphrase
	}
	key, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	key.SetMaxWorkFactor(20)
	plain, err := opened(data, key)
	if mismatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &mismatch) {
		return nil, ErrWrongPassphrase
	}
	if err != nil {
		return nil, damaged(path)
	}
	defer clear(plain)
	s := &seal{at: at}
	for line := range strings.Lines(string(plain)) {
		identity, err := age.ParseHybridIdentity(strings.TrimSpace(line))
		if err != nil {
			return nil, damaged(path)
		}
		s.keys = append(s.keys, identity)
	}
	if len(s.keys) == 0 {
		return nil, damaged(path)
	}
	return s, nil
}

// writeSeal replaces seal.age and keeps the keys unlocked.
func writeSeal(folder string, keys []*age.HybridIdentity, passphrase string) error {
	recipient, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return err
	}
	recipient.SetWorkFactor(scryptWork)
	var plain bytes.Buffer
	for _, key := range keys {
		fmt.Fprintln(&plain, key)
	}
	defer clear(plain.Bytes())
	data, err := sealed(plain.Bytes(), recipient)
	if err != nil {
		return err
	}
	path := filepath.Join(folder, sealName)
	if err := WriteFile(path, data); err != nil {
		return err
	}
	at, err := os.Stat(path)
	if err != nil {
		return explainRead(path, err)
	}
	keepSeal(folder, &seal{keys: keys, at: at})
	return nil
}

func sealed(plain []byte, recipient age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	w, err := age.Encrypt(&out, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	err = w.Close() // writes the last piece
	return out.Bytes(), err
}

func opened(data []byte, keys ...age.Identity) ([]byte, error) {
	r, err := age.Decrypt(bytes.NewReader(data), keys...)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// readPrivate reads a private file, opening it if it is sealed. It is the only way
// to them, and writePrivate the only way back.
func readPrivate(path string) ([]byte, error) {
	data, err := readOwn(path)
	if err != nil || !bytes.HasPrefix(data, sealedMagic) {
		return data, err
	}
	s := sealOf(filepath.Dir(path))
	if s == nil {
		return nil, ErrLocked
	}
	keys := make([]age.Identity, len(s.keys))
	for i, key := range s.keys {
		keys[i] = key
	}
	plain, err := opened(data, keys...)
	switch mismatch := (*age.NoIdentityMatchError)(nil); {
	case errors.As(err, &mismatch):
		return nil, errResealed
	case err != nil:
		return nil, damaged(path)
	}
	return plain, nil
}

// writePrivate replaces a private file, as WriteFile does, sealed if a passphrase is
// set. It wipes data.
func writePrivate(path string, data []byte) error {
	defer clear(data)
	folder := filepath.Dir(path)
	if !isSealed(folder) {
		if sealOf(folder) != nil {
			return errResealed // the passphrase was removed: read anew first
		}
		return WriteFile(path, data)
	}
	s := sealOf(folder)
	if s == nil {
		return ErrLocked
	}
	if now, err := os.Stat(filepath.Join(folder, sealName)); err != nil || !now.ModTime().Equal(s.at.ModTime()) || !os.SameFile(now, s.at) {
		return errResealed
	}
	locked, err := sealed(data, s.keys[0].Recipient())
	if err != nil {
		return err
	}
	return WriteFile(path, locked)
}

// ReadPrivate and WritePrivate are readPrivate and writePrivate for what another
// package keeps in the folder of a profile's data. WritePrivate wipes data.
func ReadPrivate(path string) ([]byte, error) { return readPrivate(path) }

// WritePrivate: see ReadPrivate.
func WritePrivate(path string, data []byte) error { return writePrivate(path, data) }
