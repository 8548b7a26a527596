package dsp

// fine finds within some periods, and to a part of a sample, whether the echo comes where the
// filter expects it or up to 5 ms earlier or later: it looks where the microphone goes
// together best with the filter's echo.
type fine struct {
	fft               *fft
	echoPast, micPast []float32 // pre-emphasised, newest last
	lastEcho, lastMic float32
	frame, together   []float32
	echo, mic         spectrum
	cross             spectrum  // of the two, summed over periods
	powers            []float32 // of the echo, for each lag, summed alike
	power             float32   // of the microphone
	hold              int       // periods until the echo's past is all of where the filter stands
	seen              int       // what the last look said
	agreed            bool      // and it was one to believe
}

// What fine says.
const (
	fineSilent = iota // nothing to go by
	fineStill         // the echo is where it is expected
	fineMoved         // it is elsewhere
	fineUnsure        // it may be
)

const (
	fineSize   = 1024
	fineReach  = (fineSize - 480) / 2 // samples
	fineHold   = 3
	fineForget = 0.8
)

func newFine() *fine {
	return &fine{
		fft: newFFT(fineSize), echoPast: make([]float32, fineSize), micPast: make([]float32, fineSize-fineReach),
		frame: make([]float32, fineSize), together: make([]float32, fineSize),
		echo: newSpectrum(fineSize), mic: newSpectrum(fineSize), cross: newSpectrum(fineSize),
		powers: make([]float32, 2*fineReach+1),
	}
}

// hear takes a period of the microphone and of the filter's echo, and whether it need not
// look because the echo is taken out well. later is by how many samples the echo has moved.
func (f *fine) hear(mic, echo []float32, good bool) (later float64, said int) {
	f.lastEcho = push(f.echoPast, echo, f.lastEcho)
	f.lastMic = push(f.micPast, mic, f.lastMic)
	if f.hold > 0 {
		f.hold--
		return 0, fineUnsure
	}
	f.gather()
	if good {
		f.agreed = false
		return 0, fineStill
	}
	if f.power < 1e-4 {
		return 0, fineSilent
	}
	return f.judge()
}

// gather adds a period to the sums.
func (f *fine) gather() {
	segment := f.micPast[:len(f.micPast)-fineReach] // so old that lags go both ways
	clear(f.frame)
	copy(f.frame, segment)
	f.fft.forward(f.frame, f.mic)
	f.fft.forward(f.echoPast, f.echo)
	for k := range f.cross.re {
		f.cross.re[k] = fineForget*f.cross.re[k] + f.mic.re[k]*f.echo.re[k] + f.mic.im[k]*f.echo.im[k]
		f.cross.im[k] = fineForget*f.cross.im[k] + f.mic.re[k]*f.echo.im[k] - f.mic.im[k]*f.echo.re[k]
	}
	f.power = fineForget*f.power + float32(meanSquare(segment))*float32(len(segment))
	var sum float32
	for _, v := range f.echoPast[:len(segment)] {
		sum += v * v
	}
	for s := range f.powers {
		f.powers[s] = fineForget*f.powers[s] + max(0, sum)
		if s+1 < len(f.powers) {
			out, in := f.echoPast[s], f.echoPast[s+len(segment)]
			sum += in*in - out*out
		}
	}
}

// judge looks for the lag, and believes one that two looks in a row agree on.
func (f *fine) judge() (later float64, said int) {
	f.fft.inverse(f.cross, f.together)
	best, at, still := float32(0), fineReach, float32(0)
	for s := range f.powers {
		f.together[s] /= root(f.power*f.powers[s] + 1e-9)
		if v := f.together[s]; v > best {
			best, at = v, s
		}
		if abs(s-fineReach) <= 2 {
			still = max(still, f.together[s])
		}
	}
	// What would be left of the microphone there, against here.
	much := 1-best*best < 0.4*(1-still*still) || best > still+0.25
	if best < 0.45 || !much || at == 0 || at == len(f.powers)-1 {
		f.agreed = false
		if still > 0.7 && still > best-0.05 {
			return 0, fineStill
		}
		return 0, fineSilent
	}
	again := f.agreed && abs(at-f.seen) <= 1
	f.seen, f.agreed = at, true
	if !again {
		return 0, fineUnsure
	}
	a, b, c := f.together[at-1], f.together[at], f.together[at+1]
	part := float64(0)
	if curve := a - 2*b + c; curve < -1e-9 {
		part = float64(0.5 * (a - c) / curve)
	}
	f.forget()
	return fineReach - float64(at) - part, fineMoved
}

// forget is for a filter that stands elsewhere now.
func (f *fine) forget() {
	f.cross.clear()
	clear(f.powers)
	f.power, f.agreed, f.hold = 0, false, fineHold
}
