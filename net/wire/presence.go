package wire

import (
	"encoding/binary"
	"fmt"
)

// PresenceState is what a contact says of themselves.
type PresenceState uint8

const (
	PresenceHere  PresenceState = 1 + iota // they are here, and agree to presence marks
	PresenceGone                           // they leave, and agree still
	PresenceEnded                          // they no longer agree
)

// String gives the word for logs.
func (s PresenceState) String() string { return word(uint8(s), "here", "gone", "ended") }

// Presence is a word about being here, from one contact to another: sealed in an
// envelope of its own, or in a call as a Signal.
//
//	8 at | 1 state
//
// At is the sender's time by the sender's relay, in Unix milliseconds. It grows with
// each word to the same contact, so that none counts twice and a later one is known.
type Presence struct {
	At    int64
	State PresenceState
}

func (p Presence) check() error {
	if p.At <= 0 || p.State < PresenceHere || p.State > PresenceEnded {
		return fmt.Errorf("%w: presence %v at %d", ErrMalformed, p.State, p.At)
	}
	return nil
}

func (p Presence) append(b []byte) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(p.At)), byte(p.State))
}

// Marshal gives the message in exactly size bytes.
func (p Presence) Marshal(size int) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	return padded(p.append(make([]byte, 0, size)), size)
}

// ParsePresence reads a padded message.
func ParsePresence(b []byte) (Presence, error) {
	r := messageReader{rest: b}
	p := r.presence()
	if err := r.end("presence message"); err != nil {
		return Presence{}, err
	}
	if err := p.check(); err != nil {
		return Presence{}, err
	}
	return p, nil
}

func (r *messageReader) presence() Presence {
	return Presence{At: int64(r.number(8)), State: PresenceState(r.number(1))}
}
