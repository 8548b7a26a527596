package reach_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/net/line"
	"sotto/net/nettest"
	"sotto/net/peer"
	"sotto/net/reach"
	"sotto/net/world"
)

func TestTheOwnRelay(t *testing.T) {
	nettest.Leaks(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	w, err := world.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	alice, err := w.NewPerson(0, "alice")
	if err != nil {
		t.Fatal(err)
	}

	found := reach.Check(ctx, alice.Account, alice.Network)
	if found.Line != nil || found.Media != nil || !found.Admitted || !found.Relayed.IsValid() || found.OpenedIn == 0 || found.Loss > 0.5 {
		t.Errorf("a relay that works: %+v", found)
	}

	deaf := alice.Network
	deaf.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	if found := reach.Check(ctx, alice.Account, deaf); !errors.Is(found.Line, line.ErrUnreachable) || found.Relayed.IsValid() {
		t.Errorf("a relay that does not answer: %+v", found)
	}

	// Somebody else's virtual network has no relay at that address: UDP goes nowhere.
	other, err := world.New(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	stranger, err := other.NewPerson(0, "stranger")
	if err != nil {
		t.Fatal(err)
	}
	if found := reach.Check(ctx, alice.Account, call.Network{Dial: alice.Network.Dial, Media: stranger.Network.Media}); found.Line != nil || found.Media == nil {
		t.Errorf("a relay that answers over TLS only: %+v", found)
	} else {
		t.Logf("%v (%v)", found.Media, errors.Is(found.Media, peer.ErrUnreachable))
	}
}
