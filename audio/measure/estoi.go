package measure

import (
	"errors"
	"math"
)

// The measures of ESTOI's front end, which is STOI's (Taal, Hendriks, Heusdens and
// Jensen 2011, section II).
const (
	rate10k      = 10000
	frameLength  = 256 // 25.6 ms
	frameHop     = frameLength / 2
	transformed  = 512
	dynamicRange = 40.0 // dB below the loudest frame of the clean sound from where a frame is silence
	bands        = 15   // a third of an octave each
	lowestBand   = 150  // Hz, centre
	segment      = 30   // frames, 384 ms
	tiny         = 2.220446049250313e-16
)

var (
	errLengths = errors.New("sounds that are compared have one length")
	errShort   = errors.New("intelligibility needs at least 400 ms of sound that is not silence")
)

// ESTOI is the extended short-time objective intelligibility of degraded against
// clean (J. Jensen and C. H. Taal, "An Algorithm for Predicting the Intelligibility
// of Speech Masked by Modulated Noise Maskers", IEEE/ACM TASLP 24(11), 2016): 1 when
// nothing was lost, about 0 when nothing is left. Both have the same length and
// rate (Hz) and must be aligned in time; see Align.
func ESTOI(clean, degraded []float32, rate int) (float64, error) {
	if len(clean) != len(degraded) {
		return 0, errLengths
	}
	x, y := resample(widen(clean), rate, rate10k), resample(widen(degraded), rate, rate10k)
	x, y = withoutSilence(x, y)
	a, b := bandEnvelopes(x), bandEnvelopes(y)
	if len(a) < segment {
		return 0, errShort
	}
	var sum float64
	for end := segment; end <= len(a); end++ {
		sum += likeness(a[end-segment:end], b[end-segment:end])
	}
	return sum / float64(len(a)-segment+1), nil
}

// hann is the window of a frame, without its two zeroes.
var hann = func() (window [frameLength]float64) {
	for i := range window {
		window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i+1)/(frameLength+1))
	}
	return window
}()

// withoutSilence takes the frames out of both in which clean is silent.
func withoutSilence(clean, degraded []float64) (x, y []float64) {
	var levels []float64
	loudest := math.Inf(-1)
	for start := 0; start+frameLength < len(clean); start += frameHop {
		var energy float64
		for i, w := range hann {
			energy += w * clean[start+i] * w * clean[start+i]
		}
		level := 20 * math.Log10(math.Sqrt(energy)+tiny)
		levels, loudest = append(levels, level), max(loudest, level)
	}
	x, y = make([]float64, 0, len(clean)), make([]float64, 0, len(clean))
	for frame, level := range levels {
		if level <= loudest-dynamicRange {
			continue
		}
		x, y = overlapAdd(x, clean[frame*frameHop:]), overlapAdd(y, degraded[frame*frameHop:])
	}
	return x, y
}

// overlapAdd puts the frame that sound begins with behind the last, half over it.
func overlapAdd(to, sound []float64) []float64 {
	if len(to) == 0 {
		to = to[:frameHop]
	}
	end := len(to) - frameHop
	to = to[:end+frameLength]
	for i, w := range hann {
		to[end+i] += w * sound[i]
	}
	return to
}

// spectrum is one frame's level in each band.
type spectrum [bands]float64

func bandEnvelopes(sound []float64) []spectrum {
	fft, edges := newFourier(transformed), bandEdges()
	var out []spectrum
	var values [transformed]complex128
	for start := 0; start+frameLength < len(sound); start += frameHop {
		clear(values[:])
		for i, w := range hann {
			values[i] = complex(w*sound[start+i], 0)
		}
		fft.transform(values[:])
		var levels spectrum
		for band, edge := range edges {
			var power float64
			for _, v := range values[edge[0]:edge[1]] {
				power += real(v)*real(v) + imag(v)*imag(v)
			}
			levels[band] = math.Sqrt(power)
		}
		out = append(out, levels)
	}
	return out
}

// bandEdges are the first transform bin of each band, and the one after its last:
// those nearest to the band's edge frequencies.
func bandEdges() (edges [bands][2]int) {
	for band := range edges {
		for side, third := range [2]float64{-1, 1} {
			hertz := lowestBand * math.Pow(2, (2*float64(band)+third)/6)
			edges[band][side] = int(math.Round(hertz * transformed / rate10k))
		}
	}
	return edges
}

// likeness is the paper's d_m: the mean over a segment's frames of the correlation
// of their spectra, after the rows (bands over time) and then the columns (frames)
// of both were brought to zero mean and unit length.
func likeness(clean, degraded []spectrum) float64 {
	x, y := normalised(clean), normalised(degraded)
	var sum float64
	for frame := range x {
		for band := range bands {
			sum += x[frame][band] * y[frame][band]
		}
	}
	return sum / segment
}

func normalised(frames []spectrum) (out [segment]spectrum) {
	copy(out[:], frames)
	for band := range bands {
		var mean, square float64
		for frame := range out {
			mean += out[frame][band] / segment
		}
		for frame := range out {
			out[frame][band] -= mean
			square += out[frame][band] * out[frame][band]
		}
		scale := 1 / (math.Sqrt(square) + tiny)
		for frame := range out {
			out[frame][band] *= scale
		}
	}
	for frame := range out {
		var mean, square float64
		for _, value := range out[frame] {
			mean += value / bands
		}
		for band := range bands {
			out[frame][band] -= mean
			square += out[frame][band] * out[frame][band]
		}
		scale := 1 / (math.Sqrt(square) + tiny)
		for band := range bands {
			out[frame][band] *= scale
		}
	}
	return out
}
