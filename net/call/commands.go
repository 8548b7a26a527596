package call

import (
	"errors"
	"time"

	"sotto/net/identity"
	"sotto/net/wire"
)

// Errors of a person's commands in a call. Each is a finished sentence.
var (
	ErrNoText   = errors.New("there is nothing to send: write a line of visible text")
	ErrTooFast  = errors.New("that was more lines of text than the call takes at once; wait a moment, then send it again")
	ErrStranger = errors.New("a caller who is not in your contacts is told nothing before you answer; decline without a text")
)

// Answer takes the call that is ringing here.
func (e *Engine) Answer() error {
	return e.command((*call).answerLocked)
}

func (c *call) answerLocked() error {
	if c.info.Phase != Incoming {
		return ErrNoCall
	}
	select {
	case c.answered <- struct{}{}:
	default:
	}
	return nil
}

// Decline refuses the call that is ringing here.
func (e *Engine) Decline() error { return e.decline("") }

// DeclineWith refuses the call that is ringing here, and tells a contact why. The
// text is cleaned and cut at 200 bytes.
func (e *Engine) DeclineWith(text string) error {
	text = identity.CleanText(text, wire.MaxTextBytes)
	if text == "" {
		return ErrNoText
	}
	return e.decline(text)
}

func (e *Engine) decline(text string) error {
	return e.command(func(c *call) error { return c.declineLocked(text) })
}

func (c *call) declineLocked(text string) error {
	switch {
	case c.info.Phase != Incoming:
		return ErrNoCall
	case text != "" && !c.info.Peer.Known:
		return ErrStranger
	case text != "":
		c.info.Texts = append(c.info.Texts, Text{At: time.Now(), Mine: true, Body: text})
	}
	c.end(&ended{reason: DeclinedHere, text: text})
	return nil
}

// Silence stops the sound of the call that is ringing here. It goes on ringing without
// one: the caller is told nothing new.
func (e *Engine) Silence() error {
	return e.command(func(c *call) error {
		if c.info.Phase != Incoming {
			return ErrNoCall
		}
		c.info.Silenced = true
		select {
		case c.silenced <- struct{}{}:
		default:
		}
		e.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
		return nil
	})
}

// HangUp ends whatever call there is: declines one that rings, cancels one that is being dialled.
func (e *Engine) HangUp() error {
	return e.command(func(c *call) error {
		switch c.info.Phase {
		case Incoming:
			c.end(&ended{reason: DeclinedHere})
		case Dialling, Ringing:
			c.end(&ended{reason: Cancelled})
		default:
			c.end(&ended{reason: HungUp})
		}
		return nil
	})
}

// SetMuted stops or resumes sending what the microphone hears. Packets go on
// unchanged. Whoever opens the microphone hears again, too.
func (e *Engine) SetMuted(muted bool) error {
	return e.command(func(c *call) error {
		c.info.Muted, c.mutedFirst = muted, muted
		if !muted {
			c.info.Deafened = false
		}
		c.applyMuteLocked()
		e.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
		return nil
	})
}

// SetDeafened plays nothing of the other side, and mutes the microphone; packets go on
// unchanged. Afterwards the microphone is as it was before.
func (e *Engine) SetDeafened(deafened bool) error {
	return e.command(func(c *call) error {
		switch {
		case deafened == c.info.Deafened:
			return nil
		case deafened:
			c.mutedFirst, c.info.Muted = c.info.Muted, true
		default:
			c.info.Muted = c.mutedFirst
		}
		c.info.Deafened = deafened
		c.applyMuteLocked()
		e.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
		return nil
	})
}

// SetHeld holds or resumes the call: no sound in either direction, packets go on unchanged.
func (e *Engine) SetHeld(held bool) error {
	return e.command(func(c *call) error {
		if c.info.Phase != Connected {
			return ErrNoCall
		}
		c.info.Held = held
		c.applyMuteLocked()
		select {
		case c.holds <- held:
		default: // a hold is already waiting to be told; the newest state is read when it is sent
		}
		e.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
		return nil
	})
}

// SendText sends a line of text to the other side of a connected call, sealed and
// padded like every signal. It is cleaned and cut at 200 bytes.
func (e *Engine) SendText(text string) error {
	text = identity.CleanText(text, wire.MaxTextBytes)
	if text == "" {
		return ErrNoText
	}
	return e.command(func(c *call) error {
		if c.info.Phase != Connected {
			return ErrNoCall
		}
		if !c.writing.Allow() {
			return ErrTooFast
		}
		select {
		case c.texts <- text:
			c.showTextLocked(text, true)
			return nil
		default:
			return ErrTooFast
		}
	})
}

// command runs do on the live call under the lock.
func (e *Engine) command(do func(*call) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil {
		return ErrNoCall
	}
	return do(e.current)
}
