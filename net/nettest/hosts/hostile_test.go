//go:build linux

package hosts_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"sotto/net/call"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/peer"
	"sotto/net/profile"
	"sotto/net/wire"
)

// hostileRole makes the test binary play somebody hostile on a machine of the lab:
//
//	SOTTO_PRIVACY_ROLE=ringing|caller|callee|refused SOTTO_PRIVACY_HOME=… SOTTO_PRIVACY_IP4=… SOTTO_PRIVACY_IP6=…
const hostileRole = "SOTTO_PRIVACY_ROLE"

// mallory is a contact of the victim who says what they like. What they learn in clear is
// printed, and who came to their door.
type mallory struct {
	account    call.Account
	card       identity.Card // mallory's own
	victim     identity.Card // the first contact
	contacts   []call.Contact
	line       *line.Line
	own4, own6 netip.Addr

	mu  sync.Mutex // guards the following
	met map[string]bool
}

func playHostile(role string) int {
	m, err := newMallory()
	if err == nil {
		switch role {
		case "ringing":
			err = m.ringing()
		case "caller":
			err = m.caller()
		case "callee":
			err = m.callee()
		case "refused":
			err = m.refused()
		}
	}
	if err != nil {
		tell("hostile.failed", map[string]any{"error": err.Error()})
		return 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	tell("hostile.done", map[string]any{"met": fmt.Sprint(m.met)})
	return 0
}

func tell(event string, fields map[string]any) {
	if fields == nil {
		fields = map[string]any{}
	}
	fields["event"] = event
	_ = json.NewEncoder(os.Stdout).Encode(fields)
}

func newMallory() (*mallory, error) {
	m := &mallory{met: make(map[string]bool)}
	opened, err := profile.Open(os.Getenv("SOTTO_PRIVACY_HOME"))
	if err != nil {
		return nil, err
	}
	contacts, err := opened.LoadContacts()
	if err != nil || len(contacts) == 0 {
		return nil, fmt.Errorf("%d contacts: %w", len(contacts), err)
	}
	m.contacts, m.victim = contacts, contacts[0].Card
	if m.account, err = opened.Account(); err != nil {
		return nil, err
	}
	if m.card, err = identity.ParseCardBytes(m.account.Card); err != nil {
		return nil, err
	}
	m.own4, m.own6 = netip.MustParseAddr(os.Getenv("SOTTO_PRIVACY_IP4")), netip.MustParseAddr(os.Getenv("SOTTO_PRIVACY_IP6"))
	if err := m.openDoors(); err != nil {
		return nil, err
	}
	self := m.account.Self
	m.line, err = line.Open(context.Background(), line.Config{Relay: m.account.Relay, Receive: self.ReceiveKey(m.account.Relay)})
	return m, err
}

// openDoors waits at every address that the lies name, and notes who comes.
func (m *mallory) openDoors() error {
	note := func(from net.Addr) {
		m.mu.Lock()
		defer m.mu.Unlock()
		host, _, _ := net.SplitHostPort(from.String())
		m.met[host] = true
	}
	door, err := net.Listen("tcp", ":8443")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := door.Accept()
			if err != nil {
				return
			}
			note(conn.RemoteAddr())
			_ = conn.Close()
		}
	}()
	for _, port := range []int{51000, 51001} {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{Port: port})
		if err != nil {
			return err
		}
		go func() {
			buffer := make([]byte, 1500)
			for {
				_, from, err := conn.ReadFromUDP(buffer)
				if err != nil {
					return
				}
				note(from)
			}
		}()
	}
	return nil
}

// post puts a body into a drop at the victim's relay, over a line of its own: a line may
// send only so many at once.
func (m *mallory) post(drop ed25519.PrivateKey, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sending, err := line.Open(ctx, line.Config{Relay: m.account.Relay})
	if err != nil {
		return err
	}
	defer sending.Close()
	envelope, err := wire.NewEnvelope(drop, m.victim.Relay.HostPort(), sending.Now().Add(time.Minute), body)
	if err != nil {
		return err
	}
	return sending.Send(ctx, m.victim.Relay, envelope)
}

func (m *mallory) listen(drop ed25519.PrivateKey) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return m.line.Register(ctx, []wire.DropID{wire.DropOf(drop.Public().(ed25519.PublicKey))})
}

