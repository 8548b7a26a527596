package dsp

import (
	"math"

	"sotto/audio"
)

// align brings what was played to the microphone's clock: a ring of the
// loudspeaker's sound that is read as fast as the microphone delivers, a little
// behind the newest.
type align struct {
	played  []float32 // ring
	written int64     // samples so far
	at      float64   // where in played the microphone's next sample looks
	running bool
	rate    float64 // samples of played for each of the microphone's, less one
	starved int     // periods in a row for which nothing had been played
	spare   float64 // the least that was ahead of what was needed in the last periods
	periods int     // that spare is of

	taps [][]float32 // windowed sinc, a row for each phase
}

const (
	alignRoom    = 1 << 14
	alignTaps    = 16
	alignPhases  = 64
	alignSlack   = 240 // samples behind the newest at the start; the way through two devices is longer, on PulseAudio by 12 ms and more
	alignWide    = 240 // more than this to spare, beyond alignSlack, for alignSure periods, is given back
	alignSure    = 100
	alignMost    = 9600 // further behind is a microphone that stood still
	alignStarved = 20   // periods after which nothing is known any more of where the echo is
	alignBend    = 5e-4 // no two sound cards are further apart
)

func newAlign() *align {
	a := &align{played: make([]float32, alignRoom)}
	for phase := range alignPhases + 2 {
		row := make([]float32, alignTaps)
		for tap := range row {
			d := float64(tap-alignTaps/2+1) - float64(phase)/alignPhases
			w := 0.5 + 0.5*math.Cos(math.Pi*d/(alignTaps/2+0.5))
			if math.Abs(d) > 1e-9 {
				w *= math.Sin(math.Pi*d) / (math.Pi * d)
			}
			row[tap] = float32(w)
		}
		a.taps = append(a.taps, row)
	}
	return a
}

// play takes what the loudspeaker took.
func (a *align) play(x []float32) {
	for _, v := range x {
		a.played[a.written%alignRoom] = v
		a.written++
	}
}

// bend changes the reading rate.
func (a *align) bend(by float64) {
	a.rate = math.Max(-alignBend, math.Min(alignBend, a.rate+by))
}

// read fills out with what was played, a sample for each of the microphone's. moved
// is by how many samples the echo is later in it from now on. It is not steady when
// it has to be found anew.
func (a *align) read(out []float32) (moved int, steady bool) {
	need := float64(len(out)) * (1 + a.rate)
	ahead := float64(a.written) - a.at - alignTaps
	switch {
	case !a.running && a.written < alignSlack+alignTaps+audio.PeriodSamples:
		clear(out)
		return 0, true
	case !a.running:
		a.at, a.running = float64(a.written-alignSlack)-need, true
		steady = false
	case ahead < need: // what is played next was not handed over yet: it will be
		clear(out)
		if a.starved++; a.starved >= alignStarved {
			a.running = false
			return 0, false
		}
		return -len(out), true
	case ahead > alignMost:
		moved = int(ahead) - alignSlack
		a.at += float64(moved)
		steady = true
	default:
		moved, steady = a.closer(ahead-need), true
	}
	a.starved = 0
	for i := range out {
		out[i] = a.sample()
		a.at += 1 + a.rate
	}
	return moved, steady
}

// closer takes back what reading fell behind when what was played came late for once:
// too far behind, the echo would come before what it is the echo of.
func (a *align) closer(spare float64) (moved int) {
	if a.periods == 0 || spare < a.spare {
		a.spare = spare
	}
	if a.periods++; a.periods < alignSure {
		return 0
	}
	a.periods = 0
	if a.spare < alignSlack+alignWide {
		return 0
	}
	moved = int(a.spare) - alignSlack
	a.at += float64(moved)
	return moved
}

// sample is what was played at the instant at.
func (a *align) sample() float32 {
	whole := int64(a.at)
	phase := (a.at - float64(whole)) * alignPhases
	row := int(phase)
	blend := float32(phase - float64(row))
	t0, t1 := a.taps[row], a.taps[row+1]
	var sum float32
	for k, t := range t0 {
		sum += a.played[(whole+int64(k-alignTaps/2+1)+alignRoom)%alignRoom] * (t + blend*(t1[k]-t))
	}
	return sum
}
