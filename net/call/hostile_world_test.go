package call_test

import (
	"context"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rand"
	"encoding/binary"
	"net"
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/pion/transport/v5"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/wire"
	"sotto/net/world"
	"sotto/settings"
)

// microphone counts what became of a person's microphones.
type microphone struct{ opened, started, closed atomic.Int32 }

type countedSource struct {
	audio.Source
	counts *microphone
}

func (s countedSource) Start(deliver func([]float32)) error {
	s.counts.started.Add(1)
	return s.Source.Start(deliver)
}

func (s countedSource) Close() error {
	s.counts.closed.Add(1)
	return s.Source.Close()
}

// tap stands between a person's engine and the network.
type tap struct {
	transport.Net
	dial    func(context.Context, string, string) (net.Conn, error)
	sockets atomic.Int32 // that were asked for, for media

	mu     sync.Mutex // guards the following
	dialed []string
}

func (n *tap) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	n.mu.Unlock()
	return n.dial(ctx, network, address)
}

func (n *tap) lines() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dialed...)
}

// tapped is the tap as a media network.
type tapped struct{ *tap }

func (n tapped) Dial(network, address string) (net.Conn, error) {
	n.sockets.Add(1)
	return n.Net.Dial(network, address)
}

func (n tapped) ListenPacket(network, address string) (net.PacketConn, error) {
	n.sockets.Add(1)
	return n.Net.ListenPacket(network, address)
}

func (n tapped) ListenUDP(network string, local *net.UDPAddr) (transport.UDPConn, error) {
	n.sockets.Add(1)
	return n.Net.ListenUDP(network, local)
}

func (n tapped) DialUDP(network string, local, remote *net.UDPAddr) (transport.UDPConn, error) {
	n.sockets.Add(1)
	return n.Net.DialUDP(network, local, remote)
}

func (n tapped) ResolveUDPAddr(network, address string) (*net.UDPAddr, error) {
	n.sockets.Add(1)
	return n.Net.ResolveUDPAddr(network, address)
}

// watchedBook tells when a knock has come as far as the book. Knocks that markers
// send count as seen before, so that they ring nobody: all that came before one in
// the same drop has been read once the book has seen it.
type watchedBook struct {
	*world.Book
	marked chan [16]byte
}

const markerTag = 0x6d61726b65727321

func markerID() (id [16]byte) {
	_, _ = rand.Read(id[:])
	binary.BigEndian.PutUint64(id[:], markerTag)
	return id
}

func (b watchedBook) Seen(id [16]byte, now time.Time) (bool, error) {
	if binary.BigEndian.Uint64(id[:]) == markerTag {
		b.marked <- id
		return true, nil
	}
	return b.Book.Seen(id, now)
}

// prey is a person under attack: an engine whose every socket and microphone is counted.
type prey struct {
	*side
	mic  *microphone
	tap  *tap
	book watchedBook
}

func newPrey(t *testing.T, p *world.Person, who settings.Who, contacts ...call.Contact) *prey {
	t.Helper()
	v := &prey{
		side: &side{t: t, person: p}, mic: new(microphone),
		tap:  &tap{Net: p.Network.Media, dial: p.Network.Dial},
		book: watchedBook{Book: world.NewBook(who, contacts...), marked: make(chan [16]byte, 64)},
	}
	v.start()
	return v
}

// start puts the person on their relay, once more if they had left it.
func (v *prey) start() {
	v.t.Helper()
	p := *v.person
	p.Network = call.Network{Dial: v.tap.Dial, Media: tapped{v.tap}}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	v.engine, err = p.Engine(ctx, call.Config{
		Book: v.book,
		OpenSound: func() (call.Sound, error) {
			v.mic.opened.Add(1)
			tone, err := fake.NewTone(440)
			return call.Sound{Source: countedSource{tone, v.mic}, Sink: fake.NewNullSink()}, err
		},
	})
	if err != nil {
		v.t.Fatal(err)
	}
	engine := v.engine
	v.t.Cleanup(func() { _ = engine.Close() })
	events, unsubscribe := engine.Subscribe()
	v.t.Cleanup(unsubscribe)
	v.events = events
}

// untouched fails unless the machine has nothing but its own line.
func (v *prey) untouched(after any) {
	v.t.Helper()
	if opened := v.mic.opened.Load(); opened != 0 {
		v.t.Errorf("after %v the microphone had been opened %d times", after, opened)
	}
	if sockets := v.tap.sockets.Load(); sockets != 0 {
		v.t.Errorf("after %v %d sockets had been asked for", after, sockets)
	}
	if lines := v.tap.lines(); len(lines) != 1 || lines[0] != v.person.Account.Relay.HostPort() {
		v.t.Errorf("after %v lines had been opened to %v", after, lines)
	}
}

