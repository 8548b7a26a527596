//go:build cgo && !noaudio

package codec

import (
	"fmt"

	"github.com/hraban/opus"

	"sotto/audio"
	"sotto/audio/codec/internal/shape"
)

type encoder struct{ opus *opus.Encoder }

func newEncoder() (audio.Encoder, error) {
	e, err := opus.NewEncoder(audio.SampleRate, 1, opus.AppRestrictedLowdelay)
	if err != nil {
		return nil, fmt.Errorf("starting the Opus encoder: %w", err)
	}
	for _, set := range []func() error{
		func() error { return e.SetBitrate(shape.Bitrate) },
		func() error { return e.SetVBR(false) },
		func() error { return e.SetDTX(false) },
		func() error { return e.SetInBandFEC(false) },
		func() error { return e.SetComplexity(shape.Complexity) },
	} {
		if err := set(); err != nil {
			return nil, fmt.Errorf("setting up the Opus encoder: %w", err)
		}
	}
	return &encoder{e}, nil
}

func (e *encoder) PayloadSize(samples int) int { return shape.Size(samples) }

func (e *encoder) Encode(frame []float32, payload []byte) (int, error) {
	if err := shape.Encode(frame, payload); err != nil {
		return 0, err
	}
	// One encoder for both lengths: it remembers what came before, so that nothing is heard of a change.
	size := shape.Size(len(frame))
	made, err := e.opus.EncodeFloat32(frame, payload[:size:size]) // the binding hands cap, not len, to libopus
	return shape.Encoded(frame, made, err)
}

type decoder struct{ opus *opus.Decoder }

func newDecoder() (audio.Decoder, error) {
	d, err := opus.NewDecoder(audio.SampleRate, 1)
	if err != nil {
		return nil, fmt.Errorf("starting the Opus decoder: %w", err)
	}
	return &decoder{d}, nil
}

func (d *decoder) Decode(payload []byte, frame []float32) error {
	if err := shape.Decode(payload, frame); err != nil {
		return err
	}
	samples, err := d.opus.DecodeFloat32(payload, frame[:len(frame):len(frame)])
	return shape.Decoded(frame, samples, err)
}

func (d *decoder) Conceal(pcm []float32) error {
	if err := shape.Conceal(pcm); err != nil {
		return err
	}
	// libopus conceals as much as there is capacity for.
	return d.opus.DecodePLCFloat32(pcm[:len(pcm):len(pcm)])
}
