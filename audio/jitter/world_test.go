package jitter

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"
	"time"
)

// Virtual time: a sender makes a frame every 20 ms, a path says when it arrives,
// a loudspeaker asks for a period every 10 ms.

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func payloadOf(counter uint32) []byte {
	return binary.BigEndian.AppendUint32(nil, counter)
}

const frameTime = mostPeriods * periodTime

// frameOf is the frame of 20 ms with that number.
func frameOf(counter uint32) Frame {
	return Frame{Position: counter * mostPeriods, Periods: mostPeriods, Payload: payloadOf(counter)}
}

var errBroken = errors.New("not a frame")

// singer is a Decoder whose payloads are counters and whose sound is one long
// steady sine, so that every joint can be checked: frame n is its n-th 20 ms.
type singer struct {
	hertz     float64
	decoded   []uint32
	concealed int // samples
	phase     float64
}

func (s *singer) Decode(payload []byte, frame []float32) error {
	if len(payload) != 4 {
		return errBroken
	}
	counter := binary.BigEndian.Uint32(payload)
	s.decoded = append(s.decoded, counter)
	s.phase = 2 * math.Pi * s.hertz / sampleRate * float64(uint64(counter)*frameSamples)
	s.sing(frame)
	return nil
}

// Conceal goes on where the last sound ended.
func (s *singer) Conceal(pcm []float32) error {
	s.concealed += len(pcm)
	s.sing(pcm)
	return nil
}

func (s *singer) sing(pcm []float32) {
	for i := range pcm {
		pcm[i] = float32(0.3 * math.Sin(s.phase))
		s.phase += 2 * math.Pi * s.hertz / sampleRate
	}
}

// path says how long frame n travels; a negative time loses it.
type path func(n int) time.Duration

const lost = time.Duration(-1)

type arrival struct {
	counter uint32
	at      time.Duration
}

// run plays a path for a time and returns the buffer, its decoder and what was
// heard; look, if any, is called after every period.
func run(t testing.TB, length time.Duration, p path, look func(now time.Duration, b *Buffer, made Sound)) (*Buffer, *singer, []float32) {
	t.Helper()
	decoder := &singer{hertz: 200}
	b := New(decoder)
	var arrivals []arrival
	for n := range int(length / frameTime) {
		if travel := p(n); travel != lost {
			arrivals = append(arrivals, arrival{uint32(n), time.Duration(n)*frameTime + travel})
		}
	}
	slices.SortStableFunc(arrivals, func(a, b arrival) int { return int(a.at - b.at) })
	var heard []float32
	for now := 3 * time.Millisecond; now < length; now += 10 * time.Millisecond {
		for len(arrivals) > 0 && arrivals[0].at <= now {
			b.Put(frameOf(arrivals[0].counter), zero.Add(arrivals[0].at))
			arrivals = arrivals[1:]
		}
		period := make([]float32, periodSamples)
		made := b.Pull(period, zero.Add(now))
		heard = append(heard, period...)
		if look != nil {
			look(now, b, made)
		}
	}
	return b, decoder, heard
}

// noise is a repeatable pseudo-random number from 0 to 1 for frame n.
func noise(n int) float64 {
	x := uint64(n)*0x9e3779b97f4a7c15 + 0x7f4a7c15
	x ^= x >> 31
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 29
	return float64(x>>11) / (1 << 53)
}

func ms(n float64) time.Duration { return time.Duration(n * float64(time.Millisecond)) }

// steps is the largest jump from sample to sample: a click is one.
func steps(heard []float32) float64 {
	largest := 0.0
	for i := 1; i < len(heard); i++ {
		largest = max(largest, math.Abs(float64(heard[i]-heard[i-1])))
	}
	return largest
}
