package measure

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fourier is a discrete Fourier transform of one size, a power of two: radix-2,
// decimation in time (Cooley and Tukey 1965).
type fourier struct {
	twiddles []complex128 // exp(-2πi k/n), k < n/2
}

func newFourier(size int) *fourier {
	f := &fourier{twiddles: make([]complex128, size/2)}
	for k := range f.twiddles {
		f.twiddles[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(size))
	}
	return f
}

// transform works in place on len(x) = size values.
func (f *fourier) transform(x []complex128) {
	shift := 64 - bits.TrailingZeros(uint(len(x)))
	for i := range x {
		if j := int(bits.Reverse64(uint64(i)) >> shift); j > i {
			x[i], x[j] = x[j], x[i]
		}
	}
	for half := 1; half < len(x); half *= 2 {
		stride := len(x) / (2 * half)
		for start := 0; start < len(x); start += 2 * half {
			for k := range half {
				low, high := &x[start+k], &x[start+k+half]
				turned := *high * f.twiddles[k*stride]
				*low, *high = *low+turned, *low-turned
			}
		}
	}
}

// inverse is transform's, without the division by the size.
func (f *fourier) inverse(x []complex128) {
	for i := range x {
		x[i] = cmplx.Conj(x[i])
	}
	f.transform(x)
	for i := range x {
		x[i] = cmplx.Conj(x[i])
	}
}
