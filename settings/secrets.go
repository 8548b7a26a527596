package settings

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"sotto/settings/advice"
)

// ErrNotSetUp is returned where a profile has no identity yet.
var ErrNotSetUp = advice.New("this profile is not set up", advice.SetUp)

const fileVersion = 1

// Secrets is what makes a profile this person's.
type Secrets struct {
	Seed       [32]byte // Ed25519 seed of the identity
	CardSecret [32]byte // in the card; who has it may knock when anyone may
	CardSerial uint32   // of the newest card
	RelayPort  int      // port of a relay on this machine, 0 until it first ran
}

type secretsFile struct {
	Version    int    `json:"version"`
	Seed       string `json:"seed"`
	CardSecret string `json:"card_secret"`
	CardSerial uint32 `json:"card_serial"`
	RelayPort  int    `json:"relay_port,omitempty"`
}

// LoadSecrets reads the identity file; one that is not there is ErrNotSetUp.
func LoadSecrets(path string) (Secrets, error) {
	data, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Secrets{}, ErrNotSetUp
	}
	if err != nil {
		return Secrets{}, err
	}
	defer clear(data)
	var file secretsFile
	if err := unmarshal(path, data, &file); err != nil {
		return Secrets{}, err
	}
	secrets := Secrets{CardSerial: file.CardSerial, RelayPort: file.RelayPort}
	if !decodeHex(&secrets.Seed, file.Seed) || !decodeHex(&secrets.CardSecret, file.CardSecret) ||
		secrets.Seed == [32]byte{} || file.RelayPort < 0 || file.RelayPort > 65535 {
		return Secrets{}, damaged(path)
	}
	return secrets, nil
}

// SaveSecrets writes the identity file.
func SaveSecrets(path string, secrets Secrets) error {
	return save(path, secretsFile{
		Version:    fileVersion,
		Seed:       hex.EncodeToString(secrets.Seed[:]),
		CardSecret: hex.EncodeToString(secrets.CardSecret[:]),
		CardSerial: secrets.CardSerial,
		RelayPort:  secrets.RelayPort,
	})
}

func decodeHex(into *[32]byte, text string) bool {
	raw, err := hex.DecodeString(text)
	return err == nil && copy(into[:], raw) == len(into) && len(raw) == len(into)
}

// unmarshal reads one versioned JSON file, strictly: a field that is not known is
// damage, a later version is not.
func unmarshal(path string, data []byte, into any) error {
	var head struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Version < 1 {
		return damaged(path)
	}
	if head.Version > fileVersion {
		return fmt.Errorf("%s was written by a newer Sotto: update Sotto to read it", path)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return damaged(path)
	}
	return nil
}

func damaged(path string) error {
	return fmt.Errorf("%s is damaged: put a copy from a backup in its place, or move it away to start anew", path)
}

func save(path string, content any) error {
	data, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	defer clear(data)
	return writePrivate(path, append(data, '\n'))
}
