package dsp

// jump notices within half a second when the echo comes earlier or later than
// before: the microphone then goes together best with the filter's echo at another
// lag than none. It looks at the lowest 1.8 kHz.
type jump struct {
	echo, mic         decimator
	echoPast, micPast []float32 // at 4 kHz and pre-emphasised, newest last
	lastEcho, lastMic float32
	fresh             []float32

	together []float32 // correlation at the lags -jumpReach to jumpReach
	powers   []float32 // of the echo, for each of them
	power    float32   // of the microphone
	hold     int       // periods until the next look
	seen     int       // the lag at the last look
	agreed   bool      // and it was one to believe
}

const (
	jumpReach = 240 // coarse samples: 60 ms
	jumpLook  = 4   // periods between looks
	jumpFlush = 20  // periods after a jump in which the past is another place's
)

func newJump() *jump {
	return &jump{
		echo: newDecimator(), mic: newDecimator(),
		echoPast: make([]float32, 2*jumpReach+delayPart), micPast: make([]float32, jumpReach+delayPart),
		fresh:    make([]float32, delayPart),
		together: make([]float32, 2*jumpReach+1), powers: make([]float32, 2*jumpReach+1),
	}
}

// hear takes a period of the microphone and of the filter's echo. It returns by how
// many samples of 48 kHz the echo has become later, to within a few; 0 is not at all.
func (j *jump) hear(mic, echo []float32) int {
	j.echo.take(echo, j.fresh)
	j.lastEcho = push(j.echoPast, j.fresh, j.lastEcho)
	j.mic.take(mic, j.fresh)
	j.lastMic = push(j.micPast, j.fresh, j.lastMic)
	const forget = 0.97
	now := j.micPast[:delayPart] // jumpReach old, so that lags go both ways
	for i := range j.together {  // at the lag i-jumpReach
		from := j.echoPast[2*jumpReach-i:][:len(now)]
		var sum, square float32
		for k, v := range now {
			sum += v * from[k]
			square += from[k] * from[k]
		}
		j.together[i] = forget*j.together[i] + sum
		j.powers[i] = forget*j.powers[i] + square
	}
	j.power = forget*j.power + float32(meanSquare(now))*delayPart
	if j.hold--; j.hold > 0 {
		return 0
	}
	j.hold = jumpLook
	return j.judge()
}

// judge returns a lag that two looks in a row agree on.
func (j *jump) judge() int {
	if j.power < 1e-3 {
		return 0
	}
	best, at, still := float32(0), 0, float32(0)
	for i, v := range j.together {
		v /= root(j.power*j.powers[i] + 1e-6)
		if v > best {
			best, at = v, i
		}
		if abs(i-jumpReach) <= 2 {
			still = max(still, v)
		}
	}
	believed := best > 0.4 && best > still+0.2
	again := believed && j.agreed && abs(at-j.seen) <= 1
	j.seen, j.agreed = at, believed
	if !again {
		return 0
	}
	j.forget()
	return (at - jumpReach) * delayFactor
}

// forget begins anew.
func (j *jump) forget() {
	clear(j.together)
	clear(j.powers)
	j.power, j.agreed, j.hold = 0, false, jumpFlush
}

// push appends x, pre-emphasised, to past.
func push(past, x []float32, last float32) float32 {
	copy(past, past[len(x):])
	for i, v := range x {
		past[len(past)-len(x)+i] = v - 0.9*last
		last = v
	}
	return last
}
