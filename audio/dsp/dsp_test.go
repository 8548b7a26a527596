package dsp

import (
	"math"
	"math/rand/v2"
	"testing"

	"sotto/audio"
	"sotto/audio/measure"
)

// babble is what speech is to an adaptive filter: noise with formants that change,
// syllables and pauses. Its level is about -20 dBFS.
func babble(seconds float64, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 9))
	out := make([]float32, int(seconds*audio.SampleRate))
	var y1, y2 [3]float64
	var pitch, loud float64
	for start := 0; start < len(out); {
		syllable := 4800 + random.IntN(9600)
		formants := [3]float64{250 + random.Float64()*600, 900 + random.Float64()*1400, 2400 + random.Float64()*4000}
		height := 90 + random.Float64()*60
		level := 0.4 + random.Float64()
		if random.IntN(5) == 0 {
			level = 0
		}
		for n := start; n < min(start+syllable, len(out)); n++ {
			loud += 0.001 * (level*math.Sin(math.Pi*float64(n-start)/float64(syllable)) - loud)
			x := random.NormFloat64()
			if pitch += height / audio.SampleRate; pitch >= 1 {
				pitch--
				x += 12
			}
			var sum float64
			for f, hertz := range formants {
				const r = 0.98
				y := x + 2*r*math.Cos(2*math.Pi*hertz/audio.SampleRate)*y1[f] - r*r*y2[f]
				y1[f], y2[f] = y, y1[f]
				sum += y
			}
			out[n] = float32(0.005 * loud * sum)
		}
		start += syllable
	}
	return out
}

func noiseFloor(x []float32, level float64) {
	random := rand.New(rand.NewPCG(11, 12))
	for i := range x {
		x[i] += float32(level * random.NormFloat64())
	}
}

// through runs an echo canceller over what a microphone hears while far plays.
func through(far, mic []float32) (*echo, []float32) {
	e, out := newEcho(), append([]float32(nil), mic...)
	for at := 0; at+audio.PeriodSamples <= len(out); at += audio.PeriodSamples {
		e.play(far[at : at+audio.PeriodSamples])
		e.process(out[at : at+audio.PeriodSamples])
	}
	return e, out
}

// removed is how far out is below mic between two seconds, in dB.
func removed(mic, out []float32, from, to int) float64 {
	return decibels(power(mic[from*48000:to*48000]) / power(out[from*48000:to*48000]))
}

// arithmetic marks a test of one long calculation, which runs without the race detector only.
func arithmetic(t *testing.T) {
	t.Helper()
	if racing {
		t.Skip("tested without the race detector")
	}
}

func TestEchoIsRemovedAndTheNearSpeakerIsNot(t *testing.T) {
	arithmetic(t)
	far, near := babble(12, 1), babble(12, 2)
	clear(near[:6*48000])
	mic := convolve(far, room(0.25, -3, 3), 80*48)
	for i := range mic {
		mic[i] += near[i]
	}
	noiseFloor(mic, 1e-4)
	_, out := through(far, mic)
	if got := removed(mic, out, 2, 6); got < 35 {
		t.Errorf("the echo is %.1f dB lower, want 35", got)
	}
	clean := near[7*48000 : len(near)-residualHop]
	score, err := measure.ESTOI(clean, out[7*48000+residualHop:], audio.SampleRate)
	if err != nil || score < 0.8 {
		t.Errorf("near speech while both talk: ESTOI %.3f, %v; want 0.80", score, err)
	}
	if drop := removed(near, out, 7, 12); math.Abs(drop) > 3 {
		t.Errorf("near speech while both talk is %.1f dB lower", drop)
	}
}