var errSilence = errors.New("the victim said nothing")

func (m *mallory) next() ([]byte, error) {
	select {
	case envelope, open := <-m.line.Deliveries():
		if !open {
			return nil, m.line.Err()
		}
		return envelope.Body[:], nil
	case <-time.After(patience):
		return nil, errSilence
	}
}

func (m *mallory) pairDrop(from, to identity.Key) ed25519.PrivateKey {
	return m.account.Self.PairDrop(from, to, identity.Week(time.Now()))
}

// knock calls the victim.
func (m *mallory) knock(card []byte) (*handshake.Outgoing, error) {
	params := handshake.Params{Expiry: m.line.Now().Add(time.Minute).Unix(), Card: card}
	_, _ = rand.Read(params.CallID[:])
	return handshake.Call(m.account.Self, m.victim.Key, params)
}

// moved is mallory's card with a relay that nobody but mallory chose: their own machine.
func (m *mallory) moved() []byte {
	card := m.card
	card.Relay, card.Serial = identity.Address{Host: m.own4.String(), Port: 8443}, m.card.Serial+1
	return m.account.Self.Sign(card)
}

// plain is text where a sealed body belongs.
func (m *mallory) plain() []byte {
	body := make([]byte, wire.BodySize)
	copy(body, sdp(m.own4, m.own6))
	return body
}

// ringing calls, and while it rings says everything that could lead the victim out: session
// descriptions, an answer, confirmations with lies in them, of calls that do not exist.
func (m *mallory) ringing() error {
	drop := m.pairDrop(m.account.Self.Key(), m.victim.Key)
	mine, err := handshake.Call(m.account.Self, m.account.Self.Key(), handshake.Params{Expiry: m.line.Now().Add(time.Minute).Unix(), Card: m.account.Card})
	if err != nil {
		return err
	}
	in, err := handshake.OpenKnock(m.account.Self, mine.Knock())
	if err != nil {
		return err
	}
	honest := wire.Offer{Fingerprint: [32]byte{1}, Ufrag: "abcdefgh", Pwd: "abcdefghijklmnopqrstuvwxyz012345", Candidates: []netip.AddrPort{netip.AddrPortFrom(m.own4, 51000)}}
	answer, _, _, err := in.Answer(honest, m.account.Card)
	if err != nil {
		return err
	}
	_, session, err := mine.ReadAnswer(answer)
	if err != nil {
		return err
	}
	knock, err := m.knock(m.moved())
	if err != nil {
		return err
	}
	bodies := [][]byte{m.plain(), knock.Knock(), m.plain(), answer, session.SealConfirm(honest, m.account.Card)}
	for _, lie := range lies(m.own4, m.own6) {
		body, err := confirmWith(session, lie.offer(honest), m.account.Card)
		if err != nil {
			return err
		}
		bodies = append(bodies, body)
	}
	for _, body := range append(bodies, m.plain()) {
		if err := m.post(drop, body); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second) // of ringing on
	return m.post(drop, knock.SealCancel())
}

// caller calls once for every lie, and once honestly, to renegotiate.
func (m *mallory) caller() error {
	for _, lie := range lies(m.own4, m.own6) {
		if err := m.call(lie.name, func(session *handshake.Session, answer *wire.Answer, drop ed25519.PrivateKey) error {
			body, err := confirmWith(session, lie.offer(answer.Offer), m.account.Card)
			if err != nil {
				return err
			}
			return m.post(drop, body)
		}); err != nil {
			return fmt.Errorf("%s: %w", lie.name, err)
		}
	}
	if err := m.call("renegotiation", m.renegotiate); err != nil {
		return err
	}
	// A call whose answer goes to a relay of mallory's own: it is the victim's relay that comes.
	knock, err := m.knock(m.moved())
	if err != nil {
		return err
	}
	if err := m.post(m.pairDrop(m.account.Self.Key(), m.victim.Key), knock.Knock()); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		m.mu.Lock()
		came := len(m.met)
		m.mu.Unlock()
		if came > 0 {
			return nil
		}
	}
	return errSilence
}

