package jitter

import (
	"math/bits"
	"slices"
	"time"
)

const (
	// The fastest frame of the last fastestSpan sets the scale; it is kept by the
	// fastestStep, so that it may be a step older.
	fastestSpan  = 2 * time.Second
	fastestStep  = 100 * time.Millisecond
	fastestCount = int(fastestSpan / fastestStep)

	bucketTime = 5 * time.Millisecond
	buckets    = 100
	forget     = 0.983 // weight of what was known when a frame arrives: e-fold after 1.2 s
	quantile   = 0.97  // share of frames that shall come in time
	minTarget  = 10 * time.Millisecond
	maxTarget  = 400 * time.Millisecond
	firstLag   = 20 * time.Millisecond // what is assumed before anything is known

	leadWindow = 8
)

// delay knows how frames arrive and how early they should have. All of its times
// are transits: an arrival (or need) minus counter * frameTime, on a scale whose
// zero is the first frame's.
type delay struct {
	epoch        time.Time
	epochCounter uint32
	some         bool

	fastest     [fastestCount]time.Duration // least transit in each step, of those that are valid
	valid       [fastestCount]bool
	step        int64         // the newest step, counted from epoch
	base        time.Duration // least of fastest
	lags        [buckets]float64
	lagsBase    time.Duration // base that lags are relative to
	lastTransit time.Duration
	jitter      time.Duration

	needs    [leadWindow]time.Duration // transits at which the last frames were needed
	needsLen int
	needsAt  int
}

func (d *delay) init() { d.lags[firstLag/bucketTime] = 1 }

func (d *delay) transit(counter uint32, at time.Time) time.Duration {
	return at.Sub(d.epoch) - time.Duration(int32(counter-d.epochCounter))*frameTime
}

// arrived learns from a frame's arrival.
func (d *delay) arrived(counter uint32, at time.Time) {
	if !d.some {
		d.some, d.epoch, d.epochCounter = true, at, counter
	}
	transit := d.transit(counter, at)
	change := (transit - d.lastTransit).Abs()
	d.lastTransit = transit
	d.jitter += (change - d.jitter) / 16

	d.seen(transit, int64(at.Sub(d.epoch)/fastestStep))
	lag := max(0, min(buckets-1, int((transit-d.lagsBase)/bucketTime)))
	for i := range d.lags {
		d.lags[i] *= forget
	}
	d.lags[lag] += 1 - forget
}

// seen keeps the least transit of the last two seconds.
func (d *delay) seen(transit time.Duration, step int64) {
	if step > d.step {
		for s := max(d.step+1, step-int64(fastestCount)+1); s <= step; s++ {
			d.valid[s%int64(fastestCount)] = false
		}
		d.step = step
	}
	at := d.step % int64(fastestCount)
	if !d.valid[at] || transit < d.fastest[at] {
		d.valid[at], d.fastest[at] = true, transit
	}
	base := d.fastest[at]
	for i, ok := range d.valid {
		if ok {
			base = min(base, d.fastest[i])
		}
	}
	d.base = base
	d.rebase()
}

// rebase moves what was learnt when the fastest frame changes, so that a change of
// route is not mistaken for jitter.
func (d *delay) rebase() {
	shift := int((d.base - d.lagsBase) / bucketTime)
	if shift == 0 {
		return
	}
	d.lagsBase += time.Duration(shift) * bucketTime
	var moved [buckets]float64
	for i, weight := range d.lags {
		moved[max(0, min(buckets-1, i-shift))] += weight
	}
	d.lags = moved
}

// target is the lead that lets the quantile of frames come in time.
func (d *delay) target() time.Duration {
	var sum, total float64
	for _, weight := range d.lags {
		total += weight
	}
	for i, weight := range d.lags {
		if sum += weight; sum >= quantile*total {
			return max(minTarget, min(maxTarget, time.Duration(i+1)*bucketTime))
		}
	}
	return maxTarget
}

// lead is how much later than the fastest frame would have come counter is needed,
// were it needed now.
func (d *delay) lead(counter uint32, now time.Time) time.Duration {
	return d.transit(counter, now) - d.base
}

// needed records the instant at which a frame had to be here.
func (d *delay) needed(counter uint32, now time.Time) {
	d.needs[d.needsAt] = d.transit(counter, now)
	d.needsAt = (d.needsAt + 1) % leadWindow
	d.needsLen = min(d.needsLen+1, leadWindow)
}

// shift accounts for sound that was put in (positive) or taken out.
func (d *delay) shift(by time.Duration) {
	for i := range d.needsLen {
		d.needs[i] += by
	}
}

// excess is how much the least lead of the last few frames is above the target:
// the loudspeaker does not ask evenly, and its earliest question is what counts.
func (d *delay) excess() time.Duration {
	if d.needsLen == 0 {
		return 0
	}
	return slices.Min(d.needs[:d.needsLen]) - d.base - d.target()
}

// recentLoss is the share of the last frames that did not come in time. Those that
// are overdue while nothing comes at all count with them.
func (b *Buffer) recentLoss() float64 {
	const frames = 50
	lost := bits.OnesCount64(b.recent&(1<<frames-1)) + b.held/frameSamples
	return min(1, float64(lost)/frames)
}