func TestEchoIsFollowedWhenItJumps(t *testing.T) {
	arithmetic(t)
	far, h := babble(12, 4), room(0.25, -3, 5)
	mic := convolve(far, h, 80*48)
	copy(mic[6*48000:], convolve(far, h, 105*48)[6*48000:])
	noiseFloor(mic, 1e-4)
	e, out := through(far, mic)
	if got := removed(mic, out, 9, 12); got < 30 {
		t.Errorf("three seconds after a jump the echo is %.1f dB lower, want 30", got)
	}
	if want := 105*48 - alignSlack - echoMargin; abs(e.shift-want) > 480 {
		t.Errorf("the filter looks %d samples back, want about %d", e.shift, want)
	}
}

func TestEchoIsFollowedBetweenTwoClocks(t *testing.T) {
	arithmetic(t)
	far := babble(14, 6)
	mic := skew(convolve(far, room(0.25, -3, 7), 80*48), 100)
	noiseFloor(mic, 1e-4)
	e, out := through(far, mic)
	if got := removed(mic, out, 8, 14); got < 35 {
		t.Errorf("with clocks 100 ppm apart the echo is %.1f dB lower, want 35", got)
	}
	if ppm := e.align.rate * 1e6; ppm > -85 || ppm < -115 {
		t.Errorf("clocks 100 ppm apart were taken for %.0f", ppm)
	}
}

func TestNearSpeechAloneIsLeftAlone(t *testing.T) {
	arithmetic(t)
	near := babble(4, 8)
	_, out := through(make([]float32, len(near)), near)
	for i := residualHop; i < len(near)-audio.PeriodSamples; i++ {
		if d := math.Abs(float64(out[i] - near[i-residualHop])); d > 1e-3 {
			t.Fatalf("sample %d is off by %.4f while nothing plays", i, d)
		}
	}
}

func TestEchoOutlivesNonsense(t *testing.T) {
	far := babble(6, 9)
	mic := convolve(far, room(0.1, -3, 3), 40*48)
	for i := range 480 {
		mic[48000+i] = float32(math.NaN())
		mic[60000+i] = float32(math.Inf(1))
	}
	_, out := through(far, mic)
	for i, v := range out[2*48000:] {
		if v != v || math.IsInf(float64(v), 0) {
			t.Fatalf("sample %d, a second after nonsense, is %v", i, v)
		}
	}
	if got := removed(mic, out, 4, 6); got < 20 {
		t.Errorf("after nonsense the echo is %.1f dB lower, want 20", got)
	}
}

func TestHighPass(t *testing.T) {
	for _, c := range []struct{ hertz, least, most float64 }{{20, -60, -20}, {80, -4, -2}, {300, -0.2, 0.2}, {3000, -0.1, 0.1}} {
		h, x := newHighPass(80), make([]float32, 48000)
		for i := range x {
			x[i] = float32(0.5 * math.Sin(2*math.Pi*c.hertz*float64(i)/48000))
		}
		before := power(x[24000:])
		h.process(x)
		if got := decibels(power(x[24000:]) / before); got < c.least || got > c.most {
			t.Errorf("%v Hz comes out at %.2f dB, want %v to %v", c.hertz, got, c.least, c.most)
		}
	}
}

func TestGainIsSlowAndStaysInPauses(t *testing.T) {
	for _, level := range []float64{0.02, 0.7} {
		g := newGain()
		run := func(seconds int, speech float32) float64 {
			period := make([]float32, audio.PeriodSamples)
			for n := range seconds * 100 {
				for i := range period {
					period[i] = float32(level * math.Sin(2*math.Pi*200*float64(n*480+i)/48000))
				}
				g.process(period, speech)
			}
			return audio.Level(period)
		}
		if before := g.decibels; math.Abs(run(3, 0)-20*math.Log10(level/math.Sqrt2)) > 0.1 && level < limitKnee || g.decibels != before {
			t.Errorf("at %v the gain moved to %.1f dB in a pause", level, g.decibels)
		}
		run(5, 1)
		if math.Abs(g.decibels) > 5.01 {
			t.Errorf("at %v the gain moved by %.2f dB in five seconds", level, g.decibels)
		}
		if got := run(20, 1); math.Abs(got-gainTarget) > 1 {
			t.Errorf("speech at %v comes out at %.1f dBFS, want %v", level, got, gainTarget)
		}
	}
}

