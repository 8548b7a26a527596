package call_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/wire"
	"sotto/net/world"
	"sotto/settings"
)

// agreeing are alice and bob in a call; each consents to direct calls as told.
func agreeing(t *testing.T, w *world.World, alter func(hers, his *call.Policy, bob, alice *call.Contact)) (alice, bob *side) {
	t.Helper()
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	hers, his, asBob, asAlice := everyone, everyone, b.Contact(), a.Contact()
	hers.Direct, his.Direct, asBob.Direct, asAlice.Direct = true, true, true, true
	if alter != nil {
		alter(&hers, &his, &asBob, &asAlice)
	}
	alice, bob = keep(t, a, hers, asBob), keep(t, b, his, asAlice)
	talking(t, alice, bob)
	return alice, bob
}

func (s *side) goes(route string) {
	s.t.Helper()
	s.until("the call goes "+route, func() bool {
		info := s.engine.Snapshot().Call
		return info.Proof.Route == route && info.Phase == call.Connected && info.Stats.LevelOut > -40
	})
}

func TestACallGoesDirectWhereBothAgreeAndBackWhereOneSaysSo(t *testing.T) {
	w := newWorld(t)
	alice, bob := agreeing(t, w, nil)
	for _, s := range []*side{alice, bob} {
		s.goes("direct")
	}
	hers, his := alice.engine.Snapshot().Call, bob.engine.Snapshot().Call
	if p := hers.Proof; !strings.HasPrefix(p.DirectAddress, alice.person.Address.String()+":") || p.PeerSees != p.DirectAddress || p.RelayRemote != "" || !p.Encrypted || !p.PostQuantum {
		t.Errorf("%+v", p)
	}
	if !hers.WasDirect || !his.WasDirect {
		t.Error("no mark stays")
	}
	if !slices.Contains(w.Seen(alice.person.Address), bob.person.Address) {
		t.Error("the test sees no packet between the two")
	}
	alice.do(alice.engine.ReturnToRelays())
	for _, s := range []*side{alice, bob} {
		s.goes("relay")
		if info := s.engine.Snapshot().Call; !info.WasDirect || info.Proof.DirectAddress != "" || info.Proof.PairTypes != "relay-relay" {
			t.Errorf("%+v", info.Proof)
		}
	}
	time.Sleep(2500 * time.Millisecond) // longer than either side takes to think of it again
	for _, s := range []*side{alice, bob} {
		s.goes("relay")
	}
	bob.do(bob.engine.HangUp())
	alice.ended(call.PeerHungUp)
	entry := alice.recorded(1)[0]
	if !strings.Contains(entry.Receipt, "directly for a part") || strings.Contains(entry.Receipt, bob.person.Address.String()) {
		t.Errorf("%+v", entry)
	}
}

func TestTakingConsentBackReturnsToTheRelays(t *testing.T) {
	w := newWorld(t)
	alice, bob := agreeing(t, w, nil)
	alice.goes("direct")
	bob.goes("direct")
	bob.change(func(l *ledger) { l.contacts[0].Verified = false })
	alice.goes("relay")
	bob.goes("relay")
}

// Whatever is missing of the two consents, not one packet leaves the relays.
func TestWithoutBothConsentsNothingLeavesTheRelays(t *testing.T) {
	w := newWorld(t)
	for what, alter := range map[string]func(hers, his *call.Policy, bob, alice *call.Contact){
		"his setting is off":         func(_, his *call.Policy, _, _ *call.Contact) { his.Direct = false },
		"she has not chosen him":     func(_, _ *call.Policy, bob, _ *call.Contact) { bob.Direct = false },
		"he has not verified her":    func(_, _ *call.Policy, _, alice *call.Contact) { alice.Verified = false },
		"neither has verified other": func(_, _ *call.Policy, bob, alice *call.Contact) { bob.Verified, alice.Verified = false, false },
	} {
		alice, bob := agreeing(t, w, alter)
		for range 3 { // each figure is a second; where both agree it takes two
			alice.await(call.EventStats)
			bob.await(call.EventStats)
		}
		for _, s := range []*side{alice, bob} {
			s.goes("relay")
			if info := s.engine.Snapshot().Call; info.WasDirect || info.Proof.DirectAddress != "" {
				t.Errorf("%s: %+v", what, info.Proof)
			}
			if seen := w.Seen(s.person.Address); len(seen) != 1 || !seen[0].Less(netip.MustParseAddr("203.0.113.3")) {
				t.Errorf("%s: %s exchanged packets with %v", what, s.name(), seen)
			}
		}
		alice.do(alice.engine.HangUp())
		bob.ended(call.PeerHungUp)
	}
}

// A contact in a call says that they agree, and offers direct connections to places of
// their choosing. Bob, who has not agreed, sends nothing there and stays on his relay.
func TestOffersOfADirectConnectionMoveNobodyWhoDidNotAgree(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Contacts, m.Contact())
	mallory := newAttacker(t, m)
	connection, session := mallory.connectTo(bob, nil)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for sealer := session.FrameSealer(); ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = connection.Send(sealer.Seal(nil, make([]byte, 80)), 960)
			}
		}
	}()
	defer func() {
		close(stop)
		<-stopped
	}()
	bob.await(call.EventConnected)
	offer := someOffer()
	number := uint32(0)
	say := func(signal wire.Signal) {
		number++
		signal.Number = number
		body := session.SealSignal(signal)
		if body == nil {
			t.Fatalf("%+v cannot be said", signal)
		}
		mallory.post(b.Account.Relay, mallory.talk, body)
	}
	say(wire.Signal{Kind: wire.SignalConsent})
	for n, place := range []string{"203.0.113.200:5000", "203.0.113.101:2000", "127.0.0.1:5000", "10.0.0.1:5000"} {
		offer.Candidates = []netip.AddrPort{netip.MustParseAddrPort(place)}
		say(wire.Signal{Kind: wire.SignalDirect, Generation: uint32(n + 1), Offer: &offer})
	}
	for range 4 {
		bob.await(call.EventStats)
	}
	info := bob.engine.Snapshot().Call
	if info.Phase != call.Connected || info.Proof.Route != "relay" || info.WasDirect {
		t.Errorf("%+v", info)
	}
	if seen := w.Seen(b.Address); len(seen) != 1 || seen[0] != netip.MustParseAddr("203.0.113.2") {
		t.Errorf("bob exchanged packets with %v", seen)
	}
}