// unspoken fails unless every microphone that was opened was closed without ever having run.
func (v *prey) unspoken(after any) {
	v.t.Helper()
	if v.mic.started.Load() != 0 || v.mic.opened.Load() != v.mic.closed.Load() {
		v.t.Errorf("after %v microphones: %d opened, %d started, %d closed", after,
			v.mic.opened.Load(), v.mic.started.Load(), v.mic.closed.Load())
	}
}

// door is a drop of the prey's that the attacker can fill and, registered here too,
// watch: what arrived in it has been handed to the prey's line as well.
type door struct {
	*attacker
	to      identity.Address
	owner   identity.Key
	drop    ed25519.PrivateKey
	sending *line.Line
	sent    int
}

// newDoor takes over the attacker's receiving line.
func (a *attacker) newDoor(of call.Contact, drop ed25519.PrivateKey) *door {
	a.t.Helper()
	a.listen(drop)
	return &door{attacker: a, to: of.Card.Relay, owner: of.Card.Key, drop: drop}
}

// linePatience is how many envelopes a relay takes at once from one line.
const linePatience = 20

// put fills the drop and returns when what was put there has come out of it.
func (d *door) put(body []byte) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if d.sent++; d.sent%linePatience == 1 {
		opened, err := line.Open(ctx, line.Config{Relay: d.person.Account.Relay, Dial: d.person.Network.Dial})
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(opened.Close)
		d.sending = opened
	}
	envelope, err := wire.NewEnvelope(d.drop, d.to.HostPort(), d.line.Now().Add(time.Minute), body)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.sending.Send(ctx, d.to, envelope); err != nil {
		d.t.Fatal(err)
	}
	for arrived := d.next(); [wire.BodySize]byte(arrived) != envelope.Body; {
		arrived = d.next() // of another drop of ours, or left from before
	}
}

// settled returns when the prey has read everything that was put into the door.
func (d *door) settled(v *prey) {
	d.t.Helper()
	id := markerID()
	d.put(d.knockWith(d.owner, id, time.Minute).Knock())
	for timeout := time.After(patience); ; {
		select {
		case marked := <-v.book.marked:
			if marked == id {
				return
			}
		case <-timeout:
			d.t.Fatal("the drop is not being read")
		}
	}
}

// knockWith makes a knock with a call id of the attacker's choice.
func (a *attacker) knockWith(whom identity.Key, id [16]byte, expires time.Duration) *handshake.Outgoing {
	a.t.Helper()
	out, err := handshake.Call(a.person.Account.Self, whom, handshake.Params{
		CallID: id, Expiry: a.line.Now().Add(expires).Unix(), Card: a.person.Account.Card,
	})
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// hidden is a field that a truthful program has no way to change. A liar's program
// is not made of this package's parts; here it is, but for that field.
func hidden(of any, field string) reflect.Value {
	found := reflect.ValueOf(of).Elem().FieldByName(field)
	return reflect.NewAt(found.Type(), unsafe.Pointer(found.UnsafeAddr())).Elem()
}

// answerNaming makes an answer, properly sealed, whose offer names one address that no
// truthful program would marshal.
func answerNaming(t *testing.T, in *handshake.Incoming, card []byte, address netip.AddrPort) []byte {
	t.Helper()
	kem, err := mlkem.NewEncapsulationKey768(in.Knock().KEMKey)
	if err != nil {
		t.Fatal(err)
	}
	_, ciphertext := kem.Encapsulate()
	honest := someOffer()
	answer := wire.Answer{KEMCiphertext: ciphertext, DropSeed: [32]byte{7}, Offer: honest, Card: card}
	const size = wire.BodySize - 32 - 16 // of what Noise puts around it
	message, err := answer.Marshal(size)
	if err != nil {
		t.Fatal(err)
	}
	head := len(ciphertext) + 32 + 32 + 32 + 1 + len(honest.Ufrag) + 1 + len(honest.Pwd) + 1
	tail := message[head+1+4+2:]
	family := byte(6)
	if address.Addr().Is4() {
		family = 4
	}
	lie := append(append(append([]byte(nil), message[:head]...), family), address.Addr().AsSlice()...)
	lie = append(binary.BigEndian.AppendUint16(lie, address.Port()), tail...)
	lie = append(lie, make([]byte, 16)...)[:size]
	sealed := hidden(in, "noise").MethodByName("WriteMessage").Call([]reflect.Value{reflect.ValueOf([]byte(nil)), reflect.ValueOf(lie)})
	if !sealed[3].IsNil() {
		t.Fatal(sealed[3].Interface())
	}
	return sealed[0].Bytes()
}
