package fake

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
)

// listen starts source in virtual time, collects for a while and closes it.
func listen(t *testing.T, source audio.Source, length time.Duration) (sound []float32, times []time.Time) {
	t.Helper()
	if err := source.Start(func(period []float32) {
		if len(period) != audio.PeriodSamples {
			t.Errorf("a period of %d samples", len(period))
		}
		sound = append(sound, period...)
		times = append(times, time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(length + time.Millisecond)
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	return sound, times
}

// pitch counts upward zero crossings.
func pitch(sound []float32) float64 {
	crossings := 0
	for i := 1; i < len(sound); i++ {
		if sound[i-1] < 0 && sound[i] >= 0 {
			crossings++
		}
	}
	return float64(crossings) * audio.SampleRate / float64(len(sound))
}

func TestToneAndNullKeepTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source, err := NewTone(1000)
		if err != nil {
			t.Fatal(err)
		}
		sound, times := listen(t, source, 10*time.Second)
		if len(sound) != 10*audio.SampleRate {
			t.Errorf("10 s have %d samples", len(sound))
		}
		for i := 1; i < len(times); i++ {
			if times[i].Sub(times[i-1]) != audio.PeriodDuration {
				t.Fatalf("period %d follows after %v", i, times[i].Sub(times[i-1]))
			}
		}
		if got := pitch(sound); math.Abs(got-1000) > 1 {
			t.Errorf("a tone of 1000 Hz has %.1f", got)
		}
		if got := audio.Level(sound); math.Abs(got+15) > 0.1 {
			t.Errorf("its level is %.1f dBFS", got)
		}
		if sound, _ := listen(t, NewNullSource(), time.Second); audio.Level(sound) != audio.Silence || len(sound) != audio.SampleRate {
			t.Error("null is not a second of silence")
		}
	})
}

func TestTonesThatCannotBeHeard(t *testing.T) {
	for _, hertz := range []float64{0, -5, 19, 20001, math.NaN(), math.Inf(1)} {
		if _, err := NewTone(hertz); err == nil {
			t.Errorf("made a tone of %v Hz", hertz)
		}
	}
}

func TestAStallIsNotMadeUpForInOneBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := NewNullSource()
		var times []time.Time
		if err := source.Start(func([]float32) {
			times = append(times, time.Now())
			if len(times) == 100 {
				time.Sleep(2 * time.Second) // whoever takes the sound stands still
			}
			if len(times) == 300 {
				time.Sleep(35 * time.Millisecond) // a hiccup
			}
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Second + time.Millisecond)
		_ = source.Close()
		burst := 0
		for i := 101; i < 300; i++ {
			if times[i].Equal(times[i-1]) {
				burst++
			}
		}
		if burst == 0 || burst > 6 {
			t.Errorf("%d periods at once after a stall", burst)
		}
		// Nothing is missing but the stall, less what was made up for; the hiccup cost nothing.
		if want := 1000 - 200 + burst; len(times) < want-2 || len(times) > want+1 {
			t.Errorf("%d periods in 10 s with a stall of 2 s, about %d expected", len(times), want)
		}
	})
}

func TestStartAndCloseMayComeInAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, again := range []bool{false, true} {
			source, sink := NewNullSource(), NewNullSink()
			if again {
				if source.Start(func([]float32) {}) != nil || sink.Start(func([]float32) {}) != nil {
					t.Fatal("cannot start")
				}
				if source.Start(func([]float32) {}) == nil || sink.Start(func([]float32) {}) == nil {
					t.Error("started twice")
				}
			}
			for range 2 {
				if source.Close() != nil || sink.Close() != nil {
					t.Error("cannot close")
				}
			}
			if source.Start(func([]float32) {}) == nil || sink.Start(func([]float32) {}) == nil {
				t.Error("started after Close")
			}
		}
	})
}

func TestProbeMeasuresAKnownDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const periods = 7
		probe := NewProbe()
		var way [][]float32 // owned by the test while both run in step: see the channel
		turn := make(chan struct{}, 1)
		turn <- struct{}{}
		if err := probe.Sink().Start(func(period []float32) {
			<-turn
			clear(period)
			if len(way) > periods {
				copy(period, way[0])
				way = way[1:]
			}
			turn <- struct{}{}
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(audio.PeriodDuration / 2) // the sink asks half a period before the source gives
		if err := probe.Source().Start(func(period []float32) {
			<-turn
			way = append(way, append([]float32(nil), period...))
			turn <- struct{}{}
		}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		_ = probe.Source().Close()
		_ = probe.Sink().Close()
		// Spoken over one period, waits for seven more and until the sink asks.
		want := audio.PeriodDuration*(periods+1) + audio.PeriodDuration/2
		got, ok := probe.Median()
		if !ok || len(probe.Delays()) < 12 || (got-want).Abs() > time.Millisecond {
			t.Errorf("a way of %v measures %v (%v)", want, got, probe.Delays())
		}
	})
}

func TestProbeHearsNothingInSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		probe := NewProbe()
		_ = probe.Source().Start(func([]float32) {})
		_ = probe.Sink().Start(func(period []float32) { clear(period) })
		time.Sleep(5 * time.Second)
		_ = probe.Source().Close()
		_ = probe.Sink().Close()
		if _, ok := probe.Median(); ok {
			t.Error("measured silence")
		}
	})
}
