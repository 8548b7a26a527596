package fake

import (
	"math"

	"sotto/audio"
)

// resampler turns a stream of samples at another rate into one at 48 kHz by
// band-limited interpolation: a Kaiser-windowed sinc evaluated at each output
// instant (J. O. Smith, "Digital Audio Resampling"). Output sample 0 falls on
// input sample 0: nothing is delayed. It belongs to one goroutine.
type resampler struct {
	next func() (float32, bool) // the next input sample, false after the last
	step float64                // input samples for one output sample
	at   float64                // position of the next output sample, counted from window[half]

	half   int // input samples to either side of an output instant
	window []float32
	ended  int // input samples after the end that the window has taken in
	table  []float64
}

const (
	zeroCrossings = 24
	tableSteps    = 512 // table entries for one zero crossing
	kaiserBeta    = 9   // about 90 dB of stop band
)

func newResampler(rate int, next func() (float32, bool)) *resampler {
	step := float64(rate) / audio.SampleRate
	cutoff := min(1, 1/step) * 0.95 // of the input's Nyquist; room for the transition band
	half := int(math.Ceil(zeroCrossings / cutoff))
	r := &resampler{next: next, step: step, half: half, window: make([]float32, 2*half+1), table: sincTable(half, cutoff)}
	for i := half; i < len(r.window); i++ {
		r.window[i] = r.take()
	}
	return r
}

// sincTable samples the right half of the kernel tableSteps times for each input sample.
func sincTable(half int, cutoff float64) []float64 {
	table := make([]float64, half*tableSteps+2)
	for i := range table {
		x := float64(i) / tableSteps
		edge := x / float64(half)
		if edge >= 1 {
			continue
		}
		sinc := 1.0
		if x > 0 {
			sinc = math.Sin(math.Pi*cutoff*x) / (math.Pi * cutoff * x)
		}
		table[i] = cutoff * sinc * bessel(kaiserBeta*math.Sqrt(1-edge*edge)) / bessel(kaiserBeta)
	}
	return table
}

// bessel is the modified Bessel function of the first kind and order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-12; k++ {
		term *= (x / 2 / k) * (x / 2 / k)
		sum += term
	}
	return sum
}

func (r *resampler) take() float32 {
	sample, ok := r.next()
	if !ok {
		r.ended++
	}
	return sample
}

// read fills out and returns how many of its samples there still was sound for.
func (r *resampler) read(out []float32) int {
	for n := range out {
		for r.at >= 1 {
			copy(r.window, r.window[1:])
			r.window[len(r.window)-1] = r.take()
			r.at--
		}
		if r.ended > r.half { // the instant lies after the last input sample
			clear(out[n:])
			return n
		}
		out[n] = r.interpolate()
		r.at += r.step
	}
	return len(out)
}

func (r *resampler) interpolate() float32 {
	var sum float64
	for i, sample := range r.window {
		x := math.Abs(float64(i-r.half)-r.at) * tableSteps
		whole := int(x)
		if whole+1 >= len(r.table) {
			continue
		}
		low := r.table[whole]
		sum += float64(sample) * (low + (r.table[whole+1]-low)*(x-float64(whole)))
	}
	return float32(max(-1, min(1, sum)))
}
