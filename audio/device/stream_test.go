//go:build cgo && !noaudio

package device

import (
	"errors"
	"testing"
	"time"

	"github.com/gen2brain/malgo"

	"sotto/audio"
)

func TestCallbacksOfAnySizeBecomePeriods(t *testing.T) {
	sizes := []int{480, 480, 100, 900, 1, 479, 1440, 37, 443, 960, 17}
	total := 0
	for _, n := range sizes {
		total += n
	}
	s := newStream(Capture, "microphone", system{})
	next := float32(0)
	periods := 0
	at := 0
	for _, n := range sizes {
		samples := make([]float32, n)
		for i := range samples {
			samples[i] = float32(at)
			at++
		}
		s.capture(samples, func(period []float32) {
			if len(period) != audio.PeriodSamples {
				t.Fatalf("a period of %d samples", len(period))
			}
			for _, sample := range period {
				if sample != next {
					t.Fatalf("sample %v where %v follows", sample, next)
				}
				next++
			}
			periods++
		})
	}
	if periods != total/audio.PeriodSamples {
		t.Errorf("%d periods of %d samples", periods, total)
	}

	s = newStream(Playback, "speaker", system{})
	made, want := float32(0), float32(0)
	for _, n := range sizes {
		samples := make([]float32, n)
		s.play(samples, func(period []float32) {
			if len(period) > audio.PeriodSamples || len(period) > n {
				t.Fatalf("asked for %d samples of %d", len(period), n)
			}
			for i := range period {
				period[i] = made
				made++
			}
		})
		for _, sample := range samples {
			if sample != want {
				t.Fatalf("plays %v where %v follows", sample, want)
			}
			want++
		}
	}
}

func TestAServerThatHangsIsLeftBehind(t *testing.T) {
	release := make(chan struct{})
	undone := make(chan int)
	_, err := within(10*time.Millisecond, func() (int, error) {
		<-release
		return 7, nil
	}, func(n int) { undone <- n })
	if !errors.Is(err, audio.ErrHangs) {
		t.Errorf("came back with %v", err)
	}
	close(release)
	if got := <-undone; got != 7 {
		t.Errorf("undid %d", got)
	}
	if value, err := within(time.Minute, func() (int, error) { return 3, nil }, nil); value != 3 || err != nil {
		t.Errorf("%d, %v", value, err)
	}
}

func TestIDsAreTheBackendsOwn(t *testing.T) {
	id := func(raw string) (id malgo.DeviceID) {
		copy(id[:], raw)
		return id
	}
	for _, c := range []struct {
		backend malgo.Backend
		raw     string
		want    string
	}{
		{malgo.BackendPulseaudio, "a_mic\x00rest", "a_mic"},
		{malgo.BackendAlsa, ":0,3", "hw:0,3"},
		{malgo.BackendAlsa, "default", "default"},
		{malgo.BackendCoreaudio, "BuiltInMicrophoneDevice", "BuiltInMicrophoneDevice"},
		{malgo.BackendWasapi, "{\x000\x00.\x00\xe9\x00}\x00", "{0.é}"}, // UTF-16
		{malgo.BackendWinmm, "\x02", "02"},
	} {
		if got := idText(c.backend, id(c.raw)); got != c.want {
			t.Errorf("backend %d: %q is %q, not %q", c.backend, c.raw, got, c.want)
		}
	}
	for id, want := range map[string]bool{"default": false, "hw:0,0": false, "null": true, "surround51:CARD=0": true, "pulse": true} {
		if pseudo(id) != want {
			t.Errorf("pseudo(%q) is %v", id, !want)
		}
	}
}

func TestAWatchdogKnowsSlowFromDead(t *testing.T) {
	s := newStream(Capture, "microphone", system{})
	began := time.Unix(1000, 0)
	if s.dead(began, began.Add(2*time.Second)) {
		t.Error("a device that has two seconds to begin is dead")
	}
	if !s.dead(began, began.Add(4*time.Second)) {
		t.Error("a device that never began is alive")
	}
	s.last.Store(began.UnixNano())
	if s.dead(began, began.Add(900*time.Millisecond)) {
		t.Error("a null sink that asks once and then for 0.9 s for nothing is dead")
	}
	last := began.Add(10 * time.Second)
	s.last.Store(last.UnixNano())
	if s.dead(began, last.Add(250*time.Millisecond)) || !s.dead(began, last.Add(350*time.Millisecond)) {
		t.Error("death is not 300 ms without a callback")
	}
}

func TestALoudspeakerThatIsKeptWaitingHasAGap(t *testing.T) {
	for _, c := range []struct {
		backend malgo.Backend
		kind    string
		late    time.Duration // that the device bears
	}{
		{malgo.BackendPulseaudio, Playback, 11 * time.Millisecond},
		{malgo.BackendPulseaudio, Capture, 30 * time.Millisecond},
		{malgo.BackendAlsa, Playback, 30 * time.Millisecond},
	} {
		here := system{backend: c.backend}
		s := newStream(c.kind, "device", here)
		_, s.lasts = here.buffer(c.kind, audio.PeriodDuration)
		now := int64(time.Hour) // long after it began
		s.last.Store(now)
		now += int64(c.late)
		s.tick(now)
		if s.Gaps() != 0 {
			t.Errorf("%s of %v: a gap after %v", c.kind, c.backend, c.late)
		}
		now += int64(c.late + time.Millisecond)
		s.tick(now)
		if s.Gaps() != 1 {
			t.Errorf("%s of %v: %d gaps after %v more", c.kind, c.backend, s.Gaps(), c.late+time.Millisecond)
		}
	}
}
