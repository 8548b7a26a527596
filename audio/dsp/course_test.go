package dsp

import (
	"cmp"
	"math"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/measure"
)

// course is how the threads and devices of a call run over time, sample by sample and the same
// each time: a sound server that asks for 2.5 ms as soon as it has room for them and plays
// silence when nothing was handed over in time, a microphone that brings a period every
// 10 ms, and the goroutine between them. What PulseAudio and miniaudio do to a process that is
// stopped for some milliseconds was recorded, and is done here.
type course struct {
	name   string
	stalls []stall
	ppm    float64 // how much faster the microphone's clock is
	begin  int     // ms after the microphone that playing begins
	takes  int     // samples that the loudspeaker takes at a time, coursePiece if 0
	brings int     // and that the microphone brings, a period if 0
	moves  int     // ms after which the microphone is elsewhere in the room, never if 0
}

// stall is a time in which some of it stand still.
type stall struct {
	at, ms int
	who    int
}

const (
	playing    = 1 << iota // the loudspeaker's thread
	capturing              // the microphone's
	working                // the Voice's goroutine
	deaf                   // the microphone loses what it hears
	everything = playing | capturing | working
)

const (
	courseTick  = 24  // samples: 0.5 ms
	coursePiece = 120 // that a server asks for
	courseServe = 480 // that it keeps besides
	courseCard  = 240 // between it and the air, and the same between the air and the microphone
	courseAir   = 96  // samples from the loudspeaker to the microphone
)

// event is a call of Played or Captured, with so many samples, or the goroutine's turn.
type event struct {
	at      time.Duration
	who     int
	samples int
}

// plan works out what happens for so many samples: the calls in their order, what the
// loudspeaker plays (indices of what was handed over, -1 for silence), and which samples
// of what the microphone hears are delivered.
func (c course) plan(samples int) (events []event, spoken, heard []int) {
	piece, brings := cmp.Or(c.takes, coursePiece), cmp.Or(c.brings, audio.PeriodSamples)
	serve := piece + courseServe
	written, out, dry := 0, 0, true
	recorded, brought, delivered := 0, 0, 0
	for now := 0; now < samples; now += courseTick {
		still := 0
		for _, s := range c.stalls {
			if now >= s.at*48 && now < (s.at+s.ms)*48 {
				still |= s.who
			}
		}
		begun, at := now >= c.begin*48, time.Duration(now)*time.Second/audio.SampleRate
		if dry && written-out >= serve-piece {
			dry = false
		}
		for range courseTick {
			if dry || out == written {
				dry = true
				spoken = append(spoken, -1)
				continue
			}
			spoken = append(spoken, out)
			out++
		}
		for k := range courseTick {
			if still&deaf == 0 {
				heard = append(heard, now+k)
				recorded++
			}
		}
		for still&capturing == 0 && recorded-brought >= brings {
			for brought += brings; brought-delivered >= audio.PeriodSamples; delivered += audio.PeriodSamples {
				events = append(events, event{at, capturing, audio.PeriodSamples})
			}
		}
		for still&playing == 0 && begun && written-out <= serve-piece {
			for left := piece; left > 0; left -= min(left, audio.PeriodSamples) {
				events = append(events, event{at, playing, min(left, audio.PeriodSamples)})
			}
			written += piece
		}
		if still&working == 0 {
			events = append(events, event{at: at, who: working})
		}
	}
	return events, spoken, heard[:delivered]
}

