package settings

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

const (
	// knockMemory is how long a knock is remembered; it outlives by far the minute
	// in which a knock is valid, and any clock that is set wrong by a day.
	knockMemory = 48 * time.Hour
	// maxKnocks bounds the memory; the oldest go first.
	maxKnocks = 1 << 16
)

// Knocks remembers which knocks were seen, on disk, so that a relay which sends an
// old one again, also after a restart, makes nothing ring. It may be used from any
// goroutine.
//
// The file has one line a knock: the Unix time it was seen at, a space, its id in
// hexadecimal. Lines are appended; a kill can tear only the last, which is then
// dropped.
type Knocks struct {
	path string

	mu    sync.Mutex // guards the following
	seen  map[[16]byte]time.Time
	file  *os.File // nil until the first knock: a profile that is only read creates nothing
	lines int      // in the file, expired and repeated ones too
	whole bool     // the file ends with a complete line
}

// OpenKnocks reads the knocks of the last two days.
func OpenKnocks(path string, now time.Time) (*Knocks, error) {
	data, err := readPrivate(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	k := &Knocks{path: path, seen: map[[16]byte]time.Time{}, whole: len(data) == 0 || data[len(data)-1] == '\n'}
	for line := range bytes.Lines(data) {
		k.lines++
		if at, id, ok := parseKnock(line); ok && now.Sub(at) < knockMemory {
			k.seen[id] = at
		}
	}
	return k, nil
}

func parseKnock(line []byte) (at time.Time, id [16]byte, ok bool) {
	line, complete := bytes.CutSuffix(line, []byte("\n"))
	seconds, digits, found := bytes.Cut(line, []byte(" "))
	unix, err := strconv.ParseInt(string(seconds), 10, 64)
	if !complete || !found || err != nil || len(digits) != 2*len(id) {
		return time.Time{}, id, false
	}
	_, err = hex.Decode(id[:], digits)
	return time.Unix(unix, 0), id, err == nil
}

// Seen remembers a knock and says whether it was seen in the last two days. When
// the disk fails it returns an error, and remembers until the program ends.
func (k *Knocks) Seen(id [16]byte, now time.Time) (already bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at, known := k.seen[id]; known && now.Sub(at) < knockMemory {
		return true, nil
	}
	k.seen[id] = now
	// A sealed file cannot be appended to.
	if k.lines > 2*len(k.seen)+1024 || len(k.seen) > maxKnocks || !k.whole || isSealed(filepath.Dir(k.path)) {
		return false, k.compact(now)
	}
	return false, k.append(id, now)
}

// append adds one line and waits until it is on the disk. Callers hold mu.
func (k *Knocks) append(id [16]byte, at time.Time) error {
	if k.file == nil {
		if err := os.MkdirAll(filepath.Dir(k.path), dirMode); err != nil {
			return explainWrite(k.path, err)
		}
		file, err := os.OpenFile(k.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, fileMode)
		if err != nil {
			return explainWrite(k.path, err)
		}
		k.file = file
	}
	_, err := k.file.Write(knockLine(id, at))
	if err == nil {
		err = k.file.Sync()
	}
	if err != nil {
		k.whole = false // perhaps half a line was written
		return explainWrite(k.path, err)
	}
	k.lines++
	return nil
}

func knockLine(id [16]byte, at time.Time) []byte {
	return fmt.Appendf(nil, "%d %x\n", at.Unix(), id)
}

// compact writes the file anew with what is still remembered. Callers hold mu.
func (k *Knocks) compact(now time.Time) error {
	k.forget(now)
	var data []byte
	for id, at := range k.seen {
		data = append(data, knockLine(id, at)...)
	}
	if err := k.close(); err != nil {
		return err
	}
	if err := writePrivate(k.path, data); err != nil {
		return err
	}
	k.lines, k.whole = len(k.seen), true
	return nil
}

// forget drops what is too old and, when there is too much, the older half.
// Callers hold mu.
func (k *Knocks) forget(now time.Time) {
	for id, at := range k.seen {
		if now.Sub(at) >= knockMemory {
			delete(k.seen, id)
		}
	}
	if len(k.seen) <= maxKnocks {
		return
	}
	ids := slices.Collect(maps.Keys(k.seen))
	slices.SortFunc(ids, func(a, b [16]byte) int { return k.seen[a].Compare(k.seen[b]) })
	for _, id := range ids[:len(ids)-maxKnocks/2] {
		delete(k.seen, id)
	}
}

func (k *Knocks) close() error {
	if k.file == nil {
		return nil
	}
	file := k.file
	k.file = nil
	return file.Close()
}

// Close gives the file back.
func (k *Knocks) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.close()
}
