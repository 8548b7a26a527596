package world

import (
	"math/rand/v2"
	"testing"
	"time"

	"sotto/audio"
)

// TestTheMirrorSaysAllItHearsInOrder, though its ear and its mouth do not take turns evenly.
func TestTheMirrorSaysAllItHearsInOrder(t *testing.T) {
	const after = 70
	m := newMirror(after * audio.PeriodDuration)
	random := rand.New(rand.NewPCG(1, 2))
	var period, said [audio.PeriodSamples]float32
	last := float32(0)
	heard, spoken := 0, 0
	for spoken < 2000 {
		// either may be up to five periods ahead of the other, as after a stall
		if lead := heard - spoken; lead < 5 && (lead <= -5 || random.IntN(2) == 0) {
			heard++
			period[0] = float32(heard)
			m.hear(period[:])
			continue
		}
		m.say(&said)
		if spoken++; said[0] != last && said[0] != last+1 || last > 0 && said[0] == last {
			t.Fatalf("after %v it says %v", last, said[0])
		}
		last = said[0]
	}
	if kept := time.Duration(heard-int(last)) * audio.PeriodDuration; kept < (after-10)*audio.PeriodDuration || kept > (after+10)*audio.PeriodDuration {
		t.Errorf("it keeps what it hears for %v", kept)
	}
}

func TestAMirrorThatStoodStillGoesOn(t *testing.T) {
	m := newMirror(70 * audio.PeriodDuration)
	var period, said [audio.PeriodSamples]float32
	for n := range 1000 { // nobody asks meanwhile
		period[0] = float32(n)
		m.hear(period[:])
	}
	if m.say(&said); said[0] != 930 {
		t.Errorf("it goes on with period %v", said[0])
	}
	for range 1000 {
		m.say(&said)
	}
	if m.hear(period[:]); m.heard-m.said > len(m.waiting) {
		t.Errorf("%d periods heard, %d said", m.heard, m.said)
	}
}
