package tone_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/audio/tone"
)

// play makes seconds of a pattern.
func play(p tone.Pattern, seconds int) []float32 {
	player := tone.NewPlayer(p)
	out := make([]float32, seconds*audio.SampleRate)
	for at := 0; at < len(out); at += audio.PeriodSamples {
		player.Fill(out[at : at+audio.PeriodSamples])
	}
	return out
}

func TestPatternsAreQuietSoftAndKeepTheirCadence(t *testing.T) {
	for name, p := range map[string]tone.Pattern{"ring": tone.Ring, "ringback": tone.Ringback} {
		length := p.Pause
		for _, note := range p.Notes {
			length += note.Length
		}
		out := play(p, 12)
		period := int(length * audio.SampleRate / time.Second)
		sounding := 0
		for i := range out {
			if math.Abs(float64(out[i])) > 0.13 {
				t.Fatalf("%s: %v at %d is loud", name, out[i], i)
			}
			if i > 0 && math.Abs(float64(out[i]-out[i-1])) > 0.02 {
				t.Fatalf("%s: clicks at %d", name, i)
			}
			if i >= period && math.Abs(float64(out[i]-out[i-period])) > 1e-6 {
				t.Fatalf("%s: does not repeat at %d", name, i)
			}
			if out[i] != 0 {
				sounding++
			}
		}
		if share := float64(sounding) / float64(len(out)); share < 0.15 || share > 0.5 {
			t.Errorf("%s sounds for %.0f %% of the time", name, 100*share)
		}
	}
}

func TestPlayStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop, err := tone.Play(fake.NewNullSink(), tone.Ring)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		for range 2 {
			if err := stop(); err != nil {
				t.Error(err)
			}
		}
	}) // the bubble fails if a goroutine is left
}

func TestAnEmptyPatternIsSilent(t *testing.T) {
	for _, sample := range play(tone.Pattern{}, 1) {
		if sample != 0 {
			t.Fatal("makes a sound")
		}
	}
}
