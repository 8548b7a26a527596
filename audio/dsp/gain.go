package dsp

import (
	"math"

	"sotto/audio"
)

// gain brings speech to gainTarget, by gainPace at most, while somebody speaks; in
// pauses it stays where it is, so that it does not pump noise up. A soft limiter
// follows, which a sudden shout meets.
type gain struct {
	decibels float64 // in force
	level    float64 // mean power of speech, before the gain
	last     float32 // factor at the end of the last period
}

const (
	gainTarget = -18.0 // dBFS
	gainPace   = 1.0   // dB a second
	gainMost   = 18.0  // dB
	gainLeast  = -15.0
	gainSpeech = 0.5 // how sure it must be that somebody speaks
	gainQuiet  = 1e-6

	limitKnee = 0.7 // of full scale: below it the limiter changes nothing
)

func newGain() *gain { return &gain{last: 1} }

// process works on a period in place; speech is how sure it is, from 0 to 1, that
// it holds speech of the person here.
func (g *gain) process(period []float32, speech float32) {
	power := meanSquare(period)
	if speech > gainSpeech && power > gainQuiet && power < 10 {
		const smooth = 0.02 // half a second
		if g.level == 0 {
			g.level = power
		}
		g.level += smooth * (power - g.level)
		seconds := audio.PeriodDuration.Seconds()
		wanted := gainTarget - 10*math.Log10(g.level)
		step := max(-gainPace*seconds, min(gainPace*seconds, wanted-g.decibels))
		g.decibels = max(gainLeast, min(gainMost, g.decibels+step))
	}
	factor := float32(math.Pow(10, g.decibels/20))
	from, slope := g.last, (factor-g.last)/float32(len(period))
	for i, sample := range period {
		from += slope
		period[i] = limit(sample * from)
	}
	g.last = factor
}

// limit keeps a sample below full scale: what is above the knee is bent, not cut.
func limit(x float32) float32 {
	switch {
	case x > limitKnee:
		return limitKnee + (1-limitKnee)*bent((x-limitKnee)/(1-limitKnee))
	case x < -limitKnee:
		return -limitKnee - (1-limitKnee)*bent((-x-limitKnee)/(1-limitKnee))
	case x != x:
		return 0
	}
	return x
}

func bent(x float32) float32 { return x / (1 + x) }

// loudness tells speech from a pause by level alone, where no better judge is there:
// speech stands well above the quietest that was heard lately.
type loudness struct{ floor, now float64 }

func (l *loudness) speech(period []float32) float32 {
	power := meanSquare(period)
	l.now += 0.2 * (power - l.now)
	switch {
	case l.floor == 0 || l.now < l.floor:
		l.floor = l.now
	default:
		l.floor *= 1.001 // 4 dB in ten seconds
	}
	if l.now > 16*l.floor && l.now > 1e-5 {
		return 1
	}
	return 0
}
