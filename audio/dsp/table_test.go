package dsp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/measure"
)

// scene is a room with a call in it: the other side speaks for 20 s, then both do for 12.
type scene struct {
	name    string
	delay   float64 // of the echo, ms
	ppm     float64 // how much faster the microphone's clock is
	jump    float64 // by how much later the echo is from the 12th second on, ms
	seconds float64 // of the room
	bent    bool    // the loudspeaker distorts
}

var scenes = []scene{
	{"80 ms late", 80, 0, 0, 0.25, false},
	{"300 ms late", 300, 0, 0, 0.25, false},
	{"80 ms late, clocks 100 ppm apart", 80, 100, 0, 0.25, false},
	{"80 ms late, 25 ms later after 12 s", 80, 0, 25, 0.25, false},
	{"300 ms late, both of these", 300, 100, 25, 0.25, false},
	{"80 ms late, a room of 400 ms", 80, 0, 0, 0.4, false},
	{"80 ms late, a loudspeaker that distorts", 80, 0, 0, 0.25, true},
}

const (
	sceneAlone = 20 // seconds
	sceneBoth  = 12
	sceneJump  = 12
)

// voices speak in the scenes, each in a room of their own, and another of them at this
// side. Their files are VOICE_SPEECH/speech*.wav.
var voices = []string{"speech.wav", "speech-es.wav", "speech-fr.wav", "speech-it.wav", "speech-ru.wav"}

// outcome is what became of a scene with one pair of voices.
type outcome struct {
	removed, worst, jumped float64 // dB
	raw, echo, all         float64 // ESTOI of the near speaker while both speak
}

// microphone is what it hears: the echo by itself, and with the near speaker.
func (s scene) microphone(far, near []float32, seed uint64) (echo, mic []float32) {
	played := append([]float32(nil), far...)
	if s.bent {
		for i, v := range played {
			played[i] = float32(math.Tanh(4*float64(v)) / 4)
		}
	}
	h := room(s.seconds, -3, seed)
	echo = convolve(played, h, int(s.delay*48))
	if s.jump != 0 {
		copy(echo[sceneJump*48000:], convolve(played, h, int((s.delay+s.jump)*48))[sceneJump*48000:])
	}
	if s.ppm != 0 {
		echo = skew(echo, s.ppm)
	}
	mic = append([]float32(nil), echo...)
	for i, v := range near {
		mic[sceneAlone*48000+i] += v
	}
	noiseFloor(mic, 1e-4)
	return echo, mic
}

// hear plays a scene in one room.
func (s scene) hear(t *testing.T, far, near []float32, seed uint64) outcome {
	echo, mic := s.microphone(far, near, seed)
	begin := 0
	for power(far[begin:begin+audio.PeriodSamples]) < 1e-5 {
		begin += audio.PeriodSamples
	}
	settled, end := begin+2*48000, sceneAlone*48000
	all := Config{Echo: true, Noise: true, HighPass: true}
	o := outcome{raw: both(t, near, mic, 0), worst: math.Inf(1)}
	o.all = both(t, near, process(all, far, mic), all.Delay())
	out := process(Config{Echo: true}, far, mic)
	o.echo = both(t, near, out, residualHop)
	gone := func(from, to int) float64 { return decibels(power(echo[from:to]) / power(out[from:to])) }
	o.jumped = gone((sceneJump+3)*48000, end)
	if s.jump != 0 {
		end = sceneJump * 48000
	}
	o.removed = gone(settled, end)
	for at := settled; at+48000 <= end; at += 48000 {
		if power(echo[at:at+48000]) > 1e-4 {
			o.worst = min(o.worst, gone(at, at+48000))
		}
	}
	return o
}

func process(config Config, far, mic []float32) []float32 {
	c, out := ready(config), append([]float32(nil), mic...)
	defer c.close()
	for at := 0; at+audio.PeriodSamples <= len(out); at += audio.PeriodSamples {
		c.play(far[at : at+audio.PeriodSamples])
		c.process(out[at:at+audio.PeriodSamples], false)
	}
	return out
}

