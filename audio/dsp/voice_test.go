package dsp

import (
	"testing"
	"time"

	"sotto/audio"
)

// collect starts a Voice that keeps what it delivers.
func collect(t *testing.T, config Config) (*Voice, chan []float32) {
	t.Helper()
	v, out := New(config), make(chan []float32, 1000)
	v.Start(func(period []float32) { out <- append([]float32(nil), period...) })
	t.Cleanup(func() { _ = v.Close() })
	return v, out
}

func next(t *testing.T, out chan []float32) []float32 {
	t.Helper()
	select {
	case period := <-out:
		return period
	case <-time.After(30 * time.Second):
		t.Fatal("a period was not delivered within 30 s")
		return nil
	}
}

func TestVoiceDeliversEachPeriodOnce(t *testing.T) {
	v, out := collect(t, Config{})
	for n := range 50 {
		period := make([]float32, audio.PeriodSamples)
		period[7] = float32(n) / 100
		v.Captured(period)
		if got := next(t, out); got[7] != period[7] {
			t.Fatalf("period %d came out with %v", n, got[7])
		}
	}
	if v.Passed() != 0 {
		t.Errorf("%d periods were passed over", v.Passed())
	}
}

func TestVoiceThatIsLatePassesThrough(t *testing.T) {
	v, entered, hold := New(Config{Echo: true}), make(chan struct{}, 100), make(chan struct{})
	v.Start(func([]float32) { entered <- struct{}{}; <-hold })
	defer v.Close()
	defer close(hold)
	period := make([]float32, audio.PeriodSamples)
	wait := func() {
		t.Helper()
		select {
		case <-entered:
		case <-time.After(30 * time.Second):
			t.Fatal("nothing is delivered")
		}
	}
	v.Captured(period)
	wait() // it is busy with the first
	for range capturedRoom {
		v.Captured(period)
	}
	for range capturedRoom {
		hold <- struct{}{}
		wait()
	}
	if got := v.Passed(); got < 2 || got >= capturedRoom {
		t.Errorf("of %d periods that waited %d were passed over: all but the last ones should be", capturedRoom, got)
	}
	hold <- struct{}{}
	before := v.Passed()
	v.Captured(period)
	wait()
	if v.Passed() != before {
		t.Error("a period was passed over when nothing was late any more")
	}
}

func TestVoiceClosesAtAnyTime(t *testing.T) {
	never := New(Config{Echo: true, Noise: true, Gain: true, HighPass: true})
	for range 2 {
		if err := never.Close(); err != nil {
			t.Errorf("closing a Voice that was not started: %v", err)
		}
	}
	v, out := collect(t, Config{Echo: true, Noise: true, Gain: true, HighPass: true})
	for range 100 {
		v.Captured(make([]float32, audio.PeriodSamples))
		v.Played(make([]float32, audio.PeriodSamples))
	}
	next(t, out)
	for range 2 {
		if err := v.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	}
	v.Captured(make([]float32, audio.PeriodSamples)) // a device's last callback may come late
}

func TestDelayIsWhatItSays(t *testing.T) {
	for _, config := range []Config{{}, {Echo: true}, {Noise: true}, {Echo: true, Noise: true}} {
		c := ready(config)
		x := babble(4, 3)
		out := append([]float32(nil), x...)
		for at := 0; at < len(out); at += audio.PeriodSamples {
			c.process(out[at:at+audio.PeriodSamples], false)
		}
		c.close()
		best, lag := 0.0, 0
		for d := range 1500 {
			var sum float64
			for i := 48000; i < 3*48000; i += 3 {
				sum += float64(x[i]) * float64(out[i+d])
			}
			if sum > best {
				best, lag = sum, d
			}
		}
		if want := config.Delay(); abs(lag-want) > 24 {
			t.Errorf("%+v delays by %d samples, and says %d", config, lag, want)
		}
	}
}
