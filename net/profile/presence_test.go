package profile

import (
	"path/filepath"
	"testing"

	"sotto/net/identity"
	"sotto/settings"
)

func TestWhatIsSaidOfPresenceIsKept(t *testing.T) {
	alice, bob := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress)
	uri, card := cardOf(t, bob)
	if _, err := alice.AddContact(uri, "bob", false); err != nil {
		t.Fatal(err)
	}
	stored := func(want settings.Presence) {
		t.Helper()
		again, err := Open(filepath.Dir(alice.Paths.Contacts))
		if err != nil {
			t.Fatal(err)
		}
		if contact, err := again.Find("bob"); err != nil || contact.Presence != want {
			t.Errorf("%+v, %v; want %+v", contact.Presence, err, want)
		}
	}
	stored(settings.Presence{})
	if alice.SetPresence("bob", true) != nil || alice.PresenceTold(card.Key, true) != nil || alice.PresenceHeard(card.Key, true, 1234) != nil {
		t.Fatal("what was said could not be kept")
	}
	stored(settings.Presence{Agreed: true, Told: true, Theirs: true, At: 1234})
	before := stampOf(alice.Paths.Contacts)
	if alice.PresenceTold(card.Key, true) != nil || alice.PresenceHeard(card.Key, true, 1234) != nil || alice.PresenceHeard(identity.Key{1}, true, 9) != nil {
		t.Fatal("what was known could not be said again")
	}
	if stampOf(alice.Paths.Contacts) != before {
		t.Error("nothing new was written down")
	}
	if alice.SetPresence("bob", false) != nil || alice.PresenceHeard(card.Key, false, 1235) != nil || alice.PresenceTold(card.Key, false) != nil {
		t.Fatal("it could not be taken back")
	}
	stored(settings.Presence{At: 1235})
	if err := alice.SetPresence("carol", true); err != ErrNoContact {
		t.Error(err)
	}
	if alice.Policy().Presence {
		t.Error("presence is on in a fresh profile")
	}
	if err := alice.Set("calls.presence", "on"); err != nil || !alice.Policy().Presence {
		t.Error("it cannot be switched on:", err)
	}
}