// both is the ESTOI of the near speaker in the part where both speak.
func both(t *testing.T, near, out []float32, delay int) float64 {
	t.Helper()
	return score(t, near, out[sceneAlone*48000:], delay)
}

// score is the ESTOI of what comes out delay samples later.
func score(t *testing.T, clean, out []float32, delay int) float64 {
	t.Helper()
	value, err := measure.ESTOI(clean[:len(out)-delay], out[delay:], audio.SampleRate)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestVoiceTable writes the voice's table of docs/sound.md. VOICE_SPEECH is where human
// speech is, WAV files of 16 kHz, mono, 16 bits; without it there is nothing to write.
func TestVoiceTable(t *testing.T) {
	path := os.Getenv("VOICE_SPEECH")
	if path == "" {
		t.Skip("writes docs/sound.md: run it with make bench-voice")
	}
	if !noiseAvailable() {
		t.Fatal("this build has no RNNoise: install npm and run make bench-voice again")
	}
	var speech [][]float32
	for _, name := range voices {
		speech = append(speech, speechOf(t, filepath.Join(path, name)))
	}
	near := func(voice int) []float32 { return speech[voice%len(speech)][34*48000 : (34+sceneBoth)*48000] }
	var text strings.Builder
	fmt.Fprintf(&text, "%s/%s, %s.\n\n", runtime.GOOS, runtime.GOARCH, runtime.Version())
	text.WriteString("| the echo is | removed | worst second | 3 s after the jump | both talk: as heard | echo removed | and noise |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for _, s := range scenes {
		outcomes := make([]outcome, len(voices))
		t.Run(s.name, func(t *testing.T) {
			for voice := range voices {
				t.Run(voices[voice], func(t *testing.T) {
					t.Parallel()
					far := speech[voice][:(sceneAlone+sceneBoth)*48000]
					outcomes[voice] = s.hear(t, far, near(voice+1), uint64(voice)+11)
					t.Logf("%+.3v", outcomes[voice])
				})
			}
		})
		jumped := "–"
		if s.jump != 0 {
			jumped = cell(outcomes, "%.0f dB (%.0f)", func(o outcome) float64 { return o.jumped })
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s |\n", s.name,
			cell(outcomes, "%.0f dB (%.0f)", func(o outcome) float64 { return o.removed }),
			cell(outcomes, "%.0f dB (%.0f)", func(o outcome) float64 { return o.worst }), jumped,
			cell(outcomes, "%.3f (%.3f)", func(o outcome) float64 { return o.raw }),
			cell(outcomes, "%.3f (%.3f)", func(o outcome) float64 { return o.echo }),
			cell(outcomes, "%.3f (%.3f)", func(o outcome) float64 { return o.all }))
	}
	text.WriteString(noiseTable(t, near(0)))
	text.WriteString(costTable(speech[0]))
	t.Log("\n" + text.String())
	writeBetween(t, "../../docs/sound.md", text.String())
}

// cell is the worst of the outcomes and their median.
func cell(outcomes []outcome, format string, of func(outcome) float64) string {
	var values []float64
	for _, o := range outcomes {
		values = append(values, of(o))
	}
	slices.Sort(values)
	return fmt.Sprintf(format, values[0], values[len(values)/2])
}

// noiseTable: keys and a fan, alone and under speech; and speech alone.
func noiseTable(t *testing.T, speech []float32) string {
	config := Config{Noise: true}
	late := func(x []float32) float64 { return power(x[3*48000:]) }
	var text strings.Builder
	text.WriteString("\n| noise | taken down, when nobody speaks | speech with it, before | after |\n| --- | --- | --- | --- |\n")
	for _, n := range []struct {
		name  string
		sound []float32
	}{{"typing, keys of -20 dBFS", keys(len(speech))}, {"a fan of -45 dBFS", fan(len(speech))}} {
		mixed := append([]float32(nil), speech...)
		for i, v := range n.sound {
			mixed[i] += v
		}
		fmt.Fprintf(&text, "| %s | %.0f dB | %.3f | %.3f |\n", n.name, decibels(late(n.sound)/late(process(config, n.sound, n.sound))),
			score(t, speech, mixed, 0), score(t, speech, process(config, mixed, mixed), config.Delay()))
	}
	fmt.Fprintf(&text, "| none | – | 1.000 | %.3f |\n", score(t, speech, process(config, speech, speech), config.Delay()))
	return text.String()
}

// keys is somebody typing: seven strokes a second, each two bursts that ring at the
// plate's frequencies (down, and up 80 ms later), of uneven strength.
func keys(n int) []float32 {
	random := rand.New(rand.NewPCG(21, 22))
	out := make([]float32, n)
	for at := 0; at < n; at += 4000 + random.IntN(6000) {
		for part, strength := range []float64{0.1, 0.05} {
			hertz := 1500 + 3000*random.Float64()
			for i := range min(1200, max(0, n-at-part*3840)) {
				ring := math.Exp(-float64(i)/150) * (0.6*random.NormFloat64() + math.Sin(2*math.Pi*hertz*float64(i)/48000))
				out[at+part*3840+i] += float32(strength * (0.5 + random.Float64()) * ring)
			}
		}
	}
	return out
}

func fan(n int) []float32 {
	out := make([]float32, n)
	noiseFloor(out, 0.03)
	var low float32
	for i, v := range out {
		low += 0.06 * (v - low)
		out[i] = low
	}
	scale := float32(math.Pow(10, -45.0/20) / math.Sqrt(power(out)))
	for i := range out {
		out[i] *= scale
	}
	return out
}

// costTable is what ten seconds take, the least of three runs, so that a busy machine
// shows little.
func costTable(far []float32) string {
	var text strings.Builder
	text.WriteString("\n| processing | of one core | delay added |\n| --- | --- | --- |\n")
	for _, c := range []struct {
		name   string
		config Config
	}{{"echo", Config{Echo: true}}, {"noise", Config{Noise: true}}, {"gain and high-pass", Config{Gain: true, HighPass: true}}, {"all", Config{true, true, true, true}}} {
		const seconds = 10
		least := time.Hour
		for range 3 {
			chain, period := ready(c.config), make([]float32, audio.PeriodSamples)
			began := time.Now()
			for at := 0; at < seconds*48000; at += audio.PeriodSamples {
				copy(period, far[at+audio.PeriodSamples:])
				chain.play(far[at : at+audio.PeriodSamples])
				chain.process(period, false)
			}
			least = min(least, time.Since(began))
			chain.close()
		}
		fmt.Fprintf(&text, "| %s | %.1f %% | %.0f ms |\n", c.name, 100*least.Seconds()/seconds, float64(c.config.Delay())/48)
	}
	return text.String()
}

// speechOf reads a WAV file of 16 kHz, and returns it at 48, at -19 dBFS.
func speechOf(t *testing.T, path string) []float32 {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Index(raw, []byte("data"))
	if data < 0 {
		t.Fatal("not a WAV file")
	}
	raw = raw[data+8:]
	x := make([]float32, len(raw)/2)
	for i := range x {
		x[i] = float32(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
	}
	scale := float32(0.11 / math.Sqrt(power(x)))
	for i := range x {
		x[i] *= scale
	}
	return readAt(x, 3*len(x), 1.0/3)
}

// writeBetween puts text between the two marks of a page.
func writeBetween(t *testing.T, path, text string) {
	t.Helper()
	const from, to = "<!-- voice: made by make bench-voice -->", "<!-- end of voice -->"
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(page), from)
	_, after, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", path)
	}
	if err := os.WriteFile(path, []byte(before+from+"\n\n"+text+"\n"+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}
