package call

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/transport/v5"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/audio/weather"
	"sotto/net/handshake"
	"sotto/net/nettest"
	"sotto/net/peer"
	"sotto/net/relay/turn"
	"sotto/net/wire"
)

// A call as this package makes it, without the signalling: sound, seal, connection, two relays'
// TURN servers. The network is a virtual one, its time too.
//
//	mouth → session → seal → peer → weather → relay ═ relay → peer → seal → session → ear
//	            nothing happens to what goes the other way ←
const (
	hop  = 200 * time.Microsecond // a packet takes it between two machines
	hops = 3
)

var turnSecret = []byte("a secret for tests")

// virtualRelay is a TURN server on a machine of a virtual world.
func virtualRelay(t *testing.T, w *nettest.World, last byte) netip.AddrPort {
	t.Helper()
	host, address := w.Host(last)
	conn, err := host.ListenUDP("udp4", &net.UDPAddr{IP: address.AsSlice(), Port: 3478})
	if err != nil {
		t.Fatal(err)
	}
	server, err := turn.Start(turn.Config{
		Conn: conn, PublicIP: address, Secret: turnSecret, Net: host, AllowPeers: []netip.Prefix{nettest.Prefix},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return server.Addr()
}

// end is one person's half of a call.
type end struct {
	media *media
	peer  *peer.Peer
	keys  *handshake.Session
}

func newEnd(t *testing.T, relay netip.AddrPort, network transport.Net, controlling bool) *end {
	t.Helper()
	e := &end{media: newMedia()}
	username, password := turn.Issue(turnSecret, time.Hour, time.Now())
	var err error
	e.peer, err = peer.New(t.Context(), peer.Config{
		Turn:        peer.Turn{Address: relay, Username: username, Password: password},
		Controlling: controlling, Net: network, OnFrame: e.media.receive,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePeer(e.peer) })
	return e
}

// session joins sound and connection.
func (e *end) session(t *testing.T, sound Sound) *audio.Session {
	t.Helper()
	e.media.use(e.keys)
	on := new(carrier)
	on.peer.Store(e.peer)
	session, err := newSound(sound, e.keys, e.media, on)
	if err != nil {
		t.Fatal(err)
	}
	e.media.play(session)
	return session
}

// connect makes two ends a call: keys of a whole handshake, and the connection.
func connect(t *testing.T, caller, callee *end) {
	t.Helper()
	alice, hers := newcomer(t, "alice")
	bob, his := newcomer(t, "bob")
	out, err := handshake.Call(alice, bob.Key(), handshake.Params{
		Expiry: time.Now().Add(time.Minute).Unix(), Card: alice.Sign(hers), Flags: wire.FlagShortFrames,
	})
	if err != nil {
		t.Fatal(err)
	}
	in, err := handshake.OpenKnock(bob, out.Knock())
	if err != nil {
		t.Fatal(err)
	}
	body, _, keys, err := in.Answer(callee.peer.Local(), bob.Sign(his))
	if err != nil {
		t.Fatal(err)
	}
	answer, session, err := out.ReadAnswer(body)
	if err != nil {
		t.Fatal(err)
	}
	confirm, err := keys.OpenConfirm(session.SealConfirm(caller.peer.Local(), alice.Sign(hers)))
	if err != nil {
		t.Fatal(err)
	}
	caller.keys, callee.keys = session, keys
	first := make(chan error, 1)
	go func() { first <- caller.peer.Connect(t.Context(), answer.Offer) }()
	if err := errors.Join(callee.peer.Connect(t.Context(), confirm.Offer), <-first); err != nil {
		t.Fatal(err)
	}
}

// leg is the speaker's way to their relay.
type leg struct {
	schedule func(sent time.Duration) time.Duration
	start    time.Time   // of the sessions
	sizes    map[int]int // packet size -> packets of sound
	passed   uint64      // of those
}

// way is what happens to a packet. ICE's checks and DTLS do not count and pass.
func (l *leg) way(packet []byte) time.Duration {
	const header = 4 // of ChannelData; RTP follows (RFC 7983)
	if len(packet) <= header || packet[0]>>6 != 1 || packet[header]>>6 != 2 {
		return 0
	}
	l.sizes[len(packet)]++
	way := l.schedule(time.Since(l.start))
	if way < 0 {
		return nettest.Lost
	}
	l.passed++
	return way - hops*hop
}

// packets is how many packets of sound there were.
func (l *leg) packets() (n uint64) {
	for _, count := range l.sizes {
		n += uint64(count)
	}
	return n
}

// say speaks through a call to somebody who listens. It returns how many packets of each size
// there were on the speaker's way to the relay.
func say(t *testing.T, speech []float32, c weather.Conditions) (heard weather.Outcome, sizes map[int]int) {
	t.Helper()
	l := &leg{schedule: c.Schedule(), sizes: map[int]int{}}
	heard = weather.Talk(t, speech, c, func(t *testing.T, mouth audio.Source, ear audio.Sink) (speaker, listener *audio.Session) {
		w := nettest.NewWorld(t, hop)
		first, second := virtualRelay(t, w, 1), virtualRelay(t, w, 2)
		here, _ := w.Host(101)
		there, _ := w.Host(102)
		caller, callee := newEnd(t, first, nettest.Outbound(here, l.way), false), newEnd(t, second, there, true)
		connect(t, caller, callee)
		speaker = caller.session(t, Sound{Source: mouth, Sink: fake.NewNullSink(), Frames: c.Frames})
		listener = callee.session(t, Sound{Source: fake.NewNullSource(), Sink: ear, Frames: c.Frames})
		t.Cleanup(func() { // before the peers close
			sealedAndRelayed(t, caller, speaker.Stats().FramesSent, listener.Stats().FramesSent)
			sealedAndRelayed(t, callee, listener.Stats().FramesSent, l.passed)
			if sent := speaker.Stats().FramesSent; l.packets() != sent {
				t.Errorf("%d packets were sent, and the schedule saw %d", sent, l.packets())
			}
		})
		l.start = time.Now()
		return speaker, listener
	})
	return heard, l.sizes
}

// sealedAndRelayed fails unless the connection is what it should be, and lost and refused
// nothing by itself.
func sealedAndRelayed(t *testing.T, e *end, sent, received uint64) {
	t.Helper()
	s, opened := e.peer.Snapshot(), e.media.openedFrames.Load()
	if s.Route != "relay" || s.PairTypes != "relay-relay" || s.SRTPProfile != "AES-256-GCM" || s.Refused != 0 {
		t.Errorf("the connection: %+v", s)
	}
	if s.Sent != sent || s.Received != received || opened != received {
		t.Errorf("%d frames were sent, %d came and %d opened, where it should have been %d and %d", s.Sent, s.Received, opened, sent, received)
	}
}

// TestSpeechOverRelaysInAnyWeather holds a few cells of the table in docs/sound.md against
// their bounds.
func TestSpeechOverRelaysInAnyWeather(t *testing.T) {
	once, err := weather.Speech("../../ui/cli/testdata/sentence.wav")
	if err != nil {
		t.Fatal(err)
	}
	speech := weather.Repeated(once, weather.CellSpeech)
	for _, c := range weather.Cells() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			o, sizes := say(t, speech, c.Conditions)
			if err := c.Check(o, sizes); err != nil {
				t.Error(err)
			}
		})
	}
}
