// Package audio is the sound of a call: what a microphone, a loudspeaker and a
// codec look like to the rest of the program (this file), and the Session that
// runs between them for the length of one call (session.go, engine.go).
//
// All sound inside the program is 48 kHz, mono, float32 in [-1, 1]. It moves in
// two units: a period of 480 samples (10 ms) between a device and the engine,
// and a frame of 960 samples (20 ms) between the engine and the codec, or, where
// both sides can and the network is good, a short frame of one period.
//
// Nothing here knows of a network, a screen or a real device: audio/device has
// the sound cards, audio/fake what stands in for them, audio/codec Opus, and
// audio/open turns the words of --mic and --speaker into a Source or a Sink.
package audio

import (
	"errors"
	"math"
	"time"

	"sotto/settings/advice"
)

// The units of sound.
const (
	SampleRate    = 48000
	PeriodSamples = 480
	// ConcealSamples is the least that a decoder makes up at once, 2.5 ms.
	ConcealSamples = 120
	FrameSamples   = 960

	PeriodDuration = 10 * time.Millisecond
	FrameDuration  = 20 * time.Millisecond
)

// MaxPayload is the longest encoded frame, in bytes, that a Session takes.
const MaxPayload = 512

// Silence is the level of digital silence, in dBFS, and the lowest that is ever reported.
const Silence = -96.0

var (
	// ErrUsage: a microphone or speaker was named in a way that means nothing.
	ErrUsage = errors.New("that is not a microphone or speaker; use default, device:NAME, null, tone[:HZ], file:PATH.wav or -")
	// ErrDevice: a microphone, speaker or file that was named could not be used.
	ErrDevice = errors.New("the sound device could not be used")
	// ErrNoDevices: there is no sound device, or this build has no sound.
	ErrNoDevices = advice.New("no sound device was found; plug one in", advice.DoWithoutDevices)
	// ErrHangs: the sound server is there and gave no answer in time.
	ErrHangs = advice.New("the sound server does not answer; restart it", advice.DoWithoutDevices)
	// ErrEnded: a source whose end means something (standard input) has come to it.
	ErrEnded = errors.New("the sound on standard input has ended")
)

// Source is where sound comes from: a microphone or what stands in for one.
//
// Start may be called once. From then on deliver is called with exactly
// PeriodSamples samples, one period after another in real time, on the source's
// own goroutine or callback thread; the slice is the source's again when deliver
// returns, so deliver copies, and must not block.
//
// Lost carries at most one error: the source stopped giving sound by itself. It
// is never closed. A fake goes on with silence afterwards; a device is quiet.
//
// Close ends deliveries, waits for the source's goroutines and may be called
// more than once, also without Start. It must not be called from deliver.
type Source interface {
	Start(deliver func(period []float32)) error
	Lost() <-chan error
	Name() string
	Close() error
}

// Sink is where sound goes to. fill must write all samples of the slice it is given, at
// most PeriodSamples, and must not block: a sink asks for as little at a time as its
// device does, because what is asked for later can be newer. Everything else is as with
// Source.
type Sink interface {
	Start(fill func(sound []float32)) error
	Lost() <-chan error
	Name() string
	Close() error
}

// Notice is a sentence about a device, for the person, that becomes true or stops
// being so: no microphone is there, it is back, it gives nothing but silence.
type Notice struct {
	Text advice.Text
	Over bool // Text was true and is no longer
}

// Encoder turns frames into payloads of one constant size for each of the two
// lengths, which may change from one frame to the next. It belongs to one goroutine.
type Encoder interface {
	// Encode reads a frame of FrameSamples or PeriodSamples samples and writes
	// PayloadSize bytes to payload, which must have room for them. It returns the
	// number of bytes written.
	Encode(frame []float32, payload []byte) (int, error)
	// PayloadSize is the size of every payload of a frame of that many samples, in bytes.
	PayloadSize(samples int) int
}

// Decoder turns payloads back into sound. It belongs to one goroutine.
type Decoder interface {
	// Decode writes the frame's samples to frame, which has FrameSamples or
	// PeriodSamples. A payload of another length is an error.
	Decode(payload []byte, frame []float32) error
	// Conceal fills pcm (a multiple of ConcealSamples, at most one frame) with what
	// the sound before it suggests, in place of a frame that did not come.
	Conceal(pcm []float32) error
}

// Level is the root mean square of samples in dBFS (0 is a full-scale square
// wave), never below Silence.
func Level(samples []float32) float64 {
	if len(samples) == 0 {
		return Silence
	}
	var sum float64
	for _, sample := range samples {
		sum += float64(sample) * float64(sample)
	}
	return powerLevel(sum / float64(len(samples)))
}

func powerLevel(meanSquare float64) float64 {
	if !(meanSquare > 0) { // also NaN
		return Silence
	}
	return math.Max(Silence, math.Min(0, 10*math.Log10(meanSquare)))
}
