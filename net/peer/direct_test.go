package peer

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v4"
	"github.com/pion/transport/v5/stdnet"

	"sotto/net/nettest"
	"sotto/net/wire"
)

// straight makes a direct peer that asks a relay how it is seen.
func straight(t testing.TB, at netip.AddrPort, controlling bool) (*Peer, *heard) {
	t.Helper()
	h := new(heard)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p, err := NewDirect(ctx, Config{Turn: Turn{Address: at}, Controlling: controlling, OnFrame: h.OnFrame})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p, h
}

func TestADirectConnectionCarriesFramesBetweenTheTwoAddressesOnly(t *testing.T) {
	nettest.Leaks(t)
	one, atOne := straight(t, relay(t).Addr(), false)
	two, atTwo := straight(t, relay(t).Addr(), true)
	if first, second := connect(one, two, two.Local(), one.Local()); first != nil || second != nil {
		t.Fatalf("not connected: %v, %v", first, second)
	}
	speak(t, one, atTwo, "one")
	speak(t, two, atOne, "two")
	a, b := one.Snapshot(), two.Snapshot()
	if a.Route != "direct" || b.Route != "direct" || a.SRTPProfile != "AES-256-GCM" || a.Refused != 0 || b.Refused != 0 {
		t.Errorf("%+v, %+v", a, b)
	}
	if a.Seen != one.Local().Candidates[0] || a.Seen == b.Seen || a.LocalRelayed.IsValid() || a.RemoteRelayed.IsValid() {
		t.Errorf("%+v, %+v", a, b)
	}
	// A third party that has found the socket is not heard, whatever it sends.
	stranger, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(a.Seen))
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	for range 50 {
		_, _ = stranger.Write([]byte{0x80, payloadType, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	}
	speak(t, two, atOne, "two again")
}

func TestADirectConnectionChecksTheCertificateAndTheOffer(t *testing.T) {
	nettest.Leaks(t)
	one, _ := straight(t, relay(t).Addr(), false)
	two, atTwo := straight(t, relay(t).Addr(), true)
	forged := one.Local()
	forged.Fingerprint[3] ^= 1
	if _, second := connect(one, two, two.Local(), forged); !errors.Is(second, ErrFingerprint) {
		t.Errorf("%v", second)
	}
	if len(atTwo.Frames()) != 0 {
		t.Error("frames came through")
	}
	three, _ := straight(t, relay(t).Addr(), false)
	for _, candidates := range [][]netip.AddrPort{
		nil,
		{netip.MustParseAddrPort("127.0.0.1:22")},
		{netip.MustParseAddrPort("224.0.0.251:5353")},
		{netip.MustParseAddrPort("127.0.0.1:50000"), netip.MustParseAddrPort("127.0.0.1:50001")},
	} {
		offer := two.Local()
		offer.Candidates = candidates
		if err := three.Connect(context.Background(), offer); !errors.Is(err, wire.ErrBadOffer) {
			t.Errorf("%v: %v", candidates, err)
		}
	}
	// A relayed connection takes no offer of a direct one, and leads nowhere but to its relay.
	relayed, _ := side(t, relay(t).Addr(), nil, false)
	offer := two.Local()
	offer.Candidates[0] = netip.AddrPortFrom(offer.Candidates[0].Addr(), 2000)
	if err := relayed.Connect(context.Background(), offer); !errors.Is(err, wire.ErrBadOffer) {
		t.Errorf("relayed: %v", err)
	}
}

func TestTheDirectGuardKnowsTwoAddresses(t *testing.T) {
	nettest.Leaks(t)
	server := relay(t)
	g, err := openDirect(&stdnet.Net{}, server.Addr(), &gate{plain: true})
	if err != nil {
		t.Fatal(err)
	}
	defer g.close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	seen, err := g.seen(ctx)
	if err != nil || seen != addrPort(g.local) { // nothing translates on loopback
		t.Fatalf("%v, not %v: %v", seen, g.local, err)
	}
	conn, err := g.ListenUDP("udp4", g.local)
	if err != nil {
		t.Fatal(err)
	}
	friend, other := netip.MustParseAddrPort("127.0.0.1:40001"), netip.MustParseAddrPort("127.0.0.1:40002")
	if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(friend)); err == nil {
		t.Error("it sends before anybody was named")
	}
	g.admit(friend)
	if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(friend)); err != nil {
		t.Error(err)
	}
	for _, to := range []netip.AddrPort{other, server.Addr(), netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), 40001)} {
		if _, err := conn.WriteTo([]byte("x"), net.UDPAddrFromAddrPort(to)); err == nil {
			t.Errorf("it sends to %v", to)
		}
	}
	tries := []func() error{
		func() error { _, err := g.ListenUDP("udp4", g.local); return err },
		func() error { _, err := g.ListenPacket("udp4", "127.0.0.1:0"); return err },
		func() error { _, err := g.Dial("udp4", friend.String()); return err },
		func() error { _, err := g.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(friend)); return err },
		func() error { _, err := g.DialTCP("tcp4", nil, &net.TCPAddr{}); return err },
		func() error { _, err := g.ListenTCP("tcp4", &net.TCPAddr{}); return err },
		func() error { _, err := g.ResolveUDPAddr("udp4", "example.org:1"); return err },
		func() error { _, err := g.CreateDialer(nil).Dial("tcp4", "127.0.0.1:1"); return err },
		func() error { _, err := g.CreateListenConfig(nil).ListenPacket(ctx, "udp4", ":0"); return err },
	}
	for n, try := range tries {
		before := g.refusals()
		if try() == nil || g.refusals() != before+1 {
			t.Errorf("try %d was not refused", n)
		}
	}
}

func TestARelayThatDoesNotAnswerLeavesNoDirectConnection(t *testing.T) {
	nettest.Leaks(t)
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	if _, err := NewDirect(ctx, Config{Turn: Turn{Address: addrPort(silent.LocalAddr().(*net.UDPAddr))}}); err == nil {
		t.Error("it was made without an address")
	}
}

// FuzzAddressIn: what a relay answers is bytes from outside.
func FuzzAddressIn(f *testing.F) {
	at := netip.MustParseAddrPort("192.0.2.1:3478")
	request := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	answer := stun.MustBuild(request, stun.BindingSuccess, &stun.XORMappedAddress{IP: net.IPv4(198, 51, 100, 7), Port: 1234})
	f.Add(answer.Raw)
	f.Add(request.Raw)
	f.Add(answer.Raw[:25])
	from := net.UDPAddrFromAddrPort(at)
	if got, ok := addressIn(answer.Raw, from, at, request.TransactionID); !ok || got != netip.MustParseAddrPort("198.51.100.7:1234") {
		f.Fatalf("%v, %v", got, ok)
	}
	if _, ok := addressIn(answer.Raw, &net.UDPAddr{IP: from.IP, Port: 1}, at, request.TransactionID); ok {
		f.Error("somebody else answers for the relay")
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		if got, ok := addressIn(packet, from, at, request.TransactionID); ok && (!got.IsValid() || got.Port() == 0) {
			t.Errorf("%x gives %v", packet, got)
		}
	})
}
