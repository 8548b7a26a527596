package jitter

import "time"

const (
	// The fastest frame of the last fastestSpan sets the scale; it is kept by the
	// fastestStep, so that it may be a step older.
	fastestSpan  = 2 * time.Second
	fastestStep  = 100 * time.Millisecond
	fastestCount = int(fastestSpan / fastestStep)
	fastestStall = 5 // steps without a frame: the scale of before holds on

	bucketTime = 2 * time.Millisecond
	buckets    = 200
	forget     = 0.99  // weight of what was known when a frame arrives: e-fold after 2 s
	quantile   = 0.985 // share of frames that shall come in time
	minTarget  = 2 * time.Millisecond
	maxTarget  = buckets * bucketTime
	firstLag   = 8 * time.Millisecond // what is assumed before anything is known

	// Packets that come this close together were held up together: a stall is one
	// event, not as many as there are packets in it.
	bunch = 5 * time.Millisecond

	// Loss is judged for longer than jitter, because it moves in steps of copyStep:
	// how many of them later a frame's first copy came.
	copiesMost   = 3
	copyStep     = 2 * periodTime
	copiesForget = 0.998  // e-fold after 10 s of 20 ms frames
	copiesRaise  = 0.005  // share of frames that came later still, from which the lead grows
	copiesLower  = 0.0015 // and below which it shrinks: each change is heard

	leadWindow = 32 // periods whose needs count: 320 ms
)

// delay knows how frames arrive and how early they should have. All of its times
// are transits: an arrival (or need) minus when the frame's last sample was spoken,
// on a scale whose zero is the first frame's.
type delay struct {
	epoch         time.Time
	epochPosition uint32
	some          bool

	fastest     [fastestCount]time.Duration // least transit in each step, of those that are valid
	valid       [fastestCount]bool
	step        int64         // the newest step, counted from epoch
	base        time.Duration // least of fastest
	lags        [buckets]float64
	lagsBase    time.Duration // base that lags are relative to
	copies      [copiesMost + 1]float64
	copiesLed   int     // steps that the target waits for copies
	arrivals    float64 // frames so far
	target      time.Duration
	lastTransit time.Duration
	lastArrival time.Time
	jitter      time.Duration

	needs    [leadWindow]time.Duration // transits at which the last frames were needed
	needsLen int
	needsAt  int
	needsOf  int // as many of the last make leadWindow periods
}

func (d *delay) init() {
	d.lags[firstLag/bucketTime] = 1
	d.aim()
}

func (d *delay) transit(position uint32, periods int, at time.Time) time.Duration {
	return at.Sub(d.epoch) - time.Duration(int32(position-d.epochPosition)+int32(periods))*periodTime
}

// arrived learns from a frame's first arrival, and returns its transit.
func (d *delay) arrived(f Frame, at time.Time) time.Duration {
	if !d.some {
		d.some, d.epoch, d.epochPosition = true, at, f.Position
	}
	d.arrivals++ // the first ones weigh more: what was assumed is soon forgotten
	transit := d.transit(f.Position, f.Periods, at)
	if f.Behind == 0 {
		d.travelled(transit, f.Periods, at)
	} else {
		d.lagged(transit, f.Periods)
	}
	weight := d.copyWeight(f.Periods)
	for i := range d.copies {
		d.copies[i] *= 1 - weight
	}
	d.copies[min(f.Behind, copiesMost)] += weight
	d.aim()
	return transit
}

// overtaken takes back what a copy taught when its frame's own packet comes after all:
// that was slow, not lost. Where both were held up together, which is one event, the
// packet that came first is what counts for it.
func (d *delay) overtaken(f Frame, behind int, transitOfCopy time.Duration, at time.Time) {
	from := min(behind, copiesMost)
	weight := min(d.copies[from], d.copyWeight(f.Periods))
	d.copies[from] -= weight
	d.copies[0] += weight
	if d.transit(f.Position, f.Periods, at)-transitOfCopy < bunch {
		lag := d.bucket(transitOfCopy)
		d.lags[lag] = max(0, d.lags[lag]-d.lagWeight(f.Periods))
	}
	d.aim()
}

