// Package shape holds what every implementation of the codec agrees on: the
// numbers of the format and the checks of what goes in and comes out.
package shape

import (
	"errors"
	"fmt"

	"sotto/audio"
)

// The two formats of a call: frames of audio.FrameSamples, and short ones of
// audio.PeriodSamples.
const (
	Bitrate          = 40000
	PayloadSize      = Bitrate / 8 / 50
	ShortPayloadSize = Bitrate / 8 / 100
	Complexity       = 9
)

// Size is how many bytes the payload of a frame of that many samples has.
func Size(samples int) int {
	if samples == audio.PeriodSamples {
		return ShortPayloadSize
	}
	return PayloadSize
}

func whole(frame []float32) bool {
	return len(frame) == audio.FrameSamples || len(frame) == audio.PeriodSamples
}

// Encode checks what an encoder is given.
func Encode(frame []float32, payload []byte) error {
	if !whole(frame) || len(payload) < Size(len(frame)) {
		return fmt.Errorf("opus encodes %d samples into %d bytes or %d into %d, not %d into %d",
			audio.FrameSamples, PayloadSize, audio.PeriodSamples, ShortPayloadSize, len(frame), len(payload))
	}
	return nil
}

// Encoded checks what an encoder made of a frame.
func Encoded(frame []float32, size int, err error) (int, error) {
	if want := Size(len(frame)); err == nil && size != want {
		err = fmt.Errorf("opus made %d bytes where every payload has %d", size, want)
	}
	return size, err
}

// Decode checks what a decoder is given.
func Decode(payload []byte, frame []float32) error {
	if len(payload) == 0 {
		return errors.New("an empty payload is not an Opus frame")
	}
	if !whole(frame) {
		return fmt.Errorf("opus decodes into %d or %d samples, not %d", audio.FrameSamples, audio.PeriodSamples, len(frame))
	}
	return nil
}

// Decoded checks what a decoder made of what was to be frame.
func Decoded(frame []float32, samples int, err error) error {
	if err == nil && samples != len(frame) {
		return fmt.Errorf("an Opus frame of %d samples came where one of %d was announced", samples, len(frame))
	}
	return err
}

// Conceal checks what a decoder is asked to make up.
func Conceal(pcm []float32) error {
	if len(pcm) == 0 || len(pcm) > audio.FrameSamples || len(pcm)%audio.ConcealSamples != 0 {
		return fmt.Errorf("up to a frame can be concealed at a time, in steps of %d samples, not %d", audio.ConcealSamples, len(pcm))
	}
	return nil
}
