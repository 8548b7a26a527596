package call

import (
	"cmp"
	"errors"
	"slices"

	"sotto/audio"
)

// ErrFixedDevices: the sound of this call comes from somewhere that cannot be changed.
var ErrFixedDevices = errors.New("the devices of this call cannot be changed")

// UseDevices changes what the live call is spoken into and heard with, by the words
// of --mic and --speaker; "" leaves one as it is. Frames go on unchanged meanwhile.
// After an error the device that it is about stays. It returns when the new ones
// run, which a sound server that hangs may delay by some seconds.
func (e *Engine) UseDevices(mic, speaker string) error {
	var use func(mic, speaker string) error
	var live *call
	err := e.command(func(c *call) error {
		if c.info.Phase != Connected {
			return ErrNoCall
		}
		live, use = c, c.useDevices
		return nil
	})
	switch {
	case err != nil:
		return err
	case use == nil:
		return ErrFixedDevices
	}
	if err := use(mic, speaker); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	live.info.MicWords, live.info.SpeakerWords = cmp.Or(mic, live.info.MicWords), cmp.Or(speaker, live.info.SpeakerWords)
	return nil
}

// notice adds a sentence about the devices to those on the screen, or takes it away
// when it is no longer true.
func (c *call) notice(n audio.Notice) {
	if !n.Over {
		c.warn(n.Text)
		return
	}
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	at := slices.Index(c.info.Warnings, n.Text)
	if at < 0 {
		return
	}
	c.info.Warnings = slices.Delete(slices.Clone(c.info.Warnings), at, at+1)
	c.engine.publish(Event{Kind: EventChanged, Call: c.copyLocked()})
}
