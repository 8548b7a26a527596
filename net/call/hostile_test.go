package call_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/wire"
	"sotto/settings"
)

// script is what a hostile caller may say before an answer, by name.
type script struct {
	knocks map[string]*handshake.Outgoing
	fixed  map[string][]byte // of a call of the attacker's with themselves
}

func (a *attacker) newScript() script {
	a.t.Helper()
	self := a.person.Account
	own := a.knock(self.Self.Key(), time.Minute)
	in, err := handshake.OpenKnock(self.Self, own.Knock())
	if err != nil {
		a.t.Fatal(err)
	}
	answer, _, callee, err := in.Answer(someOffer(), self.Card)
	if err != nil {
		a.t.Fatal(err)
	}
	_, caller, err := own.ReadAnswer(answer)
	if err != nil {
		a.t.Fatal(err)
	}
	garbage := make([]byte, wire.BodySize)
	_, _ = rand.Read(garbage)
	return script{fixed: map[string][]byte{
		"answer": answer, "garbage": garbage, "zeros": make([]byte, wire.BodySize),
		"confirm":   caller.SealConfirm(someOffer(), self.Card),
		"confirmed": callee.SealSignal(wire.Signal{Kind: wire.SignalConfirmed}),
		"hold":      caller.SealSignal(wire.Signal{Kind: wire.SignalHold}),
		"resume":    caller.SealSignal(wire.Signal{Kind: wire.SignalResume}),
		"bye":       caller.SealSignal(wire.Signal{Kind: wire.SignalBye}),
		"ringing":   in.SealControl(wire.Control{Kind: wire.ControlRinging}), "declined": in.SealControl(wire.Control{Kind: wire.ControlDeclined}),
		"busy": in.SealControl(wire.Control{Kind: wire.ControlBusy}), "cancel own": own.SealCancel(), "own knock": own.Knock(),
	}}
}

// orders are all orders of words, each once.
func orders(words []string) (all [][]string) {
	if len(words) == 1 {
		return [][]string{words}
	}
	for i, first := range words {
		rest := slices.Delete(slices.Clone(words), i, i+1)
		if slices.Contains(words[:i], first) {
			continue
		}
		for _, order := range orders(rest) {
			all = append(all, append([]string{first}, order...))
		}
	}
	return all
}

// play says one order of words into a door, and holds the prey against what may come
// of it: a knock rings if nothing rings and it has not rung, a cancel ends its own
// knock's ringing, and nothing else does anything.
func (d *door) play(v *prey, s script, order []string) {
	d.t.Helper()
	s.knocks = map[string]*handshake.Outgoing{"knock": d.knock(d.owner, time.Minute), "second": d.knock(d.owner, time.Minute)}
	rings, rang := "", map[string]bool{}
	for _, word := range order {
		switch word {
		case "knock", "second":
			d.put(s.knocks[word].Knock())
			if !rang[word] && rings == "" {
				rings = word
				v.await(call.EventIncoming)
			}
			rang[word] = true
		case "cancel", "cancel second":
			of := "knock"
			if word == "cancel second" {
				of = "second"
			}
			d.put(s.knocks[of].SealCancel())
			if rings == of {
				rings = ""
				v.ended(call.Missed)
			}
		default:
			d.put(s.fixed[word])
		}
	}
	d.settled(v)
	v.untouched(order)
	switch current := v.engine.Snapshot().Call; {
	case rings == "":
		if current != nil && current.Phase != call.Ended {
			d.t.Errorf("after %v the call is %s", order, current.Phase)
		}
		v.quiet(0)
	case current.Phase != call.Incoming:
		d.t.Errorf("after %v the call is %s", order, current.Phase)
	default:
		v.do(v.engine.Decline())
		v.ended(call.DeclinedHere)
	}
}

// ordersOfRemoteMessages says everything a remote side can say before an answer in
// every order, with repetitions and with each side's words in the other's mouth, into
// pair drops of all three weeks and into card drops.
func ordersOfRemoteMessages(t *testing.T) {
	for _, words := range [][]string{
		{"knock", "second", "cancel", "confirm"},
		{"knock", "cancel", "answer", "confirmed"},
		{"knock", "hold", "resume", "bye"},
		{"knock", "ringing", "declined", "busy"},
		{"knock", "knock", "cancel", "cancel"},
		{"knock", "second", "cancel second", "garbage"},
		{"own knock", "cancel own", "knock", "zeros"},
	} {
		t.Run(fmt.Sprint(words), func(t *testing.T) {
			w := newWorld(t)
			m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
			bob := newPrey(t, b, settings.Anyone, m.Contact())
			mallory := newAttacker(t, m)
			said := mallory.newScript()
			card, week := b.Contact().Card, identity.Week(time.Now())
			var drops []ed25519.PrivateKey
			for _, week := range []uint64{week - 1, week, week + 1} {
				drops = append(drops, m.Account.Self.PairDrop(m.Account.Self.Key(), card.Key, week), identity.CardDrop(card.Key, card.Secret, week))
			}
			all := orders(words)
			share := (len(all) + len(drops) - 1) / len(drops)
			for i := 0; len(all) > 0; i++ {
				into := mallory.newDoor(b.Contact(), drops[i])
				for _, order := range all[:min(share, len(all))] {
					into.play(bob, said, order)
				}
				all = all[min(share, len(all)):]
			}
			if seen := w.Seen(b.Address); len(seen) != 1 || seen[0] != netip.MustParseAddr("203.0.113.2") {
				t.Errorf("bob's machine had packets with %v", seen)
			}
		})
	}
}

