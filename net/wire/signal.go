package wire

import (
	"encoding/binary"
	"fmt"
)

// MaxTextBytes bounds a line of text, in a call or with a decline.
const MaxTextBytes = 200

// ControlKind is what is said about a call before it is answered.
type ControlKind uint8

const (
	ControlRinging  ControlKind = 1 + iota // callee: it rings
	ControlDeclined                        // callee: the person declined
	ControlBusy                            // callee: the person is in another call
	ControlCancel                          // caller: no longer calling
)

// Control is a message before the answer.
//
//	1 kind | for declined: 1 text length | text
type Control struct {
	Kind ControlKind
	Text string // with a decline, or ""
}

// SignalKind is what is said during a call.
type SignalKind uint8

const (
	SignalConfirmed SignalKind = 1 + iota // callee: the confirmation opened, media may flow
	SignalHold                            // the sender hears and says nothing for now
	SignalResume                          // the end of SignalHold
	SignalBye                             // the sender hung up
	SignalText                            // a line of text
	SignalTaken                           // the numbered signal of the other side has come
	SignalRestart                         // an offer for a fresh connection through the relays
	SignalConsent                         // the sender's person agrees to a direct connection
	SignalDirect                          // an offer for a direct connection
	SignalPresence                        // whether the sender's person agrees to presence marks
)

// Signal is a message during a call. Seq starts at 1 in each direction and never
// repeats, so that none can be played again.
//
//	1 kind | 8 sequence number
//	text:    | 4 number | 1 text length | text
//	taken:   | 4 number
//	consent: | 4 number
//	presence: | 4 number | 8 at | 1 state, here (agrees) or ended (no longer)
//	restart, direct: | 4 number | 4 generation | offer
type Signal struct {
	Kind       SignalKind
	Seq        uint64
	Number     uint32 // counts what is sent again until it is taken, from 1 in each direction
	Text       string
	Generation uint32 // counts the connections of a call; the first was 0
	Offer      *Offer // of that connection
	Presence   Presence
}

// numbered tells whether signals of a kind are sent again until they are taken.
func (k SignalKind) numbered() bool { return k >= SignalText }

// Offers tells whether signals of a kind carry an offer.
func (k SignalKind) Offers() bool { return k == SignalRestart || k == SignalDirect }

// String gives the word for logs.
func (k ControlKind) String() string {
	return word(uint8(k), "ringing", "declined", "busy", "cancel")
}

// String gives the word for logs.
func (k SignalKind) String() string {
	return word(uint8(k), "confirmed", "hold", "resume", "bye", "text", "taken", "restart", "consent", "direct", "presence")
}

func word(kind uint8, words ...string) string {
	if kind == 0 || int(kind) > len(words) {
		return fmt.Sprintf("kind %d", kind)
	}
	return words[kind-1]
}

// check goes through a signal's fields, before it is sent and after it was read.
func (s Signal) check() error {
	switch {
	case s.Kind < SignalConfirmed || s.Kind > SignalPresence || s.Seq == 0,
		s.Kind.Offers() != (s.Offer != nil), s.Kind.Offers() != (s.Generation > 0),
		s.Kind.numbered() != (s.Number > 0),
		(s.Kind == SignalPresence) != (s.Presence != Presence{}), s.Presence.State == PresenceGone,
		(s.Kind == SignalText) != (s.Text != ""), len(s.Text) > MaxTextBytes:
		return fmt.Errorf("%w: signal %v, sequence number %d, number %d, %d bytes of text", ErrMalformed, s.Kind, s.Seq, s.Number, len(s.Text))
	}
	switch s.Kind {
	case SignalRestart:
		return s.Offer.Check()
	case SignalDirect:
		return s.Offer.CheckDirect()
	case SignalPresence:
		return s.Presence.check()
	}
	return nil
}

// Marshal gives the message in exactly size bytes.
func (s Signal) Marshal(size int) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint64([]byte{byte(s.Kind)}, s.Seq)
	if s.Kind.numbered() {
		b = binary.BigEndian.AppendUint32(b, s.Number)
	}
	if s.Kind == SignalText {
		b = append(append(b, byte(len(s.Text))), s.Text...)
	}
	if s.Kind == SignalPresence {
		b = s.Presence.append(b)
	}
	if s.Kind.Offers() {
		b = s.Offer.appendFields(binary.BigEndian.AppendUint32(b, s.Generation))
	}
	return padded(b, size)
}

// ParseSignal reads a padded signal. The text in it is whatever the other side wrote.
func ParseSignal(b []byte) (Signal, error) {
	r := messageReader{rest: b}
	s := Signal{Kind: SignalKind(r.number(1)), Seq: r.number(8)}
	if s.Kind.numbered() {
		s.Number = uint32(r.number(4))
	}
	if s.Kind == SignalText {
		s.Text = r.text()
	}
	if s.Kind == SignalPresence {
		s.Presence = r.presence()
	}
	if s.Kind.Offers() {
		s.Generation = uint32(r.number(4))
		offer := r.offer()
		s.Offer = &offer
	}
	if err := r.end("signal"); err != nil {
		return Signal{}, err
	}
	if err := s.check(); err != nil {
		return Signal{}, err
	}
	return s, nil
}

func (c Control) check() error {
	if c.Kind < ControlRinging || c.Kind > ControlCancel || len(c.Text) > MaxTextBytes || c.Text != "" && c.Kind != ControlDeclined {
		return fmt.Errorf("%w: control %v with %d bytes of text", ErrMalformed, c.Kind, len(c.Text))
	}
	return nil
}

// Marshal gives the message in exactly size bytes.
func (c Control) Marshal(size int) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	b := []byte{byte(c.Kind)}
	if c.Kind == ControlDeclined {
		b = append(append(b, byte(len(c.Text))), c.Text...)
	}
	return padded(b, size)
}

// ParseControl reads a padded control message. The text in it is whatever the other
// side wrote.
func ParseControl(b []byte) (Control, error) {
	r := messageReader{rest: b}
	c := Control{Kind: ControlKind(r.number(1))}
	if c.Kind == ControlDeclined {
		c.Text = r.text()
	}
	if err := r.end("control message"); err != nil {
		return Control{}, err
	}
	if err := c.check(); err != nil {
		return Control{}, err
	}
	return c, nil
}

func (r *messageReader) text() string { return string(r.take(int(r.number(1)))) }
