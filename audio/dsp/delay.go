package dsp

import (
	"math"
	"slices"

	"sotto/audio"
)

// delay finds by how much the echo lags behind what was played: miniaudio reports no
// latency, and what sound servers report is not it. It is the generalised
// cross-correlation of the lowest 1.8 kHz of both (C. Knapp and G. Carter, "The
// generalized correlation method for estimation of time delay", IEEE TASSP 24, 1976),
// whitened by what was played, over the last seconds of it. A room is no single lag but
// many, each weak; so the lag is where most of its power comes in 12 ms. Half a second
// of echo tells it.
type delay struct {
	fft       *fft
	far, near decimator
	fresh     []float32
	powers    []float32 // of past, a period each
	chance    []float32 // what response would be by chance, for each period of lag
	past      []float32 // of what was played, at 4 kHz and pre-emphasised, newest last
	mic       []float32 // the block of the microphone that is filled
	filled    int
	lastFar   float32
	lastNear  float32

	x, y     spectrum // of past and of the block
	cross    spectrum // summed over blocks
	played   []float32
	response []float32
	few      []float32 // work space of compare

	waiting bool // a sum is there to pick from, in the next period
	last    int  // the pick before this one, in coarse samples
	agreed  int  // picks in a row that agree with it
}

const (
	delayFactor  = 12 // 48 to 4 kHz
	delayPart    = audio.PeriodSamples / delayFactor
	delayBlock   = 6 * delayPart // 60 ms
	delaySize    = 4096          // coarse samples that are looked back at, and of a transform
	delayReach   = 3200          // lags, 800 ms: with delayBlock no more than delaySize
	delayForget  = 0.98          // from block to block: 3 s
	delayWindow  = 48            // lags, 12 ms, in which most of the direct sound comes
	delayEarlier = 160           // lags, 40 ms, by which a weaker direct sound may come before the strongest
	delayStands  = 15            // times the median is an echo; chance seldom makes 11
	delayHardly  = 0.1           // of the mean chance: a lag at which hardly anything played
	delayEnough  = 60            // % of the lags, for their median to tell
	delayAlike   = 8             // lags between two picks that agree
	delaySmooth  = 16            // bins to each side over which what was played is averaged
	delayLow     = 60            // bins that tell nothing: below 60 Hz
	delayHigh    = 1850          // and above 1.8 kHz
)

func newDelay() *delay {
	return &delay{
		fft: newFFT(delaySize), far: newDecimator(), near: newDecimator(),
		powers: make([]float32, delaySize/delayPart), chance: make([]float32, delayReach/delayPart),
		fresh: make([]float32, delayPart), past: make([]float32, delaySize), mic: make([]float32, delaySize),
		x: newSpectrum(delaySize), y: newSpectrum(delaySize), cross: newSpectrum(delaySize),
		played: make([]float32, delaySize/2+1), response: make([]float32, delaySize),
		few:    make([]float32, 0, 2*delayReach/delayWindow),
		filled: delaySize - delayBlock, last: -1,
	}
}

// hear takes a period of both. When it has an opinion it returns the echo's delay
// in samples of 48 kHz, else -1.
func (d *delay) hear(far, mic []float32) int {
	d.far.take(far, d.fresh)
	d.lastFar = push(d.past, d.fresh, d.lastFar)
	copy(d.powers, d.powers[1:])
	d.powers[len(d.powers)-1] = float32(meanSquare(d.past[delaySize-delayPart:]))
	d.near.take(mic, d.fresh)
	for i, v := range d.fresh {
		d.mic[d.filled+i] = v - 0.9*d.lastNear
		d.lastNear = v
	}
	if d.filled += delayPart; d.filled == delaySize {
		d.filled = delaySize - delayBlock
		d.add()
		return -1
	}
	if !d.waiting {
		return -1
	}
	d.waiting = false
	return d.pick()
}

// add takes a block into the sum, the less the louder it is: a loud vowel, or somebody
// who speaks here, tells no more than the rest.
func (d *delay) add() {
	played, heard := meanSquare(d.past), meanSquare(d.mic[delaySize-delayBlock:])
	if played < echoLoud/10 {
		return
	}
	share := float32(1 / (played + heard))
	if !(share > 1e-6) { // no number
		d.forget()
		return
	}
	d.expect(share)
	d.fft.forward(d.past, d.x)
	d.fft.forward(d.mic, d.y)
	for b, sum := range d.played {
		xr, xi, yr, yi := d.x.re[b], d.x.im[b], d.y.re[b], d.y.im[b]
		d.cross.re[b] = delayForget*d.cross.re[b] + share*(yr*xr+yi*xi)
		d.cross.im[b] = delayForget*d.cross.im[b] + share*(yi*xr-yr*xi)
		d.played[b] = delayForget*sum + share*(xr*xr+xi*xi)
	}
	d.waiting = true
}

