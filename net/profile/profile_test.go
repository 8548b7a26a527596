package profile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

const relayAddress = "relay.example.org:443#AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func setUp(t *testing.T, name, relay string) *Profile {
	t.Helper()
	p, err := Open(filepath.Join(t.TempDir(), name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	if p.IsSetUp() {
		t.Fatal("a fresh profile is set up")
	}
	if err := p.SetUp(Choices{Name: name, Relay: relay, Calls: true}); err != nil {
		t.Fatal(err)
	}
	return p
}

func cardOf(t *testing.T, p *Profile) (string, identity.Card) {
	t.Helper()
	uri, err := p.Card()
	if err != nil {
		t.Fatal(err)
	}
	card, _, err := identity.ParseCard(uri)
	if err != nil {
		t.Fatal(err)
	}
	return uri, card
}

func TestSetUpKeepsAnIdentityThatExists(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	_, before := cardOf(t, p)
	if err := p.SetUp(Choices{Name: "alicia", Relay: relayAddress}); err != nil {
		t.Fatal(err)
	}
	_, after := cardOf(t, p)
	if after.Key != before.Key || after.Secret != before.Secret {
		t.Error("the identity was replaced")
	}
	if after.Name != "alicia" {
		t.Errorf("the name is %q", after.Name)
	}
}

func TestTheCardsSerialGrowsOnlyWithTheCard(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	first, card := cardOf(t, p)
	if again, _ := cardOf(t, p); again != first {
		t.Error("the card changed by being asked for")
	}
	if err := p.Set("calls.who", "nobody"); err != nil {
		t.Fatal(err)
	}
	if again, _ := cardOf(t, p); again != first {
		t.Error("the card changed with a setting that is not on it")
	}
	if err := p.Set("name", "alicia"); err != nil {
		t.Fatal(err)
	}
	_, renamed := cardOf(t, p)
	if renamed.Serial != card.Serial+1 {
		t.Errorf("serial %d after %d", renamed.Serial, card.Serial)
	}
	uri, err := p.RenewCard()
	if err != nil {
		t.Fatal(err)
	}
	renewed, _, err := identity.ParseCard(uri)
	if err != nil || renewed.Serial != renamed.Serial+1 || renewed.Secret == renamed.Secret || renewed.Key != card.Key {
		t.Errorf("renewed: %+v, %v", renewed, err)
	}
}

func TestARelayOnThisMachineHasOneAddress(t *testing.T) {
	p := setUp(t, "alice", LocalRelay)
	first, err := p.Address()
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.Address()
	if err != nil || first != second || !first.IsLoopback() || !first.Pinned {
		t.Errorf("%v, then %v, %v", first, second, err)
	}
}

func TestAddingContacts(t *testing.T) {
	alice, bob, carol := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress), setUp(t, "carol", relayAddress)
	bobs, _ := cardOf(t, bob)
	carols, _ := cardOf(t, carol)
	own, _ := cardOf(t, alice)
	add := func(card, name string, verified bool, want error) {
		t.Helper()
		if _, err := alice.AddContact(card, name, verified); !errors.Is(err, want) {
			t.Errorf("adding %q: %v, not %v", name, err, want)
		}
	}
	add(own, "me", false, ErrOwnCard)
	add(bobs[:len(bobs)-1]+"!", "bob", false, identity.ErrCardDamaged)
	for _, name := range []string{"echo", "Echo", "a,b", " bob", "bob\n", "\x1b[31mbob", "-x", "sotto:x"} {
		add(bobs, name, false, ErrBadName)
	}
	add(bobs, "", true, nil) // takes the card's name
	add(bobs, "robert", false, ErrKeyTaken)
	add(carols, "bob", false, ErrOtherKey)
	add(bobs[:40]+"\n  "+bobs[40:], "bob", false, nil) // as copied off a screen
	found, err := alice.Find("bob")
	if err != nil || !found.Verified {
		t.Errorf("adding again took the mark away: %+v, %v", found, err)
	}
	if err := bob.Set("name", "bobby"); err != nil {
		t.Fatal(err)
	}
	newer, newest := cardOf(t, bob)
	add(newer, "bob", false, nil)
	add(bobs, "bob", false, nil) // the old card again
	if found, _ := alice.Find("bob"); found.Card.Serial != newest.Serial {
		t.Errorf("an older card replaced a newer one: serial %d", found.Card.Serial)
	}
}

