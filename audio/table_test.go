package audio_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"sotto/audio"
)

// TestSpeechInAnyWeather holds a few cells of the table in docs/sound.md against
// bounds, with one spoken sentence.
func TestSpeechInAnyWeather(t *testing.T) {
	speech := sentence(t, 11*time.Second) // a synthetic voice, which the codec renders worse than a human one
	for _, c := range []struct {
		weather
		estoi     float64 // at least
		delay     time.Duration
		concealed float64
	}{
		{weather{name: "short frames", frames: audio.ShortFrames}, 0.965, 25 * time.Millisecond, 0.001},
		{weather{name: "short frames and jitter", jitter: 20 * time.Millisecond, frames: audio.ShortFrames}, 0.955, 45 * time.Millisecond, 0.005},
		{weather{name: "a tenth lost", loss: 0.1}, 0.94, 80 * time.Millisecond, 0.005},
		{weather{name: "three tenths lost", loss: 0.3}, 0.90, 85 * time.Millisecond, 0.05},
		{weather{name: "bursts of 60 ms", loss: 0.05, burst: 3}, 0.93, 85 * time.Millisecond, 0.03},
		{weather{name: "jitter", jitter: 80 * time.Millisecond}, 0.94, 125 * time.Millisecond, 0.01},
		{weather{name: "drift", drift: -300}, 0.95, 45 * time.Millisecond, 0.005},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			if c.weather.frames == audio.AutoFrames {
				c.weather.frames = audio.LongFrames
			}
			o := say(t, speech, c.weather)
			if o.estoi < c.estoi || o.median > c.delay || o.concealed > c.concealed || o.clicks > 1 {
				t.Errorf("ESTOI %.3f, %v, %.4f concealed, %d clicks, delays %v", o.estoi, o.median, o.concealed, o.clicks, o.delays)
			}
			if len(o.sizes) != 1 {
				t.Errorf("packets of these sizes: %v", o.sizes)
			}
		})
	}
}

// TestReturnFromAStall: after nothing came for about 300 ms, all of it comes at once; no
// word is lost, and within two seconds the delay is what it was. The packet that is sent
// at the end overtakes those that were held if it is sent just then.
func TestReturnFromAStall(t *testing.T) {
	for _, stall := range []time.Duration{290 * time.Millisecond, 300 * time.Millisecond, 310 * time.Millisecond} {
		t.Run(stall.String(), func(t *testing.T) {
			t.Parallel()
			o := say(t, sentence(t, 13*time.Second), weather{stall: stall, frames: audio.LongFrames})
			at := int((stallAt - warmUp) / time.Second)
			if len(o.delays) < at+5 {
				t.Fatalf("delays %v", o.delays)
			}
			before := o.delays[at-2]
			for i, delay := range o.delays[at+2:] {
				if delay > before+15*time.Millisecond {
					t.Errorf("%d s after the stall the delay is %v, before it was %v", 2+i, delay, before)
				}
			}
			if o.clicks > 1 || o.concealed > 0.03 {
				t.Errorf("%d clicks, %.3f concealed", o.clicks, o.concealed)
			}
		})
	}
}

const (
	tableBegin = "<!-- table: made by make sound-table -->"
	tableEnd   = "<!-- end of table -->"
)

// TestSoundTable writes the table of docs/sound.md. SOUND_SPEECH names human speech, a
// WAV file of 16 kHz, mono, 16 bits; without it there is nothing to write.
func TestSoundTable(t *testing.T) {
	path := os.Getenv("SOUND_SPEECH")
	if path == "" {
		t.Skip("writes docs/sound.md: run it with make sound-table")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data := bytes.Index(raw, []byte("data"))
	if data < 0 {
		t.Fatal("not a WAV file")
	}
	speech := at48(raw[data+8:])
	speech = speech[:min(len(speech), 50*audio.SampleRate)]

	cells := weathers()
	rows := make([]string, len(cells))
	t.Run("cells", func(t *testing.T) {
		for i, w := range cells {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				o := say(t, speech, w)
				rows[i] = row(w, o)
			})
		}
	})
	head := fmt.Sprintf("\n%.0f s of human speech, %s/%s, %s.\n\n", float64(len(speech))/audio.SampleRate, runtime.GOOS, runtime.GOARCH, runtime.Version()) +
		"| frames | loss | in bursts of | jitter | drift | ESTOI | delay, median | 95th of 100 | made up | saved by copies | clicks |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
	writeBetween(t, "../docs/sound.md", head+strings.Join(rows, ""))
}

func weathers() []weather {
	var cells []weather
	for _, drift := range []float64{0, 300} {
		for _, jitter := range []time.Duration{0, 40 * time.Millisecond, 80 * time.Millisecond} {
			for _, lost := range []struct {
				share float64
				burst int
			}{{0, 1}, {0.1, 1}, {0.2, 1}, {0.3, 1}, {0.05, 3}, {0.1, 3}, {0.2, 3}} {
				cells = append(cells, weather{loss: lost.share, burst: lost.burst, jitter: jitter, drift: drift, frames: audio.LongFrames})
			}
		}
	}
	for _, w := range []weather{{stall: 300 * time.Millisecond}, {drift: -300}, {drift: 50}} {
		w.burst, w.frames = 1, audio.LongFrames
		cells = append(cells, w)
	}
	for _, w := range []weather{
		{},
		{jitter: 10 * time.Millisecond},
		{jitter: 20 * time.Millisecond},
		{loss: 0.01},
		{loss: 0.02, burst: 6},
		{drift: 300},
		{drift: -300},
		{drift: 50},
		{stall: 300 * time.Millisecond},
	} {
		w.burst, w.frames = max(1, w.burst), audio.ShortFrames
		cells = append(cells, w)
	}
	return append(cells, weather{burst: 1})
}

func row(w weather, o outcome) string {
	jitter := fmt.Sprintf("0–%d ms", w.jitter.Milliseconds())
	if w.jitter == 0 {
		jitter = "none"
	}
	if w.stall > 0 {
		jitter = fmt.Sprintf("once a stall of %d ms", w.stall.Milliseconds())
	}
	frames, packet := map[audio.Frames]string{audio.AutoFrames: "20, then 10 ms", audio.LongFrames: "20 ms", audio.ShortFrames: "10 ms"}[w.frames], 20
	if w.frames == audio.ShortFrames {
		packet = 10
	}
	return fmt.Sprintf("| %s | %.0f %% | %d ms | %s | %+.0f ppm | %.3f | %.0f ms | %.0f ms | %.2f %% | %.1f %% | %d |\n",
		frames, 100*w.loss, w.burst*packet, jitter, w.drift, o.estoi, o.median.Seconds()*1000, o.highest.Seconds()*1000, 100*o.concealed, 100*o.recovered, max(0, o.clicks))
}

// writeBetween puts text between the two marks of a page.
func writeBetween(t *testing.T, path, text string) {
	t.Helper()
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := strings.Index(string(page), tableBegin), strings.Index(string(page), tableEnd)
	if begin < 0 || end < begin {
		t.Fatalf("%s has no place for the table", path)
	}
	out := string(page[:begin]) + tableBegin + "\n" + text + "\n" + string(page[end:])
	if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}
