package dsp

import (
	"math"
	"testing"

	"sotto/audio"
	"sotto/audio/measure"
)

// fault is something that goes wrong in a call in which only the other side speaks.
type fault struct {
	name     string
	seconds  float64
	far, mic func(x []float32) // what happens to what is played, and to what the microphone hears
	echo     func(far []float32) []float32
	checks   []check
}

// check is how far the echo has to be down from one second to another.
type check struct {
	from, to int
	least    float64 // dB
}

// usual is an echo 80 ms late, of a gain in dB, in a room.
func usual(gain float64, room0 uint64) func([]float32) []float32 {
	return func(far []float32) []float32 { return convolve(far, room(0.25, gain, room0), 80*48) }
}

// from applies a change from a second on, to another.
func from(second, to int, change func(i int, v float32) float32) func([]float32) {
	return func(x []float32) {
		for i := second * 48000; i < min(to*48000, len(x)); i++ {
			x[i] = change(i, x[i])
		}
	}
}

func scaled(by float32) func(int, float32) float32 {
	return func(_ int, v float32) float32 { return by * v }
}

func clipped(drive, most float32) func(int, float32) float32 {
	return func(_ int, v float32) float32 { return max(-most, min(most, drive*v)) }
}

func nothing([]float32) {}

var faults = []fault{
	{"silence before anything is said", 26, from(0, 20, scaled(0)), nothing, usual(-3, 70), []check{{22, 26, 35}}},
	{"a minute of silence", 70, from(6, 66, scaled(0)), nothing, usual(-3, 71), []check{{2, 6, 35}, {66, 70, 35}}},
	{"what is played is clipped", 10, from(0, 10, clipped(8, 0.3)), nothing, usual(-3, 72), []check{{2, 10, 35}}},
	{"the microphone clips for four seconds", 14, nothing, from(4, 8, clipped(4, 0.1)), usual(-3, 73), []check{{2, 4, 35}, {4, 8, 10}, {9, 14, 35}}},
	{"the microphone gives zeros for 30 ms, again and again", 12, nothing, from(4, 12, func(i int, v float32) float32 {
		if i%33600 < 1440 {
			return 0
		}
		return v
	}), usual(-3, 74), []check{{2, 4, 35}, {4, 12, 30}}},
	{"the loudspeaker is turned up by 10 dB", 12, nothing, from(6, 12, scaled(3.16)), usual(-13, 75), []check{{2, 6, 35}, {7, 12, 30}}},
	{"the loudspeaker is turned down by 10 dB", 12, nothing, from(6, 12, scaled(0.316)), usual(-3, 76), []check{{2, 6, 35}, {7, 12, 30}}},
	{"the microphone is moved", 13, nothing, nothing, func(far []float32) []float32 {
		x := usual(-3, 77)(far)
		copy(x[6*48000:], convolve(far, room(0.3, -5, 78), 83*48)[6*48000:])
		return x
	}, []check{{2, 6, 35}, {9, 13, 30}}},
	{"numbers that are none, everywhere", 12, from(4, 6, func(i int, v float32) float32 {
		if i%4801 == 0 {
			return float32(math.NaN())
		}
		return v
	}), from(5, 8, func(i int, v float32) float32 {
		if i%7001 == 0 {
			return float32(math.Inf(1))
		}
		return v
	}), usual(-3, 79), []check{{2, 4, 35}, {9, 12, 35}}},
	{"clocks 300 ppm apart", 18, nothing, nothing, func(far []float32) []float32 { return skew(usual(-3, 80)(far), 300) }, []check{{3, 12, 25}, {12, 18, 35}}},
}

func TestEchoIsRemovedWhenThingsGoWrong(t *testing.T) {
	arithmetic(t)
	for i, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			far := babble(f.seconds, uint64(i)+90)
			f.far(far)
			heard := append([]float32(nil), far...)
			flush(heard) // the loudspeaker makes nothing of what is no number either
			echo := f.echo(heard)
			noiseFloor(echo, 1e-4)
			mic := append([]float32(nil), echo...)
			f.mic(mic)
			out := process(Config{Echo: true}, far, mic)
			for _, v := range out {
				if !(v > -2 && v < 2) {
					t.Fatalf("%v comes out", v)
				}
			}
			flush(mic)
			for _, c := range f.checks {
				if got := removed(mic, out, c.from, c.to); got < c.least {
					t.Errorf("from second %d to %d the echo is %.1f dB lower, want %v", c.from, c.to, got, c.least)
				} else {
					t.Logf("from second %d to %d the echo is %.1f dB lower", c.from, c.to, got)
				}
			}
		})
	}
}

// TestNearSpeechSurvives: what a person says here is left as it is with a headset, from which
// no echo comes, and understood where the echo is louder than they are.
func TestNearSpeechSurvives(t *testing.T) {
	arithmetic(t)
	for _, c := range []struct {
		name        string
		gain, least float64
	}{{"a headset", -200, 0.99}, {"an echo 10 dB louder", 10, 0.5}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			far, near := babble(16, 110), babble(16, 111)
			if c.gain > 0 {
				clear(near[:8*48000])
			}
			mic := usual(c.gain, 112)(far)
			for i, v := range near {
				mic[i] += v
			}
			noiseFloor(mic, 1e-4)
			out := process(Config{Echo: true}, far, mic)
			start := 8 * 48000
			if c.gain < 0 {
				start = 0
			}
			clean := near[start : len(near)-residualHop]
			before, _ := measure.ESTOI(clean, mic[start:len(near)-residualHop], audio.SampleRate)
			got, err := measure.ESTOI(clean, out[start+residualHop:], audio.SampleRate)
			if err != nil || got < c.least {
				t.Errorf("ESTOI %.3f, %v; want %v (as heard %.3f)", got, err, c.least, before)
			}
			t.Logf("ESTOI %.3f, as heard %.3f", got, before)
		})
	}
}
