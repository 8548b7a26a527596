package jitter

import (
	"testing"
	"time"
)

func TestAPerfectPathIsPlayedAsItCameAtLeastDelay(t *testing.T) {
	b, decoder, heard := run(t, 20*time.Second, func(int) time.Duration { return ms(30) }, nil)
	s := b.Stats()
	if s.Lost+s.Late+s.Duplicates+s.Dropped+s.Undecoded != 0 || s.RecentLoss != 0 {
		t.Errorf("on a perfect path: %+v", s)
	}
	for i, counter := range decoder.decoded {
		if int(counter) != i {
			t.Fatalf("frame %d was played as number %d", counter, i)
		}
	}
	if s.ConcealedSamples != 0 {
		t.Errorf("%d samples were made up", s.ConcealedSamples)
	}
	if s.Target != minTarget || s.Lead > 25*time.Millisecond {
		t.Errorf("a steady path needs a lead of %v, has %v", s.Target, s.Lead)
	}
	if got := steps(heard[sampleRate/10:]); got > 0.012 { // the sine's own steepest step is 0.008
		t.Errorf("the sound jumps by %.3f", got)
	}
}

func TestSingleLossesAreConcealedAndCostNoDelay(t *testing.T) {
	clean, _, _ := run(t, 30*time.Second, func(int) time.Duration { return ms(30) }, nil)
	b, decoder, heard := run(t, 30*time.Second, func(n int) time.Duration {
		if n > 5 && n%10 == 3 {
			return lost
		}
		return ms(30)
	}, nil)
	s := b.Stats()
	if want := uint64(2 * 149); s.Lost < want-4 || s.Lost > want+2 {
		t.Errorf("of 149 lost frames %d were noticed", s.Lost)
	}
	if got := float64(s.ConcealedSamples) / float64(s.PlayedSamples); got < 0.09 || got > 0.11 {
		t.Errorf("with 10 %% lost %.1f %% was made up", 100*got)
	}
	if s.RecentLoss < 0.08 || s.RecentLoss > 0.12 {
		t.Errorf("recent loss %.2f", s.RecentLoss)
	}
	if s.Lead > clean.Stats().Lead+10*time.Millisecond {
		t.Errorf("losses raised the lead from %v to %v", clean.Stats().Lead, s.Lead)
	}
	if len(decoder.decoded) < 1340 {
		t.Errorf("played %d frames", len(decoder.decoded))
	}
	if got := steps(heard[sampleRate/10:]); got > 0.05 {
		t.Errorf("the sound jumps by %.3f", got)
	}
}

func TestALongGapFadesToSilence(t *testing.T) {
	var loudest float32
	_, decoder, heard := run(t, 4*time.Second, func(n int) time.Duration {
		if n >= 100 {
			return lost
		}
		return ms(20)
	}, nil)
	for _, x := range heard[3*sampleRate:] {
		loudest = max(loudest, x)
	}
	if loudest != 0 {
		t.Errorf("a second into a gap there still is %v", loudest)
	}
	if limit := concealSamples + frameSamples; decoder.concealed > limit {
		t.Errorf("the decoder was asked for %d samples of a gap, more than %d", decoder.concealed, limit)
	}
	if got := steps(heard[sampleRate/10:]); got > 0.02 {
		t.Errorf("the fade jumps by %.3f", got)
	}
}

func TestReorderedAndRepeatedFramesPlayOnceInOrder(t *testing.T) {
	decoder := &singer{hertz: 200}
	b := New(decoder)
	period := make([]float32, periodSamples)
	now := zero
	for n := uint32(0); n < 400; n += 2 { // pairs arrive swapped, each twice
		now = now.Add(2 * frameTime)
		for _, counter := range []uint32{n + 1, n, n + 1, n} {
			b.Put(frameOf(counter), now)
		}
		for range 4 {
			b.Pull(period, now)
			now = now.Add(ms(10))
		}
		now = now.Add(-2 * frameTime)
	}
	for i := 1; i < len(decoder.decoded); i++ {
		if decoder.decoded[i] != decoder.decoded[i-1]+1 {
			t.Fatalf("%d follows %d", decoder.decoded[i], decoder.decoded[i-1])
		}
	}
	s := b.Stats()
	if s.Duplicates+s.Late != 400 || s.Lost != 0 || len(decoder.decoded) < 395 {
		t.Errorf("%d played, %+v", len(decoder.decoded), s)
	}
}

