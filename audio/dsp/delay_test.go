package dsp

import (
	"math"
	"testing"

	"sotto/audio"
)

// opinions is what the search says in each period, in ms.
func opinions(far, mic []float32) (said []float64) {
	d := newDelay()
	for at := 0; at+audio.PeriodSamples <= len(far); at += audio.PeriodSamples {
		found := d.hear(far[at:at+audio.PeriodSamples], mic[at:at+audio.PeriodSamples])
		said = append(said, float64(found)/48)
	}
	return said
}

func TestDelayIsFound(t *testing.T) {
	arithmetic(t)
	for seed, late := range []float64{5, 80, 300, 500, 700} {
		far := babble(4, uint64(seed)+30)
		mic := convolve(far, room(0.25, -20, uint64(seed)), int(late*48))
		noiseFloor(mic, 1e-4)
		first := -1
		for period, ms := range opinions(far, mic) {
			if ms < 0 {
				continue
			}
			if first < 0 {
				first = period
			}
			if ms < late-40 || ms > late+12 {
				t.Errorf("an echo %v ms late is said to be %.1f ms late, in period %d", late, ms, period)
			}
		}
		if first < 0 || float64(first) > late/10+150 {
			t.Errorf("an echo %v ms late is found in period %d", late, first)
		}
	}
}

func TestDelayIsNotFoundWhereNoEchoIs(t *testing.T) {
	arithmetic(t)
	for seed := range uint64(5) {
		far, near := babble(10, seed+40), babble(10, seed+50)
		for period, ms := range opinions(far, near) {
			if ms >= 0 {
				t.Errorf("two speakers %d: an echo %.1f ms late was found in period %d", seed, ms, period)
				break
			}
		}
	}
}

func TestDelayOutlivesNonsense(t *testing.T) {
	arithmetic(t)
	far := babble(5, 60)
	mic := convolve(far, room(0.25, -3, 61), 200*48)
	noiseFloor(mic, 1e-4)
	mic[2*48000] = float32(math.NaN())
	far[2*48000+7000] = float32(math.Inf(1))
	said := opinions(far, mic)
	if ms := said[len(said)-6:]; max(ms[0], ms[1], ms[2], ms[3], ms[4], ms[5]) < 150 {
		t.Errorf("three seconds after nonsense the echo is at %.1f ms, want 200", ms)
	}
}
