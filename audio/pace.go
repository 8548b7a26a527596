package audio

import "time"

// Frames says how long the frames are that a Session sends. What it receives may be
// of either length at any time.
//
// Short frames leave 10 ms earlier. They cost twice the packets, and nearly half as much
// again in bytes, so a call begins with long ones and goes over to short ones once the
// other side has said for some seconds that packets come to it evenly, and back at once
// when they no longer do (redundancy.Pace). A source that gives several periods at once
// gets long ones: of 20 ms at once two short packets would leave together, and be heard no
// sooner than one long one. Of 12 or 15 ms they would be heard 10 ms sooner, but some leave
// together, and where the network is uneven by 15 ms, 0.8 % of the sound would be made up.
// Only network and source move the length, never the sound.
type Frames int

// The ways of choosing a frame's length.
const (
	AutoFrames  Frames = iota // short ones while the network is good
	LongFrames                // 20 ms, always
	ShortFrames               // 10 ms, always
)

// frameSamples is how long the next frame is. It is called on the capture loop only.
func (s *Session) frameSamples(now time.Time) int {
	short := false
	if s.config.PeerShort {
		switch s.config.Frames {
		case ShortFrames:
			short = true
		case AutoFrames:
			s.mu.Lock()
			s.pace.Waited(now)
			short = s.pace.Short()
			s.mu.Unlock()
			short = short && !s.captured.inBursts()
		}
	}
	s.short.Store(short)
	if short {
		return PeriodSamples
	}
	return FrameSamples
}

// judge tells the other side whether its packets come evenly, where it listens to that.
// The caller holds s.mu.
func (s *Session) judge(now time.Time) {
	if !s.config.PeerShort || !s.steady.Due(now) {
		return
	}
	b := s.buffer.Stats()
	s.steady.Judge(s.meter.Loss(now), s.meter.Report(), b.RecentLoss, b.Target, now)
	s.steadyHere.Store(s.steady.Value())
}
