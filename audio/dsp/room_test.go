package dsp

import (
	"math"
	"math/rand/v2"
)

// room is a synthetic way from loudspeaker to microphone: exponentially decaying
// noise, 60 dB down after seconds, scaled so that echo is gain dB against what is played.
func room(seconds, gain float64, seed uint64) []float32 {
	random := rand.New(rand.NewPCG(seed, 7))
	h := make([]float32, int(seconds*48000))
	var power float64
	for i := range h {
		v := random.NormFloat64() * math.Exp(-6.9078*float64(i)/float64(len(h)))
		h[i] = float32(v)
		power += v * v
	}
	scale := float32(math.Pow(10, gain/20) / math.Sqrt(power))
	for i := range h {
		h[i] *= scale
	}
	return h
}

// convolve returns x through h, as long as x, delayed by delay samples more.
func convolve(x, h []float32, delay int) []float32 {
	const size = 65536
	step := size - len(h)
	f, hs, xs, buffer := newFFT(size), newSpectrum(size), newSpectrum(size), make([]float32, size)
	copy(buffer, h)
	f.forward(buffer, hs)
	out := make([]float32, len(x)+delay+size)
	for at := 0; at < len(x); at += step {
		clear(buffer)
		copy(buffer[:step], x[at:])
		f.forward(buffer, xs)
		for b := range xs.re {
			r, i := xs.re[b], xs.im[b]
			xs.re[b], xs.im[b] = r*hs.re[b]-i*hs.im[b], r*hs.im[b]+i*hs.re[b]
		}
		f.inverse(xs, buffer)
		for i, v := range buffer {
			out[at+delay+i] += v
		}
	}
	return out[:len(x)]
}

// skew returns x as a clock that is ppm faster hears it.
func skew(x []float32, ppm float64) []float32 { return readAt(x, len(x), 1-ppm*1e-6) }

// readAt returns n samples of x, pace of its samples apart.
func readAt(x []float32, n int, pace float64) []float32 {
	out := make([]float32, n)
	for i := range out {
		at := float64(i) * pace
		whole := int(at)
		for k := max(0, whole-15); k <= min(len(x)-1, whole+16); k++ {
			d := at - float64(k)
			w := 0.5 + 0.5*math.Cos(math.Pi*d/17)
			if math.Abs(d) > 1e-9 {
				w *= math.Sin(math.Pi*d) / (math.Pi * d)
			}
			out[i] += x[k] * float32(w)
		}
	}
	return out
}

func power(x []float32) float64 {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum / float64(max(1, len(x)))
}

func decibels(ratio float64) float64 { return 10 * math.Log10(ratio+1e-20) }
