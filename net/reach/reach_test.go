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
	if found.Line != nil || !found.Admitted || found.OpenedIn == 0 || found.TLS != nil || found.UDP == nil || found.UDP.Err != nil || !found.UDP.Relayed.IsValid() || found.UDP.Loss > 0.5 {
		t.Errorf("a relay that works: %+v", found)
	}

	deaf := alice.Network
	deaf.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no way") }
	if found := reach.Check(ctx, alice.Account, deaf); !errors.Is(found.Line, line.ErrUnreachable) || found.UDP != nil || found.TLS != nil {
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
	found = reach.Check(ctx, alice.Account, call.Network{Dial: alice.Network.Dial, Media: stranger.Network.Media})
	if found.Line != nil || found.UDP == nil || found.UDP.Err == nil || found.UDP.Server == "" {
		t.Errorf("a relay that answers over TLS only: %+v", found)
	}
	if found.TLS == nil || found.TLS.Err != nil || !found.TLS.Relayed.IsValid() || found.TLS.Loss > 0.5 {
		t.Errorf("sound over TLS: %+v", found.TLS)
	}

	behind := alice.Account
	behind.Proxy = "socks5://192.0.2.1:9050"
	if found := reach.Check(ctx, behind, alice.Network); found.UDP != nil || found.TLS == nil || found.TLS.Err != nil {
		t.Errorf("behind a proxy: %+v", found)
	}
}
