package audio

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"sotto/audio/jitter"
)

// SessionConfig says between what a Session runs. Everything in it is the
// Session's own from NewSession on; Close closes Source, Sink and Voice.
type SessionConfig struct {
	Source  Source
	Sink    Sink
	Encoder Encoder
	Decoder Decoder
	// Send takes an encoded frame, Encoder.PayloadSize bytes, every 20 ms. It is
	// called on the capture loop; the slice is the loop's again when it returns.
	// While it blocks nothing is sent, and what is heard meanwhile is lost.
	Send func(payload []byte)
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
	Played(period []float32) // what the sink has just taken, silence too
	Close() error            // waits; may be called more than once, also without Start
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
	Loss                float64 // share of the last second's frames that did not come in time

	FramesSent     uint64
	FramesSilent   uint64 // of those, silence because the source gave nothing in time
	FramesReceived uint64
	FramesLate     uint64
	FramesLost     uint64
	FramesRefused  uint64 // empty, too long, or no frame of this codec

	CaptureDropped uint64 // periods from the source that nobody was in time to send
	Underruns      uint64 // periods the sink asked for that were not ready
}

// Session is the sound of one call: see engine.go for who does what when. Its
// methods may be called from any goroutine.
type Session struct {
	config SessionConfig

	captured *ring // source's thread -> capture loop
	ready    *ring // playout loop -> sink's thread

	mu     sync.Mutex // guards buffer
	buffer *jitter.Buffer

	muted    atomic.Bool
	held     atomic.Bool
	deafened atomic.Bool
	talking  talking

	levelIn, levelOut meter
	sent              atomic.Uint64
	silent            atomic.Uint64
	refused           atomic.Uint64
	overrun           atomic.Uint64 // periods passed over to catch up after a stall of the source

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
	if size := config.Encoder.PayloadSize(); size < 1 || size > MaxPayload {
		return nil, fmt.Errorf("payloads of %d bytes are beyond the %d a frame may have", size, MaxPayload)
	}
	s := &Session{
		config:   config,
		captured: newRing(captureRoom),
		ready:    newRing(playoutRoom),
		buffer:   jitter.New(config.Decoder),
		heard:    make(chan time.Time, 1),
		stop:     make(chan struct{}),
		gone:     make(chan struct{}),
	}
	s.levelIn.reset()
	s.levelOut.reset()
	return s, nil
}

// Start opens the ear, then the mouth. From here on a frame is sent every 20 ms,
// silence until the source gives sound. After an error the Session is closed.
func (s *Session) Start() error {
	s.stateMu.Lock()
	if s.started || s.closed {
		s.stateMu.Unlock()
		return errors.New("this session was started or closed before")
	}
	s.started = true
	s.loops.Go(s.captureLoop)
	s.loops.Go(s.playoutLoop)
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

// Receive takes a frame from the network: its counter, one more than that of the
// frame sent before it, and when it came. The payload is copied.
func (s *Session) Receive(counter uint32, payload []byte, at time.Time) {
	s.mu.Lock()
	outcome := s.buffer.Put(counter, payload, at)
	s.mu.Unlock()
	if outcome == jitter.Refused {
		s.refused.Add(1)
	}
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
	s.mu.Lock()
	b := s.buffer.Stats()
	s.mu.Unlock()
	waiting, _, starved := s.ready.figures()
	_, dropped, _ := s.captured.figures()
	out := Stats{
		LevelIn: s.levelIn.value(), LevelOut: s.levelOut.value(), TalkingMuted: s.talking.now.Load(),
		TargetMilliseconds: milliseconds(b.Target), JitterMilliseconds: milliseconds(b.Jitter),
		Loss:       b.RecentLoss,
		FramesSent: s.sent.Load(), FramesSilent: s.silent.Load(),
		FramesReceived: b.Received, FramesLate: b.Late, FramesLost: b.Lost,
		FramesRefused:  s.refused.Load() + b.Undecoded,
		CaptureDropped: dropped + s.overrun.Load(), Underruns: starved,
	}
	if b.PlayedSamples > 0 {
		out.PlayoutMilliseconds = milliseconds(b.Delay + time.Duration(waiting)*PeriodDuration)
		out.ConcealedRatio = min(1, float64(b.ConcealedSamples)/float64(b.PlayedSamples))
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

// meterFall is how far a level falls in one frame, in dB: 60 dB a second.
const meterFall = 1.2

func (m *meter) reset()         { m.bits.Store(math.Float64bits(Silence)) }
func (m *meter) value() float64 { return math.Float64frombits(m.bits.Load()) }

func (m *meter) update(level, fall float64) {
	m.bits.Store(math.Float64bits(max(level, m.value()-fall, Silence)))
}
