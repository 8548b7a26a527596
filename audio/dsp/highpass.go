package dsp

import (
	"math"

	"sotto/audio"
)

// highPass takes out rumble, mains hum and the wind of a microphone's own
// electronics: a second-order Butterworth filter (bilinear transform).
type highPass struct {
	b0, b1, b2, a1, a2 float64
	x1, x2, y1, y2     float64
}

const highPassCut = 80 // Hz

func newHighPass(hertz float64) *highPass {
	w := math.Tan(math.Pi * hertz / audio.SampleRate)
	n := 1 / (1 + math.Sqrt2*w + w*w)
	return &highPass{b0: n, b1: -2 * n, b2: n, a1: 2 * (w*w - 1) * n, a2: (1 - math.Sqrt2*w + w*w) * n}
}

func (h *highPass) process(period []float32) {
	for i, sample := range period {
		x := float64(sample)
		y := h.b0*x + h.b1*h.x1 + h.b2*h.x2 - h.a1*h.y1 - h.a2*h.y2
		h.x2, h.x1, h.y2, h.y1 = h.x1, x, h.y1, y
		period[i] = float32(y)
	}
	if !(math.Abs(h.y1) < 1e3) { // no number, from a device that gave none
		h.x1, h.x2, h.y1, h.y2 = 0, 0, 0, 0
		clear(period)
	}
	h.y1 += 1e-20 // never a subnormal number: they are slow
	h.y1 -= 1e-20
}
