package audio

import (
	"math"
	"time"

	"sotto/audio/jitter"
	"sotto/audio/redundancy"
)

// One clock story.
//
//	source's thread ─ deliver ─> captured ─> capture loop ─ encode, pack ─> Send
//	                             ≤ 80 ms     every second period, or silence
//
//	Receive ─> playout buffer <─ Pull ─ fill ─ sink's thread
//	network's goroutine ≤ 2.56 s
//
// The source's clock drives sending: two periods make a frame, or one while frames are
// short, which leaves at once, with copies of the ones before it (audio/redundancy). Only
// when the source is late by captureSlack does the machine's clock step in, with silence
// at the frames' distance until sound is back, so that a microphone's death, or its slow
// start, shows on the wire as one gap at most. A source that has been even so far is waited
// for as long as any: speech that a busy machine makes 10 to 30 ms late now and then had
// silence cut into it after 5 to 20 ms, with a click or two each time, and none after 40.
// How long frames are is decided in pace.go. Those of a source that gives 12, 15 or 21.3 ms
// at a time leave as unevenly as they are whole, 12 to 24, 15 to 30 and 0 to 21 ms apart, and
// are not held for a steady clock: over an even network that changes nothing from mouth to ear
// (39, 39 and 49 ms), because the buffer waits as long for them, and over one that is uneven by
// 15 ms it may cost 10 ms (69 ms for 59 with 21.3 ms at a time), because the clock waits for the
// worst of the source before the buffer waits for the worst of the network.
//
// The sink's clock drives playing: whatever it asks for, a period at most (a sound server
// asks for 2.5 to 4 ms), is pulled from the playout buffer there and then, so that
// no sound waits anywhere else. The buffer is the only
// place that trades delay against gaps: it learns how unevenly packets come and how
// unevenly the sink asks, and it makes up for the drift between the other side's
// clock and this one by playing a little faster or slower.
//
// The source's thread only copies, through a ring that drops its oldest. The sink's
// thread decodes: 0.1 ms a frame with libopus, which is less than handing it over
// would take, under a lock that others hold for a copy of a packet or of the figures.
// Neither thread nor loop allocates anything.

const (
	captureRoom  = 8 // periods between source and capture loop
	captureSlack = 40 * time.Millisecond
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
	s.captured.push(period, time.Now())
	s.captured.signal()
}

// fill is called by the sink for what it needs next.
func (s *Session) fill(sound []float32) {
	now := time.Now()
	s.mu.Lock()
	made := s.buffer.Pull(sound, now)
	s.mu.Unlock()
	if s.held.Load() || s.deafened.Load() {
		clear(sound)
	} else if made == jitter.Real && s.heardOnce.CompareAndSwap(false, true) {
		s.heard <- now // has room for this one
	}
	if s.config.Voice != nil {
		s.config.Voice.Played(sound)
	}
	for len(sound) > 0 {
		n := copy(s.played[s.playedLen:], sound)
		sound = sound[n:]
		if s.playedLen += n; s.playedLen < len(s.played) {
			return
		}
		s.playedLen = 0
		s.levelOut.update(Level(s.played[:]), meterFall)
	}
}

// capture is what the capture loop owns.
type capture struct {
	samples  [FrameSamples]float32 // room for frame
	frame    []float32             // as long as frames are now
	payload  []byte                // a frame
	packet   []byte                // that frame and the ones before it
	packer   *redundancy.Packer
	lastSent time.Time
	deadline time.Time // when silence stands in for a source that is late
	owed     int       // silent periods sent whose sound may still come in a burst
	regular  int       // frames in a row since that came at their time
}

func (s *Session) newCapture(now time.Time) *capture {
	size := max(s.config.Encoder.PayloadSize(FrameSamples), s.config.Encoder.PayloadSize(PeriodSamples))
	c := &capture{
		payload:  make([]byte, size),
		packet:   make([]byte, 0, redundancy.Size(size, redundancy.Most)),
		lastSent: now, deadline: now.Add(FrameDuration + captureSlack),
	}
	// A frame of silence always encodes, as any of the right shape: see codec's tests.
	n, _ := s.config.Encoder.Encode(c.samples[:], c.payload)
	c.packer = redundancy.NewPacker(c.payload[:n])
	c.frame = c.samples[:s.frameSamples(now)]
	return c
}

func (s *Session) captureLoop() {
	c := s.newCapture(time.Now())
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
	for s.captured.pop(c.frame) {
		c.deadline = now.Add(c.duration() + captureSlack)
		if s.catchUp(c, now) {
			continue
		}
		s.send(c)
		c.lastSent = now
		c.frame = c.samples[:s.frameSamples(now)]
	}
	if now.Before(c.deadline) {
		return
	}
	clear(c.frame)
	s.send(c)
	s.silent.Add(1)
	c.owed, c.regular = c.owed+c.periods(), 0
	c.lastSent, c.deadline = now, c.deadline.Add(c.duration())
	if c.deadline.Before(now) { // this machine itself stood still
		c.deadline = now.Add(c.duration())
	}
	c.frame = c.samples[:s.frameSamples(now)]
}

func (c *capture) periods() int            { return len(c.frame) / PeriodSamples }
func (c *capture) duration() time.Duration { return time.Duration(c.periods()) * PeriodDuration }

// catchUp tells whether a frame is to be passed over: its time was already filled
// with silence, and sending it as well would make the other side lag.
func (s *Session) catchUp(c *capture, now time.Time) bool {
	if c.owed <= 0 {
		return false
	}
	if now.Sub(c.lastSent) < c.duration()/2 {
		c.owed, c.regular = c.owed-c.periods(), 0
		s.overrun.Add(uint64(c.periods()))
		return true
	}
	if c.regular++; c.regular > 2 { // the source lost that sound itself
		c.owed = 0
	}
	return false
}

// send encodes c.frame, or silence in its place, and sends it with the ones before.
func (s *Session) send(c *capture) {
	muted, held := s.muted.Load(), s.held.Load()
	if muted && !held {
		s.talking.hear(Level(c.frame), c.periods())
	} else {
		s.talking.reset()
	}
	if muted || held {
		clear(c.frame)
		s.levelIn.reset()
	}
	s.levelIn.update(Level(c.frame), meterFall*float64(c.periods()))
	n, err := s.config.Encoder.Encode(c.frame, c.payload)
	if err != nil {
		return
	}
	depth := int(s.copies.Load())
	if c.periods() == redundancy.ShortPeriods {
		depth = redundancy.Default // they are sent only where little is lost
	}
	report := redundancy.Report{Loss: math.Float64frombits(s.report.Load()), Steady: s.steadyHere.Load()}
	c.packet = c.packer.Pack(c.packet[:0], c.payload[:n], c.periods(), depth, report)
	s.config.Send(c.packet, len(c.frame))
	s.sent.Add(1)
}
