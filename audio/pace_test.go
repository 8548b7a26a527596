package audio_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/fake"
	"sotto/audio/redundancy"
	"sotto/audio/weather"
)

// step is a stretch of packets of one length.
type step struct{ samples, packets int }

func steps(w *wire) (all []step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, samples := range w.lengths {
		if len(all) == 0 || all[len(all)-1].samples != samples {
			all = append(all, step{samples: samples})
		}
		all[len(all)-1].packets++
	}
	return all
}

// checkShape: each packet leaves when the sound in it is whole, and has the size of its length.
func checkShape(t *testing.T, w *wire) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 1; i < len(w.times); i++ {
		want := time.Duration(w.lengths[i]) * time.Second / audio.SampleRate
		if gap := w.times[i].Sub(w.times[i-1]); gap != want {
			t.Errorf("packet %d, %d samples long, follows after %v", i, w.lengths[i], gap)
		}
	}
	for size := range w.sizes {
		if size != redundancy.Size(10, redundancy.Default) && size != redundancy.Size(5, redundancy.Default) && size != redundancy.Size(10, redundancy.Most) {
			t.Errorf("packets of %d bytes", size)
		}
	}
}

// choosers are two sessions that let the network decide, wired to each other.
func choosers(t *testing.T, source audio.Source) (speaker, listener *audio.Session, there, back *wire) {
	t.Helper()
	there, back = &wire{}, &wire{}
	speaker = choosingSession(t, there, source, audio.AutoFrames, true)
	listener = choosingSession(t, back, fake.NewNullSource(), audio.AutoFrames, true)
	there.to, back.to = listener, speaker
	for _, s := range []*audio.Session{listener, speaker} {
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	return speaker, listener, there, back
}

// TestFramesAreShortWhileTheNetworkIsGood, and loss one way changes nothing the other way.
func TestFramesAreShortWhileTheNetworkIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker, listener, there, back := choosers(t, fake.NewNullSource())
		lose := func(of10 uint32) {
			there.mu.Lock()
			defer there.mu.Unlock()
			there.lose = func(counter uint32) bool { return counter%10 < of10 }
		}
		for _, c := range []struct {
			lose   uint32
			during time.Duration
			want   int
		}{
			{0, 4 * time.Second, 20}, // nothing is known yet
			{0, 5 * time.Second, 10},
			{1, 5 * time.Second, 20},  // at once
			{0, 30 * time.Second, 20}, // half a minute of good reports
			{0, 12 * time.Second, 10},
			{6, 4 * time.Second, 20},
		} {
			lose(c.lose)
			time.Sleep(c.during)
			if got := speaker.Stats().FrameMilliseconds; got != c.want {
				t.Errorf("after %v with %d of 10 lost, frames have %d ms, not %d", c.during, c.lose, got, c.want)
			}
		}
		if got := listener.Stats(); got.FrameMilliseconds != 10 || got.FramesRefused != 0 {
			t.Errorf("the other way nothing was lost: %+v", got)
		}
		hangUp(t, speaker, listener)
		checkShape(t, there)
		checkShape(t, back)
		if got := steps(there); len(got) != 5 {
			t.Errorf("lengths there: %v", got)
		}
		if got := steps(back); len(got) != 2 {
			t.Errorf("lengths back: %v", got)
		}
	})
}

// TestFramesAreLongWhenNothingIsHeard: a network that is silent says nothing good.
func TestFramesAreLongWhenNothingIsHeard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker, listener, there, back := choosers(t, fake.NewNullSource())
		time.Sleep(10 * time.Second)
		back.mu.Lock()
		back.lose = func(uint32) bool { return true }
		back.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		if got := speaker.Stats().FrameMilliseconds; got != 20 {
			t.Errorf("with nothing heard for a second, frames have %d ms", got)
		}
		hangUp(t, speaker, listener)
		if got := steps(there); len(got) != 3 || got[1].samples != audio.PeriodSamples {
			t.Errorf("lengths %v", got)
		}
	})
}

// TestTheSoundNeverMovesTheLength: speech, silence, mute and hold leave as the same packets.
func TestTheSoundNeverMovesTheLength(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		speaker, listener, there, back := choosers(t, tone(t))
		time.Sleep(10 * time.Second)
		for range 3 {
			for _, change := range []func(){
				func() { speaker.SetMuted(true) }, func() { speaker.SetHeld(true) }, func() { speaker.SetMuted(false) },
				func() { speaker.SetHeld(false) }, func() { listener.SetMuted(true) }, func() { listener.SetDeafened(true) },
				func() { listener.SetMuted(false); listener.SetDeafened(false) },
			} {
				change()
				time.Sleep(3 * time.Second)
			}
		}
		hangUp(t, speaker, listener)
		for name, w := range map[string]*wire{"there": there, "back": back} {
			checkShape(t, w)
			if got := steps(w); len(got) != 2 || got[1].samples != audio.PeriodSamples || got[1].packets < 6000 {
				t.Errorf("%s: lengths %v", name, got)
			}
		}
	})
}

// blocks is a source that gives as many periods at once as the test says.
type blocks struct {
	*weather.Clock
	size atomic.Int32
}

