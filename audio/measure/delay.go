package measure

import (
	"math"
	"time"
)

// Delay is how much later heard has what sent has, from 0 to most, found at the
// peak of their cross-correlation, and how alike they are there: 1 for a mere copy,
// about 0 if heard holds nothing of sent. heard may be longer than sent, and the
// other way round. The resolution is one sample of rate (Hz).
func Delay(sent, heard []float32, rate int, most time.Duration) (delay time.Duration, alike float64) {
	size := 1
	for size < len(sent)+len(heard) {
		size *= 2
	}
	fft := newFourier(size)
	a, b := make([]complex128, size), make([]complex128, size)
	for i, x := range sent {
		a[i] = complex(float64(x), 0)
	}
	for i, x := range heard {
		b[i] = complex(float64(x), 0)
	}
	fft.transform(a)
	fft.transform(b)
	for i := range a {
		b[i] *= complex(real(a[i]), -imag(a[i]))
	}
	fft.inverse(b)
	best, peak := 0, math.Inf(-1)
	for lag := 0; lag <= int(most*time.Duration(rate)/time.Second) && lag < len(heard); lag++ {
		if value := real(b[lag]); value > peak {
			best, peak = lag, value
		}
	}
	overlap := min(len(sent), len(heard)-best)
	if overlap <= 0 {
		return 0, 0
	}
	energy := math.Sqrt(energyOf(sent[:overlap]) * energyOf(heard[best:best+overlap]))
	if energy == 0 {
		return 0, 0
	}
	return time.Duration(best) * time.Second / time.Duration(rate), peak / float64(size) / energy
}

// Align gives the piece of heard that begins delay later and has sent's length;
// silence stands for what heard does not have.
func Align(sent, heard []float32, rate int, delay time.Duration) []float32 {
	out := make([]float32, len(sent))
	if from := int((delay*time.Duration(rate) + time.Second/2) / time.Second); from < len(heard) {
		copy(out, heard[from:])
	}
	return out
}

func energyOf(sound []float32) (sum float64) {
	for _, x := range sound {
		sum += float64(x) * float64(x)
	}
	return sum
}
