package jitter

import (
	"math"
	"testing"
)

// TestResamplingIsExact: a tone played faster or slower is the tone of that speed, with
// no joint between periods.
func TestResamplingIsExact(t *testing.T) {
	for _, hertz := range []float64{200, 3000, 10000} {
		for _, drift := range []float64{driftMost, -driftMost, driftMost / 3, 0} {
			r := resampler{}
			r.turn(drift)
			made, taken := 0, 0
			sizes := []int{periodSamples, 120, 37, 1}
			period, queue := make([]float32, periodSamples), make([]float32, behind+periodSamples+1+ahead)
			largest := 0.0
			for n := range 300 {
				period := period[:sizes[n%len(sizes)]]
				for i := range queue {
					queue[i] = float32(0.5 * math.Sin(2*math.Pi*hertz/sampleRate*float64(taken+i)))
				}
				wants := r.begin(len(period))
				r.resample(period, queue)
				for i, x := range period {
					ideal := 0.5 * math.Sin(2*math.Pi*hertz/sampleRate*(behind+float64(made+i)*(1+drift)))
					largest = max(largest, math.Abs(float64(x)-ideal))
				}
				made, taken = made+len(period), taken+wants
			}
			if largest > 0.001 {
				t.Errorf("%v Hz at a drift of %v: off by %.5f", hertz, drift, largest)
			}
		}
	}
}
