package world

import (
	"math/rand/v2"
	"testing"
	"time"

	"sotto/audio"
)

const (
	after = 70                      // periods
	last  = audio.PeriodSamples - 1 // sample of a period, which is as it was also where sound begins
)

// TestTheMirrorSaysAllItHearsInOrder, though its ear and its mouth do not take turns evenly.
func TestTheMirrorSaysAllItHearsInOrder(t *testing.T) {
	m := newMirror(after * audio.PeriodDuration)
	random := rand.New(rand.NewPCG(1, 2))
	var period, said [audio.PeriodSamples]float32
	before := float32(0)
	heard, spoken := 0, 0
	for spoken < 2000 {
		// either may be up to five periods ahead of the other, as after a stall
		if lead := heard - spoken; lead < 5 && (lead <= -5 || random.IntN(2) == 0) {
			heard++
			period[last] = float32(heard)
			m.hear(period[:])
			continue
		}
		m.say(&said)
		if spoken++; said[last] != before && said[last] != before+1 || before > 0 && said[last] == before {
			t.Fatalf("after %v it says %v", before, said[last])
		}
		before = said[last]
	}
	if kept := time.Duration(heard-int(before)) * audio.PeriodDuration; kept < (after-10)*audio.PeriodDuration || kept > (after+10)*audio.PeriodDuration {
		t.Errorf("it keeps what it hears for %v", kept)
	}
}

func TestAMirrorWhoseMouthStoodStillGoesOn(t *testing.T) {
	m := newMirror(after * audio.PeriodDuration)
	var period, said [audio.PeriodSamples]float32
	for n := range 1000 { // nobody asks meanwhile
		for i := range period {
			period[i] = float32(n)
		}
		m.hear(period[:])
	}
	if m.say(&said); said[last] != 1000-after {
		t.Errorf("it goes on with period %v", said[last])
	}
	if said[0] > (1000-after)/100 {
		t.Errorf("it goes on at once, from nothing to %v", said[0])
	}
}

// TestAMirrorWhoseEarStoodStillIsSilent, says nothing twice, and goes on in order and as
// late as before. A level that never changes shows each click.
func TestAMirrorWhoseEarStoodStillIsSilent(t *testing.T) {
	m := newMirror(after * audio.PeriodDuration)
	var period, said [audio.PeriodSamples]float32
	const steepest = 2. / audio.PeriodSamples
	heard, whole, at := 0, 0, float32(0) // whole: periods that were said as they were
	pass := func(periods int, hears bool) {
		for range periods {
			if hears {
				for i := range period {
					period[i] = 1
				}
				heard++
				m.hear(period[:])
			}
			m.say(&said)
			if said[0] == 1 && said[last] == 1 {
				whole++
			}
			for _, sample := range said {
				if step := sample - at; step > steepest || step < -steepest {
					t.Fatalf("after %d periods heard and %d said it steps from %v to %v", heard, whole, at, sample)
				}
				at = sample
			}
		}
	}
	pass(300, true)
	if want := 300 - after; whole != want { // the first one begins softly; the period heard last is said after as many
		t.Errorf("of 300 periods %d are said whole, not %d", whole, want)
	}
	before := whole
	pass(1000, false)
	if want := after - 2; whole-before != want || at != 0 { // and one that ends softly
		t.Errorf("with its ear still it says %d periods, not %d, and ends with %v", whole-before, want, at)
	}
	before = whole
	pass(300, true)
	if want := 300 - after; whole-before != want || m.heard-m.said != after-1 {
		t.Errorf("afterwards %d of 300 are said, not %d, and %d wait", whole-before, want, m.heard-m.said)
	}
}
