package dsp

import "math"

// fft transforms real signals of one length, a power of two from 8 on. It owns
// its work space: one goroutine at a time.
type fft struct {
	size    int
	cos     []float32 // twiddles of the half-size complex transform, cos(2 pi k / half)
	sin     []float32
	rcos    []float32 // twiddles that take the real transform apart, cos(2 pi k / size)
	rsin    []float32
	reverse []int32
	re, im  []float32
}

func newFFT(size int) *fft {
	half := size / 2
	f := &fft{
		size: size,
		cos:  make([]float32, half/2), sin: make([]float32, half/2),
		rcos: make([]float32, half+1), rsin: make([]float32, half+1),
		reverse: make([]int32, half),
		re:      make([]float32, half), im: make([]float32, half),
	}
	for k := range f.cos {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(half))
		f.cos[k], f.sin[k] = float32(cos), float32(sin)
	}
	for k := range f.rcos {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(size))
		f.rcos[k], f.rsin[k] = float32(cos), float32(sin)
	}
	bits := 0
	for 1<<bits < half {
		bits++
	}
	for i := range f.reverse {
		r := 0
		for b := range bits {
			r |= (i >> b & 1) << (bits - 1 - b)
		}
		f.reverse[i] = int32(r)
	}
	return f
}

// spectrum is half of a real signal's transform: size/2+1 bins.
type spectrum struct{ re, im []float32 }

func newSpectrum(size int) spectrum {
	return spectrum{make([]float32, size/2+1), make([]float32, size/2+1)}
}

func (s spectrum) clear() {
	clear(s.re)
	clear(s.im)
}

// forward writes the transform of x, size samples, to out. Nothing is scaled.
func (f *fft) forward(x []float32, out spectrum) {
	half := f.size / 2
	x = x[:f.size]
	re, im := f.re, f.im
	for i, r := range f.reverse {
		re[i], im[i] = x[2*r], x[2*r+1]
	}
	f.butterflies(re, im)
	oRe, oIm := out.re[:half+1], out.im[:half+1]
	oRe[0], oIm[0] = re[0]+im[0], 0
	oRe[half], oIm[half] = re[0]-im[0], 0
	for k := 1; k < half; k++ {
		ar, ai, br, bi := re[k], im[k], re[half-k], -im[half-k]
		er, ei := (ar+br)/2, (ai+bi)/2
		dr, di := (ai-bi)/2, -(ar-br)/2 // (a-b)/(2i)
		c, s := f.rcos[k], -f.rsin[k]
		oRe[k], oIm[k] = er+dr*c-di*s, ei+dr*s+di*c
	}
}

// inverse writes the size samples whose transform is in to x.
func (f *fft) inverse(in spectrum, x []float32) {
	half := f.size / 2
	x = x[:f.size]
	iRe, iIm := in.re[:half+1], in.im[:half+1]
	re, im := f.re, f.im
	scale := 1 / float32(half)
	for k := range half {
		ar, ai, br, bi := iRe[k], iIm[k], iRe[half-k], -iIm[half-k]
		er, ei := (ar+br)/2, (ai+bi)/2
		c, s := f.rcos[k], f.rsin[k]
		hr, hi := (ar-br)/2, (ai-bi)/2
		dr, di := hr*c-hi*s, hr*s+hi*c
		// conjugated, so that the forward butterflies turn it back
		at := f.reverse[k]
		re[at], im[at] = er-di, -(ei + dr)
	}
	f.butterflies(re, im)
	for i := range half {
		x[2*i], x[2*i+1] = re[i]*scale, -im[i]*scale
	}
}

// butterflies is the radix-2 transform of half points in bit-reversed order.
func (f *fft) butterflies(re, im []float32) {
	n := len(re)
	im = im[:n]
	for i := 0; i+1 < n; i += 2 { // the first two stages need no twiddles but 1 and -i
		re[i], re[i+1] = re[i]+re[i+1], re[i]-re[i+1]
		im[i], im[i+1] = im[i]+im[i+1], im[i]-im[i+1]
	}
	for i := 0; i+3 < n; i += 4 {
		r2, i2 := re[i+2], im[i+2]
		r3, i3 := im[i+3], -re[i+3]
		re[i+2], im[i+2] = re[i]-r2, im[i]-i2
		re[i], im[i] = re[i]+r2, im[i]+i2
		re[i+3], im[i+3] = re[i+1]-r3, im[i+1]-i3
		re[i+1], im[i+1] = re[i+1]+r3, im[i+1]+i3
	}
	for span := 4; span < n; span *= 2 {
		step := n / (2 * span)
		for start := 0; start < n; start += 2 * span {
			ar, ai := re[start:start+span], im[start:start+span]
			br, bi := re[start+span:start+2*span], im[start+span:start+2*span]
			ai, br, bi = ai[:len(ar)], br[:len(ar)], bi[:len(ar)]
			t := 0
			for k := range ar {
				c, s := f.cos[t], f.sin[t]
				t += step
				vr, vi := br[k]*c+bi[k]*s, bi[k]*c-br[k]*s
				ur, ui := ar[k], ai[k]
				ar[k], ai[k] = ur+vr, ui+vi
				br[k], bi[k] = ur-vr, ui-vi
			}
		}
	}
}
