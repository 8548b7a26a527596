package dsp

// kalman is an adaptive filter: it learns how a reference signal reaches a
// microphone, and gives the part of the microphone's signal that came that way.
// It is the partitioned-block frequency-domain Kalman filter (G. Enzner and
// P. Vary, "Frequency-domain adaptive Kalman filter for acoustic echo control in
// hands-free telephones", Signal Processing 86, 2006; F. Kuech, E. Mabande and
// G. Enzner, "State-space architecture of the partitioned-block-based acoustic
// echo controller", ICASSP 2014). Each bin's step follows from how uncertain the
// filter is and how much of the microphone's signal it cannot explain, so that
// speech at the microphone slows learning down without a detector for it.
type kalman struct {
	kalmanShape

	fft     *fft
	window  []float32  // the last size samples of the reference
	history []spectrum // of window, one for each block
	first   int        // the newest of them
	weights []spectrum
	spread  [][]float32 // P: expected squared error of each weight
	noise   []float32   // Psi: power of what the filter does not explain
	unsure  []float32   // power of the echo that the filter is expected to miss
	learned int         // blocks with sound that it learned from since it was in doubt

	echo, errors spectrum
	response     []float32 // work space of move
	total        []float32
	time         []float32
	out          []float32
	turn         int // which partitions are constrained in this block
}

type kalmanShape struct {
	block, size, partitions int     // samples of a block and of a transform; blocks that the filter is long
	forget                  float32 // A: how far the room stays as it is from one block to the next
	start, decay            float32 // P at first, and from partition to partition after the third
	stride                  int     // in a block every stride-th partition is kept causal
}

// kalmanTrust is the part of what a block tells of the room that counts. Taken in
// whole, as in the papers, P falls much too fast on speech: a vowel's blocks resemble
// one another and its low bins leak into the high ones, so that the filter is sure of
// what it has not learned. Less trust than this makes it learn speech at the
// microphone.
const kalmanTrust = 0.35

func newKalman(shape kalmanShape) *kalman {
	bins := shape.size/2 + 1
	k := &kalman{
		kalmanShape: shape,
		fft:         newFFT(shape.size), window: make([]float32, shape.size),
		noise: make([]float32, bins), unsure: make([]float32, bins), total: make([]float32, bins),
		echo: newSpectrum(shape.size), errors: newSpectrum(shape.size),
		time: make([]float32, shape.size), out: make([]float32, shape.block), response: make([]float32, shape.block*shape.partitions),
	}
	for range shape.partitions {
		k.history = append(k.history, newSpectrum(shape.size))
		k.weights = append(k.weights, newSpectrum(shape.size))
		k.spread = append(k.spread, make([]float32, bins))
	}
	k.doubt()
	return k
}

// doubt makes the filter as ready to learn as at first; what it knows it keeps.
func (k *kalman) doubt() {
	k.learned = 0
	value := k.start
	for p, spread := range k.spread {
		for bin := range spread {
			spread[bin] = value
		}
		if p > 2 {
			value *= k.decay
		}
	}
}

// reset forgets everything.
func (k *kalman) reset() {
	for _, w := range k.weights {
		w.clear()
	}
	clear(k.noise)
	k.doubt()
}

// move is for a reference that is from now on read by samples later: what the filter
// knows it knows so much earlier.
func (k *kalman) move(by int) {
	clear(k.response)
	for p, w := range k.weights {
		k.fft.inverse(w, k.time)
		for i, v := range k.time[:k.block] {
			if at := p*k.block + i - by; at >= 0 && at < len(k.response) {
				k.response[at] = v
			}
		}
	}
	for p, w := range k.weights {
		clear(k.time)
		copy(k.time, k.response[p*k.block:(p+1)*k.block])
		k.fft.forward(k.time, w)
	}
}

// reference takes the next block of the reference.
func (k *kalman) reference(x []float32) {
	copy(k.window, k.window[k.block:])
	copy(k.window[k.size-k.block:], x)
	k.first = (k.first + k.partitions - 1) % k.partitions
	k.fft.forward(k.window, k.history[k.first])
}

// past is the spectrum that partition p works on.
func (k *kalman) past(p int) spectrum { return k.history[(k.first+p)%k.partitions] }

// predict returns the block's echo as far as the filter knows it, valid until it
// is called again.
func (k *kalman) predict() []float32 {
	k.echo.clear()
	clear(k.unsure)
	for p, w := range k.weights {
		accumulate(k.echo, k.past(p), w)
		x, spread := k.past(p), k.spread[p]
		unsure, xRe, xIm := k.unsure[:len(spread)], x.re[:len(spread)], x.im[:len(spread)]
		for b, s := range spread {
			unsure[b] += (xRe[b]*xRe[b] + xIm[b]*xIm[b]) * s
		}
	}
	k.fft.inverse(k.echo, k.time)
	copy(k.out, k.time[k.size-k.block:])
	return k.out
}

// accumulate adds x times w to sum.
func accumulate(sum, x, w spectrum) {
	n := len(sum.re)
	sRe, sIm, xRe, xIm, wRe, wIm := sum.re[:n], sum.im[:n], x.re[:n], x.im[:n], w.re[:n], w.im[:n]
	for b := range n {
		xr, xi, wr, wi := xRe[b], xIm[b], wRe[b], wIm[b]
		sRe[b] += xr*wr - xi*wi
		sIm[b] += xr*wi + xi*wr
	}
}

// learn takes the block's error: what the microphone heard less the echo.
func (k *kalman) learn(e []float32) {
	if meanSquare(k.window[k.size-k.block:]) > echoLoud {
		k.learned++
	}
	clear(k.time)
	copy(k.time[k.size-k.block:], e)
	k.fft.forward(k.time, k.errors)
	const smooth = 0.5
	floor := float32(k.size) * 1e-9
	ratio := float32(k.size) / float32(k.block)
	last := k.size / 2
	for b := range k.noise {
		power := k.errors.re[b]*k.errors.re[b] + k.errors.im[b]*k.errors.im[b]
		k.noise[b] += smooth * (power - k.noise[b])
	}
	for b := range k.total {
		around := (k.noise[max(b-1, 0)] + k.noise[b] + k.noise[min(b+1, last)]) / 3
		k.total[b] = 1 / (k.unsure[b] + ratio*around + floor)
	}
	for p := range k.partitions {
		k.step(p)
	}
	for p := k.turn; p < k.partitions; p += k.stride {
		k.fft.inverse(k.weights[p], k.time)
		clear(k.time[k.block:])
		k.fft.forward(k.time, k.weights[p])
	}
	k.turn = (k.turn + 1) % k.stride
}

// step moves the weights of one partition, and their spread.
func (k *kalman) step(p int) {
	keep := k.forget * k.forget
	share := kalmanTrust * float32(k.block) / float32(k.size)
	x, w, n := k.past(p), k.weights[p], len(k.total)
	xRe, xIm, wRe, wIm := x.re[:n], x.im[:n], w.re[:n], w.im[:n]
	eRe, eIm, total, spread := k.errors.re[:n], k.errors.im[:n], k.total[:n], k.spread[p][:n]
	for b := range n {
		xr, xi, s := xRe[b], xIm[b], spread[b]
		gain := s * total[b]
		er, ei := eRe[b]*gain, eIm[b]*gain
		wr := wRe[b] + xr*er + xi*ei
		wi := wIm[b] + xr*ei - xi*er
		wRe[b], wIm[b] = wr, wi
		left := 1 - share*gain*(xr*xr+xi*xi)
		spread[b] = keep*left*s + (1-keep)*(wr*wr+wi*wi+1e-9)
	}
}
