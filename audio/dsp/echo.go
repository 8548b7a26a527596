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
// align knows from counting what was played when the microphone heard something; delay
// finds how much later the echo comes, and fine and slip follow it when that was not all.
// Whenever the filter may stand in a wrong place, which trust knows, it learns nothing, and what
// comes out is held down by as much as the echo could be.
type echo struct {
	align    *align
	delay    *delay
	filter   *kalman
	slip     *slip
	fine     *fine
	residual *residual
	trust    trust

	aligned []float32 // ring of what was played, at the microphone's clock
	count   int64     // samples written to it
	shift   int       // how many samples back in it the filter looks
	owed    int       // samples by which the echo is later from the next period on

	far, block, err []float32
	quiet           bool   // nothing to speak of is playing
	hole            []bool // samples of the period that the microphone left out
	holes           int    // periods with a hole, and one more that rings of it
}

const (
	echoPartitions = 28 // periods, 280 ms of room
	echoTransform  = 1024
	echoMargin     = audio.PeriodSamples // the filter begins this long before the echo
	echoRoom       = 1 << 16
	echoLoud       = 1e-6 // mean power, -60 dBFS: what plays below it tells nothing
	echoSlide      = 24   // samples
	echoHole       = 24   // samples, half a millisecond
	echoMissed     = 0.1  // see missed
	echoYoung      = 250  // blocks of sound until then
	echoBare       = 100  // blocks of sound in which no echo was found, after which there is none
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
		hole:     make([]bool, audio.PeriodSamples),
	}
	e.slip, e.fine = newSlip(e.filter), newFine()
	return e
}

// play takes what the loudspeaker took.
func (e *echo) play(sound []float32) { e.align.play(sound) }

// advance brings the played sound forward by one period.
func (e *echo) advance() {
	back, moved, found := e.align.fill(e.far)
	for i, v := range e.far {
		e.aligned[(e.count+int64(i))%echoRoom] = v
	}
	e.count += audio.PeriodSamples
	if back > 0 {
		e.again(back)
	}
	if e.owed += moved; e.owed != 0 {
		e.slide(e.owed)
		e.owed = 0
	}
	switch found {
	case leadOdd:
		e.moved(trustDoubt)
	case leadHigh:
		e.trust.waver()
	}
}

// again reads once more what was played in the samples before the newest period.
func (e *echo) again(back int) {
	back = min(back, e.shift+e.filter.size+e.filter.partitions*audio.PeriodSamples)
	from := e.count - audio.PeriodSamples - int64(back)
	for i := range back {
		e.aligned[(from+int64(i)+echoRoom)%echoRoom] = e.align.past(back + audio.PeriodSamples - i)
	}
	e.recall(from)
}

// process works on a period of the microphone, in place. It delays it by residualHop.
func (e *echo) process(period []float32) {
	e.advance()
	if e.trust.sure() {
		if found := e.delay.hear(e.far, period); found >= 0 {
			e.found(max(0, found-echoMargin))
		}
	}
	e.look(e.block, e.count-int64(e.shift)-audio.PeriodSamples)
	e.filter.reference(e.block)
	echo := e.filter.predict()
	for i, v := range period {
		e.err[i] = v - echo[i]
	}
	if e.holes > 0 {
		e.leaveOut(period)
	} else {
		if e.trust.sure() {
			e.filter.learn(e.err)
		}
		e.follow(period, echo)
	}
	if e.bare() {
		copy(e.err, period)
		clear(echo)
		clear(e.filter.unsure)
	}
	if !e.trust.sure() && meanSquare(e.err) > meanSquare(period) {
		copy(e.err, period)
	}
	e.trust.out(e.align.lead.calm, e.align.stood > 0)
	e.residual.doubt, e.residual.blind, e.residual.hush = e.trust.held(), false, e.trust.hush
	e.residual.process(period, e.err, echo, e.filter.unsure, e.missed())
}

// find looks for holes in a period as the device gave it: a microphone that hears a room
// gives no echoHole zeros in a row, one whose driver stumbles does.
func (e *echo) find(period []float32) {
	run := 0
	e.holes = max(0, e.holes-1)
	for i, v := range period {
		e.hole[i] = false
		if run++; v != 0 {
			run = 0
		}
		if run < echoHole {
			continue
		}
		for k := i; k >= 0 && !e.hole[k] && period[k] == 0; k-- {
			e.hole[k] = true
		}
		e.holes = 2
	}
}

