package audio_test

import (
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/audio/weather"
)

// outcome is what a listener got, and in packets of which sizes.
type outcome struct {
	weather.Outcome
	sizes map[int]int
}

// say speaks to a listener with nothing in between but the schedule of what happens to packets.
func say(t *testing.T, speech []float32, c weather.Conditions) outcome {
	t.Helper()
	there, back := &wire{}, &wire{}
	heard := weather.Talk(t, speech, c, func(t *testing.T, mouth audio.Source, ear audio.Sink) (speaker, listener *audio.Session) {
		schedule, start := c.Schedule(), time.Now()
		there.carry = func(deliver func()) {
			if way := schedule(time.Since(start)); way >= 0 {
				time.AfterFunc(way, deliver)
			}
		}
		speaker = newFramedSession(t, mouth, fake.NewNullSink(), there, c.Frames)
		listener = newFramedSession(t, fake.NewNullSource(), ear, back, c.Frames)
		there.to, back.to = listener, speaker
		return speaker, listener
	})
	return outcome{heard, there.sizes}
}

// sentence is a spoken sentence, said again and again: a synthetic voice, which the codec
// renders worse than a human one.
func sentence(t *testing.T, length time.Duration) []float32 {
	t.Helper()
	speech, err := weather.Speech("../ui/cli/testdata/sentence.wav")
	if err != nil {
		t.Fatal(err)
	}
	return weather.Repeated(speech, length)
}

// TestSpeechInAnyWeather holds a few cells of the table in docs/sound.md against their bounds.
func TestSpeechInAnyWeather(t *testing.T) {
	speech := sentence(t, weather.CellSpeech)
	for _, c := range weather.Cells() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			o := say(t, speech, c.Conditions)
			if err := c.Check(o.Outcome, o.sizes); err != nil {
				t.Error(err)
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
			o := say(t, sentence(t, 13*time.Second), weather.Conditions{Stall: stall, Frames: audio.LongFrames})
			at := int((weather.StallAt - weather.WarmUp) / time.Second)
			if len(o.Delays) < at+5 {
				t.Fatalf("delays %v", o.Delays)
			}
			before := o.Delays[at-2]
			for i, delay := range o.Delays[at+2:] {
				if delay > before+15*time.Millisecond {
					t.Errorf("%d s after the stall the delay is %v, before it was %v", 2+i, delay, before)
				}
			}
			if o.Clicks > 1 || o.Concealed > 0.03 {
				t.Errorf("%d clicks, %.3f concealed", o.Clicks, o.Concealed)
			}
		})
	}
}
