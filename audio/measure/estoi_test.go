package measure

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// harmonics is three seconds of a gliding, modulated voice-like sound at 10 kHz with
// a pause in it, and noise of the same length, both made by arithmetic alone so that
// other programs can make them too.
func harmonics() (sound, noise []float32) {
	const n = 30000
	sound, noise = make([]float32, n), make([]float32, n)
	state := uint32(12345)
	for i := range n {
		state = state*1664525 + 1013904223
		noise[i] = float32(float64(state)/(1<<31) - 1)
		if i >= 11000 && i < 14000 {
			continue
		}
		at := float64(i) / 10000
		var sum float64
		for h := 1.0; h <= 20; h++ {
			tone := math.Sin(2 * math.Pi * h * (120*at + 0.8*h*math.Sin(2*math.Pi*0.7*at)))
			sum += 0.05 * tone * max(0, math.Sin(2*math.Pi*(2.3+0.31*h)*at))
		}
		sound[i] = float32(sum)
	}
	return sound, noise
}

func mixed(a, b []float32, gain float32) []float32 {
	out := make([]float32, len(a))
	for i := range a {
		out[i] = a[i] + gain*b[i]
	}
	return out
}

// TestAgainstAnotherImplementation: the values are those of pystoi's front end and the
// authors' measure in NumPy for the same signals.
func TestAgainstAnotherImplementation(t *testing.T) {
	sound, noise := harmonics()
	clipped, gapped := make([]float32, len(sound)), make([]float32, len(sound))
	for i, x := range sound {
		clipped[i] = max(-0.05, min(0.05, x))
		if i%1000 >= 200 {
			gapped[i] = x
		}
	}
	for _, c := range []struct {
		name     string
		degraded []float32
		want     float64
	}{
		{"itself", sound, 1},
		{"noise at 0.01", mixed(sound, noise, 0.01), 0.927032},
		{"noise at 0.03", mixed(sound, noise, 0.03), 0.915287},
		{"noise at 0.1", mixed(sound, noise, 0.1), 0.818276},
		{"noise at 0.3", mixed(sound, noise, 0.3), 0.403791},
		{"noise at 1", mixed(sound, noise, 1), 0.070715},
		{"noise alone", noise, 0.024838},
		{"clipped", clipped, 0.868570},
		{"with gaps", gapped, 0.786146},
	} {
		got, err := ESTOI(sound, c.degraded, 10000)
		if err != nil || math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%s: %.6f (%v), not %.6f", c.name, got, err, c.want)
		}
	}
}

// sentence is a spoken sentence at 16 kHz.
func sentence(t *testing.T) (sound []float32, rate int) {
	t.Helper()
	raw, err := os.ReadFile("../../ui/cli/testdata/sentence.wav")
	if err != nil {
		t.Fatal(err)
	}
	for raw = raw[44:]; len(raw) >= 2; raw = raw[2:] {
		sound = append(sound, float32(int16(binary.LittleEndian.Uint16(raw)))/(1<<15))
	}
	return sound[8000:40000], 16000
}

func noiseLike(sound []float32, decibels float64) []float32 {
	random := rand.New(rand.NewPCG(1, 2))
	scale := math.Sqrt(energyOf(sound)/float64(len(sound))) * math.Pow(10, -decibels/20)
	out := make([]float32, len(sound))
	for i := range out {
		out[i] = float32(random.NormFloat64() * scale)
	}
	return out
}

func TestSpeechInNoise(t *testing.T) {
	sound, rate := sentence(t)
	last := 1.0
	for _, ratio := range []float64{30, 20, 10, 5, 0, -5, -10, -20} {
		got, err := ESTOI(sound, mixed(sound, noiseLike(sound, ratio), 1), rate)
		if err != nil || got >= last {
			t.Errorf("at %v dB %.3f (%v), after %.3f with less noise", ratio, got, err, last)
		}
		last = got
	}
	if last > 0.1 {
		t.Errorf("what drowns in noise is understood at %.3f", last)
	}
	if got, _ := ESTOI(sound, noiseLike(sound, 0), rate); math.Abs(got) > 0.1 {
		t.Errorf("unrelated noise is understood at %.3f", got)
	}
	quiet := make([]float32, len(sound))
	for i, x := range sound {
		quiet[i] = x / 10
	}
	if got, _ := ESTOI(sound, quiet, rate); got < 0.999 {
		t.Errorf("a tenth of the volume is understood at %.4f", got)
	}
}

func TestOtherRatesSayTheSame(t *testing.T) {
	sound, rate := sentence(t)
	noisy := mixed(sound, noiseLike(sound, 5), 1)
	want, _ := ESTOI(sound, noisy, rate)
	at48 := func(x []float32) []float32 {
		var out []float32
		for _, y := range resample(widen(x), rate, 48000) {
			out = append(out, float32(y))
		}
		return out
	}
	if got, err := ESTOI(at48(sound), at48(noisy), 48000); err != nil || math.Abs(got-want) > 0.005 {
		t.Errorf("%.4f at 48 kHz (%v), %.4f at 16 kHz", got, err, want)
	}
}

func TestWhatCannotBeMeasured(t *testing.T) {
	for _, pair := range [][2][]float32{
		{make([]float32, 10), make([]float32, 11)}, {nil, nil}, {make([]float32, 2000), make([]float32, 2000)},
	} {
		if got, err := ESTOI(pair[0], pair[1], 10000); err == nil {
			t.Errorf("%d and %d samples give %v", len(pair[0]), len(pair[1]), got)
		}
	}
}