func TestChangingContacts(t *testing.T) {
	alice, bob, carol := setUp(t, "alice", relayAddress), setUp(t, "bob", relayAddress), setUp(t, "carol", relayAddress)
	for name, p := range map[string]*Profile{"bob": bob, "carol": carol} {
		card, _ := cardOf(t, p)
		if _, err := alice.AddContact(card, name, false); err != nil {
			t.Fatal(err)
		}
	}
	yes := true
	for want, err := range map[error]error{
		ErrNameTaken: alice.RenameContact("bob", "carol"),
		ErrBadName:   alice.RenameContact("bob", "echo"),
	} {
		if !errors.Is(err, want) {
			t.Errorf("%v, not %v", err, want)
		}
	}
	for _, err := range []error{alice.RenameContact("dan", "daniel"), alice.RemoveContact("dan"), alice.Mark("dan", &yes, nil)} {
		if !errors.Is(err, ErrNoContact) {
			t.Errorf("%v", err)
		}
	}
	for _, err := range []error{alice.RenameContact("bob", "robert"), alice.Mark("robert", &yes, nil), alice.Mark("robert", nil, &yes), alice.RemoveContact("carol")} {
		if err != nil {
			t.Error(err)
		}
	}
	contacts := alice.Contacts()
	if len(contacts) != 1 || contacts[0].Name != "robert" || !contacts[0].Verified || !contacts[0].Blocked || contacts[0].Reached {
		t.Errorf("%+v", contacts)
	}
	if err := bob.Set("name", "bobby"); err != nil {
		t.Fatal(err)
	}
	_, signed, err := bob.card()
	if err != nil {
		t.Fatal(err)
	}
	if err := alice.Reached(contacts[0].Card.Key, signed); err != nil {
		t.Fatal(err)
	}
	if moved, _ := alice.Find("robert"); !moved.Reached || moved.Card.Name != "bobby" {
		t.Errorf("the newer card was not kept: %+v", moved)
	}
}

// TestTwoWritersLoseNothing edits one address book through two profiles at once,
// as contacts add does beside a running Sotto.
func TestTwoWritersLoseNothing(t *testing.T) {
	alice := setUp(t, "alice", relayAddress)
	beside, err := Open(alice.Paths.Home)
	if err != nil {
		t.Fatal(err)
	}
	const each = 10
	var writers sync.WaitGroup
	for i, p := range []*Profile{alice, beside} {
		var cards [each]string
		for n := range cards {
			other, err := identity.New()
			if err != nil {
				t.Fatal(err)
			}
			address, err := identity.ParseAddress(relayAddress)
			if err != nil {
				t.Fatal(err)
			}
			cards[n] = identity.URI(other.Sign(other.Card(address, "somebody", [32]byte{}, 1)))
		}
		writers.Go(func() {
			for n, card := range cards {
				if _, err := p.AddContact(card, fmt.Sprintf("contact %d %d", i, n), false); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	if got := len(alice.Contacts()); got != 2*each {
		t.Errorf("%d contacts of %d", got, 2*each)
	}
}

func TestAMistakeInTheSettingsKeepsTheLastGoodPolicy(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	if err := p.Set("calls.who", "verified"); err != nil {
		t.Fatal(err)
	}
	if who := p.Policy().Who; who != settings.Verified {
		t.Fatalf("%q", who)
	}
	if err := os.WriteFile(p.Paths.Settings, []byte("[calls]\nwho = \"everybody\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if who := p.Policy().Who; who != settings.Verified {
		t.Errorf("a mistake in the file made it %q", who)
	}
	if _, err := p.Account(); err == nil {
		t.Error("an account was made of a broken file")
	}
}

func TestKnocksAreRememberedAcrossRestarts(t *testing.T) {
	p := setUp(t, "alice", relayAddress)
	id, now := [16]byte{1}, time.Now()
	if seen, err := p.Seen(id, now); seen || err != nil {
		t.Fatalf("%v, %v", seen, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := Open(p.Paths.Home)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if seen, err := again.Seen(id, now); !seen || err != nil {
		t.Errorf("%v, %v", seen, err)
	}
}

func TestAProfileThatIsNotSetUpSaysSo(t *testing.T) {
	p, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Card(); !errors.Is(err, settings.ErrNotSetUp) {
		t.Errorf("card: %v", err)
	}
	if _, err := p.Account(); !errors.Is(err, settings.ErrNotSetUp) {
		t.Errorf("account: %v", err)
	}
	if _, err := p.Find("bob"); !errors.Is(err, call.ErrNoContact) {
		t.Errorf("find: %v", err)
	}
}

// TestProxyKeepsCallsOnIt: with a proxy set there is no relay on this machine and no
// consent to direct calls.
func TestProxyKeepsCallsOnIt(t *testing.T) {
	p, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.SetUp(Choices{Name: "alice", Relay: "relay.example.org", Calls: true}); err != nil {
		t.Fatal(err)
	}
	if err := p.Set("calls.direct", "on"); err != nil {
		t.Fatal(err)
	}
	if !p.Policy().Direct {
		t.Fatal("direct calls are not on")
	}
	if err := p.Set("relay.proxy", "socks5://localhost:9050"); err != nil {
		t.Fatal(err)
	}
	account, err := p.Account()
	if err != nil || account.Proxy != "socks5://127.0.0.1:9050" || account.Dial == nil {
		t.Errorf("%+v, %v", account, err)
	}
	if p.Policy().Direct {
		t.Error("direct calls go on behind a proxy")
	}
	if err := p.Set("relay.address", LocalRelay); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Account(); !errors.Is(err, ErrProxyHere) {
		t.Errorf("a relay on this machine behind a proxy: %v", err)
	}
}
