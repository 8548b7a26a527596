package audio_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/fake"
)

// halver is a Voice that halves what it hears, on a goroutine of its own.
type halver struct {
	in             chan []float32
	done           chan struct{}
	played, closed atomic.Int64
}

func (h *halver) Start(deliver func([]float32)) {
	go func() {
		defer close(h.done)
		for period := range h.in {
			for i := range period {
				period[i] /= 2
			}
			deliver(period)
		}
	}()
}

func (h *halver) Captured(period []float32) {
	h.in <- append([]float32(nil), period...)
}

func (h *halver) Played([]float32) { h.played.Add(1) }

func (h *halver) Close() error {
	if h.closed.Add(1) == 1 {
		close(h.in)
		<-h.done
	}
	return nil
}

func TestVoiceWorksBetweenSourceAndEncoder(t *testing.T) {
	level := func(voice audio.Voice) float64 {
		encoder, err := codec.NewEncoder()
		if err != nil {
			t.Fatal(err)
		}
		decoder, err := codec.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		s, err := audio.NewSession(audio.SessionConfig{
			Source: tone(t), Sink: fake.NewNullSink(), Encoder: encoder, Decoder: decoder,
			Send: func([]byte, int) {}, Voice: voice,
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second)
		level := s.Stats().LevelIn
		hangUp(t, s)
		return level
	}
	synctest.Test(t, func(t *testing.T) {
		plain := level(nil)
		h := &halver{in: make(chan []float32, 4), done: make(chan struct{})}
		halved := level(h)
		if drop := plain - halved; drop < 5.5 || drop > 6.5 {
			t.Errorf("halved sound is %.1f dB lower, want 6", drop)
		}
		if played := h.played.Load(); played < 150 {
			t.Errorf("Voice was told of %d played periods in two seconds, want about 200", played)
		}
		if h.closed.Load() == 0 {
			t.Error("the session was closed and its Voice was not")
		}
	})
}
