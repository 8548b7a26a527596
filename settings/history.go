package settings

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"time"
)

// Keep is for how long calls stay in the history.
type Keep string

const (
	KeepNothing Keep = "off"
	KeepMonth   Keep = "30days"
	KeepForever Keep = "forever"
)

const (
	historyMonth = 30 * 24 * time.Hour
	// maxHistory bounds the file, a megabyte or two; the oldest calls go first.
	maxHistory = 5000
)

// HistoryEntry is a call that is over. It holds no network address but those of relays and of the own proxy.
type HistoryEntry struct {
	ID       string    `json:"id"`
	Time     time.Time `json:"time"` // when it began
	Name     string    `json:"name"` // of the other side, as it was then
	Key      string    `json:"key"`  // their identity key, 64 hexadecimal digits
	Incoming bool      `json:"incoming"`
	// Outcome is one of answered, missed, declined, declined-here, silenced,
	// cancelled, no-answer, busy, failed, mismatch.
	Outcome string  `json:"outcome"`
	Why     string  `json:"why,omitempty"` // more about the outcome, when there is more to say, in the command line's words
	Seconds float64 `json:"seconds"`       // connected
	Route   string  `json:"route,omitempty"`
	Receipt string  `json:"receipt,omitempty"`
}

// Missed reports whether somebody called and was not talked to, without the person
// having decided so.
func (e HistoryEntry) Missed() bool {
	return e.Incoming && slices.Contains([]string{"missed", "silenced", "busy"}, e.Outcome)
}

type historyFile struct {
	Version int            `json:"version"`
	Looked  time.Time      `json:"looked,omitzero"` // when the person last looked at the history
	Calls   []HistoryEntry `json:"calls"`
}

// LoadHistory reads the calls that keep lets stay, oldest first, and when the person
// last looked at them; without a file there are none.
func LoadHistory(path string, keep Keep, now time.Time) (calls []HistoryEntry, looked time.Time, err error) {
	if keep == KeepNothing {
		return nil, time.Time{}, nil
	}
	data, err := readPrivate(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, time.Time{}, nil
	}
	if err != nil {
		return nil, time.Time{}, err
	}
	var file historyFile
	if err := unmarshal(path, data, &file); err != nil {
		return nil, time.Time{}, err
	}
	return kept(file.Calls, keep, now), file.Looked, nil
}

// LookAtHistory notes that the person looked at the history at a moment, which never
// goes back. Where there is no history there is nothing to note.
func LookAtHistory(path string, keep Keep, now time.Time) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || keep == KeepNothing {
		return nil
	}
	return alone(path, func() error {
		calls, looked, err := LoadHistory(path, keep, now)
		if err != nil || len(calls) == 0 || !now.After(looked) {
			return err
		}
		return save(path, historyFile{Version: fileVersion, Looked: now, Calls: calls})
	})
}

// kept are the calls that stay.
func kept(calls []HistoryEntry, keep Keep, now time.Time) []HistoryEntry {
	if keep == KeepMonth {
		calls = slices.DeleteFunc(calls, func(entry HistoryEntry) bool { return now.Sub(entry.Time) > historyMonth })
	}
	return calls[max(0, len(calls)-maxHistory):]
}

// AddHistory writes a call down as one step, and forgets what keep no longer lets
// stay. With nothing to keep the file goes.
func AddHistory(path string, keep Keep, entry HistoryEntry, now time.Time) error {
	if keep == KeepNothing {
		return ForgetHistory(path)
	}
	return alone(path, func() error {
		calls, looked, err := LoadHistory(path, keep, now)
		if err != nil {
			return err
		}
		return save(path, historyFile{Version: fileVersion, Looked: looked, Calls: kept(append(calls, entry), keep, now)})
	})
}

// ForgetHistory deletes all of it.
func ForgetHistory(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return alone(path, func() error {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explainWrite(path, err)
		}
		return nil
	})
}
