package measure

import "math"

const (
	zeroCrossings = 32
	kaiserBeta    = 7.0
)

// resample gives sound at another rate: a Kaiser-windowed sinc below the lower of
// the two Nyquist frequencies, evaluated at each output instant.
func resample(sound []float64, from, to int) []float64 {
	if from == to {
		return sound
	}
	cutoff := min(1, float64(to)/float64(from)) // of the input's Nyquist frequency
	width := zeroCrossings / cutoff
	divisor := greatestCommonDivisor(from, to)
	phases, advance := to/divisor, from/divisor
	kernels := make([][]float64, phases)
	half := int(math.Ceil(width))
	for phase := range kernels {
		kernel := make([]float64, 2*half+1)
		fraction := float64(phase) / float64(phases)
		for i := range kernel {
			kernel[i] = windowedSinc(float64(i-half)-fraction, cutoff, width)
		}
		kernels[phase] = kernel
	}
	out := make([]float64, len(sound)*phases/advance)
	for n := range out {
		position := n * advance
		center, kernel := position/phases, kernels[position%phases]
		var sum float64
		for i := max(0, half-center); i < len(kernel) && center+i-half < len(sound); i++ {
			sum += kernel[i] * sound[center+i-half]
		}
		out[n] = sum
	}
	return out
}

func windowedSinc(at, cutoff, width float64) float64 {
	if math.Abs(at) >= width {
		return 0
	}
	window := bessel(kaiserBeta*math.Sqrt(1-at*at/(width*width))) / bessel(kaiserBeta)
	x := math.Pi * cutoff * at
	if math.Abs(x) < 1e-9 {
		return cutoff * window
	}
	return cutoff * math.Sin(x) / x * window
}

// bessel is I₀, the modified Bessel function of the first kind.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

func greatestCommonDivisor(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func widen(sound []float32) []float64 {
	out := make([]float64, len(sound))
	for i, x := range sound {
		out[i] = float64(x)
	}
	return out
}
