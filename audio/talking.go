package audio

import "sync/atomic"

// Speech into a muted microphone is a level that stands out for a moment and is over
// when it has been low for a while: two levels and two times, so that neither a knock
// on the table nor a pause between words makes the hint blink.
const (
	talkingAbove   = -42.0 // dBFS of a frame
	talkingBelow   = -50.0
	talkingPeriods = 16  // loud ones, 160 ms, until it counts as talking
	silentPeriods  = 150 // low ones, 1.5 s, until it no longer does
)

// talking tells whether somebody speaks into a microphone of which nothing is sent.
// The capture loop writes, anyone reads.
type talking struct {
	now  atomic.Bool
	loud int // owned by the capture loop
	low  int
}

// hear takes the level of the next frame, of so many periods.
func (t *talking) hear(level float64, periods int) {
	switch {
	case level > talkingAbove:
		t.loud, t.low = t.loud+periods, 0
	case level < talkingBelow:
		t.low += periods
		t.loud = max(0, t.loud-periods)
	}
	switch {
	case t.loud >= talkingPeriods:
		t.loud = talkingPeriods
		t.now.Store(true)
	case t.low >= silentPeriods:
		t.reset()
	}
}

// reset is for a microphone that is open again.
func (t *talking) reset() {
	t.loud, t.low = 0, 0
	t.now.Store(false)
}