// bobsOwnWordsComeBackToHim: what a callee says before an answer, said back into
// every drop of his, moves nothing; nor does the knock of a call he places.
func bobsOwnWordsComeBackToHim(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Anyone, m.Contact())
	mallory := newAttacker(t, m)
	card := b.Contact().Card
	pair := pairDrop(m.Account.Self, m.Account.Self.Key(), card.Key)
	anyone := identity.CardDrop(card.Key, card.Secret, identity.Week(time.Now()))
	knock := mallory.knock(card.Key, time.Minute)
	mallory.listen(knock.AnswerDrop())
	mallory.post(card.Relay, pair, knock.Knock())
	bob.await(call.EventIncoming)
	ringing := mallory.next()
	if kind, ok := knock.OpenControl(ringing); !ok || kind.Kind != wire.ControlRinging {
		t.Fatalf("bob said %v", kind)
	}
	for _, drop := range []ed25519.PrivateKey{pair, anyone, knock.AnswerDrop()} {
		mallory.post(card.Relay, drop, ringing)
	}
	mallory.newDoor(b.Contact(), pair).settled(bob)
	bob.untouched("its own word")
	if phase := bob.engine.Snapshot().Call.Phase; phase != call.Incoming {
		t.Errorf("bob's call is %s", phase)
	}
	bob.do(bob.engine.Decline())
	bob.ended(call.DeclinedHere)

	hears := pairDrop(m.Account.Self, card.Key, m.Account.Self.Key())
	mallory.listen(hears)
	bob.do(bob.engine.Dial("mallory"))
	his := mallory.next()
	in, err := handshake.OpenKnock(m.Account.Self, his)
	for err != nil { // the decline, and what mallory himself put into the answer drop, may still be on their way
		his = mallory.next()
		in, err = handshake.OpenKnock(m.Account.Self, his)
	}
	for _, drop := range []ed25519.PrivateKey{pair, anyone, identity.EphemeralDrop(in.Knock().CallSecret)} {
		mallory.post(card.Relay, drop, his)
	}
	mallory.newDoor(b.Contact(), pair).settled(bob)
	if phase := bob.engine.Snapshot().Call.Phase; phase != call.Dialling {
		t.Errorf("bob's call is %s", phase)
	}
	if bob.mic.opened.Load() != 0 {
		t.Error("bob's microphone was opened")
	}
	bob.do(bob.engine.HangUp())
	bob.ended(call.Cancelled)
}

// answeredBy lets bob answer mallory's knock, and opens his answer.
func answeredBy(bob *prey, mallory *attacker) (*wire.Answer, *handshake.Session) {
	bob.t.Helper()
	card := bob.person.Contact().Card
	knock := mallory.knock(card.Key, time.Minute)
	mallory.listen(knock.AnswerDrop())
	mallory.post(card.Relay, pairDrop(mallory.person.Account.Self, mallory.person.Account.Self.Key(), card.Key), knock.Knock())
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Answer())
	for {
		if answer, session, err := knock.ReadAnswer(mallory.next()); err == nil {
			return answer, session
		}
	}
}

