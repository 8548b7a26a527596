package audio

import (
	"time"

	"sotto/audio/jitter"
)

// One clock story.
//
//	source's thread ─ deliver ─> captured ─> capture loop ─ encode ─> Send
//	                             ≤ 80 ms     every second period, or silence
//
//	Receive ─> playout buffer <─ Pull ─ playout loop ─> ready ─ fill ─> sink's thread
//	network's goroutine ≤ 2.56 s        one period for each it took   1 to 4 periods
//
// The source's clock drives sending: two periods make a frame, which leaves at
// once. Only when the source is late by captureSlack does the machine's clock step
// in, with silence every 20 ms until sound is back, so that a microphone's death,
// or its slow start, does not show on the wire.
//
// The sink's clock drives playing: each period it takes makes the playout loop
// pull the next one from the playout buffer, which is the only place that trades
// delay against gaps, and the one that makes up for the drift between the other
// side's clock and this one. ready is a single period ahead of the sink; a sink
// that asks in bursts gets as many as its bursts need.
//
// The threads of source and sink only copy, through rings that drop their oldest.
// The two loops allocate nothing.

const (
	captureRoom  = 8 // periods between source and capture loop
	captureSlack = 40 * time.Millisecond

	playoutRoom = 6                      // periods between playout loop and sink, room for leadMost and one being taken
	leadMost    = 4                      // periods made ahead for a sink that asks in bursts
	leadSettle  = 500 * time.Millisecond // a sink that has just begun fills its own buffer: no reason to go ahead
	leadAgain   = 5 * time.Second        // two gaps within it are a habit; one alone is a hiccup
	leadCalm    = time.Minute            // without a gap, after which one period less is tried
)

// deliver is called by the source with each period.
func (s *Session) deliver(period []float32) {
	if s.config.Voice != nil {
		s.config.Voice.Captured(period)
		return
	}
	s.enqueue(period)
}

// enqueue takes each period as it is to be sent: from the source, or from Voice.
func (s *Session) enqueue(period []float32) {
	s.captured.push(period, true)
	s.captured.signal()
}

// fill is called by the sink for each period.
func (s *Session) fill(period []float32) {
	real, ok := s.ready.pop(period)
	if !ok {
		clear(period)
	}
	if real && s.heardOnce.CompareAndSwap(false, true) {
		s.heard <- time.Now() // has room for this one
	}
	s.ready.signal()
	if s.config.Voice != nil {
		s.config.Voice.Played(period)
	}
}

// capture is what the capture loop owns.
type capture struct {
	frame    [FrameSamples]float32
	payload  []byte
	lastSent time.Time
	deadline time.Time // when silence stands in for a source that is late
	owed     int       // silent frames sent whose sound may still come in a burst
	regular  int       // frames in a row since that came at their time
}

func (s *Session) captureLoop() {
	now := time.Now()
	c := &capture{
		payload:  make([]byte, s.config.Encoder.PayloadSize()),
		lastSent: now, deadline: now.Add(FrameDuration + captureSlack),
	}
	timer := time.NewTimer(time.Until(c.deadline))
	defer timer.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-s.captured.wake:
		case <-timer.C:
		}
		s.captureStep(c, time.Now())
		timer.Reset(time.Until(c.deadline))
	}
}

// captureStep sends what there is to send at the instant now.
func (s *Session) captureStep(c *capture, now time.Time) {
	for {
		if _, ok := s.captured.pop(c.frame[:]); !ok {
			break
		}
		c.deadline = now.Add(FrameDuration + captureSlack)
		if s.catchUp(c, now) {
			continue
		}
		s.send(c)
		c.lastSent = now
	}
	if now.Before(c.deadline) {
		return
	}
	clear(c.frame[:])
	s.send(c)
	s.silent.Add(1)
	c.owed, c.regular = c.owed+1, 0
	c.lastSent, c.deadline = now, c.deadline.Add(FrameDuration)
	if c.deadline.Before(now) { // this machine itself stood still
		c.deadline = now.Add(FrameDuration)
	}
}

// catchUp tells whether a frame is to be passed over: its time was already filled
// with silence, and sending it as well would make the other side lag.
func (s *Session) catchUp(c *capture, now time.Time) bool {
	if c.owed == 0 {
		return false
	}
	if now.Sub(c.lastSent) < FrameDuration/2 {
		c.owed, c.regular = c.owed-1, 0
		s.overrun.Add(FrameSamples / PeriodSamples)
		return true
	}
	if c.regular++; c.regular > 2 { // the source lost that sound itself
		c.owed = 0
	}
	return false
}

// send encodes c.frame, or silence in its place, and sends it.
func (s *Session) send(c *capture) {
	muted, held := s.muted.Load(), s.held.Load()
	if muted && !held {
		s.talking.hear(Level(c.frame[:]))
	} else {
		s.talking.reset()
	}
	if muted || held {
		clear(c.frame[:])
		s.levelIn.reset()
	}
	s.levelIn.update(Level(c.frame[:]), meterFall)
	n, err := s.config.Encoder.Encode(c.frame[:], c.payload)
	if err != nil {
		return // a frame of the right shape always encodes: see codec's tests
	}
	s.config.Send(c.payload[:n])
	s.sent.Add(1)
}

// playout is what the playout loop owns.
type playout struct {
	period  [PeriodSamples]float32
	lead    int       // periods to keep ready
	starved uint64    // gaps so far
	began   time.Time // when the sink first asked
	lastGap time.Time
	calm    time.Time // since when there was no gap
	lowered bool      // the last change of lead was downwards
	pinned  bool      // lowering it brought a gap: it stays
}

func (s *Session) playoutLoop() {
	p := &playout{lead: 1}
	s.playoutStep(p, time.Now())
	for {
		select {
		case <-s.stop:
			return
		case <-s.ready.wake:
		}
		now := time.Now()
		s.adaptLead(p, now)
		s.playoutStep(p, now)
	}
}

// playoutStep makes periods until the sink has its lead.
func (s *Session) playoutStep(p *playout, now time.Time) {
	for {
		waiting, _, _ := s.ready.figures()
		if waiting >= p.lead {
			return
		}
		s.mu.Lock()
		sound := s.buffer.Pull(p.period[:], now)
		s.mu.Unlock()
		audible := !s.held.Load() && !s.deafened.Load()
		if !audible {
			clear(p.period[:])
		}
		s.levelOut.update(Level(p.period[:]), meterFall/2)
		s.ready.push(p.period[:], sound == jitter.Real && audible)
	}
}

// adaptLead goes further ahead of a sink that finds nothing ready.
func (s *Session) adaptLead(p *playout, now time.Time) {
	_, _, starved := s.ready.figures()
	gaps := starved - p.starved
	p.starved = starved
	if p.began.IsZero() {
		p.began, p.calm = now, now
	}
	switch {
	case now.Sub(p.began) < leadSettle:
	case gaps > 0:
		if gaps > 1 || now.Sub(p.lastGap) < leadAgain {
			p.lead = min(p.lead+1, leadMost)
			p.pinned, p.lowered = p.pinned || p.lowered, false
		}
		p.lastGap, p.calm = now, now
	case p.lead > 1 && !p.pinned && now.Sub(p.calm) > leadCalm:
		p.lead, p.calm, p.lowered = p.lead-1, now, true
	}
}
