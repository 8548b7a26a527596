package weather

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/measure"
)

// Outcome is what a listener got of a speaker.
type Outcome struct {
	ESTOI           float64
	Median, Highest time.Duration // mouth to ear, of pieces of a second; the 95th of 100 pieces
	Delays          []time.Duration
	Concealed       float64     // share of what was played that was made up
	Recovered       float64     // share of what was played that only a copy brought in time
	Clicks          int         // more than in what was said
	Listener        audio.Stats // when all was said
}

// between is so long after a whole period that nothing else happens just then, and nothing
// is left to the order in which goroutines run.
const between = 500 * time.Microsecond

// Talk speaks into one session and listens to another, in a bubble of its own. connect
// makes the two, with the mouth and the ear it is given, and what lies between them; Talk
// starts and closes them. What connect leaves to the Cleanup of its t is done in the bubble.
func Talk(t *testing.T, speech []float32, c Conditions, connect func(t *testing.T, mouth audio.Source, ear audio.Sink) (speaker, listener *audio.Session)) (out Outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ear := &recorder{Clock: NewClock(c.Drift, 15*time.Millisecond)}
		mouth := &reader{Clock: NewClock(0, 10*time.Millisecond), sound: speech, began: make(chan time.Time, 1)}
		speaker, listener := connect(t, mouth, ear)
		for _, s := range []*audio.Session{listener, speaker} {
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(between + time.Duration(len(speech))*time.Second/audio.SampleRate)
		out.Listener = listener.Stats()
		time.Sleep(time.Second)
		for _, s := range []*audio.Session{speaker, listener} {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Second) // for what is under way
		out.judge(speech, ear.since(<-mouth.began, len(speech)+audio.SampleRate/2))
	})
	return out
}

// judge compares what was said and heard once the listener has learnt.
func (o *Outcome) judge(said, heard []float32) {
	const second, from = audio.SampleRate, int(WarmUp * audio.SampleRate / time.Second)
	said, heard = said[from:], heard[from:]
	var aligned []float32
	for at := 0; at+second <= len(said); at += second {
		piece := said[at : at+second]
		delay, alike := measure.Delay(quarter(piece), quarter(heard[at:min(len(heard), at+3*second/2)]), audio.SampleRate/4, 500*time.Millisecond)
		if alike > 0.3 {
			o.Delays = append(o.Delays, delay)
		}
		aligned = append(aligned, measure.Align(piece, heard[at:], audio.SampleRate, delay)...)
	}
	sorted := slices.Clone(o.Delays)
	slices.Sort(sorted)
	if len(sorted) > 0 {
		o.Median, o.Highest = sorted[len(sorted)/2], sorted[(len(sorted)-1)*95/100]
	}
	said = said[:len(aligned)]
	o.ESTOI, _ = measure.ESTOI(said, aligned, audio.SampleRate)
	o.Clicks = len(measure.Clicks(heard, audio.SampleRate)) - len(measure.Clicks(said, audio.SampleRate))
	o.Concealed, o.Recovered = o.Listener.ConcealedRatio, o.Listener.RecoveredRatio
}

// quarter is sound at a quarter of the rate, which is quicker to search.
func quarter(sound []float32) []float32 {
	out := make([]float32, len(sound)/4)
	for i := range out {
		out[i] = (sound[4*i] + sound[4*i+1] + sound[4*i+2] + sound[4*i+3]) / 4
	}
	return out
}