// run plays far to a microphone that hears it in a room, and near, through a Voice. It returns
// what the microphone hears of far, and all that it hears, and what comes out, in step.
func (c course) run(t *testing.T, config Config, far, near []float32, h []float32) (echo, mic, out []float32) {
	t.Helper()
	events, spoken, heard := c.plan(len(far) - 4800)
	loud := make([]float32, len(spoken))
	for i, from := range spoken {
		if from >= 0 {
			loud[i] = far[from]
		}
	}
	air := convolve(loud, h, 2*courseCard+courseAir)
	if c.moves > 0 {
		copy(air[c.moves*48:], convolve(loud, room(0.3, -5, 78), 2*courseCard+2*courseAir)[c.moves*48:])
	}
	if c.ppm != 0 {
		air = skew(air, c.ppm)
	}
	echo, mic = make([]float32, len(heard)), make([]float32, len(heard))
	for i, from := range heard {
		echo[i] = air[from]
		mic[i] = air[from]
		if from < len(near) {
			mic[i] += near[from]
		}
	}
	noiseFloor(mic, 1e-4)
	v := New(config)
	v.chain.use(config)
	defer v.chain.close()
	if n := v.chain.noise; n != nil {
		n.wait()
	}
	played, captured := 0, 0
	for _, e := range events {
		v.now = func() time.Duration { return e.at }
		switch e.who {
		case playing:
			v.Played(far[played : played+e.samples])
			played += e.samples
		case capturing:
			v.Captured(mic[captured : captured+e.samples])
			captured += e.samples
		case working:
			v.work(func(period []float32) { out = append(out, period...) })
		}
	}
	return echo[:len(out)], mic[:len(out)], out
}

// courses have their events at courseFirst and courseSecond.
var courses = []course{
	{name: "all late by 15 ms", stalls: twice(15, everything)},
	{name: "all late by 30 ms", stalls: twice(30, everything)},
	{name: "all late by 60 ms", stalls: twice(60, everything)},
	{name: "all late by 120 ms", stalls: twice(120, everything)},
	{name: "playing late by 10 ms", stalls: twice(10, playing)},
	{name: "playing late by 60 ms", stalls: twice(60, playing)},
	{name: "the microphone's thread late by 60 ms", stalls: twice(60, capturing)},
	{name: "processing late by 60 ms", stalls: twice(60, working)},
	{name: "30 ms of the microphone lost", stalls: twice(30, deaf)},
	{name: "nothing played for 1.2 s", stalls: twice(1200, playing)},
	{name: "playing begins after 1 s", begin: 1000},
	{name: "20 ms at a time, all late by 60 ms", takes: 960, brings: 960, stalls: twice(60, everything)},
	{name: "20 ms at a time, all late by 30 ms", takes: 960, brings: 960, stalls: twice(30, everything)},
	{name: "21.3 ms at a time, all late by 30 ms", takes: 1024, brings: 1024, stalls: twice(30, everything)},
	{name: "clocks 100 ppm apart, all late by 60 ms", ppm: 100, stalls: twice(60, everything)},
}

const (
	courseFirst  = 4000 // ms
	courseSecond = 6000
	courseEnd    = 8000
)

func twice(ms, who int) []stall { return []stall{{courseFirst, ms, who}, {courseSecond, ms, who}} }

// TestEchoIsHeldThroughHiccups: whichever thread is late and whatever is lost for it, within half a
// second the echo is as good as gone again, and it is not let through until then.
func TestEchoIsHeldThroughHiccups(t *testing.T) {
	arithmetic(t)
	far, h := babble(courseEnd/1000+0.2, 1), room(0.25, -3, 3)
	for _, c := range courses {
		echo, _, out := c.run(t, Config{Echo: true}, far, nil, h)
		for _, event := range c.stalls {
			gone := func(from, to int) float64 {
				from, to = (event.at+from)*48, min((event.at+to)*48, len(out))
				return decibels(power(echo[from:to]) / power(out[from:to]))
			}
			lasts := event.ms
			if event.who == deaf {
				lasts = 0 // the microphone's clock leaves it out
			}
			if got := gone(lasts+500, courseSecond-courseFirst); got < 30 {
				t.Errorf("%s: half a second after it the echo is %.0f dB lower, want 30", c.name, got)
			}
			worst := math.Inf(1)
			for from := 0; from < lasts+500; from += 50 {
				if power(echo[(event.at+from)*48:(event.at+from+50)*48]) > 1e-5 {
					worst = min(worst, gone(from, from+50))
				}
			}
			if worst < 20 {
				t.Errorf("%s: around it 50 ms of the echo are only %.0f dB lower, want 20", c.name, worst)
			}
			t.Logf("%s: %.0f dB at the worst, then %.0f dB", c.name, worst, gone(lasts+500, courseSecond-courseFirst))
		}
		if c.stalls == nil {
			if got := removed(echo, out, 4, 7); got < 35 {
				t.Errorf("%s: the echo is %.0f dB lower, want 35", c.name, got)
			}
		}
	}
}

