package call

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/net/handshake"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/peer"
	"sotto/net/wire"
	"sotto/settings/advice"
)

// sendingLine is a line of this call's own.
type sendingLine = *line.Line

// unopenedFor is how long frames may arrive without one opening before the call
// counts as a mismatch.
const unopenedFor = 2 * time.Second

// conversation is a call from the handshake's end on: keys, connection, sound.
type conversation struct {
	call       *call
	peer       *peer.Peer
	media      *media
	keys       *handshake.Session
	mail       mail
	inbox      <-chan *wire.Envelope
	outbox     *outbox // nil until the sound flows; then it carries what mail did
	numbered   *numbered
	route      *route
	carrier    *carrier
	heldAt     uint64        // number of the other side's latest hold or resume
	early      []wire.Signal // what came while this side still connected; listen obeys it
	sound      Sound
	answeredAt time.Time
	remoteCard identity.Card
	agreed     agreement
}

// attach gives the media path its keys, so that the first frame to arrive opens,
// and shows the connection and the words.
func (c *call) attach(talk *conversation) {
	talk.media.use(talk.keys)
	words := talk.keys.Words()
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.peer = talk.peer
	c.media = talk.media
	c.remoteCard = talk.remoteCard
	c.info.Proof.Words = words[:]
}

// run carries the conversation to its end and always leaves a word for the other
// side when this side is the one that ends it.
func (t *conversation) run(ctx context.Context) (err error) {
	c := t.call
	t.carrier, t.route = new(carrier), newRoute()
	t.carrier.peer.Store(t.peer)
	session, err := newSound(t.sound, t.keys, t.media, t.carrier)
	if err != nil {
		closeSound(t.sound)
		return t.abandon(ctx, &ended{reason: DeviceFailed, detail: advice.Of(err)})
	}
	defer session.Close() // and with it the sound
	t.outbox, t.numbered = openOutbox(c.station, t.mail), newNumbered()
	defer t.leaveRoute()
	defer t.leave(&err)
	c.warn(t.sound.Warnings...)
	c.engine.mu.Lock()
	c.session, c.useDevices = session, t.sound.Use
	c.info.MicWords, c.info.SpeakerWords = t.sound.MicWords, t.sound.SpeakerWords
	c.info.ConnectedAt = time.Now()
	c.applyMuteLocked()
	c.engine.mu.Unlock()
	if err := session.Start(); err != nil {
		return &ended{reason: DeviceFailed, detail: advice.Of(err)}
	}
	t.media.play(session)
	c.move(Connected, EventConnected)
	if err := c.engine.cfg.Book.Reached(t.remoteCard.Key, t.newCard()); err != nil {
		c.warn(advice.Of(err).After("The address book could not be written: "))
	}
	return t.listen(ctx, session)
}

// leave ends a conversation for err: first for everybody who looks, then for the other
// side, who is told unless it is the one that left.
func (t *conversation) leave(err *error) {
	t.call.finish(reasonOf(t.call.ctx, *err))
	ctx, cancel := context.WithTimeout(context.Background(), farewell)
	defer cancel()
	if !errors.Is(*err, errPeerLeft) {
		_ = t.post(ctx, wire.Signal{Kind: wire.SignalBye})
	}
	t.outbox.close(ctx)
}

// errPeerLeft ends the conversation without a word back.
var errPeerLeft = &ended{reason: PeerHungUp}

// abandon ends a call that was answered and never connected, for err, and leaves the
// other side a word, so that it does not go on waiting.
func (t *conversation) abandon(ctx context.Context, err error) error {
	t.call.finish(reasonOf(t.call.ctx, err))
	if !errors.Is(err, errPeerLeft) {
		ctx, cancel := after(ctx)
		defer cancel()
		_ = t.post(ctx, wire.Signal{Kind: wire.SignalBye})
	}
	return err
}

// listen is the middle of a call: signals in, holds out, figures each second.
func (t *conversation) listen(ctx context.Context, session *audio.Session) error {
	c := t.call
	second := time.NewTicker(time.Second)
	defer second.Stop()
	heard, sourceLost, sinkLost := session.Heard(), t.sound.Source.Lost(), t.sound.Sink.Lost()
	for _, signal := range t.early {
		if err := t.obey(ctx, signal); err != nil {
			return err
		}
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case envelope := <-t.inbox:
			if err := t.read(ctx, envelope.Body[:]); err != nil {
				return err
			}
		case held := <-c.holds:
			kind := wire.SignalResume
			if held {
				kind = wire.SignalHold
			}
			_ = t.post(ctx, wire.Signal{Kind: kind})
		case text := <-t.written():
			t.say(ctx, wire.Signal{Kind: wire.SignalText, Text: text})
		case at := <-heard:
			heard = nil
			c.tellHeard(at.Sub(t.answeredAt))
		case <-second.C:
			if t.media.unopened() > unopenedFor {
				return &ended{reason: Mismatch, detail: advice.Text{What: "sound arrived that was not sealed with this call's keys; call again, and compare the words"}}
			}
			t.sayAgain(ctx, time.Now())
			if err := t.watchRoute(ctx, time.Now()); err != nil {
				return err
			}
			t.watchDirect(ctx)
			t.watchPresence(ctx)
			c.tellStats()
		case fresh := <-t.route.madeNow():
			t.offered(ctx, fresh)
		case err := <-t.route.connectedNow():
			if err := t.takeOver(ctx, err); err != nil {
				return err
			}
		case notice := <-t.sound.Notices:
			c.notice(notice)
		case err := <-sourceLost:
			sourceLost = nil
			c.warn(advice.Of(err).After("The microphone stopped, so the other side hears silence: "))
		case err := <-sinkLost:
			sinkLost = nil
			c.warn(advice.Of(err).After("The speaker stopped, so you hear nothing: "))
		}
	}
}

