package audio

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"sotto/audio/jitter"
	"sotto/audio/redundancy"
)

// SessionConfig says between what a Session runs. Everything in it is the
// Session's own from NewSession on; Close closes Source, Sink and Voice.
type SessionConfig struct {
	Source  Source
	Sink    Sink
	Encoder Encoder
	Decoder Decoder
	// Send takes a packet's payload, an encoded frame of so many samples and copies of the ones before it
	// (audio/redundancy), once a frame. It is called on the capture loop; the slice is the loop's again when it returns.
	// While it blocks nothing is sent, and what is heard meanwhile is lost.
	Send func(payload []byte, samples int)
	// PeerShort: the other side takes short frames and says when they can be sent.
	PeerShort bool
	// Frames says how long frames are; short ones only if PeerShort.
	Frames Frames
	// Voice works on the source's sound before it is sent; nil leaves it as it is.
	Voice Voice
}

// Voice is what works on the microphone's sound on its way to the encoder, such
// as an echo canceller (audio/dsp has the real one). Captured and Played are
// called from the threads of source and sink: they copy and return. deliver takes
// each period, PeriodSamples samples, when it is done, on a goroutine of Voice's own.
type Voice interface {
	Start(deliver func(period []float32))
	Captured(period []float32)
	Played(sound []float32) // what the sink has just taken, silence too; a period at most
	Close() error           // waits; may be called more than once, also without Start
}

// Stats is how a Session does, by value.
type Stats struct {
	LevelIn  float64 // what is sent, dBFS; Silence while muted or held
	LevelOut float64 // what is heard, dBFS

	TalkingMuted bool // somebody speaks into the microphone while muted; nothing of it is sent

	PlayoutMilliseconds float64 // sound waiting between arrival and loudspeaker
	TargetMilliseconds  float64 // what the playout buffer aims at for the network as it is
	JitterMilliseconds  float64 // RFC 3550, section 6.4.1
	ConcealedRatio      float64 // share of what was played that was made up, whole call
	Loss                float64 // share of the last second's packets that the network lost
	Missing             float64 // share of the last second's sound that did not come in time, copies and all
	RecoveredRatio      float64 // share of what was played that only a copy brought in time, whole call
	Copies              int     // older frames in each packet that is sent
	FrameMilliseconds   int     // of the frames that are sent: 20 or 10

	FramesSent     uint64
	FramesSilent   uint64 // of those, silence because the source gave nothing in time
	FramesReceived uint64 // with copies
	FramesLate     uint64
	PeriodsLost    uint64 // 10 ms each, passed over
	FramesRefused  uint64 // packets of another layout, frames of another codec

	CaptureDropped uint64 // periods from the source that nobody was in time to send
}

// Session is the sound of one call: see engine.go for who does what when. Its
// methods may be called from any goroutine.
type Session struct {
	config SessionConfig

	captured *ring // source's thread -> capture loop

	mu     sync.Mutex // guards the following; never held for longer than one period takes to make
	buffer *jitter.Buffer
	meter  redundancy.Meter
	depth  redundancy.Depth
	steady redundancy.Steady
	pace   redundancy.Pace

	copies atomic.Int32  // depth's, for the capture loop
	report atomic.Uint64 // meter's, as bits of a float64, for the capture loop

	steadyHere atomic.Bool // steady's, for the capture loop
	short      atomic.Bool // pace's or config.Frames', for Stats

	muted    atomic.Bool
	held     atomic.Bool
	deafened atomic.Bool
	talking  talking

	levelIn, levelOut meter
	sent              atomic.Uint64
	silent            atomic.Uint64
	refused           atomic.Uint64
	overrun           atomic.Uint64 // periods passed over to catch up after a stall of the source

	played    [PeriodSamples]float32 // what the sink took since the last whole period; the sink's thread owns it
	playedLen int

	heard     chan time.Time
	heardOnce atomic.Bool

	stateMu sync.Mutex // guards the following
	started bool
	closed  bool

	stop  chan struct{}
	loops sync.WaitGroup
	gone  chan struct{} // closed when Close has done its work
}

// NewSession returns a Session that has not begun: nothing is captured or sent.
func NewSession(config SessionConfig) (*Session, error) {
	if config.Source == nil || config.Sink == nil || config.Encoder == nil || config.Decoder == nil || config.Send == nil {
		return nil, errors.New("a session needs a source, a sink, an encoder, a decoder and somewhere to send to")
	}
	for _, samples := range []int{FrameSamples, PeriodSamples} {
		if size := config.Encoder.PayloadSize(samples); size < 1 || size > MaxPayload {
			return nil, fmt.Errorf("payloads of %d bytes are beyond the %d a frame may have", size, MaxPayload)
		}
	}
	s := &Session{
		config:   config,
		captured: newRing(captureRoom),
		buffer:   jitter.New(config.Decoder),
		heard:    make(chan time.Time, 1),
		stop:     make(chan struct{}),
		gone:     make(chan struct{}),
	}
	s.copies.Store(redundancy.Default)
	s.levelIn.reset()
	s.levelOut.reset()
	return s, nil
}

