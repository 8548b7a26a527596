package audio_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/fake"
	"sotto/audio/redundancy"
)

// wire is what lies between two sessions: what it was given to carry.
type wire struct {
	mu      sync.Mutex // guards the following
	to      *audio.Session
	sizes   map[int]int // payload size -> frames
	times   []time.Time
	lengths []int // samples
	count   uint32
	lose    func(counter uint32) bool
	look    func(payload []byte)
	carry   func(deliver func()) // nil: at once
}

func (w *wire) send(payload []byte, samples int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.sizes == nil {
		w.sizes = map[int]int{}
	}
	w.sizes[len(payload)]++
	w.times, w.lengths = append(w.times, time.Now()), append(w.lengths, samples)
	if w.look != nil {
		w.look(payload)
	}
	if w.to != nil && (w.lose == nil || !w.lose(w.count)) {
		if w.carry == nil {
			w.to.Receive(w.count, payload, time.Now())
		} else {
			counter, kept := w.count, slices.Clone(payload)
			w.carry(func() { w.to.Receive(counter, kept, time.Now()) })
		}
	}
	w.count++
}

func newSession(t testing.TB, source audio.Source, sink audio.Sink, w *wire) *audio.Session {
	t.Helper()
	return newFramedSession(t, source, sink, w, audio.LongFrames)
}

// newFramedSession is newSession towards somebody who takes short frames.
func newFramedSession(t testing.TB, source audio.Source, sink audio.Sink, w *wire, frames audio.Frames) *audio.Session {
	t.Helper()
	encoder, err := codec.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := codec.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	s, err := audio.NewSession(audio.SessionConfig{Source: source, Sink: sink, Encoder: encoder, Decoder: decoder, Send: w.send, PeerShort: true, Frames: frames})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// talk runs a session that speaks from source to one that plays into sink.
func talk(t testing.TB, source audio.Source, sink audio.Sink) (speaker, listener *audio.Session, w *wire) {
	t.Helper()
	w = &wire{}
	speaker = newSession(t, source, fake.NewNullSink(), w)
	listener = newSession(t, fake.NewNullSource(), sink, &wire{})
	w.to = listener
	for _, s := range []*audio.Session{listener, speaker} {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	return speaker, listener, w
}

func hangUp(t testing.TB, sessions ...*audio.Session) {
	t.Helper()
	for _, s := range sessions {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func tone(t testing.TB) audio.Source {
	t.Helper()
	source, err := fake.NewTone(fake.DefaultTone)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func TestSoundArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := fake.NewProbe()
		speaker, listener, w := talk(t, probe.Source(), probe.Sink())
		time.Sleep(10 * time.Second)
		in, out := speaker.Stats(), listener.Stats()
		hangUp(t, speaker, listener)

		select {
		case <-listener.Heard():
		default:
			t.Error("nothing was heard")
		}
		if len(w.sizes) != 1 || w.sizes[redundancy.Size(codec.PayloadSize, redundancy.Default)] < 495 {
			t.Errorf("10 s of sound are frames of these sizes: %v", w.sizes)
		}
		if out.Loss != 0 || out.ConcealedRatio > 0.01 || out.FramesLate != 0 {
			t.Errorf("over a perfect wire: %+v", out)
		}
		if in.FramesSilent != 0 || in.CaptureDropped != 0 {
			t.Errorf("with a perfect source: %+v", in)
		}
		delay, ok := probe.Median()
		if !ok || delay < 20*time.Millisecond || delay > 50*time.Millisecond {
			t.Errorf("mouth to ear %v (%v), of %v", delay, ok, probe.Delays())
		}
	})
}

func TestMuteAndHoldLookTheSameOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker, listener, w := talk(t, tone(t), fake.NewNullSink())
		levels := map[string][2]float64{}
		for _, change := range []struct {
			name string
			do   func()
		}{
			{"talking", func() {}},
			{"muted", func() { speaker.SetMuted(true) }},
			{"muted and held", func() { speaker.SetHeld(true) }},
			{"held", func() { speaker.SetMuted(false) }},
			{"talking again", func() { speaker.SetHeld(false) }},
		} {
			change.do()
			time.Sleep(3 * time.Second)
			levels[change.name] = [2]float64{speaker.Stats().LevelIn, listener.Stats().LevelOut}
		}
		hangUp(t, speaker, listener)
		for name, level := range levels {
			silent := name == "muted" || name == "held" || name == "muted and held"
			if (level[0] == audio.Silence) != silent || (level[1] < -80) != silent {
				t.Errorf("%s: sends at %.1f dBFS and is heard at %.1f", name, level[0], level[1])
			}
		}
		if len(w.sizes) != 1 {
			t.Errorf("payload sizes %v", w.sizes)
		}
		for i := 1; i < len(w.times); i++ {
			if gap := w.times[i].Sub(w.times[i-1]); gap != audio.FrameDuration {
				t.Errorf("frame %d follows after %v", i, gap)
			}
		}
	})
}

func TestLossIsMadeUpForAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker, listener, w := talk(t, tone(t), fake.NewNullSink())
		w.mu.Lock()
		w.lose = func(counter uint32) bool { return counter%10 == 7 }
		w.mu.Unlock()
		time.Sleep(20 * time.Second)
		stats := listener.Stats()
		if stats.Loss < 0.08 || stats.Loss > 0.12 || stats.RecoveredRatio < 0.09 || stats.RecoveredRatio > 0.11 {
			t.Errorf("with every tenth packet lost: %+v", stats)
		}
		if stats.Missing > 0 || stats.ConcealedRatio > 0.002 {
			t.Errorf("with every tenth packet lost sound is missing: %+v", stats)
		}
		w.mu.Lock()
		w.lose = func(counter uint32) bool { return counter%10 < 6 }
		w.mu.Unlock()
		time.Sleep(20 * time.Second)
		stats = listener.Stats()
		hangUp(t, speaker, listener)
		if stats.Loss < 0.55 || stats.Loss > 0.65 || stats.Missing < 0.2 || stats.Missing > 0.5 || stats.ConcealedRatio < 0.1 {
			t.Errorf("with six of ten packets lost: %+v", stats)
		}
		if stats.LevelOut < -25 {
			t.Errorf("a tone of -15 dBFS is heard at %.1f", stats.LevelOut)
		}
	})
}

// blank is a codec that costs nothing.
type blank struct{}

func (blank) PayloadSize(samples int) int { return samples / 96 }
func (blank) Conceal(pcm []float32) error { clear(pcm); return nil }

func (blank) Encode(frame []float32, _ []byte) (int, error) { return len(frame) / 96, nil }

func (blank) Decode(payload []byte, frame []float32) error {
	if len(payload) != len(frame)/96 {
		return errors.New("a frame of another length")
	}
	clear(frame)
	return nil
}

func cheapSession(t *testing.T, w *wire) *audio.Session {
	t.Helper()
	return choosingSession(t, w, fake.NewNullSource(), audio.LongFrames, false)
}

func choosingSession(t *testing.T, w *wire, source audio.Source, frames audio.Frames, peerShort bool) *audio.Session {
	t.Helper()
	s, err := audio.NewSession(audio.SessionConfig{
		Source: source, Sink: fake.NewNullSink(), Encoder: blank{}, Decoder: blank{}, Send: w.send,
		Frames: frames, PeerShort: peerShort,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestReportedLossMovesTheSizeOnceAndBack: nothing else does.
func TestReportedLossMovesTheSizeOnceAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		there, back := &wire{}, &wire{}
		speaker, listener := cheapSession(t, there), cheapSession(t, back)
		there.to, back.to = listener, speaker
		for _, s := range []*audio.Session{listener, speaker} {
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			lose   uint32 // of ten
			copies int
			during time.Duration
		}{{3, redundancy.Default, 8 * time.Second}, {6, redundancy.Most, 8 * time.Second}, {0, redundancy.Default, 40 * time.Second}} {
			there.mu.Lock()
			there.lose = func(counter uint32) bool { return counter%10 < step.lose }
			there.mu.Unlock()
			time.Sleep(step.during)
			if got := speaker.Stats().Copies; got != step.copies {
				t.Errorf("with %d of 10 lost, %d copies are sent", step.lose, got)
			}
			if got := listener.Stats().Copies; got != redundancy.Default {
				t.Errorf("with %d of 10 lost the other way, %d copies are sent", step.lose, got)
			}
		}
		hangUp(t, speaker, listener)
		if len(there.sizes) != 2 || len(back.sizes) != 1 {
			t.Errorf("sizes there %v, back %v", there.sizes, back.sizes)
		}
		for i := 1; i < len(there.times); i++ {
			if gap := there.times[i].Sub(there.times[i-1]); gap != audio.FrameDuration {
				t.Errorf("packet %d follows after %v", i, gap)
			}
		}
	})
}

func TestHalfASessionIsNone(t *testing.T) {
	if _, err := audio.NewSession(audio.SessionConfig{Source: fake.NewNullSource()}); err == nil {
		t.Error("made a session without a sink")
	}
}
