package jitter

import (
	"math"
	"testing"
	"time"
)

// FuzzBuffer drives the buffer with any order of arrivals, pulls and pauses and
// holds it against a model that only knows what a playout buffer may never do.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{0, 1, 0, 1, 200, 200, 0, 1, 3, 200, 200, 5, 5, 200})
	f.Add([]byte{10, 9, 8, 7, 200, 200, 200, 200, 255, 10, 200, 150, 200})
	f.Fuzz(func(t *testing.T, script []byte) {
		decoder := &singer{hertz: 200}
		b := New(decoder)
		now, counter := zero, uint32(math.MaxUint32/mostPeriods-100)
		seen := map[uint32]bool{}
		var received, refused, duplicates uint64
		period := make([]float32, periodSamples)
		put := func(counter uint32, copies int, payload []byte) {
			f := Frame{Position: counter * mostPeriods, Periods: mostPeriods, Behind: copies, Payload: payload}
			place := &b.slots[f.Position%Slots]
			waits := place.full && place.position == f.Position
			before := b.stats.Received
			switch outcome := b.Put(f, now); {
			case outcome == Refused:
				refused++
				return
			case waits && outcome != Duplicate:
				t.Fatalf("frame %d: outcome %v while it waits: %v", counter, outcome, waits)
			case outcome == Late && b.stats.Received == before: // from before
				return
			case outcome == Duplicate:
				duplicates++
			case outcome == Kept:
				seen[counter] = true
			}
			received++
		}
		for _, op := range script {
			switch {
			case op < 100: // the next frame, or one of the last hundred again
				if op < 50 {
					counter++
				}
				put(counter-uint32(op%50), int(op%4), payloadOf(counter-uint32(op%50)))
			case op < 110: // a jump ahead
				counter += uint32(op-100) * 60
				put(counter, 0, payloadOf(counter))
			case op == 110:
				put(counter, 0, nil)
			case op == 111:
				put(counter+1, 0, []byte{1})
			case op < 150: // time passes, nothing happens
				now = now.Add(time.Duration(op-111) * 30 * time.Millisecond)
			default:
				period := period[:1+int(op)*37%periodSamples] // what a loudspeaker asks for
				now = now.Add(timeOf(len(period)))
				for i := range period {
					period[i] = float32(math.NaN())
				}
				b.Pull(period, now)
				for i, x := range period {
					if !(math.Abs(float64(x)) <= 1) {
						t.Fatalf("sample %d is %v", i, x)
					}
				}
			}
			if len(b.queue) > behind+ahead+3*frameSamples+2*maxLag {
				t.Fatalf("%d decoded samples wait", len(b.queue))
			}
		}
		checkModel(t, b, decoder, seen)
		if s := b.Stats(); s.Received != received || s.Duplicates != duplicates {
			t.Fatalf("counted %d and %d twice, saw %d and %d", s.Received, s.Duplicates, received, duplicates)
		}
	})
}

// checkModel: frames play in order, at most once, only if they came, and every
// frame that came is played, waiting, late, double or dropped.
func checkModel(t *testing.T, b *Buffer, decoder *singer, seen map[uint32]bool) {
	t.Helper()
	for i, played := range decoder.decoded {
		if !seen[played] {
			t.Fatalf("frame %d was played and never came", played)
		}
		if i > 0 && int32(played-decoder.decoded[i-1]) <= 0 {
			t.Fatalf("frame %d was played after %d", played, decoder.decoded[i-1])
		}
	}
	waiting := uint64(0)
	for i := range b.slots {
		if b.slots[i].full {
			waiting++
		}
	}
	s := b.Stats()
	if sum := uint64(len(decoder.decoded)) + s.Undecoded + waiting + s.Late + s.Duplicates + s.Dropped; sum != s.Received {
		t.Fatalf("%d frames came, %d are accounted for: %+v", s.Received, sum, s)
	}
	if s.ConcealedSamples > s.PlayedSamples+uint64(len(b.queue))+s.Shortened {
		t.Fatalf("made up %d of %d samples", s.ConcealedSamples, s.PlayedSamples)
	}
}
