package dsp

// fine finds within some periods, and to a part of a sample, whether the echo comes where the
// filter expects it or up to 5 ms earlier or later: it looks where the microphone goes
// together best with the filter's echo. It does so over a few periods, which is enough while
// only the far side speaks, and over more, for when both do.
type fine struct {
	fft               *fft
	echoPast, micPast []float32 // pre-emphasised, newest last
	lastEcho, lastMic float32
	frame, together   []float32
	echo, mic         spectrum
	heard             int // periods in the sums
	hold              int // periods until the echo's past is all of where the filter stands
	sums              [2]fineSum
}

// fineSum is what is known of the two, summed over periods.
type fineSum struct {
	forget float32
	cross  spectrum
	powers []float32 // of the echo, for each lag
	power  float32   // of the microphone
	seen   int       // what the last look said
	agreed bool      // and it was one to believe
}

// What fine says.
const (
	fineSilent = iota // nothing to go by
	fineStill         // the echo is where it is expected
	fineUnsure        // it may be elsewhere
	fineMoved         // it is
)

const (
	fineSize  = 1024
	fineReach = (fineSize - 480) / 2 // samples
	fineLast  = 2 * fineReach
	fineHold  = 3
	fineLeast = 2  // periods that tell something
	fineApart = 16 // samples between two places, at least
)

func newFine() *fine {
	f := &fine{
		fft: newFFT(fineSize), echoPast: make([]float32, fineSize), micPast: make([]float32, fineSize-fineReach),
		frame: make([]float32, fineSize), together: make([]float32, fineSize),
		echo: newSpectrum(fineSize), mic: newSpectrum(fineSize),
	}
	for i, forget := range []float32{0.7, 0.92} {
		f.sums[i] = fineSum{forget: forget, cross: newSpectrum(fineSize), powers: make([]float32, fineLast+1)}
	}
	return f
}

// hear takes a period of the microphone and of the filter's echo, and whether it need not
// look because the echo is taken out well. later is by how many samples the echo has moved,
// more than least.
func (f *fine) hear(mic, echo []float32, good bool, least int) (later float64, said int) {
	f.lastEcho = push(f.echoPast, echo, f.lastEcho)
	f.lastMic = push(f.micPast, mic, f.lastMic)
	if f.hold > 0 {
		f.hold--
		return 0, fineUnsure
	}
	if good { // what was before is no news of where the echo goes next
		if f.heard > 0 {
			f.clear()
		}
		return 0, fineStill
	}
	f.gather()
	if f.heard++; f.heard < fineLeast {
		return 0, fineSilent
	}
	for i := range f.sums {
		l, s := f.judge(&f.sums[i], least)
		if s == fineMoved {
			f.forget()
			return l, s
		}
		if said = max(said, s); s == fineStill {
			return 0, s
		}
	}
	return 0, said
}

// gather adds a period to the sums.
func (f *fine) gather() {
	segment := f.micPast[:len(f.micPast)-fineReach] // so old that lags go both ways
	clear(f.frame)
	copy(f.frame, segment)
	f.fft.forward(f.frame, f.mic)
	f.fft.forward(f.echoPast, f.echo)
	power := float32(meanSquare(segment)) * float32(len(segment))
	for i := range f.sums {
		s := &f.sums[i]
		for k := range s.cross.re {
			s.cross.re[k] = s.forget*s.cross.re[k] + f.mic.re[k]*f.echo.re[k] + f.mic.im[k]*f.echo.im[k]
			s.cross.im[k] = s.forget*s.cross.im[k] + f.mic.re[k]*f.echo.im[k] - f.mic.im[k]*f.echo.re[k]
		}
		s.power = s.forget*s.power + power
		var sum float32
		for _, v := range f.echoPast[:len(segment)] {
			sum += v * v
		}
		for at := range s.powers {
			s.powers[at] = s.forget*s.powers[at] + max(0, sum)
			if at < fineLast {
				out, in := f.echoPast[at], f.echoPast[at+len(segment)]
				sum += in*in - out*out
			}
		}
	}
}

// judge looks for the lag, and believes one that two looks in a row agree on. A vowel goes
// together with itself a pitch period later almost as well: which of the two it is, the next
// sounds tell.
func (f *fine) judge(s *fineSum, least int) (later float64, said int) {
	if s.power < 1e-4 {
		s.agreed = false
		return 0, fineSilent
	}
	f.fft.inverse(s.cross, f.together)
	for at := range s.powers {
		f.together[at] /= root(s.power*s.powers[at] + 1e-9)
	}
	at, best := f.best(0, fineLast)
	_, still := f.best(fineReach-2, fineReach+2)
	_, before := f.best(0, at-fineApart)
	_, after := f.best(at+fineApart, fineLast)
	second := max(before, after)
	left := func(together float32) float32 { return 1 - together*together } // of the microphone, was the filter moved there
	clear := left(best) < 0.6*left(second) || best > second+0.15
	much := left(best) < 0.4*left(still) || best > still+0.25
	if best < 0.45 || !much || at == 0 || at == fineLast || abs(at-fineReach) <= least {
		s.agreed = false
		if still > best-0.02 && (still > 0.7 || still > 0.3 && clear) {
			return 0, fineStill
		}
		return 0, fineSilent
	}
	again := s.agreed && abs(at-s.seen) <= 1
	s.seen, s.agreed = at, clear
	if !again || !clear {
		if best < 0.7 { // somebody speaks: this may last
			return 0, fineSilent
		}
		return 0, fineUnsure
	}
	a, b, c := f.together[at-1], f.together[at], f.together[at+1]
	part := float64(0)
	if curve := a - 2*b + c; curve < -1e-9 {
		part = float64(0.5 * (a - c) / curve)
	}
	return fineReach - float64(at) - part, fineMoved
}

// best is the largest of together from one place to another.
func (f *fine) best(from, to int) (at int, best float32) {
	for s := from; s <= to; s++ {
		if v := f.together[s]; v > best {
			best, at = v, s
		}
	}
	return at, best
}

// forget is for a filter that stands elsewhere now.
func (f *fine) forget() {
	f.clear()
	f.hold = fineHold
}

func (f *fine) clear() {
	for i := range f.sums {
		s := &f.sums[i]
		s.cross.clear()
		clear(s.powers)
		s.power, s.agreed = 0, false
	}
	f.heard = 0
}