// nearHeard runs a course with a near speaker who begins to talk at a second of it, and returns the
// ESTOI of what the microphone hears of them from then on, and of what comes out.
func nearHeard(t *testing.T, c course, seconds float64, begins int) (raw, got float64) {
	t.Helper()
	far, near := babble(seconds, 1), babble(seconds, 2)
	from := begins * audio.SampleRate
	clear(near[:from])
	_, mic, out := c.run(t, Config{Echo: true}, far, near, room(0.25, -3, 3))
	heard := func(x []float32, delay int) float64 {
		got, err := measure.ESTOI(near[from:len(x)-delay], x[from+delay:], audio.SampleRate)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	return heard(mic, 0), heard(out, residualHop)
}

// TestNearSpeakerIsHeardThroughHiccups: while both talk, what is done against an echo that may be
// elsewhere costs little of the near speaker.
func TestNearSpeakerIsHeardThroughHiccups(t *testing.T) {
	arithmetic(t)
	c := course{stalls: []stall{{6003, 15, everything}, {7502, 60, everything}, {9001, 30, everything}, {10504, 60, everything}}}
	raw, got := nearHeard(t, c, 12.2, 5)
	t.Logf("ESTOI %.3f, and %.3f as the microphone hears it", got, raw)
	if got < raw+0.05 || got < 0.7 {
		t.Errorf("near speech while both talk: ESTOI %.3f, and %.3f as the microphone hears it", got, raw)
	}
}

// TestNearSpeakerIsHeardAfterAHiccup: the doubt ends, however much the devices take and bring at a
// time: who begins to talk when the hiccup is over is heard.
func TestNearSpeakerIsHeardAfterAHiccup(t *testing.T) {
	arithmetic(t)
	for _, c := range []course{
		{name: "2.5 and 10 ms at a time"},
		{name: "20 ms at a time", takes: 960, brings: 960},
		{name: "21.3 ms at a time", takes: 1024, brings: 1024},
		{name: "playing 2.5 ms at a time, recording 20", brings: 960},
		{name: "playing 2.5 ms at a time, recording 21.3", brings: 1024},
		{name: "playing 20 ms at a time, recording 10", takes: 960},
		{name: "playing 21.3 ms at a time, recording 10", takes: 1024},
	} {
		c.stalls = []stall{{courseFirst, 60, everything}}
		raw, got := nearHeard(t, c, 10.2, courseFirst/1000+1)
		t.Logf("%s: ESTOI %.3f, and %.3f as the microphone hears it", c.name, got, raw)
		if got < 0.9 {
			t.Errorf("%s: ESTOI %.3f, want 0.90 (as heard %.3f)", c.name, got, raw)
		}
	}
}

// TestFilterLearnsAnewWhenDoubtDoesNotEnd: everything is late four times a second, and meanwhile the
// microphone is moved. The filter is never sure where it stands; still it learns, what it does not
// know yet is held down, and who speaks when all is well again is heard.
func TestFilterLearnsAnewWhenDoubtDoesNotEnd(t *testing.T) {
	arithmetic(t)
	const moves, first, last = 5000, 4500, 8500
	c := course{moves: moves}
	for at := first; at < last; at += 253 { // at other times of a period each
		c.stalls = append(c.stalls, stall{at, 30, everything})
	}
	far := babble(10.2, 1)
	echo, _, out := c.run(t, Config{Echo: true}, far, nil, room(0.25, -3, 3))
	for second := moves/1000 + 1; second < 10; second++ {
		got := removed(echo, out, second, second+1)
		t.Logf("in second %d the echo is %.0f dB lower", second, got)
		if got < 40 {
			t.Errorf("in second %d the echo is %.0f dB lower, want 40", second, got)
		}
	}
	raw, got := nearHeard(t, c, 14.2, last/1000+2)
	t.Logf("ESTOI %.3f, and %.3f as the microphone hears it", got, raw)
	if got < 0.9 {
		t.Errorf("near speech: ESTOI %.3f, want 0.90 (as heard %.3f)", got, raw)
	}
}
