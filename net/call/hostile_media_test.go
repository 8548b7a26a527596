package call_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/peer"
	"sotto/net/wire"
	"sotto/net/world"
	"sotto/settings"
)

// TestAnswersThatNameOtherAddresses: answers, properly sealed by the contact who was
// called, that name addresses which are no relay's. All calls are made at once.
func TestAnswersThatNameOtherAddresses(t *testing.T) {
	w := newWorld(t)
	type caller struct {
		*prey
		address netip.AddrPort
	}
	var callers []caller
	// Nobody has this address, but the world's relays may reach it: it shows that the tap sees.
	reachable := netip.MustParseAddrPort("203.0.113.200:50000")
	may := []string{ // pass as a laboratory's relays; it is the own relay that refuses them
		"10.0.0.1:50000", "192.168.1.1:65535", "172.16.0.1:49152", "127.0.0.1:50000", "100.64.0.1:50000",
		"[fd00::1]:50000", "[::1]:50000", reachable.String(),
	}
	mayNot := []string{
		"203.0.113.201:443", "203.0.113.202:49151", "203.0.113.203:0", "224.0.0.251:50000", "[ff02::fb]:50000",
		"255.255.255.255:50000", "0.0.0.0:50000", "[::]:50000", "169.254.169.254:50000", "[::ffff:10.0.0.1]:50000",
		"[fe80::1]:50000", "[64:ff9b::a00:1]:50000", "[2002:a00:1::1]:50000",
	}
	for i, text := range slices.Concat(mayNot, may) {
		a, m := person(t, w, 0, "alice"), person(t, w, 1, "mallory")
		alice := newPrey(t, a, settings.Contacts, m.Contact())
		mallory := newAttacker(t, m)
		mallory.listen(pairDrop(m.Account.Self, a.Account.Self.Key(), m.Account.Self.Key()))
		alice.do(alice.engine.Dial("mallory"))
		in, err := handshake.OpenKnock(m.Account.Self, mallory.next())
		if err != nil {
			t.Fatal(err)
		}
		address := netip.MustParseAddrPort(text)
		body := answerNaming(t, in, m.Account.Card, address)
		garbage := make([]byte, wire.BodySize)
		_, _ = rand.Read(garbage)
		for _, body := range [][]byte{garbage, make([]byte, wire.BodySize), body} {
			mallory.post(a.Account.Relay, identity.EphemeralDrop(in.Knock().CallSecret), body)
		}
		if i < len(mayNot) {
			alice.ended(call.Mismatch)
			alice.unspoken(text)
			if alice.mic.opened.Load() != 0 {
				t.Errorf("%s opened the microphone", text)
			}
			continue
		}
		callers = append(callers, caller{alice, address})
	}
	for patient := time.Now(); !slices.Contains(w.Seen(netip.MustParseAddr("203.0.113.1")), reachable.Addr()); {
		if time.Since(patient) > patience {
			t.Fatal("the tap is blind")
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, c := range callers { // of the others' family they fail at once, else after ten seconds of trying
		if c.address.Addr().Is4() {
			c.do(c.engine.HangUp())
			c.ended(call.HungUp)
		} else {
			c.ended(call.Failed)
		}
		c.do(c.engine.Close()) // the end is told before the devices are given back
		c.unspoken(c.address)
		if seen := w.Seen(c.person.Address); len(seen) != 1 || seen[0].String() != "203.0.113.1" {
			t.Errorf("%s: alice's machine had packets with %v", c.address, seen)
		}
	}
	for _, address := range w.Seen(netip.MustParseAddr("203.0.113.1")) {
		if in := netip.MustParsePrefix("203.0.113.0/24").Contains(address); !in || reachable.Addr().Less(address) {
			t.Errorf("alice's relay had packets with %s", address)
		}
	}
}

// connectTo takes the hostile caller's part up to the connection.
func (a *attacker) connectTo(bob *prey, onFrame func([]byte, time.Time)) (*peer.Peer, *handshake.Session) {
	a.t.Helper()
	answer, session := answeredBy(bob, a)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	credential, err := a.line.Credential(ctx)
	if err != nil {
		a.t.Fatal(err)
	}
	connection, err := peer.New(ctx, peer.Config{
		Turn: peer.Turn{Address: credential.Turn, Username: credential.Username, Password: credential.Password},
		Net:  a.person.Network.Media, OnFrame: onFrame,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { _ = connection.Close() })
	a.talk = ed25519.NewKeyFromSeed(answer.DropSeed[:])
	a.post(bob.person.Account.Relay, a.talk, session.SealConfirm(connection.Local(), a.person.Account.Card))
	if err := connection.Connect(ctx, answer.Offer); err != nil {
		a.t.Fatal(err)
	}
	return connection, session
}

// framesTheCallDoesNotOpen: the caller holds its identity key and the connection, and
// sends frames that are not sealed with this call's keys for it to send with: from the
// start, or once the call has been heard to be well.
func framesTheCallDoesNotOpen(t *testing.T) {
	w := newWorld(t)
	lies := map[string]func(i int, honest *handshake.FrameSealer, echo []byte) []byte{
		"plain":     func(int, *handshake.FrameSealer, []byte) []byte { return make([]byte, 101) },
		"bob's own": func(_ int, _ *handshake.FrameSealer, echo []byte) []byte { return echo },
		"altered": func(_ int, s *handshake.FrameSealer, _ []byte) []byte {
			f := s.Seal(nil, make([]byte, 80))
			f[50] ^= 1
			return f
		},
		"too short": func(int, *handshake.FrameSealer, []byte) []byte { return []byte{0} },
		"good at first": func(i int, s *handshake.FrameSealer, _ []byte) []byte {
			frame := s.Seal(nil, make([]byte, 80))
			if i >= 25 {
				frame[0] = 1 // a key that this call does not have
			}
			return frame
		},
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan struct{}, len(lies))
	defer func() {
		cancel()
		for range len(lies) {
			<-stopped
		}
	}()
	preys := map[string]*prey{}
	for name, lie := range lies {
		m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
		bob := newPrey(t, b, settings.Contacts, m.Contact())
		preys[name] = bob
		var echo atomic.Pointer[[]byte]
		nothing := make([]byte, 101)
		echo.Store(&nothing)
		connection, session := newAttacker(t, m).connectTo(bob, func(frame []byte, _ time.Time) {
			kept := slices.Clone(frame)
			echo.Store(&kept)
		})
		go func() {
			defer func() { stopped <- struct{}{} }()
			tick := time.NewTicker(20 * time.Millisecond)
			defer tick.Stop()
			for i, honest := 0, session.FrameSealer(); ctx.Err() == nil; i++ {
				if connection.Send(lie(i, honest, *echo.Load()), 960) != nil {
					return
				}
				<-tick.C
			}
		}()
		bob.await(call.EventConnected)
	}
	for name, bob := range preys {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			bob.t = t
			bob.ended(call.Mismatch)
			bob.do(bob.engine.Close())
			if bob.mic.opened.Load() != 1 || bob.mic.closed.Load() == 0 {
				t.Errorf("%d microphones opened, %d closed", bob.mic.opened.Load(), bob.mic.closed.Load())
			}
		})
	}
}

// told reports whether anything comes to the answer drop of a knock.
func (a *attacker) told(knock *handshake.Outgoing, during time.Duration) bool {
	drop := wire.DropOf(knock.AnswerDrop().Public().(ed25519.PublicKey))
	for timeout := time.After(during); ; {
		select {
		case envelope := <-a.line.Deliveries():
			if envelope.Drop() == drop {
				return true
			}
		case <-timeout:
			return false
		}
	}
}

// dropsThatAreNotTheirs: a knock is good only in the drop of whom it is from, and
// somebody blocked gets no word from anywhere.
func dropsThatAreNotTheirs(t *testing.T) {
	w := newWorld(t)
	m, c, x, s, b := person(t, w, 1, "mallory"), person(t, w, 1, "carol"), person(t, w, 1, "xavier"), person(t, w, 1, "sam"), person(t, w, 1, "bob")
	blocked := x.Contact()
	blocked.Blocked = true
	bob := newPrey(t, b, settings.Anyone, m.Contact(), c.Contact(), blocked)
	card := b.Contact().Card
	week := identity.Week(time.Now())
	of := func(p *world.Person) ed25519.PrivateKey {
		return pairDrop(p.Account.Self, p.Account.Self.Key(), card.Key)
	}
	anyone := identity.CardDrop(card.Key, card.Secret, week)
	carol := newAttacker(t, c) // whose drops leaked to the others
	for _, attempt := range []struct {
		name string
		by   *world.Person
		drop ed25519.PrivateKey
	}{
		{"a contact in another's drop", m, of(c)},
		{"a stranger in a contact's drop", s, of(c)},
		{"somebody blocked in a contact's drop", x, of(c)},
		{"somebody blocked in their own drop", x, of(x)},
		{"somebody blocked at the card drop", x, anyone},
	} {
		by := newAttacker(t, attempt.by)
		knock := by.knock(card.Key, time.Minute)
		by.newDoor(b.Contact(), attempt.drop).put(knock.Knock())
		by.listen(knock.AnswerDrop())
		carol.newDoor(b.Contact(), of(c)).settled(bob) // on the same line of bob's
		bob.quiet(0)
		bob.untouched(attempt.name)
		if by.told(knock, 50*time.Millisecond) {
			t.Errorf("%s is told something", attempt.name)
		}
		if current := bob.engine.Snapshot().Call; current != nil {
			t.Errorf("%s: the call is %s", attempt.name, current.Phase)
		}
	}
	// While another call rings, they are not told that he is busy either.
	carol.newDoor(b.Contact(), of(c)).put(carol.knock(card.Key, time.Minute).Knock())
	bob.await(call.EventIncoming)
	for _, p := range []*world.Person{x, s} {
		by := newAttacker(t, p)
		knock := by.knock(card.Key, time.Minute)
		by.listen(knock.AnswerDrop())
		by.post(card.Relay, anyone, knock.Knock())
		carol.newDoor(b.Contact(), of(c)).settled(bob)
		if by.told(knock, 100*time.Millisecond) {
			t.Error("somebody blocked or unknown is told something")
		}
	}
	bob.untouched("all attempts")
}
