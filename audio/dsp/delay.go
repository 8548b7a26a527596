package dsp

import (
	"math"

	"sotto/audio"
)

// delay finds by how much the echo lags behind what was played: a second, coarse
// filter over the lowest 1.8 kHz, long enough for any device, whose first strong
// tap tells. miniaudio reports no latency, and what sound servers report is not it.
type delay struct {
	filter    *kalman
	far, near decimator
	farIn     []float32
	mic, rest []float32
	filled    int

	envelope    []float32
	blocks      int
	last        int // the pick before this one, in coarse samples
	agreed      int // picks in a row that agree with it
	heard, left float64
	failing     int
}

const (
	delayFactor     = 12 // 48 to 4 kHz
	delayPart       = audio.PeriodSamples / delayFactor
	delayBlock      = 2 * delayPart // 20 ms
	delayPartitions = 40            // 800 ms
	delayPickEvery  = 5
	delayEarlier    = 160 // coarse samples, 40 ms, by which the direct sound may come before the strongest
)

func newDelay() *delay {
	return &delay{
		filter: newKalman(kalmanShape{block: delayBlock, size: 256, partitions: delayPartitions, forget: 0.999, start: 0.3, decay: 0.98, stride: 2}),
		far:    newDecimator(), near: newDecimator(),
		farIn: make([]float32, delayBlock), mic: make([]float32, delayBlock), rest: make([]float32, delayBlock),
		envelope: make([]float32, delayBlock*delayPartitions),
		last:     -1,
	}
}

// hear takes a period of both. When it has an opinion it returns the echo's delay
// in samples of 48 kHz, else -1.
func (d *delay) hear(far, mic []float32) int {
	d.far.take(far, d.farIn[d.filled:d.filled+delayPart])
	d.near.take(mic, d.mic[d.filled:d.filled+delayPart])
	d.filled += delayPart
	if d.filled < delayBlock {
		return -1
	}
	d.filled = 0
	d.filter.reference(d.farIn)
	echo := d.filter.predict()
	for i := range d.rest {
		d.rest[i] = d.mic[i] - echo[i]
	}
	d.filter.learn(d.rest)
	d.watch()
	if d.blocks++; d.blocks%delayPickEvery != 0 {
		return -1
	}
	return d.pick()
}

// jumped tells that the echo is later by samples of 48 kHz: what the filter knows holds
// there.
func (d *delay) jumped(by int) {
	d.filter.move(-by / delayFactor)
	d.agreed = 0
}

// watch makes the filter learn anew when it explains nothing any more.
func (d *delay) watch() {
	const smooth = 0.1
	d.heard += smooth * (meanSquare(d.mic) - d.heard)
	d.left += smooth * (meanSquare(d.rest) - d.left)
	if !(d.left < 100) { // also no number
		d.filter.reset()
		d.heard, d.left = 0, 0
	}
	if meanSquare(d.farIn) < echoLoud {
		return
	}
	if d.left > 0.7*d.heard {
		d.failing++
	} else {
		d.failing = 0
	}
	if d.failing > 25 { // half a second of sound
		d.filter.doubt()
		d.failing = -50
	}
}

// pick finds the first strong tap.
func (d *delay) pick() int {
	f := d.filter
	var sum float32
	for p, w := range f.weights {
		f.fft.inverse(w, f.time)
		for i, v := range f.time[:f.block] {
			d.envelope[p*f.block+i] = v * v
			sum += v * v
		}
	}
	around := func(i int) float32 { return d.envelope[i-1] + d.envelope[i] + d.envelope[i+1] }
	best, at := float32(0), 1
	for i := 1; i+1 < len(d.envelope); i++ {
		if v := around(i); v > best {
			best, at = v, i
		}
	}
	mean := 3 * sum / float32(len(d.envelope))
	if d.left > 0.8*d.heard || best < 15*mean || sum < 1e-5 {
		d.agreed = 0
		return -1
	}
	for i := max(1, at-delayEarlier); i < at; i++ {
		if around(i) > 0.2*best {
			at = i
			break
		}
	}
	if abs(at-d.last) <= 4 {
		d.agreed++
	} else {
		d.agreed = 0
	}
	d.last = at
	if d.agreed < 2 {
		return -1
	}
	return at * delayFactor
}

// decimator brings 48 kHz down to 4, without what lies above 1.8 kHz.
type decimator struct{ window []float32 }

const decimatorTaps = 97

var decimatorLowPass = func() (low [decimatorTaps]float32) {
	const cut = 1800.0 / audio.SampleRate
	for i := range low {
		n := float64(i) - (decimatorTaps-1)/2
		v := 2 * cut
		if n != 0 {
			v = math.Sin(2*math.Pi*cut*n) / (math.Pi * n)
		}
		low[i] = float32(v * (0.54 + 0.46*math.Cos(2*math.Pi*n/(decimatorTaps-1))))
	}
	return low
}()

func newDecimator() decimator {
	return decimator{make([]float32, decimatorTaps-1+audio.PeriodSamples)}
}

// take writes a period, delayPart samples of it, to out.
func (c *decimator) take(period, out []float32) {
	copy(c.window, c.window[audio.PeriodSamples:])
	copy(c.window[decimatorTaps-1:], period)
	for i := range out {
		from := c.window[i*delayFactor : i*delayFactor+decimatorTaps]
		var sum float32
		for k, t := range decimatorLowPass {
			sum += from[k] * t
		}
		out[i] = sum
	}
}
