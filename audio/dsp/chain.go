package dsp

// chain is the processing itself, for one goroutine; nil parts are left out. The
// zero value does nothing.
type chain struct {
	highPass *highPass
	echo     *echo
	noise    *noise
	gain     *gain
	loudness loudness // tells speech where RNNoise does not
}

const flushMost = 100 // of full scale

// use makes the parts that are wanted and lets go of the others.
func (c *chain) use(config Config) {
	set(&c.highPass, config.HighPass, func() *highPass { return newHighPass(highPassCut) })
	set(&c.echo, config.Echo, newEcho)
	set(&c.gain, config.Gain, newGain)
	wanted := config.Noise && noiseAvailable()
	if c.noise != nil && !wanted {
		c.noise.close()
	}
	set(&c.noise, wanted, openNoise)
}

// set makes a part that is wanted and not there, and forgets one that is not wanted.
func set[T any](part **T, wanted bool, build func() *T) {
	switch {
	case !wanted:
		*part = nil
	case *part == nil:
		*part = build()
	}
}

func (c *chain) close() { c.use(Config{}) }

// play takes what the loudspeaker took; it may be changed.
func (c *chain) play(sound []float32) {
	if c.echo != nil {
		flush(sound)
		c.echo.play(sound)
	}
}

// flush makes silence of what is as good as silent, below -140 dBFS: a decoder's silence
// is 1e-30 or so, whose squares are denormal numbers, and these take a processor ten to a
// hundred times as long. And of what is no sound at all, which a broken device gives: one
// such number would stay in every filter.
func flush(sound []float32) {
	for i, x := range sound {
		if x > -1e-7 && x < 1e-7 || !(x > -flushMost && x < flushMost) {
			sound[i] = 0
		}
	}
}

// process works on a period in place. late leaves out what is costly.
func (c *chain) process(period []float32, late bool) {
	flush(period)
	if c.echo != nil {
		c.echo.find(period)
	}
	if c.highPass != nil {
		c.highPass.process(period)
		flush(period)
	}
	near := float32(1)
	if c.echo != nil {
		if late {
			c.echo.pass(period)
		} else {
			c.echo.process(period)
		}
		near = c.echo.near()
	}
	speech, known := float32(0), false
	if c.noise != nil {
		if late {
			c.noise.pass(period)
		} else {
			speech, known = c.noise.process(period)
		}
	}
	if c.gain == nil {
		return
	}
	if !known {
		speech = c.loudness.speech(period)
	}
	c.gain.process(period, speech*near)
}