func (d *delay) copyWeight(periods int) float64 {
	return max(share(1-copiesForget, periods), 1/d.arrivals)
}

func (d *delay) lagWeight(periods int) float64 {
	return max(share(1-forget, periods), 2/(d.arrivals+2))
}

// bucket is the place in lags of a frame that took so long.
func (d *delay) bucket(transit time.Duration) int {
	return max(0, min(buckets-1, int((transit-d.lagsBase)/bucketTime)))
}

// share is what a frame of so many periods weighs where one of mostPeriods weighs weight:
// what is learnt is forgotten after a time, not after a number of frames.
func share(weight float64, periods int) float64 {
	return weight * float64(periods) / mostPeriods
}

// travelled learns from a frame that its own packet brought first.
func (d *delay) travelled(transit time.Duration, periods int, at time.Time) {
	change := (transit - d.lastTransit).Abs()
	d.lastTransit = transit
	d.jitter += (change - d.jitter) / 16
	d.seen(transit, int64(at.Sub(d.epoch)/fastestStep))
	released := !d.lastArrival.IsZero() && at.Sub(d.lastArrival) < bunch
	d.lastArrival = at
	if released {
		return
	}
	d.lagged(transit, periods)
}

// lagged learns how far behind the fastest a frame was.
func (d *delay) lagged(transit time.Duration, periods int) {
	weight := d.lagWeight(periods)
	for i := range d.lags {
		d.lags[i] *= 1 - weight
	}
	d.lags[d.bucket(transit)] += weight
}

// seen keeps the least transit of the last two seconds in which frames came.
func (d *delay) seen(transit time.Duration, step int64) {
	if step > d.step {
		if step-d.step >= fastestStall { // what was held up says nothing of the way itself
			transit = min(transit, d.base)
		}
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

// aim sets target, the lead that lets the quantile of frames come in time, and those
// that copies bring.
func (d *delay) aim() {
	var sum, total float64
	for _, weight := range d.lags {
		total += weight
	}
	lead := maxTarget
	for i, weight := range d.lags {
		if sum += weight; sum >= quantile*total {
			lead = time.Duration(i+1) * bucketTime
			break
		}
	}
	d.target = max(minTarget+d.copyLead(), min(maxTarget, lead))
}

// copyLead is how much later than their own packets the copies come that make up
// for loss.
func (d *delay) copyLead() time.Duration {
	for d.copiesLed < copiesMost && d.later(d.copiesLed) > copiesRaise {
		d.copiesLed++
	}
	for d.copiesLed > 0 && d.later(d.copiesLed-1) < copiesLower {
		d.copiesLed--
	}
	return time.Duration(d.copiesLed) * copyStep
}

// later is the share of frames that a packet brought more than so many steps after their own.
func (d *delay) later(steps int) float64 {
	sum := 0.0
	for _, weight := range d.copies[steps+1:] {
		sum += weight
	}
	return sum
}

// lead is how much later than the fastest frame would have come the frame at
// position is needed, were it needed now.
func (d *delay) lead(position uint32, periods int, now time.Time) time.Duration {
	return d.transit(position, periods, now) - d.base
}

// needed records the instant at which a frame had to be here.
func (d *delay) needed(position uint32, periods int, now time.Time) {
	d.needs[d.needsAt] = d.transit(position, periods, now)
	d.needsAt = (d.needsAt + 1) % leadWindow
	d.needsLen = min(d.needsLen+1, leadWindow)
	d.needsOf = leadWindow / periods
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
	least := d.needs[(d.needsAt+leadWindow-1)%leadWindow]
	for back := 2; back <= min(d.needsLen, d.needsOf); back++ {
		least = min(least, d.needs[(d.needsAt+leadWindow-back)%leadWindow])
	}
	return least - d.base - d.target
}
