package audio_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/audio/measure"
)

// weather is what a network does to packets. Everything it does repeats exactly.
type weather struct {
	name   string
	loss   float64       // share of packets
	from   time.Duration // when loss begins
	burst  int           // packets lost in a row; 0 and 1: each by itself
	jitter time.Duration // each packet is late by 0 to this much, evenly spread, and may overtake
	stall  time.Duration // all packets are held for this long, once, at stallAt
	drift  float64       // by which the listener's clock is slow, parts per million
	frames audio.Frames  // that are sent; the zero value lets the sessions choose
}

const (
	wayTime = time.Millisecond // what each packet takes in any weather
	warmUp  = 4 * time.Second  // until then the listener is still learning
	stallAt = 7 * time.Second
)

// travel says how long packets take, a negative time for one that is lost.
func (w weather) travel() func(sent time.Duration) time.Duration {
	random := rand.New(rand.NewPCG(20, 26))
	losing := 0
	return func(sent time.Duration) time.Duration {
		late := time.Duration(random.Float64() * float64(w.jitter))
		burst := max(1, w.burst)
		// so that on the whole the share is lost: a burst begins only where none is
		if losing == 0 && sent >= w.from && random.Float64() < w.loss/(float64(burst)*(1-w.loss)+w.loss) {
			losing = burst
		}
		if losing > 0 {
			losing--
			return -1
		}
		if w.stall > 0 && sent >= stallAt && sent < stallAt+w.stall {
			late += stallAt + w.stall - sent
			late += time.Microsecond + (sent-stallAt)/1000 // in order, but for one that was sent at the end
		}
		return wayTime + late
	}
}

// reader is a source that speaks sound once, from its beginning, then silence.
type reader struct {
	*clock
	sound []float32
	began chan time.Time // has the instant at which the first sample was spoken
}

// recorder is a sink that keeps what it plays and when each period was asked for.
type recorder struct {
	*clock
	mu    sync.Mutex // guards the following
	heard []float32
	asked []time.Time
}

// clock runs a device: a call every 10 ms, as its quartz has them.
type clock struct {
	speed float64 // 1: true
	phase time.Duration
	stop  chan struct{}
	done  sync.WaitGroup
}

func newClock(partsPerMillion float64, phase time.Duration) *clock {
	return &clock{speed: 1 + partsPerMillion/1e6, phase: phase, stop: make(chan struct{})}
}

func (c *clock) Lost() <-chan error { return nil }
func (c *clock) Name() string       { return "clock" }

func (c *clock) run(tick func(now time.Time)) {
	began := time.Now().Add(c.phase)
	c.done.Go(func() {
		for n := 0; ; n++ {
			due := began.Add(time.Duration(float64(n) * float64(audio.PeriodDuration) * c.speed))
			select {
			case <-c.stop:
				return
			case <-time.After(time.Until(due)):
			}
			tick(time.Now())
		}
	})
}

func (c *clock) Close() error {
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.done.Wait()
	return nil
}

func (r *reader) Start(deliver func([]float32)) error {
	period, rest := make([]float32, audio.PeriodSamples), r.sound
	r.run(func(now time.Time) {
		if len(rest) == len(r.sound) {
			r.began <- now.Add(-audio.PeriodDuration)
		}
		clear(period)
		rest = rest[copy(period, rest):]
		deliver(period)
	})
	return nil
}

func (r *recorder) Start(fill func([]float32)) error {
	period := make([]float32, audio.PeriodSamples)
	r.run(func(now time.Time) {
		fill(period)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard, r.asked = append(r.heard, period...), append(r.asked, now)
	})
	return nil
}

// since is what was heard on the true clock, from an instant on.
func (r *recorder) since(began time.Time, samples int) []float32 {
	out := make([]float32, samples)
	last := 0
	for i := range out {
		at := began.Add(time.Duration(i) * time.Second / audio.SampleRate)
		for last+1 < len(r.asked) && !r.asked[last+1].After(at) {
			last++
		}
		if at.Before(r.asked[last]) {
			continue
		}
		position := float64(at.Sub(r.asked[last])) * audio.SampleRate / float64(time.Second) / r.speed
		whole := int(position)
		from := last*audio.PeriodSamples + whole
		if whole < audio.PeriodSamples && from+1 < len(r.heard) {
			out[i] = r.heard[from] + (r.heard[from+1]-r.heard[from])*float32(position-float64(whole))
		}
	}
	return out
}

