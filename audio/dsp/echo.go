package dsp

import (
	"math"

	"sotto/audio"
)

// echo removes from the microphone's sound what the loudspeaker played:
//
//	played ─ align ─> at the microphone's clock ─> filter ─> its echo
//	                                                           │ less
//	microphone ────────────────────────────────────────────────┴─> residual ─> out
//
// delay finds where the filter has to look, slip keeps it there.
type echo struct {
	align    *align
	delay    *delay
	filter   *kalman
	slip     *slip
	residual *residual

	aligned []float32 // ring of what was played, at the microphone's clock
	count   int64     // samples written to it
	shift   int       // how many samples back in it the filter looks
	known   bool      // shift was found out
	lost    int       // periods with loud sound that the filter explains nothing of, less those it does

	away            int // how often in a row it seemed to look too late, or much too early
	far, block, err []float32
	heard, left     float64 // mean power of the microphone and of what the filter leaves, while something plays
	quiet           bool    // nothing to speak of is playing
}

const (
	echoPartitions = 28 // periods, 280 ms of room
	echoTransform  = 1024
	echoMargin     = audio.PeriodSamples // the filter begins this long before the echo
	echoRoom       = 1 << 16
	echoLoud       = 1e-6 // mean power, -60 dBFS: what plays below it tells nothing
	echoLost       = 100  // so many are too many
	echoFound      = 20   // of them are made good by one that it explains
	echoAway       = 20   // words in a row that the echo begins much later: the filter covers it, and yet
	echoEarly      = 4    // words in a row that it begins earlier, where the filter does not look
	echoStay       = 240  // samples: nearer to where it is now the filter is not moved for the coarse search
)

func newEcho() *echo {
	e := &echo{
		align:    newAlign(),
		delay:    newDelay(),
		filter:   newKalman(kalmanShape{block: audio.PeriodSamples, size: echoTransform, partitions: echoPartitions, forget: 0.9999, start: 0.5, decay: 0.75, stride: 2}),
		residual: newResidual(),
		aligned:  make([]float32, echoRoom),
		far:      make([]float32, audio.PeriodSamples),
		block:    make([]float32, audio.PeriodSamples),
		err:      make([]float32, audio.PeriodSamples),
	}
	e.slip = newSlip(e.filter)
	return e
}

// play takes what the loudspeaker took.
func (e *echo) play(sound []float32) { e.align.play(sound) }

// advance brings the played sound forward by one period.
func (e *echo) advance() {
	moved, steady := e.align.read(e.far)
	for i, v := range e.far {
		e.aligned[(e.count+int64(i))%echoRoom] = v
	}
	e.count += audio.PeriodSamples
	switch {
	case !steady:
		e.known = false
	case moved != 0:
		e.slide(moved)
	}
}

// process works on a period of the microphone, in place. It delays it by residualHop.
func (e *echo) process(period []float32) {
	e.advance()
	if found := e.delay.hear(e.far, period); found >= 0 {
		e.found(max(0, found-echoMargin))
	}
	e.look(e.block, e.count-int64(e.shift)-audio.PeriodSamples)
	e.filter.reference(e.block)
	echo := e.filter.predict()
	for i, v := range period {
		e.err[i] = v - echo[i]
	}
	if !e.slip.settling() {
		e.filter.learn(e.err)
	}
	e.follow(period, echo)
	e.residual.process(period, e.err, echo, e.filter.unsure)
}

// pass lets a period through as it is, as much later as process would.
func (e *echo) pass(period []float32) {
	e.advance()
	e.look(e.block, e.count-int64(e.shift)-audio.PeriodSamples)
	e.filter.reference(e.block)
	e.residual.pass(period)
}

// found takes the coarse search's word for where the echo begins, when the filter
// does not stand anywhere yet, does not explain anything where it stands, or looks
// elsewhere: too late to see the direct sound, or so early that it misses the end.
func (e *echo) found(to int) {
	switch {
	case e.known && to < e.shift-echoStay:
		e.away += echoAway / echoEarly
	case e.known && to > e.shift+2*echoMargin && e.left > 0.5*e.heard:
		e.away += echoAway / echoEarly
	case e.known && to > e.shift+2*echoMargin:
		e.away++
	default:
		e.away = 0
	}
	switch {
	case (!e.known || e.lost > echoLost) && e.left > 0.7*e.heard:
		e.place(to)
		e.filter.reset()
		e.slip.forget()
	case !e.known, e.away > echoAway:
		if abs(to-e.shift) > echoStay {
			e.filter.move(to - e.shift)
			e.place(to)
			e.slip.forget()
		}
		e.filter.doubt()
	default:
		return
	}
	e.known, e.away = true, 0
}

// follow keeps the filter where the echo is.
func (e *echo) follow(period, echo []float32) {
	mic, left := meanSquare(period), meanSquare(e.err)
	loud := meanSquare(e.block) > echoLoud
	e.quiet = !loud
	if loud {
		const smooth = 0.03
		e.heard += smooth * (mic - e.heard)
		e.left += smooth * (left - e.left)
		if left > 0.7*mic {
			e.lost++
		} else {
			e.lost = max(0, e.lost-echoFound)
		}
	}
	if !(e.left < 4*e.heard+1e-3) { // it makes things worse, or is no number any more
		e.filter.reset()
		e.residual.reset()
		e.slip.forget()
		e.heard, e.left = 0, 0
		return
	}
	jump, bend := e.slip.hear(period, echo, loud && meanSquare(echo) > 1e-8, e.left/(e.heard+1e-12))
	if jump != 0 {
		e.slide(jump)
	}
	e.align.bend(bend)
}

// near is how sure it is, from 0 to 1, that what goes out is not echo.
func (e *echo) near() float32 {
	if e.quiet {
		return 1
	}
	return e.residual.near
}

// look copies the aligned sound from a place on.
func (e *echo) look(out []float32, from int64) {
	for i := range out {
		out[i] = e.aligned[(from+int64(i)+2*echoRoom)%echoRoom]
	}
}

// slide is for an echo that is later by samples from now on. The filter looks there; if
// that is before anything it can look at, what it knows moves within it.
func (e *echo) slide(by int) {
	to := e.shift + by
	if to < 0 {
		e.filter.move(-to)
	}
	e.place(to)
	e.delay.jumped(by)
}

// place moves the filter in time; what it knows of the room it keeps.
func (e *echo) place(to int) {
	e.shift, e.lost = min(max(0, to), echoRoom/2), 0
	k := e.filter
	for p := range k.partitions {
		end := e.count - int64(e.shift) - int64((p+1)*audio.PeriodSamples)
		e.look(k.window, end-int64(k.size))
		k.fft.forward(k.window, k.past(p))
	}
	e.look(k.window, e.count-int64(e.shift)-audio.PeriodSamples-int64(k.size))
}

func abs(x int) int { return max(x, -x) }

func meanSquare(x []float32) float64 {
	var sum float32
	for _, v := range x {
		sum += v * v
	}
	return float64(sum) / float64(len(x))
}

// root is math.Sqrt for powers.
func root(x float32) float32 { return float32(math.Sqrt(float64(x))) }
