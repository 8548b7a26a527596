package call

import (
	"crypto/rand"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/settings"
)

// fixed is a book that says what it is told.
type fixed struct {
	Book
	policy   Policy
	contacts []Contact
}

func (f fixed) Policy() Policy      { return f.policy }
func (f fixed) Contacts() []Contact { return f.contacts }

func newcomer(t *testing.T, name string) (*identity.Identity, identity.Card) {
	t.Helper()
	self, err := identity.New()
	if err != nil {
		t.Fatal(err)
	}
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	return self, self.Card(identity.Address{Host: "relay.example", Port: 443}, name, secret, 1)
}

// Whatever the hour, a caller whose clock is a day off finds the drop open, on the pair
// drop and on the card drop; a drop of another month is shut.
func TestDropsStayOpenAcrossADayOfClockSkew(t *testing.T) {
	alice, hers := newcomer(t, "alice")
	bob, his := newcomer(t, "bob")
	account := Account{Self: bob, Card: bob.Sign(his)}
	book := fixed{policy: Policy{Who: settings.Anyone}, contacts: []Contact{{Name: "alice", Card: hers}}}
	const day = 24 * time.Hour
	monday := time.Unix(2950*604_800, 0)
	for hour := -40; hour <= 7*24+40; hour += 3 {
		now := monday.Add(time.Duration(hour) * time.Hour)
		doors := openDoors(account, book, now)
		for _, skew := range []time.Duration{-day, -time.Second, 0, time.Second, day} {
			week := identity.Week(now.Add(skew))
			if at, open := doors[dropID(alice.PairDrop(alice.Key(), his.Key, week))]; !open || at.card || at.contact.Card.Key != hers.Key {
				t.Fatalf("hour %d, skew %v: the pair drop is shut", hour, skew)
			}
			if at, open := doors[dropID(identity.CardDrop(his.Key, his.Secret, week))]; !open || !at.card {
				t.Fatalf("hour %d, skew %v: the card drop is shut", hour, skew)
			}
		}
		for _, weeks := range []int{-4, 4} {
			week := identity.Week(now.Add(time.Duration(weeks) * 7 * day))
			if _, open := doors[dropID(alice.PairDrop(alice.Key(), his.Key, week))]; open {
				t.Fatalf("hour %d: a drop %d weeks off is open", hour, weeks)
			}
		}
		if len(doors) != 6 {
			t.Fatalf("hour %d: %d drops", hour, len(doors))
		}
	}
}

func TestWhichWordIsStrongest(t *testing.T) {
	for _, test := range []struct {
		who               settings.Who
		verified, blocked bool
		ring              string
		rings             bool
	}{
		{who: settings.Contacts, rings: true},
		{who: settings.Contacts, blocked: true, ring: settings.RingAlways},
		{who: settings.Anyone, ring: settings.RingSilence, rings: true},
		{who: settings.Verified},
		{who: settings.Verified, ring: settings.RingSilence},
		{who: settings.Verified, ring: settings.RingAlways, rings: true},
		{who: settings.Verified, verified: true, rings: true},
		{who: settings.Verified, verified: true, blocked: true},
		{who: settings.Nobody, verified: true, ring: settings.RingAlways},
	} {
		contact := Contact{Verified: test.verified, Blocked: test.blocked, Ring: test.ring}
		if got := mayCall(Policy{Who: test.who}, contact); got != test.rings {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