// connect connects to an offer, unless the other side leaves before that comes about.
func (t *conversation) connect(ctx context.Context, offer wire.Offer) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	connected := make(chan error, 1)
	go func() { connected <- t.peer.Connect(ctx, offer) }()
	return t.awaitConnection(ctx, connected, stop)
}

// awaitConnection reads what the other side says until the connection has come about or
// failed. A bye stops it; connected must tell then.
func (t *conversation) awaitConnection(ctx context.Context, connected <-chan error, stop context.CancelCauseFunc) error {
	for {
		select {
		case err := <-connected:
			return err
		case envelope := <-t.inbox:
			signal, err := t.keys.OpenSignal(envelope.Body[:])
			switch {
			case err != nil:
				if _, err := t.keys.OpenConfirm(envelope.Body[:]); err == nil {
					_ = t.confirmed(ctx) // they have not heard our word yet, and will say so again
				}
			case signal.Kind == wire.SignalBye:
				stop(errPeerLeft)
				<-connected
				return errPeerLeft
			case len(t.early) < inboxSize:
				t.early = append(t.early, signal)
			}
		}
	}
}

// lost is the end of a call whose way did not come back.
func (t *conversation) lost() error {
	return &ended{reason: Lost, detail: advice.Text{What: fmt.Sprintf("nothing came through the relays any more, and no new way was found (yours is %s); check the network, then call again", t.call.station.account.Relay.HostPort())}}
}

// read handles one message of the other side.
func (t *conversation) read(ctx context.Context, body []byte) error {
	signal, err := t.keys.OpenSignal(body)
	if err != nil {
		if _, err := t.keys.OpenConfirm(body); err == nil {
			return t.confirmed(ctx) // they have not heard our word yet
		}
		return nil
	}
	return t.obey(ctx, signal)
}

// obey does what a signal of the other side says.
func (t *conversation) obey(ctx context.Context, signal wire.Signal) error {
	switch signal.Kind {
	case wire.SignalBye:
		return errPeerLeft
	case wire.SignalHold, wire.SignalResume:
		if signal.Seq > t.heldAt { // a resume may overtake its hold
			t.heldAt = signal.Seq
			t.call.setPeerHeld(signal.Kind == wire.SignalHold)
		}
	case wire.SignalRestart, wire.SignalDirect:
		t.readOffer(ctx, signal)
	case wire.SignalConsent:
		t.route.theirConsent = true
		t.numbered.take(signal.Number)
		_ = t.post(ctx, wire.Signal{Kind: wire.SignalTaken, Number: signal.Number})
	case wire.SignalPresence:
		t.readPresence(ctx, signal)
	case wire.SignalText:
		t.readText(ctx, signal)
	case wire.SignalTaken:
		t.taken(signal.Number)
		t.presenceTaken(signal.Number)
	}
	return nil
}

// confirmed tells the caller that the commitment held.
func (t *conversation) confirmed(ctx context.Context) error {
	return t.post(ctx, wire.Signal{Kind: wire.SignalConfirmed})
}

// post sends one signal: by the outbox once there is one.
func (t *conversation) post(ctx context.Context, signal wire.Signal) error {
	body := t.keys.SealSignal(signal)
	if t.outbox == nil {
		return t.mail.post(ctx, body)
	}
	t.outbox.put(body)
	return nil
}

// newCard is the other side's card when it is newer than the stored one.
func (t *conversation) newCard() []byte { return t.call.freshCard }

// newestCard is the newer of the stored card and the one that came in the call.
// A card of another key is a mismatch.
func (c *call) newestCard(stored identity.Card, offered []byte) (identity.Card, error) {
	card, err := identity.ParseCardBytes(offered)
	if err != nil {
		return stored, nil // the stored one serves
	}
	if card.Key != stored.Key {
		return stored, &ended{reason: Mismatch, detail: advice.Text{What: "the card sent in the call belongs to another key"}}
	}
	if card.Serial <= stored.Serial {
		return stored, nil
	}
	c.freshCard = offered
	return card, nil
}

func mismatchOnly(err error) error {
	if errors.Is(err, handshake.ErrMismatch) {
		return err
	}
	return nil
}

func closeSound(s Sound) {
	if s.Source != nil {
		_ = s.Source.Close()
	}
	if s.Sink != nil {
		_ = s.Sink.Close()
	}
	if s.Voice != nil {
		_ = s.Voice.Close()
	}
}

func closePeer(p *peer.Peer) { _ = p.Close() }

// newSound builds one call's sound: Opus frames out through the seal, frames in through the playout buffer.
func newSound(s Sound, keys *handshake.Session, m *media, on *carrier) (*audio.Session, error) {
	encoder, err := codec.NewEncoder()
	if err != nil {
		return nil, err
	}
	decoder, err := codec.NewDecoder()
	if err != nil {
		return nil, err
	}
	return audio.NewSession(audio.SessionConfig{
		Source: s.Source, Sink: s.Sink, Voice: s.Voice, Encoder: encoder, Decoder: decoder,
		Send:      func(payload []byte, samples int) { m.send(on.peer.Load(), payload, samples) },
		PeerShort: keys.Agreed(wire.FlagShortFrames), Frames: s.Frames,
	})
}