func TestLimiterKeepsBelowFullScale(t *testing.T) {
	last := float32(-2)
	for x := float32(-50); x <= 50; x += 0.01 {
		y := limit(x)
		if y >= 1 || y <= -1 || y < last {
			t.Fatalf("%v becomes %v after %v", x, y, last)
		}
		if math.Abs(float64(x)) < limitKnee && x != y {
			t.Fatalf("%v below the knee becomes %v", x, y)
		}
		last = y
	}
}

func TestNoiseIsSuppressed(t *testing.T) {
	arithmetic(t)
	if !noiseAvailable() {
		t.Skip("THIS BUILD HAS NO RNNOISE: run make, which fetches it with npm, to test noise suppression")
	}
	n := openNoise()
	n.wait()
	defer n.close()
	fan := make([]float32, 4*48000)
	noiseFloor(fan, 0.02)
	var low float32
	for i, v := range fan {
		low += 0.05 * (v - low)
		fan[i] = 4 * low
	}
	before := power(fan[2*48000:])
	sure := float32(0)
	for at := 0; at < len(fan); at += audio.PeriodSamples {
		speech, known := n.process(fan[at : at+audio.PeriodSamples])
		if !known {
			t.Fatal("RNNoise does not run")
		}
		sure = max(sure, speech)
	}
	if got := decibels(before / power(fan[2*48000:])); got < 15 {
		t.Errorf("a fan is %.1f dB lower, want 15", got)
	}
	typing := keys(6 * 48000)
	before = power(typing[3*48000:])
	for at := 0; at < len(typing); at += audio.PeriodSamples {
		n.process(typing[at : at+audio.PeriodSamples])
	}
	if got := decibels(before / power(typing[3*48000:])); got < 15 {
		t.Errorf("typing is %.1f dB lower, want 15", got)
	}
	if sure == 0 || sure > 1 {
		t.Errorf("RNNoise's voice activity is %v at most", sure)
	}
}

// ready is a chain whose parts all run.
func ready(config Config) *chain {
	c := &chain{}
	c.use(config)
	if c.noise != nil {
		c.noise.wait()
	}
	return c
}

func TestNothingIsAllocated(t *testing.T) {
	c := ready(Config{Echo: true, Noise: true, Gain: true, HighPass: true})
	defer c.close()
	far, period := babble(1, 1), make([]float32, audio.PeriodSamples)
	at := 0
	one := func(late bool) func() {
		return func() {
			copy(period, far[at:])
			c.play(far[at : at+audio.PeriodSamples])
			c.process(period, late)
			at = (at + audio.PeriodSamples) % (len(far) - audio.PeriodSamples)
		}
	}
	for _, late := range []bool{false, true} {
		if n := testing.AllocsPerRun(300, one(late)); n != 0 {
			t.Errorf("%v allocations a period (late: %v)", n, late)
		}
	}
}

func BenchmarkEcho(b *testing.B) {
	benchmark(b, Config{Echo: true})
}

func BenchmarkNoise(b *testing.B) {
	benchmark(b, Config{Noise: true})
}

func BenchmarkAll(b *testing.B) {
	benchmark(b, Config{Echo: true, Noise: true, Gain: true, HighPass: true})
}

// benchmark is the time for one period, of 10 ms.
func benchmark(b *testing.B, config Config) {
	c := ready(config)
	defer c.close()
	far, period := babble(2, 1), make([]float32, audio.PeriodSamples)
	at := 0
	b.ReportAllocs()
	for b.Loop() {
		copy(period, far[at:])
		c.play(far[at : at+audio.PeriodSamples])
		c.process(period, false)
		at = (at + audio.PeriodSamples) % (len(far) - audio.PeriodSamples)
	}
}