func (b *blocks) Start(deliver func([]float32)) error {
	period, waiting := make([]float32, audio.PeriodSamples), int32(0)
	b.Run(func(time.Time) {
		if waiting++; waiting < b.size.Load() {
			return
		}
		for ; waiting > 0; waiting-- {
			deliver(period)
		}
	})
	return nil
}

// TestASourceThatGivesSoundInBlocksLeavesInLongFrames, so that no two packets leave together.
// One that now and then is late keeps its short ones.
func TestASourceThatGivesSoundInBlocksLeavesInLongFrames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &blocks{Clock: weather.NewClock(0, 0)}
		source.size.Store(2)
		speaker, listener, there, _ := choosers(t, source)
		time.Sleep(12 * time.Second)
		checkShape(t, there)
		if got := steps(there); len(got) != 1 || got[0].samples != audio.FrameSamples {
			t.Errorf("in blocks of 20 ms: lengths %v", got)
		}
		source.size.Store(1)
		time.Sleep(5 * time.Second)
		checkShape(t, there)
		if got := steps(there); len(got) != 2 || got[1].samples != audio.PeriodSamples {
			t.Errorf("once it gave each period by itself: lengths %v", got)
		}
		for range 20 {
			source.size.Store(3)
			time.Sleep(30 * time.Millisecond)
			source.size.Store(1)
			time.Sleep(time.Second)
		}
		if got := steps(there); len(got) != 2 {
			t.Errorf("with 30 ms at once now and then: lengths %v", got)
		}
		source.size.Store(2)
		time.Sleep(2 * time.Second)
		hangUp(t, speaker, listener)
		if got := steps(there); len(got) != 3 || got[2].samples != audio.FrameSamples {
			t.Errorf("in blocks again: lengths %v", got)
		}
	})
}

// TestAnOlderOtherSideGetsLongFramesOnly, with headers as it knows them, whatever it reports.
func TestAnOlderOtherSideGetsLongFramesOnly(t *testing.T) {
	for _, frames := range []audio.Frames{audio.AutoFrames, audio.ShortFrames} {
		synctest.Test(t, func(t *testing.T) {
			there, back := &wire{}, &wire{}
			speaker := choosingSession(t, there, fake.NewNullSource(), frames, false)
			listener := choosingSession(t, back, fake.NewNullSource(), audio.AutoFrames, true)
			there.to, back.to = listener, speaker
			there.look = func(payload []byte) {
				if payload[0] != redundancy.Default {
					t.Errorf("a header begins with %#x", payload[0])
				}
			}
			for _, s := range []*audio.Session{listener, speaker} {
				if err := s.Start(); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(20 * time.Second)
			hangUp(t, speaker, listener)
			if got := steps(there); len(got) != 1 || got[0].samples != audio.FrameSamples {
				t.Errorf("lengths %v", got)
			}
		})
	}
}

// TestAChangeOfLengthIsNotHeard: speech goes over from long frames to short ones without a
// click that it would not have had anyway, nothing is made up, nothing is counted as lost.
func TestAChangeOfLengthIsNotHeard(t *testing.T) {
	t.Parallel()
	speech := sentence(t, 12*time.Second)
	o, unchanged := say(t, speech, weather.Conditions{}), say(t, speech, weather.Conditions{Frames: audio.LongFrames})
	if o.sizes[redundancy.Size(codec.PayloadSize, redundancy.Default)] < 200 || o.sizes[redundancy.Size(codec.ShortPayloadSize, redundancy.Default)] < 400 || len(o.sizes) != 2 {
		t.Fatalf("packets of these sizes: %v", o.sizes)
	}
	if o.Clicks > unchanged.Clicks || o.ESTOI < 0.97 || o.Concealed > 0 || o.Listener.Loss != 0 || o.Listener.PeriodsLost != 0 || o.Listener.FramesRefused != 0 {
		t.Errorf("%d clicks (%d without a change), ESTOI %.3f, %+v", o.Clicks, unchanged.Clicks, o.ESTOI, o.Listener)
	}
	if first, last := o.Delays[0], o.Delays[len(o.Delays)-1]; last > first-8*time.Millisecond {
		t.Errorf("the delay was %v before and is %v after", first, last)
	}
}

// TestAFallBackToLongFramesIsNotHeard beyond the loss that it follows.
func TestAFallBackToLongFramesIsNotHeard(t *testing.T) {
	t.Parallel()
	speech := sentence(t, 13*time.Second)
	bad := weather.Conditions{Loss: 0.1, From: 8 * time.Second}
	o := say(t, speech, bad)
	bad.Frames = audio.LongFrames
	unchanged := say(t, speech, bad)
	if long, short := o.sizes[redundancy.Size(codec.PayloadSize, redundancy.Default)], o.sizes[redundancy.Size(codec.ShortPayloadSize, redundancy.Default)]; long < 400 || short < 250 || len(o.sizes) != 2 {
		t.Fatalf("packets of these sizes: %v", o.sizes)
	}
	if o.Clicks > unchanged.Clicks || o.ESTOI < unchanged.ESTOI-0.02 || o.Concealed > unchanged.Concealed+0.01 || o.Listener.FramesRefused != 0 {
		t.Errorf("%d clicks, ESTOI %.3f, %.3f made up, where frames that never change have %d, %.3f and %.3f",
			o.Clicks, o.ESTOI, o.Concealed, unchanged.Clicks, unchanged.ESTOI, unchanged.Concealed)
	}
}
