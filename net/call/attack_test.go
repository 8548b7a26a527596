package call_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/peer"
	"sotto/net/wire"
	"sotto/net/world"
	"sotto/settings"
)

// attacker is somebody in the world without an engine: they say what they like.
type attacker struct {
	talk   ed25519.PrivateKey // the callee's drop, once connectTo has the answer
	t      *testing.T
	person *world.Person
	line   *line.Line
}

func newAttacker(t *testing.T, p *world.Person) *attacker {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	opened, err := line.Open(ctx, line.Config{
		Relay: p.Account.Relay, Receive: p.Account.Self.ReceiveKey(p.Account.Relay), Dial: p.Network.Dial,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return &attacker{t: t, person: p, line: opened}
}

// post puts a body into a drop at somebody's relay.
func (a *attacker) post(to identity.Address, drop ed25519.PrivateKey, body []byte) {
	a.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	envelope, err := wire.NewEnvelope(drop, to.HostPort(), a.line.Now().Add(time.Minute), body)
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.line.Send(ctx, to, envelope); err != nil {
		a.t.Fatal(err)
	}
}

// listen registers a drop; what arrives comes back from next.
func (a *attacker) listen(drops ...ed25519.PrivateKey) {
	a.t.Helper()
	ids := make([]wire.DropID, len(drops))
	for i, drop := range drops {
		ids[i] = wire.DropOf(drop.Public().(ed25519.PublicKey))
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.line.Register(ctx, ids); err != nil {
		a.t.Fatal(err)
	}
}

func (a *attacker) next() []byte {
	a.t.Helper()
	select {
	case envelope := <-a.line.Deliveries():
		return envelope.Body[:]
	case <-time.After(patience):
		a.t.Fatal("nothing arrived")
		return nil
	}
}

// knock makes a knock for whom with a fresh call id.
func (a *attacker) knock(whom identity.Key, expires time.Duration) *handshake.Outgoing {
	a.t.Helper()
	params := handshake.Params{Expiry: a.line.Now().Add(expires).Unix(), Card: a.person.Account.Card}
	_, _ = rand.Read(params.CallID[:])
	out, err := handshake.Call(a.person.Account.Self, whom, params)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// pairDrop is the drop in which from's knocks for to arrive.
func pairDrop(self *identity.Identity, from, to identity.Key) ed25519.PrivateKey {
	return self.PairDrop(from, to, identity.Week(time.Now()))
}

func someOffer() wire.Offer {
	return wire.Offer{
		Fingerprint: [32]byte{1}, Ufrag: "abcdefgh", Pwd: "abcdefghijklmnopqrstuvwxyz012345",
		Candidates: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:50000")},
	}
}

// noRemoteMessageOpensTheMicrophone sends every kind of message there is, of
// true and of made-up calls, in many orders and twice over, while nobody answers.
func noRemoteMessageOpensTheMicrophone(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t)
			m, b := person(t, w, 1, "mallory"), person(t, w, 1, "bob")
			bob := newPrey(t, b, settings.Anyone, m.Contact())
			mallory := newAttacker(t, m)
			toBob := b.Contact().Card

			// Messages after the knock, of a call between mallory and herself.
			own := mallory.knock(m.Account.Self.Key(), time.Minute)
			in, err := handshake.OpenKnock(m.Account.Self, own.Knock())
			if err != nil {
				t.Fatal(err)
			}
			answer, _, _, err := in.Answer(someOffer(), m.Account.Card)
			if err != nil {
				t.Fatal(err)
			}
			ringing := in.SealControl(wire.Control{Kind: wire.ControlRinging})
			_, session, err := own.ReadAnswer(answer)
			if err != nil {
				t.Fatal(err)
			}
			first, second := mallory.knock(toBob.Key, time.Minute), mallory.knock(toBob.Key, time.Minute)
			garbage := make([]byte, wire.BodySize)
			_, _ = rand.Read(garbage)
			bodies := [][]byte{
				first.Knock(), first.Knock(), second.Knock(), first.SealCancel(), garbage, make([]byte, wire.BodySize), answer, ringing,
				session.SealConfirm(someOffer(), m.Account.Card),
				session.SealSignal(wire.Signal{Kind: wire.SignalConfirmed}), session.SealSignal(wire.Signal{Kind: wire.SignalResume}),
			}
			order := mathrand.New(mathrand.NewPCG(seed, 1)).Perm(len(bodies))
			into := mallory.newDoor(b.Contact(), pairDrop(m.Account.Self, m.Account.Self.Key(), toBob.Key))
			for _, i := range order {
				into.put(bodies[i])
			}
			into.put(mallory.knock(toBob.Key, time.Minute).Knock()) // one that rings, or is busy
			into.settled(bob)
			bob.await(call.EventIncoming)
			bob.untouched(order)
			if phase := bob.engine.Snapshot().Call.Phase; phase != call.Incoming && phase != call.Ended {
				t.Errorf("order %v: the call is %s", order, phase)
			}
			if seen := w.Seen(b.Address); len(seen) != 1 || seen[0].String() != "203.0.113.2" {
				t.Errorf("order %v: bob's machine had packets with %v", order, seen)
			}
		})
	}
}

