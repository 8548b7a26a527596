package call

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/weather"
)

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
	speech, err := weather.Speech(path)
	if err != nil {
		t.Fatal(err)
	}
	speech = speech[:min(len(speech), 50*audio.SampleRate)]

	cells := weathers()
	rows := make([]string, len(cells))
	t.Run("cells", func(t *testing.T) {
		for i, w := range cells {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				o, _ := say(t, speech, w)
				rows[i] = row(w, o)
			})
		}
	})
	if t.Failed() {
		return
	}
	head := fmt.Sprintf("\n%.0f s of human speech, %s/%s, %s.\n\n", float64(len(speech))/audio.SampleRate, runtime.GOOS, runtime.GOARCH, runtime.Version()) +
		"| frames | loss | in bursts of | jitter | drift | ESTOI | delay, median | 95th of 100 | made up | saved by copies | clicks |\n" +
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
	writeBetween(t, "../../docs/sound.md", head+strings.Join(rows, ""))
}

func weathers() []weather.Conditions {
	var cells []weather.Conditions
	for _, drift := range []float64{0, 300} {
		for _, jitter := range []time.Duration{0, 40 * time.Millisecond, 80 * time.Millisecond} {
			for _, lost := range []struct {
				share float64
				burst int
			}{{0, 1}, {0.1, 1}, {0.2, 1}, {0.3, 1}, {0.05, 3}, {0.1, 3}, {0.2, 3}} {
				cells = append(cells, weather.Conditions{Loss: lost.share, Burst: lost.burst, Jitter: jitter, Drift: drift, Frames: audio.LongFrames})
			}
		}
	}
	for _, w := range []weather.Conditions{{Stall: 300 * time.Millisecond}, {Drift: -300}, {Drift: 50}} {
		w.Burst, w.Frames = 1, audio.LongFrames
		cells = append(cells, w)
	}
	for _, w := range []weather.Conditions{
		{},
		{Jitter: 10 * time.Millisecond},
		{Jitter: 20 * time.Millisecond},
		{Loss: 0.01},
		{Loss: 0.02, Burst: 6},
		{Drift: 300},
		{Drift: -300},
		{Drift: 50},
		{Stall: 300 * time.Millisecond},
	} {
		w.Burst, w.Frames = max(1, w.Burst), audio.ShortFrames
		cells = append(cells, w)
	}
	return append(cells, weather.Conditions{Burst: 1})
}

func row(w weather.Conditions, o weather.Outcome) string {
	jitter := fmt.Sprintf("0–%d ms", w.Jitter.Milliseconds())
	if w.Jitter == 0 {
		jitter = "none"
	}
	if w.Stall > 0 {
		jitter = fmt.Sprintf("once a stall of %d ms", w.Stall.Milliseconds())
	}
	frames, packet := map[audio.Frames]string{audio.AutoFrames: "20, then 10 ms", audio.LongFrames: "20 ms", audio.ShortFrames: "10 ms"}[w.Frames], 20
	if w.Frames == audio.ShortFrames {
		packet = 10
	}
	return fmt.Sprintf("| %s | %.0f %% | %d ms | %s | %+.0f ppm | %.3f | %.0f ms | %.0f ms | %.2f %% | %.1f %% | %d |\n",
		frames, 100*w.Loss, w.Burst*packet, jitter, w.Drift, o.ESTOI, o.Median.Seconds()*1000, o.Highest.Seconds()*1000, 100*o.Concealed, 100*o.Recovered, max(0, o.Clicks))
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
