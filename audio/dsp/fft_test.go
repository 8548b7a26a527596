package dsp

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

func TestFFTIsTheTransform(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{8, 256, 512, 1024} {
		f, x := newFFT(size), make([]float32, size)
		for i := range x {
			x[i] = random.Float32() - 0.5
		}
		out := newSpectrum(size)
		f.forward(x, out)
		for k := 0; k <= size/2; k++ {
			var want complex128
			for n, sample := range x {
				want += complex(float64(sample), 0) * cmplx.Rect(1, -2*math.Pi*float64(k*n%size)/float64(size))
			}
			if got := complex(float64(out.re[k]), float64(out.im[k])); cmplx.Abs(got-want) > 1e-4*float64(size) {
				t.Fatalf("size %d bin %d: %v, want %v", size, k, got, want)
			}
		}
		back := make([]float32, size)
		f.inverse(out, back)
		for i := range x {
			if math.Abs(float64(back[i]-x[i])) > 1e-5 {
				t.Fatalf("size %d sample %d: %v, want %v", size, i, back[i], x[i])
			}
		}
	}
}

func BenchmarkFFT1024(b *testing.B) {
	f, x, out := newFFT(1024), make([]float32, 1024), newSpectrum(1024)
	for b.Loop() {
		f.forward(x, out)
	}
}
