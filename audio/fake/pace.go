package fake

import (
	"errors"
	"time"

	"sotto/audio"
)

var errStarted = errors.New("this sound device was started or closed before")

// maxBehind is how far a fake may lag before it stops trying to make up for it:
// as much as a real device's buffer would hold.
const maxBehind = 5 * audio.PeriodDuration

// pacer is a clock that ticks once a period. The n-th tick is due n periods after
// the start, so that late wake-ups do not add up to drift; after a stall it makes
// up for at most maxBehind in one burst and counts the rest as never having been.
type pacer struct {
	next    time.Time
	timer   *time.Timer
	skipped int // ticks that never were
}

func newPacer(now time.Time) *pacer {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	return &pacer{next: now.Add(audio.PeriodDuration), timer: timer}
}

// wait returns true at the next tick, or false once stop is closed.
func (p *pacer) wait(stop <-chan struct{}) bool {
	now := time.Now()
	if behind := now.Sub(p.next); behind > maxBehind {
		skip := int((behind - maxBehind) / audio.PeriodDuration)
		p.skipped += skip
		p.next = p.next.Add(time.Duration(skip) * audio.PeriodDuration)
	}
	due := p.next.Sub(now)
	p.next = p.next.Add(audio.PeriodDuration)
	if due <= 0 {
		select {
		case <-stop:
			return false
		default:
			return true
		}
	}
	p.timer.Reset(due)
	select {
	case <-stop:
		p.timer.Stop()
		return false
	case <-p.timer.C:
		return true
	}
}
