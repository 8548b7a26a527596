package hotplug

import (
	"time"

	"sotto/audio/device"
)

const (
	stumbles      = 20 // seconds with a gap in them, within stumblesFor, make a habit; bad moments make none
	stumblesFor   = 30 * time.Second
	stumblesAfter = 5 * time.Second // a device that has just taken over is forgiven
)

// decide does what the state of things asks for at the instant now.
func (s *keeping) decide(now time.Time) {
	defer func() { s.said.describe(now, s.condition(now)) }()
	if s.handle != nil && s.wish.Stream == nil && s.live == nil && s.next == nil && now.Sub(s.startedAt) >= standInAfter {
		s.stand()
	}
	if s.wish.Stream != nil || s.opening || s.next != nil {
		return
	}
	if s.ladder(now) || s.list == nil {
		return
	}
	wanted, there := pick(s.list.devices, s.kind, s.names)
	if !there {
		return
	}
	if !wanted.fallback && wanted.name != "" && now.Before(s.namedAt) {
		if wanted, there = pick(s.list.devices, s.kind, nil); !there {
			return
		}
		wanted.fallback = true
	}
	switch {
	case s.live == nil && now.Before(s.retry) && wanted.name == "":
	case s.live == nil:
		s.open(wanted, nil, nil)
	case s.live.target.fallback && !wanted.fallback:
		s.open(wanted, nil, nil) // it is back
	case s.live.target.name == "" && wanted.name == "" && wanted.id != "" && wanted.id != s.live.device.ID && !now.Before(s.retry):
		s.open(wanted, nil, nil) // another one is the default now
	}
}

// ladder takes a device that keeps running dry to a longer period. It is closed
// first: not every system opens a device twice.
func (s *keeping) ladder(now time.Time) bool {
	o := s.live
	if !o.isDevice() || s.handle == nil || o.since.IsZero() {
		return false
	}
	stream, ok := o.stream.(device.Stream)
	if !ok {
		return false
	}
	gaps := stream.Gaps()
	if now.Sub(o.since) < stumblesAfter {
		o.gaps = gaps
		return false
	}
	if n := len(o.stumble); gaps > o.gaps && (n == 0 || now.Sub(o.stumble[n-1]) >= time.Second) {
		o.stumble = append(o.stumble, now)
	}
	o.gaps = gaps
	for len(o.stumble) > 0 && now.Sub(o.stumble[0]) > stumblesFor {
		o.stumble = o.stumble[1:]
	}
	if len(o.stumble) < stumbles {
		return false
	}
	o.stumble = nil
	if !s.hardware.stumbled(s.kind, o.target.name) {
		return false
	}
	s.sound.retire(o.number)
	s.live, s.awayAt, s.opening = nil, now, true
	s.stand()
	k, t := s.Keeper, o.target
	k.work.Go(func() {
		_ = o.stream.Close()
		k.report(result{again: true, target: t})
	})
	return true
}
