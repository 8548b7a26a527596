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
	calls, _, err := alice.History()
	if err != nil || len(calls) != 4 || calls[0].Outcome != "declined-here" {
		t.Errorf("%+v, %v", calls, err)
	}
	if err := alice.LookAtHistory(); err != nil {
		t.Fatal(err)
	}
	if _, looked, err := alice.History(); err != nil || !looked.After(began) {
		t.Errorf("looked at %v, %v", looked, err)
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
	if calls, _, err := alice.History(); err != nil || len(calls) != 0 {
		t.Errorf("%+v, %v", calls, err)
	}
}

func TestABlockedStrangerIsRefusedByKeyAndIsNoContact(t *testing.T) {
	alice, bob := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress)
	uri, card := cardOf(t, bob)
	key := card.Key.String()
	if err := alice.BlockCaller("no key", "x", true); err == nil {
		t.Error("anything is a key")
	}
	if err := alice.BlockCaller(key, "bob\x1b", true); err != nil {
		t.Fatal(err)
	}
	if !alice.Policy().Blocked[card.Key] || len(alice.Contacts()) != 0 {
		t.Errorf("%+v, %+v", alice.Policy(), alice.Contacts())
	}
	if callers, err := alice.BlockedCallers(); err != nil || callers[key] != "bob" {
		t.Errorf("%+v, %v", callers, err)
	}
	verified := true
	if err := alice.Mark("bob", &verified, nil); err == nil {
		t.Error("a stranger was verified")
	}
	if err := alice.BlockCaller(key, "", false); err != nil || alice.Policy().Blocked[card.Key] {
		t.Errorf("still blocked: %v", err)
	}
	if err := alice.BlockCaller(key, "bob", true); err != nil {
		t.Fatal(err)
	}
	if added, err := alice.AddContact(uri, "bob", true); err != nil || added.Blocked || alice.Policy().Blocked[card.Key] {
		t.Errorf("%+v, %v", added, err)
	}
	if err := alice.SetRing("bob", "loudly"); err == nil {
		t.Error("any word is taken")
	}
	if err := alice.SetRing("bob", settings.RingAlways); err != nil || alice.Contacts()[0].Ring != settings.RingAlways {
		t.Errorf("%+v, %v", alice.Contacts(), err)
	}
	if err := alice.SetRing("bob", settings.RingDefault); err != nil || alice.Contacts()[0].Ring != "" {
		t.Errorf("%+v, %v", alice.Contacts(), err)
	}
}
