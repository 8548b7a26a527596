package audio

import (
	"encoding/binary"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio/redundancy"
)

// plain is a codec that sends a frame's first sample and plays it back.
type plain struct{}

const plainSize = 8

func (plain) PayloadSize(int) int { return plainSize }

func (plain) Encode(frame []float32, payload []byte) (int, error) {
	binary.BigEndian.PutUint32(payload, math.Float32bits(frame[0]))
	return plainSize, nil
}

func (plain) Decode(payload []byte, frame []float32) error {
	value := math.Float32frombits(binary.BigEndian.Uint32(payload))
	for i := range frame {
		frame[i] = value
	}
	return nil
}

func (plain) Conceal(pcm []float32) error {
	clear(pcm)
	return nil
}

// hand is a source and a sink that the test moves by hand.
type hand struct {
	deliver, fill func(period []float32)
	refuse        error
	closed        int
}

type (
	handSource struct{ *hand }
	handSink   struct{ *hand }
)

func (h *hand) Lost() <-chan error { return nil }
func (h *hand) Name() string       { return "hand" }

func (h *hand) Close() error {
	h.closed++
	return nil
}

func (h handSource) Start(deliver func(period []float32)) error {
	h.deliver = deliver
	return h.refuse
}

func (h handSink) Start(fill func(period []float32)) error {
	h.fill = fill
	return nil
}

func (h *hand) give(value float32, periods int) {
	period := make([]float32, PeriodSamples)
	for i := range period {
		period[i] = value
	}
	for range periods {
		h.deliver(period)
	}
}

// plainPacket is what a session whose every frame is value sends as number n.
func plainPacket(packer *redundancy.Packer, value float32) []byte {
	frame := make([]byte, plainSize)
	binary.BigEndian.PutUint32(frame, math.Float32bits(value))
	return packer.Pack(nil, frame, redundancy.Periods, redundancy.Default, redundancy.Report{})
}

func newPlainPacker() *redundancy.Packer { return redundancy.NewPacker(make([]byte, plainSize)) }

func (h *hand) hear() float32 {
	period := make([]float32, PeriodSamples)
	h.fill(period)
	return period[PeriodSamples-1]
}

// sentFrame is what left a session and when.
type sentFrame struct {
	value float32
	after time.Duration
}

// handled starts a session moved by hand; take returns what it sent since.
func handled(t *testing.T) (s *Session, h *hand, take func() []sentFrame) {
	t.Helper()
	h = &hand{}
	var mu sync.Mutex
	var sent []sentFrame
	began := time.Now()
	s, err := NewSession(SessionConfig{
		Source: handSource{h}, Sink: handSink{h}, Encoder: plain{}, Decoder: plain{},
		Send: func(payload []byte, _ int) {
			mu.Lock()
			defer mu.Unlock()
			packet, err := redundancy.Parse(payload)
			if err != nil {
				t.Error(err)
				return
			}
			_, frame := packet.Frame(0)
			sent = append(sent, sentFrame{math.Float32frombits(binary.BigEndian.Uint32(frame)), time.Since(began)})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	return s, h, func() []sentFrame {
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		taken := sent
		sent = nil
		return taken
	}
}

// speak gives sound in real time.
func speak(h *hand, value float32, length time.Duration) {
	for range int(length / PeriodDuration) {
		time.Sleep(PeriodDuration)
		h.give(value, 1)
		synctest.Wait()
	}
}

func checkSpacing(t *testing.T, frames []sentFrame) {
	t.Helper()
	for i := 1; i < len(frames); i++ {
		if gap := frames[i].after - frames[i-1].after; gap != FrameDuration {
			t.Errorf("frame %d follows after %v", i, gap)
		}
	}
}

func TestASourceThatNeverBeginsIsSilenceAtTheRightSpacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _, take := handled(t)
		time.Sleep(5*time.Second + time.Millisecond)
		frames := take()
		if len(frames) != 248 { // the first is captureSlack late
			t.Errorf("%d frames in 5 s", len(frames))
		}
		checkSpacing(t, frames)
		_ = s.Close()
	})
}

