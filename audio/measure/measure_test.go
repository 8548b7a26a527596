package measure

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
	"time"
)

func TestFourierIsTheTransform(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	x := make([]complex128, 64)
	for i := range x {
		x[i] = complex(random.NormFloat64(), random.NormFloat64())
	}
	y := append([]complex128(nil), x...)
	fft := newFourier(len(x))
	fft.transform(y)
	for k := range y {
		var want complex128
		for i := range x {
			want += x[i] * cmplx.Rect(1, -2*math.Pi*float64(i*k)/64)
		}
		if cmplx.Abs(y[k]-want) > 1e-9 {
			t.Fatalf("bin %d is %v, not %v", k, y[k], want)
		}
	}
	fft.inverse(y)
	for i := range y {
		if cmplx.Abs(y[i]/64-x[i]) > 1e-12 {
			t.Fatalf("back again, sample %d is %v, not %v", i, y[i]/64, x[i])
		}
	}
}

func TestDelayIsFound(t *testing.T) {
	sound, rate := sentence(t)
	for _, delay := range []time.Duration{0, time.Millisecond, 47 * time.Millisecond, 480 * time.Millisecond} {
		shift := int(delay * time.Duration(rate) / time.Second)
		heard := append(make([]float32, shift), sound...)
		heard = mixed(heard, noiseLike(heard, 5), 1)
		got, alike := Delay(sound, heard, rate, time.Second)
		if got != delay || alike < 0.8 {
			t.Errorf("found %v (alike %.2f), not %v", got, alike, delay)
		}
		if aligned := Align(sound, heard, rate, got); len(aligned) != len(sound) || aligned[100] != heard[100+shift] {
			t.Errorf("%v is not aligned", delay)
		}
	}
	if _, alike := Delay(sound, noiseLike(sound, 0), rate, time.Second); alike > 0.1 {
		t.Errorf("noise is like a sentence: %.2f", alike)
	}
	if delay, alike := Delay(sound, make([]float32, 100), rate, time.Second); delay != 0 || alike != 0 {
		t.Errorf("silence is late by %v (alike %.2f)", delay, alike)
	}
}

func TestClicksAreCounted(t *testing.T) {
	speech, rate := sentence(t)
	var at48 []float32
	for _, x := range resample(widen(speech), rate, 48000) {
		at48 = append(at48, float32(x))
	}
	tone := make([]float32, 3*48000)
	for i := range tone {
		tone[i] = float32(0.3 * math.Sin(2*math.Pi*440*float64(i)/48000))
	}
	for name, sound := range map[string][]float32{"speech": at48, "a tone": tone} {
		if found := Clicks(sound, 48000); len(found) != 0 {
			t.Errorf("%s clicks at %v", name, found)
		}
		// A gap of 5 ms each 200 ms, as a missed period would leave: two edges where it is loud.
		broken := append([]float32(nil), sound...)
		loud := 0
		for at := 20000; at+240 < len(broken); at += 9600 {
			if energyOf(broken[at:at+240]) > 240*0.05*0.05 {
				loud++
			}
			clear(broken[at : at+240])
		}
		if found := len(Clicks(broken, 48000)); found < loud || loud < 4 {
			t.Errorf("%s: %d loud gaps, %d clicks", name, loud, found)
		}
	}
}