// TestALyingConfirmationIsAMismatch: a person has answered, and the caller contradicts
// its knock. Nothing is said into the microphone, and the truth told later comes too late.
func TestALyingConfirmationIsAMismatch(t *testing.T) {
	w := newWorld(t)
	m, o, b := person(t, w, 0, "mallory"), person(t, w, 0, "olga"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Contacts, m.Contact())
	mallory := newAttacker(t, m)
	for name, lie := range map[string]func(*handshake.Session) []byte{
		"another nonce": func(s *handshake.Session) []byte {
			nonce := hidden(s, "nonceA").Addr().Interface().(*[32]byte)
			nonce[0] ^= 1
			defer func() { nonce[0] ^= 1 }()
			return s.SealConfirm(someOffer(), m.Account.Card)
		},
		"another person's card": func(s *handshake.Session) []byte { return s.SealConfirm(someOffer(), o.Account.Card) },
	} {
		opened := bob.mic.opened.Load()
		answer, session := answeredBy(bob, mallory)
		drop := ed25519.NewKeyFromSeed(answer.DropSeed[:])
		mallory.post(b.Account.Relay, drop, lie(session))
		bob.ended(call.Mismatch)
		if bob.mic.opened.Load() != opened+1 || bob.tap.sockets.Load() == 0 {
			t.Errorf("%s: an answer opened %d microphones and %d sockets", name, bob.mic.opened.Load()-opened, bob.tap.sockets.Load())
		}
		mallory.post(b.Account.Relay, drop, session.SealConfirm(someOffer(), m.Account.Card))
		pair := pairDrop(m.Account.Self, m.Account.Self.Key(), b.Account.Self.Key())
		mallory.post(b.Account.Relay, pair, session.SealConfirm(someOffer(), m.Account.Card))
		bob.quiet(100 * time.Millisecond)
		if current := bob.engine.Snapshot().Call; current.Phase != call.Ended || current.Reason != call.Mismatch {
			t.Errorf("%s: the call is %s (%s)", name, current.Phase, current.Reason)
		}
		if words := bob.engine.Snapshot().Call.Proof.Words; len(words) != 0 && words[0] != "" {
			t.Errorf("%s: words are shown: %v", name, words)
		}
	}
	bob.do(bob.engine.Close()) // the end is told before the devices are given back
	bob.unspoken("all lies")
	if seen := w.Seen(b.Address); len(seen) != 1 {
		t.Errorf("bob's machine had packets with %v", seen)
	}
}

// TestAKnockRingsOnce: the same knock in a new envelope, or another with its call id,
// rings nobody again, at whichever door, however the call ended and after a new start.
func TestAKnockRingsOnce(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Anyone, m.Contact())
	mallory := newAttacker(t, m)
	card := b.Contact().Card
	pair := pairDrop(m.Account.Self, m.Account.Self.Key(), card.Key)
	drops := []ed25519.PrivateKey{pair, identity.CardDrop(card.Key, card.Secret, identity.Week(time.Now()))}
	var knocks []*handshake.Outgoing
	again := func() {
		t.Helper()
		for _, drop := range drops {
			into := mallory.newDoor(b.Contact(), drop)
			for _, knock := range knocks {
				into.put(knock.Knock())
			}
			into.settled(bob)
		}
		bob.quiet(0)
	}
	for i, end := range []func(*handshake.Outgoing){
		func(*handshake.Outgoing) {
			bob.do(bob.engine.Decline())
			bob.ended(call.DeclinedHere)
		},
		func(knock *handshake.Outgoing) {
			mallory.post(card.Relay, pair, knock.SealCancel())
			bob.ended(call.Missed)
		},
	} {
		knock := mallory.knock(card.Key, time.Minute)
		for _, drop := range drops { // both at once, as for somebody never reached
			mallory.post(card.Relay, drop, knock.Knock())
		}
		bob.await(call.EventIncoming)
		end(knock)
		id := hidden(knock, "knock").FieldByName("CallID").Interface().([16]byte)
		knocks = append(knocks, knock, mallory.knockWith(card.Key, id, time.Minute))
		again()
		if i == 0 {
			bob.do(bob.engine.Close())
			bob.start()
			again()
		}
	}
}

// TestUntimelyKnocks: beyond the two minutes that clocks may differ, either way.
func TestUntimelyKnocks(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
	bob := newPrey(t, b, settings.Contacts, m.Contact())
	mallory := newAttacker(t, m)
	into := mallory.newDoor(b.Contact(), pairDrop(m.Account.Self, m.Account.Self.Key(), b.Account.Self.Key()))
	never, always := -1<<40*time.Nanosecond, 1<<62*time.Nanosecond
	for _, expires := range []time.Duration{-125 * time.Second, -24 * time.Hour, never, 190 * time.Second, 24 * time.Hour, always} {
		into.put(mallory.knock(b.Account.Self.Key(), expires).Knock())
		into.settled(bob)
		bob.quiet(0)
		if current := bob.engine.Snapshot().Call; current != nil {
			t.Errorf("a knock that expires in %v is %s", expires, current.Phase)
		}
	}
	for _, expires := range []time.Duration{-60 * time.Second, 60 * time.Second, 150 * time.Second} {
		into.put(mallory.knock(b.Account.Self.Key(), expires).Knock())
		bob.await(call.EventIncoming)
		bob.do(bob.engine.Decline())
		bob.ended(call.DeclinedHere)
	}
}
