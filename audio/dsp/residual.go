package dsp

import "math"

// residual takes down, bin by bin, what the filter left of the echo, and lets the
// near speaker through. Two estimates say how much is left, and the larger counts:
// what the Kalman filter itself expects to miss, which is honest while the room
// stays as it is, and the leak of each band, which is learned from the sound. Where
// what is there stands well above both, somebody is speaking.
//
// It works on windows of 10 ms every 5 ms, and delays sound by residualHop samples.
type residual struct {
	fft          *fft
	window       []float32
	errs, echoes []float32 // the last window of each
	buffer       []float32
	tail         []float32 // overlap
	e, y         spectrum

	left, echo     []float32 // smoothed powers
	unsure, missed []float32
	gain           []float32
	bands          [residualBands]leak
	near           float32 // how sure it is that somebody is speaking, 0 to 1
	doubt          bool    // all of the echo may be left
	blind          bool    // and what it is was not worked out: it is taken to be as before
	hush           bool    // and nothing tells how much it is
}

// leak is how much of a band's echo the filter leaves, found by how far their
// changes go together: speech at the microphone does not change with the echo
// (as in speexdsp's residual echo estimate: J.-M. Valin, "On adjusting the learning
// rate in frequency domain echo cancellation with double-talk", IEEE TASLP 15, 2007).
type leak struct{ meanE, meanY, cross, square, value float32 }

const (
	residualHop    = 240
	residualWindow = 2 * residualHop
	residualSize   = 512
	residualBins   = residualSize/2 + 1
	residualBands  = 12

	residualQuiet = 1e-7 // power of a bin below which echo is none
	residualLoss  = 0.7  // of the echo, when all of it may be left: half of that would do, were it the same in each bin
	residualHush  = 0.03
	residualFrom  = 4  // bins that say whether somebody is speaking: 375 Hz
	residualTo    = 64 // to 6 kHz
)

func newResidual() *residual {
	r := &residual{
		fft: newFFT(residualSize), window: make([]float32, residualWindow),
		errs: make([]float32, residualWindow), echoes: make([]float32, residualWindow),
		buffer: make([]float32, residualSize), tail: make([]float32, residualSize),
		e: newSpectrum(residualSize), y: newSpectrum(residualSize),
		left: make([]float32, residualBins), echo: make([]float32, residualBins),
		unsure: make([]float32, residualBins), missed: make([]float32, residualBins), gain: make([]float32, residualBins),
	}
	for i := range r.window {
		r.window[i] = float32(math.Sin(math.Pi * (float64(i) + 0.5) / residualWindow))
	}
	r.reset()
	return r
}

// reset forgets everything.
func (r *residual) reset() {
	for _, x := range [][]float32{r.errs, r.echoes, r.tail, r.left, r.echo} {
		clear(x)
	}
	for b := range r.bands {
		r.bands[b] = leak{cross: 1e-6, square: 1e-6, value: 1}
	}
	for b := range r.gain {
		r.gain[b] = 1
	}
	r.near = 1
}

// process writes a period to out from the filter's error, its echo, and the power
// spectrum of the echo that it expects to miss, of which a part is missed, in its transform
// of echoTransform.
func (r *residual) process(out, errs, echo, unsure []float32, part float32) {
	share := part * 0.5 * float32(residualWindow) / echoTransform // half: the window's power
	last := len(unsure) - 1
	for b := range r.unsure {
		r.unsure[b] = share * (unsure[max(2*b-1, 0)] + unsure[2*b] + unsure[min(2*b+1, last)]) / 3
	}
	for at := 0; at < len(errs); at += residualHop {
		r.take(errs[at:at+residualHop], echo[at:at+residualHop])
		r.weigh()
		r.give(out[at : at+residualHop])
	}
}