func TestTheTargetFollowsTheJitter(t *testing.T) {
	for _, c := range []struct {
		spread    float64 // milliseconds, uniform
		low, high time.Duration
	}{{0, minTarget, minTarget}, {20, ms(15), ms(30)}, {60, ms(50), ms(75)}, {120, ms(105), ms(135)}} {
		b, _, _ := run(t, 15*time.Second, func(n int) time.Duration { return ms(30 + c.spread*noise(n)) }, nil)
		s := b.Stats()
		if s.Target < c.low || s.Target > c.high {
			t.Errorf("jitter of %v ms: target %v", c.spread, s.Target)
		}
		if share := float64(s.ConcealedSamples) / float64(s.PlayedSamples); share > 0.04 {
			t.Errorf("jitter of %v ms: %.1f %% was made up", c.spread, 100*share)
		}
		if s.Lead > s.Target+ms(35) {
			t.Errorf("jitter of %v ms: lead %v for a target of %v", c.spread, s.Lead, s.Target)
		}
	}
}

// A packet that overtakes those of a stall brings copies of the last of them: nothing
// was lost, so there is nothing to wait longer for. A copy whose frame never comes is.
func TestACopyOfWhatWasOnlyHeldUpRaisesNothing(t *testing.T) {
	for _, c := range []struct {
		comes bool
		want  time.Duration // the target may be
	}{{true, minTarget}, {false, minTarget + copyStep}} {
		b := New(&singer{hertz: 200})
		put := func(counter uint32, behind int, at time.Duration) Outcome {
			f := frameOf(counter)
			f.Behind = behind
			return b.Put(f, zero.Add(at))
		}
		at := time.Duration(0)
		for n := range uint32(100) {
			put(n, 0, at)
			at += frameTime
		}
		const held = 15
		at += held * frameTime
		put(100+held, 0, at)
		for behind := range 2 {
			if got := put(uint32(100+held-1-behind), behind+1, at); got != Kept {
				t.Fatalf("a copy was %v", got)
			}
		}
		for n := range uint32(held) {
			at += 20 * time.Microsecond
			if n >= held-2 && !c.comes {
				break
			}
			if got := put(100+n, 0, at); n >= held-2 && got != Duplicate {
				t.Fatalf("frame %d was %v", n, got)
			}
		}
		if target := b.Stats().Target; c.comes && target != c.want || !c.comes && target < c.want {
			t.Errorf("where what was held up comes (%v) the target is %v, not %v", c.comes, target, c.want)
		}
	}
}

func TestTheDelayComesBackDownAfterAStall(t *testing.T) {
	for _, stall := range []time.Duration{ms(100), ms(300), ms(1000), ms(5000)} {
		const at = 5 * time.Second
		var during, after time.Duration
		b, decoder, heard := run(t, 25*time.Second, func(n int) time.Duration {
			sent := time.Duration(n) * frameTime
			if sent >= at && sent < at+stall { // all of it arrives at once, at the end
				return at + stall - sent + ms(30)
			}
			return ms(30)
		}, func(now time.Duration, b *Buffer, _ Sound) {
			switch {
			case now < at+stall:
			case now < at+stall+time.Second:
				during = max(during, b.Stats().Delay)
			case now > at+stall+2*time.Second:
				after = max(after, b.Stats().Delay)
			}
		})
		if during < stall/4 && stall <= ms(300) {
			t.Errorf("stall of %v: words were thrown away (delay %v)", stall, during)
		}
		if after > ms(30) {
			t.Errorf("stall of %v: two seconds later the delay is %v", stall, after)
		}
		if s := b.Stats(); stall <= ms(300) && s.Lost+s.Dropped > 2 {
			t.Errorf("stall of %v: %d of its frames were not played", stall, s.Lost+s.Dropped)
		}
		if len(decoder.decoded) < 1100-int(stall/frameTime) {
			t.Errorf("stall of %v: played %d", stall, len(decoder.decoded))
		}
		if got := steps(heard[sampleRate/10:]); got > 0.6 {
			t.Errorf("stall of %v: the sound jumps by %.3f", stall, got)
		}
	}
}

