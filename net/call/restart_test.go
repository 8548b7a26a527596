package call_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"sotto/net/call"
)

// moving is a network that can move to another place: what was opened before is dead
// from then on, in both directions and without a word, and what is opened afterwards works.
type moving struct {
	transport.Net

	mu    sync.Mutex // guards the following
	place int
	shut  bool // nothing works at all
}

type moored struct {
	transport.UDPConn
	net   *moving
	place int
}

func (m *moving) DialUDP(network string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	conn, err := m.Net.DialUDP(network, local, remote)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &moored{UDPConn: conn, net: m, place: m.place}, nil
}

func (m *moving) move(shut bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.shut = shut
	m.place++
}

func (c *moored) gone() bool {
	c.net.mu.Lock()
	defer c.net.mu.Unlock()
	return c.net.shut || c.place != c.net.place
}

func (c *moored) Write(p []byte) (int, error) {
	if c.gone() {
		return len(p), nil
	}
	return c.UDPConn.Write(p)
}

func (c *moored) Read(p []byte) (int, error) {
	for {
		n, err := c.UDPConn.Read(p)
		if err != nil || !c.gone() {
			return n, err
		}
	}
}

func broken(e call.Event) bool { return !e.Call.Reconnecting.IsZero() }
func whole(e call.Event) bool  { return e.Call.Reconnecting.IsZero() }

func TestACallComesBackAfterTheNetworkChanged(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	roaming := &moving{Net: a.Network.Media}
	a.Network.Media = roaming
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	talking(t, alice, bob)
	alice.await(call.EventAudio)
	before := alice.engine.Snapshot().Call.Proof
	alice.do(alice.engine.SetHeld(true))
	bob.next(call.EventChanged, func(e call.Event) bool { return e.Call.PeerHeld })
	roaming.move(false)
	if event := alice.next(call.EventChanged, broken); event.Call.Phase != call.Connected || event.Call.Quality.Word != "poor" {
		t.Errorf("%+v", event.Call)
	}
	alice.next(call.EventChanged, whole)
	alice.do(alice.engine.SetHeld(false))
	bob.next(call.EventChanged, func(e call.Event) bool { return !e.Call.PeerHeld })
	for _, s := range []*side{alice, bob} {
		s.until("sound is back", func() bool {
			info := s.engine.Snapshot().Call
			return info.Reconnecting.IsZero() && info.Stats.LevelOut > -40
		})
	}
	after := alice.engine.Snapshot().Call.Proof
	if after.RelayLocal == before.RelayLocal || after.Route != "relay" || after.PairTypes != "relay-relay" || !after.Encrypted {
		t.Errorf("%+v, before %+v", after, before)
	}
	if bob.opened.Load() != 1 || alice.opened.Load() != 1 {
		t.Error("the devices were opened anew")
	}
	bob.do(bob.engine.SendText("there you are"))
	alice.next(call.EventText, func(e call.Event) bool { return !e.Text.Mine })
	for _, address := range w.Seen(a.Address) {
		if address != netip.MustParseAddr("203.0.113.1") {
			t.Errorf("alice exchanged packets with %v", address)
		}
	}
	alice.do(alice.engine.HangUp())
	bob.ended(call.PeerHungUp)
}

func TestACallWithoutAWayIsLostInTheEnd(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	roaming := &moving{Net: b.Network.Media}
	b.Network.Media = roaming
	var cut atomic.Bool // lines that stand go on, new ones are not made: no way over TLS either
	dial := b.Network.Dial
	b.Network.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if cut.Load() {
			return nil, errors.New("no way there")
		}
		return dial(ctx, network, address)
	}
	alice, bob := keep(t, a, everyone, b.Contact()), keepFor(t, b, time.Second, everyone, a.Contact())
	talking(t, alice, bob)
	cut.Store(true)
	roaming.move(true)
	bob.ended(call.Lost)
	alice.ended(call.PeerHungUp) // bob's word comes over lines that work
	if entry := bob.recorded(1)[0]; entry.Outcome != "answered" || entry.Why == "" {
		t.Errorf("%+v", entry)
	}
}

// TestACallGoesOnOverTLS: UDP is gone for good, and the relay's TLS port carries the
// call from then on.
func TestACallGoesOnOverTLS(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	roaming := &moving{Net: b.Network.Media}
	b.Network.Media = roaming
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	talking(t, alice, bob)
	roaming.move(true)
	bob.next(call.EventChanged, broken)
	event := bob.next(call.EventChanged, whole)
	if proof := event.Call.Proof; proof.Transport != "tls" || proof.PairTypes != "relay-relay" {
		t.Errorf("%+v", proof)
	}
}