// leaveOut takes no echo from where the microphone gave none, and learns nothing.
func (e *echo) leaveOut(period []float32) {
	for i, hole := range e.hole {
		if hole {
			e.err[i] = period[i]
		}
	}
}

// missed is the part of the echo that the filter expects to miss which it does miss. All of
// it at first, when speech brings sounds that the filter never heard; less later, see
// kalmanTrust.
func (e *echo) missed() float32 {
	if !e.trust.known {
		return 0
	}
	return max(echoMissed, 1-float32(e.filter.learned)/echoYoung)
}

// bare tells that there seems to be no echo, as with a headset.
func (e *echo) bare() bool { return !e.trust.known && e.filter.learned > echoBare }

// pass lets a period through, as much later as process would, with what may be echo held down.
func (e *echo) pass(period []float32) {
	e.advance()
	e.look(e.block, e.count-int64(e.shift)-audio.PeriodSamples)
	e.filter.reference(e.block)
	clear(e.err)
	e.residual.doubt, e.residual.blind = true, true
	e.residual.process(period, period, e.err, e.filter.unsure, e.missed())
	e.trust.waver()
}

// found takes the coarse search's word for where the echo begins: the filter goes there when it
// does not stand anywhere yet, does not explain anything where it stands, or looks elsewhere, too
// late to see the direct sound or so early that it misses the end.
func (e *echo) found(to int) {
	switch e.trust.searched(to >= e.shift-echoStay && to <= e.shift+2*echoMargin) {
	case trustAnew:
		e.place(to)
		e.reset()
		e.slip.forget()
	case trustMove:
		if abs(to-e.shift) > echoStay {
			e.filter.move(to - e.shift)
			e.place(to)
			e.slip.forget()
		}
		e.filter.doubt()
	}
}

// follow keeps the filter where the echo is.
func (e *echo) follow(period, echo []float32) {
	p := powers{mic: meanSquare(period), left: meanSquare(e.err), echo: meanSquare(echo), loud: meanSquare(e.block) > echoLoud}
	e.quiet = !p.loud
	if !e.trust.hear(p, e.align.lead.calm) {
		e.reset()
		e.residual.reset()
		e.slip.forget()
		return
	}
	later, said := e.fine.hear(period, echo, p.good(), e.trust.least())
	if said == fineMoved {
		e.step(later)
		return
	}
	if e.trust.judge(p, said) {
		e.filter.doubt()
		e.slip.forget() // its copy is of what was not believed
	}
	if !e.trust.sure() {
		return
	}
	jump, bend := e.slip.hear(period, echo, p.tells(), e.trust.part())
	if jump != 0 {
		e.owed = jump
		e.moved(trustDoubt)
		return
	}
	e.align.bend(bend)
}

// step is for an echo that fine found to be later by samples.
func (e *echo) step(later float64) {
	whole := math.Round(later)
	e.owed = int(whole)
	e.align.at -= later - whole
	if stood := e.trust.stood(e.align.lead.calm); stood > 0 && math.Abs(later) < echoSlide { // two clocks, faster than slip takes for one
		e.align.bend(-slipPace * later / float64(stood*audio.PeriodSamples))
	}
	e.moved(trustSettle)
}

// moved is for a filter that has to look elsewhere, or may have to, and is in doubt for so many
// loud periods.
func (e *echo) moved(doubt int) {
	e.trust.moved(doubt)
	e.slip.moved()
	e.fine.forget()
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
	e.shift = min(max(0, to), echoRoom/2)
	e.trust.placed()
	e.recall(0)
}

// recall makes the filter hear again what was played from a place in aligned on. It is for
// the time between advance and the filter's next reference.
func (e *echo) recall(from int64) {
	k, newest := e.filter, e.count-int64(e.shift)-audio.PeriodSamples
	for p := range k.partitions {
		end := newest - int64(p*audio.PeriodSamples)
		if end <= from {
			break
		}
		e.look(k.window, end-int64(k.size))
		k.fft.forward(k.window, k.past(p))
	}
	e.look(k.window, newest-int64(k.size))
}

// reset makes the filter forget what it knows.
func (e *echo) reset() {
	e.filter.reset()
	e.fine.forget()
	e.trust.forgot()
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