// Start opens the ear, then the mouth. From here on a frame is sent whenever its time has come,
// silence until the source gives sound. After an error the Session is closed.
func (s *Session) Start() error {
	s.stateMu.Lock()
	if s.started || s.closed {
		s.stateMu.Unlock()
		return errors.New("this session was started or closed before")
	}
	s.started = true
	s.loops.Go(s.captureLoop)
	if s.config.Voice != nil {
		s.config.Voice.Start(s.enqueue)
	}
	s.stateMu.Unlock()

	err := s.config.Sink.Start(s.fill)
	if err == nil {
		err = s.config.Source.Start(s.deliver)
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// Receive takes a packet's payload from the network: its counter, one more than that
// of the packet sent before it, and when it came. The payload is copied.
func (s *Session) Receive(counter uint32, payload []byte, at time.Time) {
	packet, err := redundancy.Parse(payload)
	if err != nil {
		s.refused.Add(1)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meter.Arrived(counter, at)
	s.depth.Reported(packet.Report.Loss, at)
	s.pace.Reported(packet.Report.Steady, at)
	s.report.Store(math.Float64bits(s.meter.Report()))
	s.copies.Store(int32(s.depth.Value()))
	for age := range packet.Depth + 1 {
		position, frame := packet.Frame(age)
		if s.buffer.Put(jitter.Frame{Position: position, Periods: packet.Periods, Behind: age, Payload: frame}, at) == jitter.Refused {
			s.refused.Add(1)
		}
	}
	s.judge(at)
}

// SetMuted sends silence in place of the source: frames of the same size at the
// same instants.
func (s *Session) SetMuted(muted bool) { s.muted.Store(muted) }

// SetHeld is SetMuted for a call on hold, whose other side is not heard either.
func (s *Session) SetHeld(held bool) { s.held.Store(held) }

// SetDeafened plays nothing of the other side; what is sent goes on unchanged.
func (s *Session) SetDeafened(deafened bool) { s.deafened.Store(deafened) }

// Heard gives, once, the instant at which the sink took the first period that
// held sound from the other side (not concealed, though perhaps silent).
func (s *Session) Heard() <-chan time.Time { return s.heard }

// Stats returns the figures as they stand. It may be called often.
func (s *Session) Stats() Stats {
	now := time.Now()
	s.mu.Lock()
	b, loss := s.buffer.Stats(), s.meter.Loss(now)
	s.mu.Unlock()
	milliFrame := int(FrameDuration / time.Millisecond)
	if s.short.Load() {
		milliFrame = int(PeriodDuration / time.Millisecond)
	}
	out := Stats{
		LevelIn: s.levelIn.value(), LevelOut: s.levelOut.value(), TalkingMuted: s.talking.now.Load(),
		TargetMilliseconds: milliseconds(b.Target), JitterMilliseconds: milliseconds(b.Jitter),
		Loss: loss, Missing: b.RecentLoss, Copies: int(s.copies.Load()), FrameMilliseconds: milliFrame,
		FramesSent: s.sent.Load(), FramesSilent: s.silent.Load(),
		FramesReceived: b.Received, FramesLate: b.Late, PeriodsLost: b.Lost,
		FramesRefused:  s.refused.Load() + b.Undecoded,
		CaptureDropped: s.captured.lost() + s.overrun.Load(),
	}
	if b.PlayedSamples > 0 {
		played := float64(b.PlayedSamples)
		out.PlayoutMilliseconds = milliseconds(b.Delay)
		out.ConcealedRatio = min(1, float64(b.ConcealedSamples)/played)
		out.RecoveredRatio = min(1, float64(b.Recovered)*PeriodSamples/played)
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Close ends the sound, closes source and sink and waits for everything the
// Session started. It may be called more than once; every call waits.
func (s *Session) Close() error {
	s.stateMu.Lock()
	if s.closed {
		s.stateMu.Unlock()
		<-s.gone
		return nil
	}
	s.closed = true
	s.stateMu.Unlock()
	defer close(s.gone)
	err := errors.Join(s.config.Source.Close(), s.config.Sink.Close())
	if s.config.Voice != nil {
		err = errors.Join(err, s.config.Voice.Close())
	}
	close(s.stop)
	s.loops.Wait()
	return err
}

// meter is a level that rises at once and falls slowly, so that a reader who
// looks ten times a second misses no syllable. One loop writes, anyone reads.
type meter struct{ bits atomic.Uint64 }

// meterFall is how far a level falls in one period, in dB: 60 dB a second.
const meterFall = 0.6

func (m *meter) reset()         { m.bits.Store(math.Float64bits(Silence)) }
func (m *meter) value() float64 { return math.Float64frombits(m.bits.Load()) }

func (m *meter) update(level, fall float64) {
	m.bits.Store(math.Float64bits(max(level, m.value()-fall, Silence)))
}
