// Package pure is the codec in Go alone, for builds without cgo: the same
// payloads of the same size, understood by libopus and the other way round.
package pure

import (
	"fmt"

	"github.com/thesyncim/gopus"

	"sotto/audio"
	"sotto/audio/codec/internal/shape"
)

type encoder struct {
	opus    *gopus.Encoder
	samples int // of a frame, as it is set up
}

// NewEncoder returns an encoder as codec.NewEncoder does.
func NewEncoder() (audio.Encoder, error) {
	e, err := gopus.NewEncoder(gopus.EncoderConfig{
		SampleRate: audio.SampleRate, Channels: 1, Application: gopus.ApplicationLowDelay,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the Opus encoder: %w", err)
	}
	e.SetDTX(false)
	for _, set := range []func() error{
		func() error { return e.SetFrameSize(audio.FrameSamples) },
		func() error { return e.SetBitrate(shape.Bitrate) },
		func() error { return e.SetBitrateMode(gopus.BitrateModeCBR) },
		func() error { return e.SetInBandFEC(gopus.InBandFECDisabled) },
		func() error { return e.SetComplexity(shape.Complexity) },
	} {
		if err := set(); err != nil {
			return nil, fmt.Errorf("setting up the Opus encoder: %w", err)
		}
	}
	return &encoder{e, audio.FrameSamples}, nil
}

func (e *encoder) PayloadSize(samples int) int { return shape.Size(samples) }

func (e *encoder) Encode(frame []float32, payload []byte) (int, error) {
	if err := shape.Encode(frame, payload); err != nil {
		return 0, err
	}
	if len(frame) != e.samples {
		if err := e.opus.SetFrameSize(len(frame)); err != nil {
			return 0, err
		}
		e.samples = len(frame)
	}
	size := shape.Size(len(frame))
	made, err := e.opus.Encode(frame, payload[:size:size])
	return shape.Encoded(frame, made, err)
}

type decoder struct{ opus *gopus.Decoder }

// NewDecoder returns a decoder as codec.NewDecoder does.
func NewDecoder() (audio.Decoder, error) {
	config := gopus.DefaultDecoderConfig(audio.SampleRate, 1)
	// Room for one frame only: a payload that holds more is refused.
	config.MaxPacketSamples = audio.FrameSamples
	d, err := gopus.NewDecoder(config)
	if err != nil {
		return nil, fmt.Errorf("starting the Opus decoder: %w", err)
	}
	return &decoder{d}, nil
}

func (d *decoder) Decode(payload []byte, frame []float32) error {
	if err := shape.Decode(payload, frame); err != nil {
		return err
	}
	samples, err := d.opus.Decode(payload, frame)
	return shape.Decoded(frame, samples, err)
}

func (d *decoder) Conceal(pcm []float32) error {
	if err := shape.Conceal(pcm); err != nil {
		return err
	}
	_, err := d.opus.Decode(nil, pcm)
	return err
}