// outcome is what a listener got of a speaker.
type outcome struct {
	estoi           float64
	median, highest time.Duration // mouth to ear, of pieces of a second; the 95th of 100 pieces
	delays          []time.Duration
	concealed       float64
	recovered       float64
	clicks          int // more than in what was said
	listener        audio.Stats
	sizes           map[int]int
}

// say sends speech through the weather in virtual time: a real session with the real
// codec at either end, packets in between as the weather has it.
func say(t *testing.T, speech []float32, w weather) (out outcome) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ear := &recorder{clock: newClock(w.drift, 15*time.Millisecond)}
		mouth := &reader{clock: newClock(0, 10*time.Millisecond), sound: speech, began: make(chan time.Time, 1)}
		travel, start := w.travel(), time.Now()
		there, back := &wire{}, &wire{}
		there.carry = func(deliver func()) {
			if way := travel(time.Since(start)); way >= 0 {
				time.AfterFunc(way, deliver)
			}
		}
		speaker := newFramedSession(t, mouth, fake.NewNullSink(), there, w.frames)
		listener := newFramedSession(t, fake.NewNullSource(), ear, back, w.frames)
		there.to, back.to = listener, speaker
		for _, s := range []*audio.Session{listener, speaker} {
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Duration(len(speech)) * time.Second / audio.SampleRate)
		out.listener = listener.Stats()
		time.Sleep(time.Second)
		hangUp(t, speaker, listener)
		time.Sleep(time.Second) // for what is under way
		out.sizes = there.sizes
		out.judge(speech, ear.since(<-mouth.began, len(speech)+audio.SampleRate/2))
	})
	return out
}

// judge compares what was said and heard once the listener has learnt.
func (o *outcome) judge(said, heard []float32) {
	const second, from = audio.SampleRate, int(warmUp * audio.SampleRate / time.Second)
	said, heard = said[from:], heard[from:]
	var aligned []float32
	for at := 0; at+second <= len(said); at += second {
		piece := said[at : at+second]
		delay, alike := measure.Delay(quarter(piece), quarter(heard[at:min(len(heard), at+3*second/2)]), audio.SampleRate/4, 500*time.Millisecond)
		if alike > 0.3 {
			o.delays = append(o.delays, delay)
		}
		aligned = append(aligned, measure.Align(piece, heard[at:], audio.SampleRate, delay)...)
	}
	sorted := slices.Clone(o.delays)
	slices.Sort(sorted)
	if len(sorted) > 0 {
		o.median, o.highest = sorted[len(sorted)/2], sorted[(len(sorted)-1)*95/100]
	}
	said = said[:len(aligned)]
	o.estoi, _ = measure.ESTOI(said, aligned, audio.SampleRate)
	o.clicks = len(measure.Clicks(heard, audio.SampleRate)) - len(measure.Clicks(said, audio.SampleRate))
	o.concealed, o.recovered = o.listener.ConcealedRatio, o.listener.RecoveredRatio
}

// quarter is sound at a quarter of the rate, which is quicker to search.
func quarter(sound []float32) []float32 {
	out := make([]float32, len(sound)/4)
	for i := range out {
		out[i] = (sound[4*i] + sound[4*i+1] + sound[4*i+2] + sound[4*i+3]) / 4
	}
	return out
}

// sentence is a spoken sentence, said again and again.
func sentence(t *testing.T, length time.Duration) []float32 {
	t.Helper()
	raw, err := os.ReadFile("../ui/cli/testdata/sentence.wav")
	if err != nil {
		t.Fatal(err)
	}
	once := at48(raw[44:])
	var out []float32
	for len(out) < int(length*audio.SampleRate/time.Second) {
		out = append(out, once...)
	}
	return out[:length*audio.SampleRate/time.Second]
}

// at48 is 16-bit sound of 16 kHz at 48: two samples between each two, interpolated
// by a windowed sinc over 16 of them.
func at48(raw []byte) []float32 {
	in := make([]float64, len(raw)/2)
	for i := range in {
		in[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / (1 << 15)
	}
	out := make([]float32, 3*len(in))
	for i := range out {
		var sum float64
		for k := max(0, i/3-7); k <= min(len(in)-1, i/3+8); k++ {
			if x := float64(i)/3 - float64(k); x == 0 {
				sum += in[k]
			} else {
				sum += in[k] * math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/9))
			}
		}
		out[i] = float32(sum)
	}
	return out
}
