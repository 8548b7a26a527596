package dsp

import (
	"math"

	"sotto/audio"
)

// slip follows the echo in time. It may jump, by something that align cannot count, and then
// what the filter knows of the room holds at another place (jump.go finds that).
// Two clocks that run apart make it slide by fractions of a sample. The filter
// itself follows a slide in part, so that is measured against a frozen copy of it:
// the lag of the microphone behind what the copy expects grows at the pace of the
// clocks, and a control loop bends the reading rate until it stays.
type slip struct {
	filter    *kalman
	frozen    []spectrum // the filter as it was
	warm      bool       // frozen holds something
	explained float64    // which part of the microphone's power it left unexplained then
	age       int        // periods since then
	since     int        // age when the lag was last measured
	lag       float64    // samples, then
	known     bool       // lag is of this copy

	fft       *fft
	window    []float32
	frame     []float32
	echo, mic spectrum
	cross     spectrum // of the two, summed over blocks
	blocks    int
	lags      []float32

	jump *jump
}

const (
	slipBlocks = 40   // for one measurement, of those in which something plays
	slipWide   = 40   // samples to each side that are searched
	slipStray  = 6    // samples between two measurements that are no slide
	slipFresh  = 2000 // periods after which the copy is made anew
	slipLag    = 0.01 // how fast the loop takes the lag itself back
	slipPace   = 0.6  // and how much of its pace
)

func newSlip(filter *kalman) *slip {
	s := &slip{
		filter: filter, fft: newFFT(filter.size), jump: newJump(),
		window: make([]float32, filter.block), frame: make([]float32, filter.size),
		echo: newSpectrum(filter.size), mic: newSpectrum(filter.size), cross: newSpectrum(filter.size),
		lags: make([]float32, filter.size),
	}
	for range filter.partitions {
		s.frozen = append(s.frozen, newSpectrum(filter.size))
	}
	for i := range s.window { // without it the frames' common edges would go together best
		s.window[i] = float32(0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(s.window))))
	}
	return s
}

// hear takes a period of the microphone and of the filter's echo, whether the echo
// is loud enough to tell, and which part of the microphone's power the filter
// leaves. jump is by how many samples the echo is later from now on, bend by how
// much the reading rate is to change; 0 is nothing to say.
func (s *slip) hear(mic, echo []float32, loud bool, left float64) (jump int, bend float64) {
	s.age++
	if jump := s.jump.hear(mic, echo); jump != 0 {
		return jump, 0
	}
	if !loud {
		return 0, 0
	}
	if !s.warm || s.age > slipFresh || left < 0.25*s.explained {
		s.freeze(left)
	}
	if !s.warm {
		return 0, 0
	}
	s.gather(mic, s.remember())
	if s.blocks < slipBlocks {
		return 0, 0
	}
	return 0, s.slide()
}

// slide measures the lag and returns what that means for the rate.
func (s *slip) slide() (bend float64) {
	before, periods := s.lag, s.age-s.since
	lag, sure := s.peak(slipWide)
	if !sure || s.known && math.Abs(lag-before) > slipStray {
		s.known = false
		return 0
	}
	if s.known {
		bend = -(slipPace*(lag-before) + slipLag*lag) / float64(periods*audio.PeriodSamples)
	}
	s.lag, s.known, s.since = lag, true, s.age
	return bend
}

// freeze copies the filter, if it explains enough.
func (s *slip) freeze(left float64) {
	if left > 0.25 {
		return
	}
	for p, w := range s.filter.weights {
		copy(s.frozen[p].re, w.re)
		copy(s.frozen[p].im, w.im)
	}
	s.warm, s.explained, s.age, s.since, s.known = true, left, 0, 0, false
	s.restart()
}

// remember is the block's echo as the copy has it.
func (s *slip) remember() []float32 {
	s.echo.clear()
	for p, w := range s.frozen {
		accumulate(s.echo, s.filter.past(p), w)
	}
	s.fft.inverse(s.echo, s.lags)
	return s.lags[len(s.lags)-s.filter.block:]
}

// forget is for a filter that does not stand where it stood.
func (s *slip) forget() {
	s.restart()
	s.jump.forget()
	s.warm, s.known = false, false
}

// moved is for an echo that is elsewhere: the filter and its copy hold there, the lag does not.
func (s *slip) moved() {
	s.restart()
	s.jump.forget()
	s.known = false
}

func (s *slip) restart() {
	s.cross.clear()
	s.blocks = 0
}

// gather adds a block to the cross spectrum.
func (s *slip) gather(mic, echo []float32) {
	for i, w := range s.window {
		s.frame[i] = echo[i] * w
	}
	s.fft.forward(s.frame, s.echo)
	for i, w := range s.window {
		s.frame[i] = mic[i] * w
	}
	s.fft.forward(s.frame, s.mic)
	for k := range s.cross.re {
		s.cross.re[k] += s.mic.re[k]*s.echo.re[k] + s.mic.im[k]*s.echo.im[k]
		s.cross.im[k] += s.mic.im[k]*s.echo.re[k] - s.mic.re[k]*s.echo.im[k]
	}
	s.blocks++
}

// peak is the lag, in samples and parts of them, at which the two go together
// best, and begins a new sum. The bins are half whitened, so that more than the
// few lowest say when.
func (s *slip) peak(reach int) (lag float64, sure bool) {
	for k := range s.cross.re {
		weight := 1 / (root(root(s.cross.re[k]*s.cross.re[k]+s.cross.im[k]*s.cross.im[k])) + 1e-6)
		s.cross.re[k] *= weight
		s.cross.im[k] *= weight
	}
	s.fft.inverse(s.cross, s.lags)
	s.restart()
	at := func(lag int) float64 { return float64(s.lags[(lag+len(s.lags))%len(s.lags)]) }
	best, sum := 0, 0.0
	for lag := -reach; lag <= reach; lag++ {
		sum += math.Abs(at(lag))
		if at(lag) > at(best) {
			best = lag
		}
	}
	a, b, c := at(best-1), at(best), at(best+1)
	curve := a - 2*b + c
	if abs(best) == reach || b < sum/float64(2*reach) || curve > -1e-12 {
		return 0, false
	}
	return float64(best) + 0.5*(a-c)/curve, true
}