// TestOldAndRepeatedKnocksRingNobody: a knock rings once and in its time.
func TestOldAndRepeatedKnocksRingNobody(t *testing.T) {
	w := newWorld(t)
	m, b := person(t, w, 0, "mallory"), person(t, w, 1, "bob")
	bob := start(t, b, settings.Contacts, false, m.Contact())
	mallory := newAttacker(t, m)
	toBob := b.Contact().Card
	drop := pairDrop(m.Account.Self, m.Account.Self.Key(), toBob.Key)
	for _, expires := range []time.Duration{-10 * time.Minute, time.Hour} {
		mallory.post(toBob.Relay, drop, mallory.knock(toBob.Key, expires).Knock())
	}
	bob.quiet(500 * time.Millisecond)
	knock := mallory.knock(toBob.Key, time.Minute).Knock()
	mallory.post(toBob.Relay, drop, knock)
	bob.await(call.EventIncoming)
	bob.do(bob.engine.Decline())
	bob.ended(call.DeclinedHere)
	mallory.post(toBob.Relay, drop, knock)
	bob.quiet(500 * time.Millisecond)
}

// TestAnotherPersonsDropIsNoWayIn: a contact who may not call borrows nobody's drop.
func TestAnotherPersonsDropIsNoWayIn(t *testing.T) {
	w := newWorld(t)
	m, c, b := person(t, w, 0, "mallory"), person(t, w, 0, "carol"), person(t, w, 1, "bob")
	unverified := m.Contact()
	unverified.Verified = false
	bob := start(t, b, settings.Verified, false, unverified, c.Contact())
	mallory := newAttacker(t, m)
	toBob := b.Contact().Card
	carols := pairDrop(c.Account.Self, c.Account.Self.Key(), toBob.Key) // as if carol's key had leaked
	mallory.post(toBob.Relay, carols, mallory.knock(toBob.Key, time.Minute).Knock())
	bob.quiet(500 * time.Millisecond)
}

// answerer waits for alice's knock in mallory's hands.
func answerer(t *testing.T, w *world.World) (*side, *attacker, *handshake.Incoming) {
	t.Helper()
	a, m := person(t, w, 0, "alice"), person(t, w, 1, "mallory")
	alice := start(t, a, settings.Contacts, false, m.Contact())
	mallory := newAttacker(t, m)
	mallory.listen(pairDrop(m.Account.Self, a.Account.Self.Key(), m.Account.Self.Key()))
	alice.do(alice.engine.Dial("mallory"))
	in, err := handshake.OpenKnock(m.Account.Self, mallory.next())
	if err != nil {
		t.Fatal(err)
	}
	return alice, mallory, in
}

func TestAnAnswerWithAnotherKeysCardIsAMismatch(t *testing.T) {
	w := newWorld(t)
	alice, mallory, in := answerer(t, w)
	other := person(t, w, 1, "mallory")
	body, _, _, err := in.Answer(someOffer(), other.Account.Card)
	if err != nil {
		t.Fatal(err)
	}
	drop := identity.EphemeralDrop(in.Knock().CallSecret)
	to := alice.person.Account.Relay
	garbage := make([]byte, wire.BodySize)
	_, _ = rand.Read(garbage)
	mallory.post(to, drop, garbage)
	mallory.post(to, drop, body)
	alice.ended(call.Mismatch)
	if alice.opened.Load() != 0 {
		t.Error("the microphone was opened")
	}
}

// TestFramesUnderNoSealEndTheCall: the other side holds the identity key and the
// DTLS connection, but what it sends was not sealed with this call's keys.
func TestFramesUnderNoSealEndTheCall(t *testing.T) {
	w := newWorld(t)
	alice, mallory, in := answerer(t, w)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	credential, err := mallory.line.Credential(ctx)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := peer.New(ctx, peer.Config{
		Turn:        peer.Turn{Address: credential.Turn, Username: credential.Username, Password: credential.Password},
		Controlling: true, Net: mallory.person.Network.Media, OnFrame: func([]byte, time.Time) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	body, drop, session, err := in.Answer(connection.Local(), mallory.person.Account.Card)
	if err != nil {
		t.Fatal(err)
	}
	mallory.listen(drop)
	answers := identity.EphemeralDrop(in.Knock().CallSecret)
	mallory.post(alice.person.Account.Relay, answers, body)
	confirm, err := session.OpenConfirm(mallory.next())
	if err != nil {
		t.Fatal(err)
	}
	mallory.post(alice.person.Account.Relay, answers, session.SealSignal(wire.Signal{Kind: wire.SignalConfirmed}))
	if err := connection.Connect(ctx, confirm.Offer); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	defer func() { <-ended }()
	go func() {
		defer close(ended)
		frame := make([]byte, 101)
		for connection.Send(frame, 960) == nil && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond)
		}
	}()
	alice.ended(call.Mismatch)
	cancel()
}
