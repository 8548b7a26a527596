package dsp

import (
	"testing"

	"sotto/audio"
)

// pieces are how many samples devices take or bring at a time.
var pieces = []int{audio.PeriodSamples, 2 * audio.PeriodSamples, 1024, 4 * audio.PeriodSamples}

// sawtooth feeds a lead with what it is when the microphone brings so many samples at a time and
// playing goes on evenly.
type sawtooth struct {
	lead
	brings    int
	delivered int
	given     float64 // what step made up for
	offset    float64 // by which playing is ahead for good
	found     [leadOdd + 1]int
}

// run goes on for so many periods, and returns how they were found.
func (s *sawtooth) run(periods int) [leadOdd + 1]int {
	s.found = [leadOdd + 1]int{}
	for range periods {
		s.delivered += audio.PeriodSamples
		s.next(float64((s.delivered + s.brings - 1) / s.brings * s.brings))
	}
	return s.found
}

// burst is for so many periods of a time in which nothing was played, and which come together.
func (s *sawtooth) burst(periods int) {
	from := float64(s.delivered)
	for range periods {
		s.delivered += audio.PeriodSamples
		s.next(from)
	}
	s.offset -= float64(periods * audio.PeriodSamples)
}

func (s *sawtooth) next(played float64) {
	step, found := s.hear(played + s.offset + s.given - float64(s.delivered))
	s.given -= step // as align does, by silence or by passing sound over
	s.found[found]++
}

// TestLeadKnowsHowDevicesSwing: whatever the microphone brings at a time, no period of it is odd, and
// nothing is late.
func TestLeadKnowsHowDevicesSwing(t *testing.T) {
	for _, brings := range pieces {
		s := sawtooth{brings: brings}
		s.run(2 * leadMemory)
		if found := s.run(1000); found[leadEven] != 1000 {
			t.Errorf("%d samples at a time: %d periods are high and %d odd, of 1000", brings, found[leadHigh], found[leadOdd])
		}
		if s.calm <= trustCalm {
			t.Errorf("%d samples at a time: something was late %d periods ago", brings, s.calm)
		}
	}
}

// TestLeadFollowsAStep: when nothing was played for a while, it becomes known for how long, and the
// lead is again where it was then.
func TestLeadFollowsAStep(t *testing.T) {
	for _, brings := range pieces {
		for _, periods := range []int{1, 2, 6} {
			s := sawtooth{brings: brings}
			s.run(4 * leadMemory)
			if s.burst(periods); s.calm != 0 {
				t.Errorf("%d samples at a time: %d periods without sound are not noticed", brings, periods)
			}
			s.run(leadMemory)
			if found := s.run(1000); found[leadEven] != 1000 {
				t.Errorf("%d samples at a time: %d periods are high and %d odd, of 1000 after a step", brings, found[leadHigh], found[leadOdd])
			}
			if off := s.given + s.offset; off < -leadCalm || off > leadCalm {
				t.Errorf("%d samples at a time: a step of %.0f is taken for one of %.0f", brings, s.offset, -s.given)
			}
		}
	}
}

// TestLeadGoesUp: when the microphone lost sound, that becomes known as well.
func TestLeadGoesUp(t *testing.T) {
	for _, brings := range pieces {
		s := sawtooth{brings: brings}
		s.run(4 * leadMemory)
		s.offset += 1440
		s.run(leadMemory)
		if off := s.given + s.offset; off < -leadCalm || off > leadCalm {
			t.Errorf("%d samples at a time: a step of %.0f is taken for one of %.0f", brings, s.offset, -s.given)
		}
	}
}
