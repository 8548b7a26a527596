package profile

import (
	"os"
	"testing"
	"time"

	"sotto/settings"
)

func TestHistoryFollowsTheSetting(t *testing.T) {
	alice := setUp(t, "alice", relayAddress)
	began := time.Now().Add(-time.Hour)
	for n, outcome := range []string{"answered", "missed", "silenced", "declined-here"} {
		entry := settings.HistoryEntry{ID: outcome, Time: began.Add(time.Duration(n) * time.Minute), Name: "bob", Incoming: true, Outcome: outcome}
		if err := alice.Record(entry); err != nil {
			t.Fatal(err)
		}
	}
	calls, err := alice.History()
	if err != nil || len(calls) != 4 || calls[0].Outcome != "declined-here" {
		t.Errorf("%+v, %v", calls, err)
	}
	if missed, err := alice.MissedSince(began.Add(90 * time.Second)); err != nil || missed != 1 {
		t.Errorf("%d missed, %v", missed, err)
	}
	if err := alice.Set("calls.history", "off"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(alice.Paths.History); !os.IsNotExist(err) {
		t.Errorf("the history is still there: %v", err)
	}
	if err := alice.Record(settings.HistoryEntry{Time: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if calls, err := alice.History(); err != nil || len(calls) != 0 {
		t.Errorf("%+v, %v", calls, err)
	}
}
