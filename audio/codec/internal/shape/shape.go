// Package shape holds what every implementation of the codec agrees on: the
// numbers of the format and the checks of what goes in and comes out.
package shape

import (
	"errors"
	"fmt"

	"sotto/audio"
)

// The one format of a call.
const (
	Bitrate     = 40000
	PayloadSize = Bitrate / 8 / 50
	Complexity  = 9
)

// Encode checks what an encoder is given.
func Encode(frame []float32, payload []byte) error {
	if len(frame) != audio.FrameSamples || len(payload) < PayloadSize {
		return fmt.Errorf("opus encodes %d samples into %d bytes, not %d into %d", audio.FrameSamples, PayloadSize, len(frame), len(payload))
	}
	return nil
}

// Encoded checks what an encoder made.
func Encoded(size int, err error) (int, error) {
	if err == nil && size != PayloadSize {
		err = fmt.Errorf("opus made %d bytes where every payload has %d", size, PayloadSize)
	}
	return size, err
}

// Decode checks what a decoder is given.
func Decode(payload []byte, frame []float32) error {
	if len(payload) == 0 {
		return errors.New("an empty payload is not an Opus frame")
	}
	if len(frame) != audio.FrameSamples {
		return fmt.Errorf("opus decodes into %d samples, not %d", audio.FrameSamples, len(frame))
	}
	return nil
}

// Decoded checks what a decoder made.
func Decoded(samples int, err error) error {
	if err == nil && samples != audio.FrameSamples {
		return fmt.Errorf("an Opus frame of %d samples came where every frame has %d", samples, audio.FrameSamples)
	}
	return err
}

// Conceal checks what a decoder is asked to make up.
func Conceal(pcm []float32) error {
	if len(pcm) == 0 || len(pcm) > audio.FrameSamples || len(pcm)%audio.PeriodSamples != 0 {
		return fmt.Errorf("one or two periods can be concealed at a time, not %d samples", len(pcm))
	}
	return nil
}
