package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestHistoryKeepsWhatItIsTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "history.json")
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	load := func(keep Keep) int {
		t.Helper()
		calls, _, err := LoadHistory(path, keep, now)
		if err != nil {
			t.Fatal(err)
		}
		return len(calls)
	}
	if load(KeepForever) != 0 {
		t.Error("there are calls before the first")
	}
	for day := range 60 {
		entry := HistoryEntry{ID: fmt.Sprint(day), Time: now.AddDate(0, 0, day-59), Name: "bob", Outcome: "answered"}
		if err := AddHistory(path, KeepForever, entry, now); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if all, month, none := load(KeepForever), load(KeepMonth), load(KeepNothing); all != 60 || month != 31 || none != 0 {
		t.Errorf("%d, %d, %d", all, month, none)
	}
	if err := AddHistory(path, KeepMonth, HistoryEntry{ID: "new", Time: now}, now); err != nil {
		t.Fatal(err)
	}
	if load(KeepForever) != 32 {
		t.Error("older calls are still in the file")
	}
	if err := AddHistory(path, KeepNothing, HistoryEntry{ID: "no"}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if err := ForgetHistory(path); err != nil {
		t.Error(err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	calls := make([]HistoryEntry, maxHistory+7)
	calls[7].ID = "first that stays"
	if left := kept(calls, KeepForever, time.Now()); len(left) != maxHistory || left[0].ID != "first that stays" {
		t.Errorf("%d calls, the first %+v", len(left), left[0])
	}
}

func TestTwoWritersOfHistoryLoseNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.json")
	var writers sync.WaitGroup
	for n := range 20 {
		writers.Go(func() {
			if err := AddHistory(path, KeepMonth, HistoryEntry{ID: fmt.Sprint(n), Time: time.Now()}, time.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	writers.Wait()
	if calls, _, err := LoadHistory(path, KeepMonth, time.Now()); err != nil || len(calls) != 20 {
		t.Errorf("%d calls, %v", len(calls), err)
	}
}

func TestADamagedHistoryIsNotOverwritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.json")
	if err := os.WriteFile(path, []byte(`{"version":1,"calls":[{"id"`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := AddHistory(path, KeepMonth, HistoryEntry{}, time.Now()); err == nil {
		t.Error("it was overwritten")
	}
	if _, _, err := LoadHistory(path, KeepMonth, time.Now()); err == nil {
		t.Error("it was read")
	}
}

// TestTheLookAtTheHistoryIsKept through calls that follow, and never goes back.
func TestTheLookAtTheHistoryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.json")
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	look := func(at time.Time) time.Time {
		t.Helper()
		if err := LookAtHistory(path, KeepForever, at); err != nil {
			t.Fatal(err)
		}
		_, looked, err := LoadHistory(path, KeepForever, at)
		if err != nil {
			t.Fatal(err)
		}
		return looked
	}
	if got := look(now); !got.IsZero() {
		t.Errorf("without a history it was looked at: %v", got)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("looking made a history")
	}
	if err := AddHistory(path, KeepForever, HistoryEntry{ID: "1", Time: now, Incoming: true, Outcome: "missed"}, now); err != nil {
		t.Fatal(err)
	}
	if got := look(now); !got.Equal(now) {
		t.Errorf("looked at %v", got)
	}
	if got := look(now.Add(-time.Hour)); !got.Equal(now) {
		t.Errorf("looked at %v after a clock that went back", got)
	}
	if err := AddHistory(path, KeepForever, HistoryEntry{ID: "2", Time: now.Add(time.Minute), Incoming: true, Outcome: "missed"}, now); err != nil {
		t.Fatal(err)
	}
	calls, looked, err := LoadHistory(path, KeepForever, now)
	if err != nil || len(calls) != 2 || !looked.Equal(now) || !calls[0].Missed() || !calls[1].Time.After(looked) {
		t.Errorf("%v, looked at %v, %v", calls, looked, err)
	}
}
