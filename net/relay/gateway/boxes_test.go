package gateway

import (
	"crypto/ed25519"
	"errors"
	"testing"
	"time"

	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/wire"
)

func openBox(t *testing.T, l *line.Line) line.Box {
	t.Helper()
	box, err := l.OpenBox(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func fillBox(t *testing.T, l *line.Line, to identity.Address, number uint32, mark byte) *wire.Envelope {
	t.Helper()
	e := seal(t, wire.BoxKey(to.HostPort(), number), to, mark)
	if err := l.FillBox(testContext(t), to, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// silentFor fails if anything arrives: a second delivery has been made, or never will be.
func silentAfter(t *testing.T, l *line.Line, g *Gateway, marker ed25519.PrivateKey) {
	t.Helper()
	last := seal(t, marker, g.config.Address, 99)
	send(t, sender(t, g), g.config.Address, last)
	expect(t, l, last)
}

func TestBoxTakesOneEnvelope(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	marker := newKey(t)
	inviter, joiner := receiver(t, g, marker), sender(t, g)
	box := openBox(t, inviter)
	if box.Number < 1 || box.Number > 99 || time.Until(box.Expires) > 10*time.Minute {
		t.Errorf("box %+v", box)
	}
	first := fillBox(t, joiner, g.config.Address, box.Number, 1)
	expect(t, inviter, first)
	fillBox(t, joiner, g.config.Address, box.Number, 2)
	silentAfter(t, inviter, g, marker)
	if left := g.Snapshot().Boxes; left != 0 {
		t.Errorf("%d boxes are left", left)
	}
}

// TestBoxAcrossRelays: the joiner's relay knows only the name of the other.
func TestBoxAcrossRelays(t *testing.T) {
	nettest.Leaks(t)
	here, there := startGateway(t, nil), startGateway(t, nil)
	inviter := receiver(t, there)
	box := openBox(t, inviter)
	name := identity.Address{Host: there.config.Address.Host, Port: there.config.Address.Port}
	expect(t, inviter, fillBox(t, sender(t, here), name, box.Number, 1))
	// Everything but a box still needs the proof.
	key := newKey(t)
	other := sender(t, here)
	send(t, other, name, seal(t, key, name, 2))
	select {
	case <-other.Undeliverable():
	case <-testContext(t).Done():
		t.Error("an envelope that is for no box went to a relay that proved nothing")
	}
}

func TestNobodyReadsAlongABox(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, nil)
	box := openBox(t, receiver(t, g))
	spy := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	drop := dropOf(wire.BoxKey(g.config.Address.HostPort(), box.Number))
	if err := spy.Register(testContext(t), []wire.DropID{drop}); err == nil {
		t.Error("a stranger registered somebody's box")
	}
}

func TestBoxesAreBounded(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.PrefixBoxes = 2 })
	first, second := receiver(t, g), receiver(t, g)
	openBox(t, first)
	openBox(t, second)
	if _, err := receiver(t, g).OpenBox(testContext(t)); !errors.Is(err, line.ErrRefused) {
		t.Errorf("a third box for two: %v", err)
	}
	again := openBox(t, second) // in place of its own
	if count := g.Snapshot().Boxes; count != 2 {
		t.Errorf("%d boxes", count)
	}
	first.Close()
	third := receiver(t, g)
	for deadline := time.Now().Add(patience); ; {
		if _, err := third.OpenBox(testContext(t)); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("a box of a line that ended is still counted: %v", err)
		}
	}
	expect(t, second, fillBox(t, sender(t, g), g.config.Address, again.Number, 1))
}

func TestSendersAndStrangersGetNoBox(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Open, c.Tokens = false, []string{"token"} })
	stranger := openLine(t, line.Config{Relay: g.config.Address, Receive: newKey(t)})
	if _, err := stranger.OpenBox(testContext(t)); !errors.Is(err, line.ErrRefused) {
		t.Error(err)
	}
	nameless := openLine(t, line.Config{Relay: g.config.Address, Admission: "token"})
	if _, err := nameless.OpenBox(testContext(t)); !errors.Is(err, line.ErrRefused) {
		t.Error(err)
	}
}

func TestBoxEndsWithItsTime(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.BoxLife = time.Nanosecond })
	marker := newKey(t)
	inviter := receiver(t, g, marker)
	box := openBox(t, inviter)
	fillBox(t, sender(t, g), g.config.Address, box.Number, 1)
	silentAfter(t, inviter, g, marker)
}

// TestTryingNumbersIsLimited: a network that tries every number reaches few.
func TestTryingNumbersIsLimited(t *testing.T) {
	nettest.Leaks(t)
	g := startGateway(t, func(c *Config) { c.Limits.BoxTries = Rate{0.0001, 3} })
	marker := newKey(t)
	inviter, spray := receiver(t, g, marker), sender(t, g)
	box := openBox(t, inviter)
	// The gateway takes an envelope before it looks, and looks in any order: one at a
	// time, each seen in its count, until the network has no try left.
	limited := func() uint64 { return g.Snapshot().Limited }
	until := func(wanted uint64) {
		for deadline := time.Now().Add(patience); limited() < wanted; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d envelopes were limited, wanted %d", limited(), wanted)
			}
		}
	}
	for number := uint32(100); number < 104; number++ {
		fillBox(t, spray, g.config.Address, number, 1)
	}
	until(1)
	fillBox(t, spray, g.config.Address, box.Number, 2)
	until(2)
	silentAfter(t, inviter, g, marker)
	if left := g.Snapshot().Boxes; left != 1 {
		t.Errorf("%d boxes are left of the one that was out of reach", left)
	}
}