func TestADyingSourceShowsOnlyOnceOnTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, take := handled(t)
		speak(h, 1, time.Second)
		checkSpacing(t, take())
		time.Sleep(3*time.Second + time.Millisecond)
		frames := take()
		if len(frames) < 147 || len(frames) > 150 {
			t.Errorf("%d frames in 3 s without a source", len(frames))
		}
		checkSpacing(t, frames)
		for _, frame := range frames {
			if frame.value != 0 {
				t.Error("sent sound without a source")
			}
		}
		if stats := s.Stats(); stats.FramesSilent != uint64(len(frames)) {
			t.Errorf("counted %d silent frames of %d", stats.FramesSilent, len(frames))
		}
		speak(h, 2, time.Second) // it comes back
		frames = take()
		if heard := frames[len(frames)-1]; heard.value != 2 || len(frames) < 48 || len(frames) > 52 {
			t.Errorf("after it came back %d frames, the last %v", len(frames), heard)
		}
		_ = s.Close()
	})
}

func TestABurstAfterAStallIsNotSentTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, take := handled(t)
		speak(h, 1, time.Second)
		take()
		time.Sleep(200 * time.Millisecond)
		h.give(2, 20) // the stall's sound, all at once
		synctest.Wait()
		speak(h, 3, 2*time.Second)
		frames := take()
		if want := 110; len(frames) < want-3 || len(frames) > want+1 {
			t.Errorf("2.2 s have %d frames, not %d: the other side would lag", len(frames), want)
		}
		for i := 30; i < len(frames); i++ {
			if frames[i].value != 3 {
				t.Errorf("frame %d is %v", i, frames[i].value)
			}
		}
		if s.Stats().CaptureDropped == 0 {
			t.Error("nothing was counted as passed over")
		}
		_ = s.Close()
	})
}

func TestJitteryCallbacksLoseNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, take := handled(t)
		for range 100 { // 30 ms of sound every 30 ms
			time.Sleep(3 * PeriodDuration)
			h.give(1, 3)
			synctest.Wait()
		}
		if frames := take(); len(frames) != 150 {
			t.Errorf("3 s have %d frames", len(frames))
		}
		if stats := s.Stats(); stats.FramesSilent+stats.CaptureDropped != 0 {
			t.Errorf("%+v", stats)
		}
		_ = s.Close()
	})
}

func TestASinkThatAsksInBurstsGetsAsMuchAsItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := handled(t)
		packer := newPlainPacker()
		receive := func(from, to int) {
			for n := from; n < to; n++ {
				s.Receive(uint32(n), plainPacket(packer, 0.5), time.Now())
			}
		}
		gaps := 0
		for n := range 500 { // 30 ms at once, every 30 ms, for 15 s
			time.Sleep(3 * PeriodDuration)
			receive(n*3/2, (n+1)*3/2)
			synctest.Wait()
			for range 3 {
				if h.hear() == 0 && n > 100 {
					gaps++
				}
			}
			synctest.Wait()
		}
		if gaps > 0 {
			t.Errorf("%d gaps once it is used to the bursts", gaps)
		}
		if stats := s.Stats(); stats.PlayoutMilliseconds > 70 {
			t.Errorf("%+v", stats)
		}
		_ = s.Close()
	})
}

func TestHeardIsTheFirstRealPeriodThatTheSinkTook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := handled(t)
		for range 20 {
			time.Sleep(PeriodDuration)
			h.hear()
		}
		select {
		case at := <-s.Heard():
			t.Errorf("heard something at %v, before anything came", at)
		default:
		}
		var first time.Time
		packer := newPlainPacker()
		for n := range 50 {
			s.Receive(uint32(n), plainPacket(packer, 0.5), time.Now())
			for range 2 {
				time.Sleep(PeriodDuration)
				synctest.Wait()
				if h.hear() != 0 && first.IsZero() {
					first = time.Now()
				}
				synctest.Wait()
			}
		}
		if at := <-s.Heard(); !at.Equal(first) || first.IsZero() {
			t.Errorf("heard at %v, the sound began at %v", at, first)
		}
		_ = s.Close()
	})
}

func TestCloseWaitsAndClosesBothEndsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, h, _ := handled(t)
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() { _ = s.Close() })
		}
		callers.Wait()
		if h.closed != 2 {
			t.Errorf("source and sink were closed %d times", h.closed)
		}
		if s.Start() == nil {
			t.Error("started after it was closed")
		}
	}) // the bubble fails if a goroutine is left
}

func TestASourceThatDoesNotStartClosesTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &hand{refuse: errors.New("busy")}
		s, err := NewSession(SessionConfig{Source: handSource{h}, Sink: handSink{h}, Encoder: plain{}, Decoder: plain{}, Send: func([]byte, int) {}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); !errors.Is(err, h.refuse) || h.closed != 2 {
			t.Errorf("started with %v, closed %d", err, h.closed)
		}
	})
}

func TestTheLoopsDoNotAllocate(t *testing.T) {
	for _, frames := range []Frames{LongFrames, ShortFrames, AutoFrames} {
		h := &hand{}
		s, err := NewSession(SessionConfig{
			Source: handSource{h}, Sink: handSink{h}, Encoder: plain{}, Decoder: plain{}, Send: func([]byte, int) {},
			PeerShort: true, Frames: frames,
		})
		if err != nil {
			t.Fatal(err)
		}
		c := s.newCapture(time.Now())
		period, payload := make([]float32, PeriodSamples), plainPacket(newPlainPacker(), 0.5)
		now, n := time.Now(), uint32(0)
		if allocations := testing.AllocsPerRun(1000, func() {
			now = now.Add(FrameDuration)
			for range 2 {
				s.deliver(period)
				s.fill(period)
			}
			s.captureStep(c, now)
			if n++; n%10 != 0 {
				binary.BigEndian.PutUint32(payload[2:], n*redundancy.Periods)
				payload[0] = redundancy.Default | byte(n/400%2)<<3 // steady now and then
				s.Receive(n, payload, now)
			}
			s.Stats()
		}); allocations != 0 {
			t.Errorf("%v allocations a frame", allocations)
		}
		if s.Stats().FramesSent < 900 {
			t.Error("the loops did not run")
		}
	}
}

func TestRingDropsItsOldest(t *testing.T) {
	r := newRing(4)
	period := make([]float32, PeriodSamples)
	for n := range 7 {
		period[0] = float32(n)
		r.push(period, time.Now())
	}
	frame := make([]float32, FrameSamples)
	for _, want := range []float32{3, 5} {
		if !r.pop(frame) || frame[0] != want || frame[PeriodSamples] != want+1 {
			t.Errorf("%v and %v came out, not %v", frame[0], frame[PeriodSamples], want)
		}
	}
	if r.pop(frame) {
		t.Error("gave more than it had")
	}
	if r.lost() != 3 {
		t.Errorf("%d were lost", r.lost())
	}
}

func TestLevel(t *testing.T) {
	sine, square := make([]float32, 4800), make([]float32, 4800)
	for i := range sine {
		sine[i], square[i] = float32(math.Sin(2*math.Pi*float64(i)/48)), 1
	}
	for _, c := range []struct {
		samples []float32
		want    float64
	}{{nil, Silence}, {make([]float32, 10), Silence}, {square, 0}, {sine, -3.01}, {[]float32{1e-9}, Silence}, {[]float32{float32(math.NaN())}, Silence}} {
		if got := Level(c.samples); math.Abs(got-c.want) > 0.01 {
			t.Errorf("level %.2f, not %.2f", got, c.want)
		}
	}
}
