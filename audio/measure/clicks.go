package measure

import (
	"math"
	"slices"
)

const (
	clickOrder     = 24                // of the linear prediction
	clickBlock     = 1.0 / 50          // seconds predicted with one set of coefficients
	clickThreshold = 14.0              // times the block's median residual
	clickFloor     = 0.004             // residual, of full scale, below which nobody hears one
	clickShare     = 0.15              // of the block's level that a break has at least
	clickApart     = 1.0 / 200         // seconds within which two are one
	clickRidge     = 1e-6              // of the energy, added so that pure tones stay well conditioned
	normalMedian   = 0.674489750196082 // median of |x| for x of unit variance
)

// Clicks finds where sound breaks: samples that the sound around them does not
// predict, by far more than the others (the detection part of S. V. Vaseghi,
// "Advanced Digital Signal Processing and Noise Reduction", chapter 13). It returns
// their positions in samples, in order. Speech itself has sharp onsets, so what
// counts for a transmission is how many more there are than in what was sent.
func Clicks(sound []float32, rate int) []int {
	block := int(clickBlock * float64(rate))
	var found []int
	residual, magnitudes := make([]float64, block), make([]float64, block)
	for start := clickOrder; start+block <= len(sound); start += block {
		coefficients := predictor(sound[max(0, start-block/2):min(len(sound), start+block+block/2)])
		for i := range residual {
			predicted := 0.0
			for k, c := range coefficients {
				predicted += c * float64(sound[start+i-1-k])
			}
			residual[i] = float64(sound[start+i]) - predicted
			magnitudes[i] = math.Abs(residual[i])
		}
		slices.Sort(magnitudes)
		level := math.Sqrt(energyOf(sound[start:start+block]) / float64(block))
		limit := max(clickFloor, clickThreshold*magnitudes[block/2]/normalMedian, clickShare*level)
		for i, r := range residual {
			if at := start + i; math.Abs(r) > limit && (len(found) == 0 || at-found[len(found)-1] > int(clickApart*float64(rate))) {
				found = append(found, at)
			}
		}
	}
	return found
}

// predictor gives the coefficients that predict a sample of sound from those before
// it, newest first: the autocorrelation method with Levinson's recursion.
func predictor(sound []float32) [clickOrder]float64 {
	var correlation [clickOrder + 1]float64
	windowed := make([]float64, len(sound))
	for i, x := range sound {
		windowed[i] = float64(x) * (0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/float64(len(sound))))
	}
	for lag := range correlation {
		for i := lag; i < len(windowed); i++ {
			correlation[lag] += windowed[i] * windowed[i-lag]
		}
	}
	var c, previous [clickOrder]float64
	left := correlation[0]*(1+clickRidge) + 1e-12
	for order := range clickOrder {
		reflection := correlation[order+1]
		for k := range order {
			reflection -= c[k] * correlation[order-k]
		}
		reflection /= left
		previous = c
		for k := range order {
			c[k] = previous[k] - reflection*previous[order-1-k]
		}
		c[order] = reflection
		left *= 1 - reflection*reflection
	}
	return c
}