func TestAChangeOfRouteIsNotJitter(t *testing.T) {
	highest := time.Duration(0)
	b, _, _ := run(t, 30*time.Second, func(n int) time.Duration {
		if n > 500 {
			return ms(110) // 80 ms more than before, for good
		}
		return ms(30)
	}, func(now time.Duration, b *Buffer, _ Sound) {
		if now > 15*time.Second {
			highest = max(highest, b.Stats().Delay)
		}
	})
	if highest > ms(45) || b.Stats().Target > ms(15) {
		t.Errorf("five seconds after the change the delay is %v, the target %v", highest, b.Stats().Target)
	}
}

func TestClockDriftIsMadeUpFor(t *testing.T) {
	for _, ppm := range []float64{-300, 300} {
		late, highest := 0, time.Duration(0)
		run(t, 40*time.Second, func(n int) time.Duration {
			return ms(200 + float64(n)*20*ppm/1e6)
		}, func(now time.Duration, b *Buffer, made Sound) {
			if now < 10*time.Second || now > 39*time.Second {
				return
			}
			highest = max(highest, b.Stats().Delay)
			if made == Concealed {
				late++
			}
		})
		if highest > ms(35) || late > 10 {
			t.Errorf("at %v ppm the delay reaches %v and %d periods were made up", ppm, highest, late)
		}
	}
}

func TestFramesThatCannotBePlayed(t *testing.T) {
	decoder := &singer{hertz: 200}
	b := New(decoder)
	if b.Put(Frame{Periods: 2}, zero) != Refused || b.Put(Frame{Periods: 2, Payload: make([]byte, MaxPayload+1)}, zero) != Refused ||
		b.Put(Frame{Payload: payloadOf(0)}, zero) != Refused || b.Put(Frame{Periods: 3, Payload: payloadOf(0)}, zero) != Refused {
		t.Error("took a frame of a bad size")
	}
	for n := range uint32(20) {
		if b.Put(Frame{Position: n * mostPeriods, Periods: mostPeriods, Payload: []byte("junks")}, zero.Add(time.Duration(n)*frameTime)) != Kept {
			t.Error("did not keep a frame")
		}
	}
	period := make([]float32, periodSamples)
	for n := range 60 {
		if made := b.Pull(period, zero.Add(ms(30)+time.Duration(n)*ms(10))); made == Real {
			t.Fatal("junk was taken for sound")
		}
	}
	if s := b.Stats(); s.Undecoded+s.Dropped != 20 || s.Dropped > 1 {
		t.Errorf("%d of 20 bad frames were noticed", s.Undecoded)
	}
}

func TestCountersMayWrapAround(t *testing.T) {
	decoder := &singer{hertz: 200}
	b := New(decoder)
	period := make([]float32, periodSamples)
	start := ^uint32(0)/mostPeriods - 50
	for n := range uint32(200) {
		now := zero.Add(time.Duration(n) * frameTime)
		b.Put(frameOf(start+n), now)
		b.Pull(period, now.Add(ms(1)))
		b.Pull(period, now.Add(ms(11)))
	}
	if s := b.Stats(); s.Late+s.Lost+s.Dropped != 0 || len(decoder.decoded) < 195 {
		t.Errorf("%d played, %+v", len(decoder.decoded), s)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	b := New(&singer{hertz: 200, decoded: make([]uint32, 0, 1<<16)})
	payload := payloadOf(1)
	period := make([]float32, periodSamples)
	n := uint32(0)
	if allocations := testing.AllocsPerRun(2000, func() {
		now := zero.Add(time.Duration(n) * frameTime)
		if n%7 != 0 {
			b.Put(Frame{Position: n * mostPeriods, Periods: mostPeriods, Payload: payload}, now.Add(ms(40*noise(int(n)))))
		}
		b.Pull(period, now)
		b.Pull(period, now.Add(ms(10)))
		b.Stats()
		n++
	}); allocations != 0 {
		t.Errorf("%v allocations a frame", allocations)
	}
}
