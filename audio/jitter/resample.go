package jitter

import "math"

const (
	behind = 8 // samples of the queue before the one that is played next
	ahead  = 9 // samples that stay in the queue, for the filter to see

	taps   = 16
	phases = 128

	driftMost  = 500e-6
	driftLeast = driftMost / 10         // less is none
	leftWanted = sampleRate / 1000      // 1 ms: room for the loudspeaker's uneven questions
	driftSlope = driftMost / leftWanted // full speed at 1 ms beside leftWanted
	// The lead is steered to stay within a period, from spareLow above the target on.
	spareLow  = periodTime / 10
	spareHigh = periodTime / 20
)

// sinc holds the interpolation filter at each fraction of a sample, and one more
// so that two neighbours can be mixed: a Kaiser-windowed sinc (J. O. Smith,
// "Digital Audio Resampling"). Its pass band ends at 18 kHz, above Opus' speech.
var sinc = func() (table [phases + 1][taps]float32) {
	for phase := range table {
		var sum float64
		var row [taps]float64
		for i := range row {
			at := float64(i-(taps/2-1)) - float64(phase)/phases
			row[i] = windowedSinc(at)
			sum += row[i]
		}
		for i := range row {
			table[phase][i] = float32(row[i] / sum)
		}
	}
	return table
}()

func windowedSinc(at float64) float64 {
	const half, beta = taps / 2, 6.0
	if math.Abs(at) >= half {
		return 0
	}
	window := bessel(beta*math.Sqrt(1-at*at/(half*half))) / bessel(beta)
	if at == 0 {
		return 1
	}
	return math.Sin(math.Pi*at) / (math.Pi * at) * window
}

// bessel is I₀, the modified Bessel function of the first kind.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > 1e-12*sum; k++ {
		term *= (x / (2 * k)) * (x / (2 * k))
		sum += term
	}
	return sum
}

// resampler plays the queue a little faster or slower than it was recorded. At
// speed 1, from a whole sample on, it copies.
type resampler struct {
	drift float64 // speed is 1 + drift, for what is asked for now
	ahead float64 // drift from the next question on
	phase float64 // how far between two samples the next one lies, 0 to 1
	wants int     // samples of the queue that are used up by what is asked for
}

// turn sets the speed from the next question on. What needs no change is brought to a
// whole sample and then copied.
func (r *resampler) turn(drift float64) { r.ahead = drift }

// begin begins n samples and returns how many of the queue they use up.
func (r *resampler) begin(n int) int {
	r.drift = r.ahead
	if math.Abs(r.drift) < driftLeast {
		home := -r.phase
		if r.phase > 0.5 {
			home = 1 - r.phase
		}
		r.drift = max(-driftLeast, min(driftLeast, home/float64(n)))
	}
	r.wants = int(r.phase + float64(n)*(1+r.drift) + 1e-9)
	return r.wants
}

// resample fills out from queue, which has behind+wants+ahead samples or more.
func (r *resampler) resample(out, queue []float32) {
	if r.drift == 0 && r.phase == 0 {
		copy(out, queue[behind:])
		return
	}
	speed := 1 + r.drift
	for i := range out {
		at := r.phase + float64(i)*speed
		whole := int(at)
		fine := (at - float64(whole)) * phases
		phase := min(phases-1, int(fine))
		mix := float32(fine - float64(phase))
		from, to := &sinc[phase], &sinc[phase+1]
		sound := queue[behind+whole-(taps/2-1):][:taps]
		var sum float32
		for k, x := range sound {
			sum += x * (from[k] + (to[k]-from[k])*mix)
		}
		out[i] = max(-1, min(1, sum))
	}
	r.phase += float64(len(out))*speed - float64(r.wants)
	if math.Abs(r.phase) < 1e-8 {
		r.phase = 0
	}
}
