package cli

import (
	"sotto/audio/open"
	"sotto/audio/tone"
)

// ring sounds on a real speaker only: a file or a pipe gets the call and nothing
// else. The stop that it returns waits for nothing, so that no answer ever waits for
// a sound server. A ring device that is away leaves the ringing to the default one.
func (a *app) ring(incoming bool) func() {
	words := a.ringWords(incoming)
	if !open.IsDevice(words) {
		return func() {}
	}
	pattern := tone.Ringback
	if incoming {
		pattern = tone.Ring
	}
	sink, err := open.Speaker(a.hardware, words, nil)
	if err != nil {
		return func() {} // the screen and the event say that it rings
	}
	stop, err := tone.Play(sink, pattern)
	if err != nil {
		return func() {}
	}
	return func() { a.ringing.Go(func() { _ = stop() }) }
}

// ringWords are where it rings: what one's own call rings on is the speaker, what
// somebody else's does may have a device of its own. A --speaker that is no device
// means that nothing shall sound here.
func (a *app) ringWords(incoming bool) string {
	_, speaker := a.sound()
	if !incoming || a.speaker != "" && !open.IsDevice(a.speaker) {
		return speaker
	}
	loaded, err := a.profile.Settings()
	if err != nil || loaded.Sound.Ring == "" {
		return speaker
	}
	return loaded.Sound.Ring
}
