package dsp

import (
	"math"

	"sotto/audio"
)

// align brings what was played to the microphone's clock: a ring of the loudspeaker's sound
// that is read as fast as the microphone delivers, a little behind the newest.
//
// Where a sample of the microphone looks in it is a matter of counting, and stays so when
// threads are late: what was not handed over yet is read as silence, and once more when it is
// there. Only when sound was lost for good does that move, by as much as lead finds: silence
// that the loudspeaker played because it ran dry is put into the ring where it was, and sound
// that the microphone lost is passed over.
type align struct {
	played   []float32 // ring
	written  int64     // samples so far, with the silence that was put in
	silence  int64     // how much of it
	at       float64   // where in played the microphone's next sample looks
	running  bool
	rate     float64 // samples of played for each of the microphone's, less one
	open     int     // of what was read last, so many samples were not, or not wholly, there yet
	read     int64   // written at that time
	next     float64 // samples handed over when the microphone's next period was captured, or -1: all of them
	mark     float64 // written when the newest was
	standing int     // periods since the last was
	stood    int     // periods until it is known again how far ahead playing is
	late     int64   // written when playing began to be late
	lead     lead

	taps [][]float32 // windowed sinc, a row for each phase
}

const (
	alignRoom   = 1 << 16
	alignTaps   = 16
	alignPhases = 64
	alignSlack  = 24   // samples behind the newest when the lead is least; the way through two devices is longer, on PulseAudio 18 ms
	alignWide   = 240  // further from that by so many is mended
	alignLong   = 8    // periods of late playing after which nothing of the echo is expected to be left in the room
	alignStands = 30   // periods without anything handed over: nothing is played
	alignBend   = 5e-4 // no two sound cards are further apart
)

func newAlign() *align {
	a := &align{played: make([]float32, alignRoom), next: -1, lead: lead{calm: leadMemory * leadMemory}} // nothing was late yet
	for phase := range alignPhases + 2 {
		row := make([]float32, alignTaps)
		for tap := range row {
			d := float64(tap-alignTaps/2+1) - float64(phase)/alignPhases
			w := 0.5 + 0.5*math.Cos(math.Pi*d/(alignTaps/2+0.5))
			if math.Abs(d) > 1e-9 {
				w *= math.Sin(math.Pi*d) / (math.Pi * d)
			}
			row[tap] = float32(w)
		}
		a.taps = append(a.taps, row)
	}
	return a
}

// play takes what the loudspeaker took.
func (a *align) play(x []float32) {
	for _, v := range x {
		a.played[a.written%alignRoom] = v
		a.written++
	}
}

// bend changes the reading rate.
func (a *align) bend(by float64) {
	a.rate = math.Max(-alignBend, math.Min(alignBend, a.rate+by))
}

// captured tells that the microphone's next period came when so many samples had been handed
// over; it need not be told where all of them had been.
func (a *align) captured(handed float64) { a.next = handed }

// fill writes to out what was played, a sample for each of the microphone's. back is how many
// samples before out read otherwise now. moved is by how many samples the echo is later in
// what is read from now on. It may be later or earlier than that when found is not leadEven.
func (a *align) fill(out []float32) (back, moved, found int) {
	need := float64(len(out)) * (1 + a.rate)
	if !a.running {
		if a.written < alignTaps+audio.PeriodSamples {
			clear(out)
			return 0, 0, leadEven
		}
		a.at, a.running = float64(a.written-alignSlack)-need, true
	}
	if a.read < a.written {
		back = a.open
	}
	now := a.ahead() - need
	step, found := 0.0, leadOdd
	if a.standing < alignStands {
		step, found = a.lead.hear(now)
	} else {
		a.stood = leadSure + 1
	}
	if a.lead.odds > alignLong && a.written > a.late {
		a.stood = max(a.stood, 2)
	}
	if a.stood > 0 { // how much the loudspeaker takes before it begins again is not known
		a.stood, found = a.stood-1, leadOdd
	}
	switch {
	case a.standing >= alignStands:
		before := a.silence
		a.insert(a.written, max(0, int64(a.lead.middle-now)))
		a.mark += float64(a.silence - before)
	case step < 0:
		back = max(back, int(min(int64(a.at)+alignTaps-a.late, alignRoom)))
		a.insert(a.late, int64(-step))
	case step > 0:
		a.at += step
		back = alignRoom
	}
	if moved = a.closer(); moved != 0 {
		back = alignRoom
	}
	if a.lead.odds == 0 {
		a.late = a.written
	}
	for i := range out {
		out[i] = a.sample(a.at)
		a.at += 1 + a.rate
	}
	a.read = a.written
	a.open = min(max(0, int(a.at)+alignTaps/2+1-int(a.written)), alignRoom)
	return back, moved, found
}

// ahead is how much had been handed over and not read when the next period was captured.
func (a *align) ahead() float64 {
	mark := float64(a.written)
	if a.next >= 0 {
		mark, a.next = a.next+float64(a.silence), -1
	}
	if mark != a.mark {
		a.standing = 0
	} else {
		a.standing++
	}
	a.mark = mark
	return mark - a.at
}

// closer puts the reading place, when it has come out where the lead swings, as near to the
// newest as lets it be known what is read.
func (a *align) closer() (moved int) {
	by := int(a.lead.middle - a.lead.swing - alignSlack)
	if a.lead.swing == 0 || abs(by) < alignWide {
		return 0
	}
	a.at += float64(by)
	a.lead.moved(float64(by))
	return by
}

// handed is how many samples were handed over so far.
func (a *align) handed() int64 { return a.written - a.silence }

// skip is for samples that were played and that nobody knows any more.
func (a *align) skip(samples int64) {
	if samples > 0 {
		a.insert(a.written, samples)
		a.silence -= samples
	}
}

// lose is for samples that the microphone heard and that will not come.
func (a *align) lose(samples int) { a.at, a.open = a.at+float64(samples)*(1+a.rate), alignRoom }

// insert puts silence into what was played.
func (a *align) insert(at, samples int64) {
	at = max(at, a.written-alignRoom)
	for i := a.written - 1; i >= at; i-- {
		a.played[(i+samples)%alignRoom] = a.played[i%alignRoom]
	}
	for i := range min(samples, alignRoom) {
		a.played[(at+i)%alignRoom] = 0
	}
	a.written += samples
	a.silence += samples
}

// past is what was played back samples of the microphone's before its next.
func (a *align) past(back int) float32 { return a.sample(a.at - float64(back)*(1+a.rate)) }

// sample is what was played at an instant; what is not known is silence.
func (a *align) sample(at float64) float32 {
	whole := int64(at)
	if whole < alignTaps || whole+alignTaps/2 >= a.written || whole < a.written-alignRoom+alignTaps {
		return 0
	}
	phase := (at - float64(whole)) * alignPhases
	row := int(phase)
	blend := float32(phase - float64(row))
	t0, t1 := a.taps[row], a.taps[row+1]
	var sum float32
	for k, t := range t0 {
		sum += a.played[(whole+int64(k-alignTaps/2+1))%alignRoom] * (t + blend*(t1[k]-t))
	}
	return sum
}
