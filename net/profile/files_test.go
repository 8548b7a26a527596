package profile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/settings"
)

func TestALostCardIsFollowedByANewerOne(t *testing.T) {
	alice := setUp(t, "alice", relayAddress)
	for _, name := range []string{"alicia", "ali"} {
		cardOf(t, alice)
		if err := alice.Set("name", name); err != nil {
			t.Fatal(err)
		}
	}
	_, last := cardOf(t, alice)
	path := filepath.Join(alice.Paths.Data, "card")
	for what, spoil := range map[string]func() error{
		"removed": func() error { return os.Remove(path) },
		"damaged": func() error { return os.WriteFile(path, []byte("sotto:garbage\n"), 0o600) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		first, card := cardOf(t, alice)
		if card.Serial != last.Serial+1 || card.Secret != last.Secret || card.Key != last.Key {
			t.Errorf("%s: %+v after %+v", what, card, last)
		}
		if again, _ := cardOf(t, alice); again != first {
			t.Errorf("%s: the card does not stay", what)
		}
		last = card
	}
}

func TestTheCardFollowsTheRelay(t *testing.T) {
	alice := setUp(t, "alice", relayAddress)
	_, before := cardOf(t, alice)
	if err := alice.Set("relay.address", LocalRelay); err != nil {
		t.Fatal(err)
	}
	_, after := cardOf(t, alice)
	if after.Serial != before.Serial+1 || after.Secret != before.Secret {
		t.Errorf("%+v after %+v", after, before)
	}
	// Another process finds the same relay: its key and port are in the profile.
	beside, err := Open(alice.Paths.Home)
	if err != nil {
		t.Fatal(err)
	}
	address, err := beside.Address()
	if err != nil || address != after.Relay || address.Port < 20000 || address.Port >= 40000 {
		t.Errorf("%v, not %v: %v", address, after.Relay, err)
	}
	if _, again := cardOf(t, beside); again != after {
		t.Errorf("%+v, not %+v", again, after)
	}
}

func TestSetUpRefusesAndTouchesNothing(t *testing.T) {
	for _, wrong := range []Choices{
		{Name: "", Relay: relayAddress},
		{Name: "\x1b\u202e\n", Relay: relayAddress},
		{Name: "alice", Relay: "no relay at all"},
	} {
		p, err := Open(filepath.Join(t.TempDir(), "home"))
		if err != nil {
			t.Fatal(err)
		}
		if err := p.SetUp(wrong); err == nil {
			t.Errorf("%+v was accepted", wrong)
		}
		if _, err := os.Stat(p.Paths.Home); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%+v left something behind: %v", wrong, err)
		}
	}
}

func TestADamagedIdentityIsNeverReplaced(t *testing.T) {
	alice := setUp(t, "alice", relayAddress)
	whole, err := os.ReadFile(alice.Paths.Identity)
	if err != nil {
		t.Fatal(err)
	}
	torn := whole[:len(whole)/2]
	if err := os.WriteFile(alice.Paths.Identity, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	if !alice.IsSetUp() {
		t.Error("a damaged profile counts as a fresh one")
	}
	if err := alice.SetUp(Choices{Name: "alice"}); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("%v", err)
	}
	if _, err := alice.RenewCard(); err == nil {
		t.Error("a card was made of a damaged identity")
	}
	if now, err := os.ReadFile(alice.Paths.Identity); err != nil || !bytes.Equal(now, torn) {
		t.Errorf("the identity file changed: %s, %v", now, err)
	}
}

func TestAnAddressBookThatCannotBeReadIsNotAnEmptyOne(t *testing.T) {
	alice, bob := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress)
	card, _ := cardOf(t, bob)
	if _, err := alice.AddContact(card, "bob", false); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Find("bob"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(alice.Paths.Contacts, []byte("{ this is no address book"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Profile{alice, {Paths: alice.Paths}} {
		if _, err := p.Find("carol"); err == nil || errors.Is(err, ErrNoContact) {
			t.Errorf("find: %v", err)
		}
		if _, err := p.LoadContacts(); err == nil {
			t.Error("it was read")
		}
	}
	if got := alice.Contacts(); len(got) != 1 || got[0].Name != "bob" {
		t.Errorf("the contacts that were known are gone: %+v", got)
	}
	if _, err := alice.AddContact(card, "bob", false); err == nil {
		t.Error("a damaged address book was overwritten")
	}
}

func TestContactsFollowTheDisk(t *testing.T) {
	alice, bob := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress)
	card, parsed := cardOf(t, bob)
	if got := alice.Contacts(); len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	stamp, _ := alice.Changed(Stamp{})
	if _, changed := alice.Changed(stamp); changed {
		t.Error("something changed by itself")
	}
	beside, err := Open(alice.Paths.Home)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := beside.AddContact(card, "bob", true); err != nil {
		t.Fatal(err)
	}
	if _, changed := alice.Changed(stamp); !changed {
		t.Error("the new contact is no change")
	}
	got := alice.Contacts()
	if len(got) != 1 || got[0].Name != "bob" || !got[0].Verified || got[0].Card != parsed {
		t.Errorf("%+v", got)
	}
	got[0].Name = "mallory" // the caller's copy
	if again := alice.Contacts(); again[0].Name != "bob" {
		t.Error("a caller can change the address book by its copy")
	}
	if err := beside.RemoveContact("bob"); err != nil {
		t.Fatal(err)
	}
	if got := alice.Contacts(); len(got) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestReachedKeepsTheNewestCard(t *testing.T) {
	alice, bob, carol := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress), setUp(t, "carol", relayAddress)
	_, first, err := bob.card()
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.Set("name", "bobby"); err != nil {
		t.Fatal(err)
	}
	newer, newest := cardOf(t, bob)
	if _, err := alice.AddContact(newer, "bob", true); err != nil {
		t.Fatal(err)
	}
	_, others, err := carol.card()
	if err != nil {
		t.Fatal(err)
	}
	for what, card := range map[string][]byte{"none": nil, "an older": first, "another's": others, "a damaged": first[:40]} {
		if err := alice.Reached(newest.Key, card); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if kept, _ := alice.Find("bob"); kept.Card != newest || !kept.Reached || !kept.Verified {
			t.Errorf("%s card took the newest one's place: %+v", what, kept)
		}
	}
	if err := alice.Reached(identity.Key{1}, nil); err != nil || len(alice.Contacts()) != 1 {
		t.Errorf("somebody unknown was reached: %v", err)
	}
}

func TestPolicyComesBackWithTheMend(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	for _, step := range []struct {
		file string
		want settings.Who
	}{
		{"[calls]\nwho = \"verified\"\n", settings.Verified},
		{"[calls]\nwho = \"verifed\"\n# a slip of the finger\n", settings.Verified},
		{"[calls]\nwho = \"nobody\"\nringing = false\n", settings.Nobody},
	} {
		if err := os.WriteFile(p.Paths.Settings, []byte(step.file), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := p.Policy(); got.Who != step.want {
			t.Errorf("%q gives %+v", step.file, got)
		}
	}
	if p.Policy().Ringing {
		t.Error("ringing is on")
	}
}

func TestAKnockIsForgottenAfterTwoDays(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	id, then := [16]byte{9}, time.Now()
	for _, step := range []struct {
		at   time.Time
		seen bool
	}{{then, false}, {then.Add(time.Hour), true}, {then.Add(49 * time.Hour), false}} {
		if seen, err := p.Seen(id, step.at); err != nil || seen != step.seen {
			t.Errorf("after %v: %v, %v", step.at.Sub(then), seen, err)
		}
	}
}
