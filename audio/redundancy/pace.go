package redundancy

import (
	"math/bits"
	"time"
)

const (
	steadyWindow  = time.Second
	steadyWindows = 5 // remembered
	steadyBad     = 2 // of those, from which packets no longer come evenly
	steadyGood    = 3 // good ones in a row, until they do

	goodLoss, badLoss       = 0.01, 0.04
	goodMissing, badMissing = 0.01, 0.03
	goodTarget, badTarget   = 24 * time.Millisecond, 40 * time.Millisecond
	worstLoss               = 0.20 // of a window that needs no second one

	shortAfter      = 2 * time.Second  // of steady reports at the beginning of a call
	shortAgainAfter = 30 * time.Second // of steady reports after a fall
	unheard         = time.Second      // without any report
)

// Steady judges, a second at a time, whether the other side's packets come so well that
// it may send short frames: little is lost, nothing late, the playout buffer needs to
// wait for little. Two bad seconds of five, or one very bad one, end it; three good ones
// in a row begin it. In between it stays as it is. The zero value has seen nothing and
// is not steady.
type Steady struct {
	next time.Time
	bad  uint8 // a bit for each of the last windows, the newest lowest
	good int   // good windows in a row
	is   bool
}

// Due reports whether a window is over.
func (s *Steady) Due(now time.Time) bool { return !now.Before(s.next) }

// Judge takes how the window that ends now was: the share of packets that were lost, the
// same smoothed over several, the share of sound that did not come in time, and the wait
// that the playout buffer aims at.
func (s *Steady) Judge(loss, smoothed, missing float64, target time.Duration, now time.Time) {
	first := s.next.IsZero()
	s.next = now.Add(steadyWindow)
	if first {
		return
	}
	s.bad = s.bad << 1 & (1<<steadyWindows - 1)
	switch {
	case loss >= worstLoss:
		s.bad |= 1<<steadyBad - 1
	case loss >= badLoss || missing >= badMissing || target > badTarget:
		s.bad |= 1
	}
	if smoothed < goodLoss && loss < badLoss && missing < goodMissing && target <= goodTarget {
		s.good++
	} else {
		s.good = 0
	}
	switch {
	case bits.OnesCount8(s.bad) >= steadyBad:
		s.is = false
	case s.good >= steadyGood:
		s.is = true
	}
}

// Value is whether packets come evenly.
func (s *Steady) Value() bool { return s.is }

// Pace decides whether to send short frames: once the other side has reported for two
// seconds that packets come evenly, and no longer as soon as it reports that they do
// not, or reports nothing for a second. After that it takes half a minute of good
// reports. The zero value does not.
type Pace struct {
	short  bool
	fell   bool      // was short before
	good   time.Time // since when reports have been good; zero: they are not
	latest time.Time
}

// Reported takes what a packet reported.
func (p *Pace) Reported(steady bool, now time.Time) {
	p.Waited(now)
	p.latest = now
	if !steady {
		p.fall()
		return
	}
	if p.good.IsZero() {
		p.good = now
	}
	wait := shortAfter
	if p.fell {
		wait = shortAgainAfter
	}
	if now.Sub(p.good) >= wait {
		p.short = true
	}
}

// Waited tells that it is now.
func (p *Pace) Waited(now time.Time) {
	if now.Sub(p.latest) > unheard {
		p.fall()
	}
}

func (p *Pace) fall() {
	p.fell = p.fell || p.short
	p.short, p.good = false, time.Time{}
}

// Short is whether to send short frames.
func (p *Pace) Short() bool { return p.short }
