package dsp

import (
	"math"
	"slices"
)

// lead follows by how many samples playing is ahead of recording, as it was when each of the
// microphone's periods came. It swings with the pieces in which devices take and bring sound,
// is low while the loudspeaker's thread is late, and high for the periods of a microphone that
// brings several at once; but it comes back to where it was. Where it does not, sound was lost on
// one side: low, the loudspeaker ran dry and played silence; high, what the microphone heard
// was thrown away.
//
// Where a microphone brings several periods at a time, only the last of them came when it was
// recorded, or a little later where the pieces are no whole periods. So the lead is the least of a
// few periods, of as many as make it steady.
type lead struct {
	each   [leadMemory]float64 // ring, as it was at each period
	last   [leadMemory]float64 // ring, the least of round of them
	round  int                 // periods after which the devices begin anew; 1 unless more make the lead steady
	count  int                 // that were written to either
	middle float64             // of where it swings
	swing  float64             // to each side; 0 is not known yet
	odds   int                 // in a row that are not there
	calm   int                 // periods since it was anywhere but in the middle
	spoilt int                 // that were not, less those that were
	sorted [leadMemory]float64
}

const (
	leadMemory = 64  // periods
	leadBegin  = 8   // in a row that agree before it is known where it swings
	leadSure   = 3   // in a row that agree on another lead, after all but one of a round
	leadRound  = 17  // periods at most: with pieces of 1024 samples it is almost at its least after 15 or 17, in turn
	leadSwing  = 144 // samples to each side that mean nothing, at least
	leadWide   = 960 // and at most: pieces of 40 ms
	leadCalm   = 60  // samples from the middle
	leadStray  = 72  // samples beyond what was seen that mean nothing yet
	leadDrift  = 0.2 // samples a period by which two clocks may move it
	leadSpoilt = 200 // it swings otherwise than was thought
)

// How lead finds a period.
const (
	leadEven = iota // as always
	leadHigh        // one of several that came at once, most likely
	leadOdd         // sound may have been lost
)

// hear takes the lead at a period, and says how it finds it. step is by how much it has
// changed for good, 0 mostly.
func (l *lead) hear(now float64) (step float64, found int) {
	l.each[l.count%leadMemory] = now
	l.count++
	now = l.low(1)
	l.last[(l.count-1)%leadMemory] = now
	if l.swing == 0 {
		least, most := l.of(leadBegin)
		if l.count >= leadBegin && most-least <= 2*(leadSwing-leadStray) {
			l.middle, l.swing = (least+most)/2, leadSwing
		}
		if l.spoilt += 4; l.spoilt >= leadSpoilt {
			l.widen()
		}
		return 0, leadEven
	}
	off := now - l.middle
	if l.calm++; math.Abs(off) > leadCalm {
		l.calm = 0
	}
	if off >= -l.swing && off <= l.swing {
		l.middle += max(-leadDrift, min(leadDrift, 0.01*off))
		l.odds, l.spoilt = 0, max(0, l.spoilt-2)
		if l.swing > leadSwing && l.count%leadMemory == 0 {
			l.tighten()
		}
		return 0, leadEven
	}
	l.odds++
	if l.spoilt++; l.spoilt >= leadSpoilt {
		l.widen()
	}
	sure := leadSure + max(1, l.round) - 1 // what was late for once is the least for a round
	least, most := l.of(sure)
	if l.odds >= sure && most-least <= 2*l.swing-leadStray {
		l.odds = 0
		step = l.between(least, most) - l.middle
		for i := range l.each { // as the next ones will be
			l.each[i] -= step
		}
		return step, leadEven
	}
	before := l.last[(l.count+leadMemory-2)%leadMemory]
	if off > 0 && (l.odds == 1 || before-now > leadSwing) {
		return 0, leadHigh
	}
	return 0, leadOdd
}

// between is the middle of where it swings, by the last leadSure periods. Where devices bring
// several at a time, that is between the extremes: the median would be one of them. Where they do
// not, one that was late counts for nothing.
func (l *lead) between(least, most float64) float64 {
	if l.swing > leadSwing {
		return (least + most) / 2
	}
	sorted := l.sorted[:leadSure]
	for back := range sorted {
		sorted[back] = l.last[(l.count-1-back)%leadMemory]
	}
	slices.Sort(sorted)
	return sorted[leadSure/2]
}

// low is the lead at a period, as many ago; 1 is the newest.
func (l *lead) low(back int) float64 {
	least := math.Inf(1)
	for i := back; i < back+max(1, l.round) && i <= min(l.count, leadMemory); i++ {
		least = min(least, l.each[(l.count-i)%leadMemory])
	}
	return least
}

// of is between what the last periods were.
func (l *lead) of(periods int) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for back := range min(periods, l.count) {
		x := l.last[(l.count-1-back)%leadMemory]
		least, most = min(least, x), max(most, x)
	}
	return least, most
}

// widen is for devices that take or bring more at a time. If none of the last periods was odd it is known
// how they do; else it goes by four in five of them.
func (l *lead) widen() {
	l.spoilt = 0
	if l.steady() {
		return
	}
	low, high := l.most()
	if swing := (high-low)/2 + leadStray; swing <= leadWide {
		l.middle, l.swing, l.odds = (low+high)/2, max(swing, leadSwing), 0
	}
}

// tighten is for when it was thought to swing more than it does.
func (l *lead) tighten() {
	if l.steady() {
		return
	}
	low, high := l.most()
	l.swing = min(l.swing, max(leadSwing, (high-low)/2+leadStray))
}

// steady looks for the round that makes the lead steady: all of the last periods of which a whole
// round is known are in the middle, with room for a step that was not measured well, or at least
// where it means nothing. There may be none.
func (l *lead) steady() bool {
	for _, width := range []float64{leadCalm, 2 * (leadSwing - leadStray)} {
		for round := 1; round <= leadRound; round++ {
			l.rounds(round)
			if low, high := l.of(min(l.count, leadMemory) - round + 1); high-low <= width {
				l.middle, l.swing, l.odds = (low+high)/2, leadSwing, 0
				return true
			}
		}
	}
	l.rounds(1)
	return false
}

// rounds makes the lead the least of so many periods.
func (l *lead) rounds(round int) {
	l.round = round
	for back := 1; back <= min(l.count, leadMemory); back++ {
		l.last[(l.count-back)%leadMemory] = l.low(back)
	}
}

// most is between what four in five of the last periods were.
func (l *lead) most() (low, high float64) {
	sorted := l.sorted[:copy(l.sorted[:], l.last[:min(l.count, leadMemory)])]
	slices.Sort(sorted)
	return sorted[len(sorted)/10], sorted[len(sorted)*9/10]
}

// moved is for a reading place that is later by samples.
func (l *lead) moved(by float64) {
	l.middle -= by
	for i := range l.last {
		l.each[i] -= by
		l.last[i] -= by
	}
}