// call places one call, and hangs up a while after what it did with the answer.
func (m *mallory) call(name string, then func(*handshake.Session, *wire.Answer, ed25519.PrivateKey) error) error {
	knock, err := m.knock(m.account.Card)
	if err != nil {
		return err
	}
	if err := m.listen(knock.AnswerDrop()); err != nil {
		return err
	}
	if err := m.post(m.pairDrop(m.account.Self.Key(), m.victim.Key), knock.Knock()); err != nil {
		return err
	}
	for {
		body, err := m.next()
		if err != nil {
			return err
		}
		if word, ok := knock.OpenControl(body); ok && word.Kind == wire.ControlBusy {
			time.Sleep(time.Second) // with the lie before, which has not failed yet
			return m.call(name, then)
		}
		answer, session, err := knock.ReadAnswer(body)
		if err != nil {
			continue // ringing, or a word of the call before
		}
		drop := ed25519.NewKeyFromSeed(answer.DropSeed[:])
		if err := then(session, answer, drop); err != nil {
			return err
		}
		tell("hostile.called", map[string]any{"lie": name, "offer": fmt.Sprintf("%+v", answer.Offer), "card": fmt.Sprintf("%q", answer.Card)})
		time.Sleep(time.Second)
		return m.post(drop, session.SealSignal(wire.Signal{Kind: wire.SignalBye}))
	}
}

// renegotiate connects honestly, and then offers other ways again and again.
func (m *mallory) renegotiate(session *handshake.Session, answer *wire.Answer, drop ed25519.PrivateKey) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	sending, err := line.Open(ctx, line.Config{Relay: m.account.Relay})
	if err != nil {
		return err
	}
	defer sending.Close()
	credential, err := sending.Credential(ctx)
	if err != nil {
		return err
	}
	connection, err := peer.New(ctx, peer.Config{
		Turn:    peer.Turn{Address: credential.Turn, Username: credential.Username, Password: credential.Password},
		OnFrame: func([]byte, time.Time) {},
	})
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := m.post(drop, session.SealConfirm(connection.Local(), m.account.Card)); err != nil {
		return err
	}
	if err := connection.Connect(ctx, answer.Offer); err != nil {
		return err
	}
	tell("hostile.connected", map[string]any{"saw": fmt.Sprintf("%+v", connection.Snapshot())})
	for _, lie := range lies(m.own4, m.own6) {
		body, err := confirmWith(session, lie.offer(connection.Local()), m.account.Card)
		if err != nil {
			return err
		}
		for _, body := range [][]byte{body, m.plain()} {
			if err := m.post(drop, body); err != nil {
				return err
			}
		}
		_ = connection.Send(session.FrameSealer().Seal(nil, []byte(sdp(m.own4, m.own6))[:80]), 960)
	}
	time.Sleep(2 * time.Second)
	return nil
}

// callee answers one call for every lie, after saying what is not an answer.
func (m *mallory) callee() error {
	if err := m.listen(m.pairDrop(m.victim.Key, m.account.Self.Key())); err != nil {
		return err
	}
	tell("hostile.ready", nil)
	for _, lie := range lies(m.own4, m.own6) {
		in, err := m.knocked()
		if err != nil {
			return err
		}
		drop := identity.EphemeralDrop(in.Knock().CallSecret)
		garbage := make([]byte, wire.BodySize)
		_, _ = rand.Read(garbage)
		for _, body := range [][]byte{in.SealControl(wire.Control{Kind: wire.ControlRinging}), m.plain(), garbage} {
			if err := m.post(drop, body); err != nil {
				return err
			}
		}
		time.Sleep(500 * time.Millisecond)
		tell("hostile.answers", map[string]any{"lie": lie.name, "knock": fmt.Sprintf("%q", in.Knock().Card)})
		time.Sleep(500 * time.Millisecond) // for whoever notes the time
		body, err := answerWith(in, lie.offer(wire.Offer{Fingerprint: [32]byte{1}, Ufrag: "abcdefgh", Pwd: "abcdefghijklmnopqrstuvwxyz012345"}), m.account.Card)
		if err != nil {
			return err
		}
		if err := m.post(drop, body); err != nil {
			return err
		}
	}
	time.Sleep(3 * time.Second) // the last call
	return nil
}

// knocked waits for the victim's next call.
func (m *mallory) knocked() (*handshake.Incoming, error) {
	for {
		body, err := m.next()
		if err != nil {
			return nil, err
		}
		if in, err := handshake.OpenKnock(m.account.Self, body); err == nil {
			return in, nil
		}
	}
}