func (r *residual) take(errs, echo []float32) {
	copy(r.errs, r.errs[residualHop:])
	copy(r.errs[residualHop:], errs)
	copy(r.echoes, r.echoes[residualHop:])
	copy(r.echoes[residualHop:], echo)
	r.analyse(r.errs, r.e)
	r.analyse(r.echoes, r.y)
}

func (r *residual) analyse(x []float32, out spectrum) {
	clear(r.buffer)
	for i, w := range r.window {
		r.buffer[i] = x[i] * w
	}
	r.fft.forward(r.buffer, out)
}

func (r *residual) give(out []float32) {
	for b, g := range r.gain {
		r.e.re[b] *= g
		r.e.im[b] *= g
	}
	r.fft.inverse(r.e, r.buffer)
	for i, w := range r.window {
		r.tail[i] += r.buffer[i] * w
	}
	copy(out, r.tail)
	copy(r.tail, r.tail[residualHop:])
	clear(r.tail[len(r.tail)-residualHop:])
}

// bandOf is the band of a bin: 375 Hz each up to 3 kHz, wider above.
func bandOf(bin int) int {
	switch {
	case bin < 32:
		return bin / 4
	case bin < 64:
		return 8 + (bin-32)/16
	case bin < 128:
		return 10
	}
	return 11
}

// weigh finds the gains.
func (r *residual) weigh() {
	r.measure()
	var total, missed float32
	for b := range r.missed {
		r.missed[b] = max(r.bands[bandOf(b)].value*r.echo[b], r.unsure[b])
		if r.doubt {
			r.missed[b] = max(r.missed[b], residualLoss*r.echo[b])
		}
		if b >= residualFrom && b < residualTo {
			total += r.left[b]
			missed += r.missed[b]
		}
	}
	// Somebody speaks, for certain, when there is eight times what can be echo.
	const nobody, somebody = 3, 8
	near := max(0, min(1, (total/(missed+1e-9)-nobody)/(somebody-nobody)))
	if near > r.near {
		r.near += 0.5 * (near - r.near)
	} else {
		r.near += 0.1 * (near - r.near)
	}
	over := (1 + 3*(1-r.near)) * (1 - 0.9*r.near)
	floor := 0.003 + 0.05*r.near
	whole := 0.1 + 0.9*r.near
	if r.hush {
		whole = residualHush
	}
	for b := range r.gain {
		g := float32(1)
		if r.missed[b] > residualQuiet || r.hush {
			g = max(1-over*r.missed[b]/(r.left[b]+1e-9), floor) * whole
		}
		if r.hush {
			r.gain[b] = min(r.gain[b], g)
		}
		r.gain[b] += 0.6 * (g - r.gain[b])
	}
}

// measure follows the powers, and each band's leak.
func (r *residual) measure() {
	var errs, echo [residualBands]float32
	for b := range r.gain {
		e2 := r.e.re[b]*r.e.re[b] + r.e.im[b]*r.e.im[b]
		y2 := r.y.re[b]*r.y.re[b] + r.y.im[b]*r.y.im[b]
		errs[bandOf(b)] += e2
		echo[bandOf(b)] += y2
		r.left[b] += 0.5 * (e2 - r.left[b])
		if !r.blind {
			r.echo[b] = max(r.echo[b]*0.8, r.echo[b]+0.5*(y2-r.echo[b])) // a room rings on
		}
	}
	pace := 0.02 * (1 - 0.9*r.near) // two who speak at once go together by chance, for a while
	for i := range r.bands {
		if r.doubt {
			break
		}
		r.bands[i].learn(errs[i], echo[i], pace)
	}
}

func (l *leak) learn(e, y, pace float32) {
	de, dy := e-l.meanE, y-l.meanY
	l.meanE += 0.1 * de
	l.meanY += 0.1 * dy
	pace *= min(1, y/(e+1e-9))
	l.cross += pace * (de*dy - l.cross)
	l.square += pace * (dy*dy - l.square)
	l.cross = max(l.cross, 0.0005*l.square)
	l.value = min(1, l.cross/(l.square+1e-12))
}