// expect follows what a lag's power in the sum would be if the two had nothing in
// common: loud sound here after loud sound there makes it large without an echo.
func (d *delay) expect(share float32) {
	for i := range d.chance {
		d.chance[i] *= delayForget * delayForget
	}
	for part := range delayBlock / delayPart {
		from := delaySize - delayBlock + part*delayPart
		heard := share * share * float32(meanSquare(d.mic[from:from+delayPart]))
		newest := len(d.powers) - delayBlock/delayPart + part
		for lag := range d.chance {
			if newest-lag >= 0 {
				d.chance[lag] += heard * d.powers[newest-lag]
			}
		}
	}
}

// forget begins anew.
func (d *delay) forget() {
	d.cross.clear()
	clear(d.played)
	clear(d.past)
	clear(d.powers)
	clear(d.chance)
	d.agreed, d.waiting = 0, false
}

// jumped tells that the echo is later by samples of 48 kHz: what was heard so far counts
// for there.
func (d *delay) jumped(by int) {
	pace := -2 * math.Pi * float64(by) / delayFactor / delaySize
	for b := range d.cross.re {
		sin, cos := math.Sincos(pace * float64(b))
		re, im, c, s := d.cross.re[b], d.cross.im[b], float32(cos), float32(sin)
		d.cross.re[b], d.cross.im[b] = re*c-im*s, re*s+im*c
	}
	d.agreed = 0
}

// pick finds where the room begins to answer.
func (d *delay) pick() int {
	d.respond()
	energy := d.response[:delayReach-delayWindow]
	at, middle := 0, d.compare(energy)
	for i, v := range energy {
		if v > energy[at] {
			at = i
		}
	}
	best := energy[at]
	if middle == 0 || !(best > delayStands*middle) {
		d.agreed = 0
		return -1
	}
	for i := max(0, at-delayEarlier); i < at-delayWindow; i++ {
		if energy[i] > max(0.35*best, delayStands*middle) {
			at = i
			break
		}
	}
	if abs(at-d.last) <= delayAlike {
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

// respond writes the power of each delayWindow lags to response. The sum is whitened
// by three quarters: whole, what was hardly played would count too much.
func (d *delay) respond() {
	const width = 2*delaySmooth + 1
	d.y.clear()
	var mean, around float32
	for _, p := range d.played {
		mean += p
	}
	mean /= float32(len(d.played))
	for _, p := range d.played[delayLow-delaySmooth : delayLow+delaySmooth] {
		around += p
	}
	for b := delayLow; b < delayHigh; b++ {
		around += d.played[b+delaySmooth]
		half := root(around/width + 1e-3*mean + 1e-12)
		weight := 1 / (half * root(half))
		d.y.re[b], d.y.im[b] = d.cross.re[b]*weight, d.cross.im[b]*weight
		around = max(0, around-d.played[b-delaySmooth])
	}
	d.fft.inverse(d.y, d.response)
	var sum float32
	for i, v := range d.response[:delayReach] {
		d.response[i] = v * v
		sum += v * v
		if i >= delayWindow-1 {
			first := d.response[i-delayWindow+1]
			d.response[i-delayWindow+1] = sum
			sum = max(0, sum-first)
		}
	}
}

// compare takes each lag's power against chance, and returns the median of those at which
// something played; 0 is too few of them to tell.
func (d *delay) compare(energy []float32) (middle float32) {
	var mean float32
	for _, v := range d.chance {
		mean += v
	}
	mean /= float32(len(d.chance))
	few := d.few[:0]
	for i := range energy {
		at := (i + delayWindow/2 - delayPart/2) / delayPart
		expected := (d.chance[at] + d.chance[at+1]) / 2
		energy[i] /= expected + delayHardly*mean + 1e-20
		if i%(delayWindow/2) == 0 && expected > delayHardly*mean {
			few = append(few, energy[i])
		}
	}
	if len(few) < cap(few)*delayEnough/100 {
		return 0
	}
	slices.Sort(few)
	return few[len(few)/2]
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
