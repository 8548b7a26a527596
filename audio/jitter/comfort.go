package jitter

import "math"

const (
	noiseOrder   = 10
	noiseMost    = 0.003  // rms, -50 dBFS: louder than that is not background
	noiseForget  = 1.0005 // how fast a quiet frame's level is forgotten, each frame
	noiseWindow  = periodSamples
	noiseMinimum = 1e-5
)

// comfort is the noise that a long gap fades to: white noise through the shape of
// the quietest frame of the last while (linear prediction), at that frame's level,
// so that the other side's room does not vanish. It repeats itself exactly from
// run to run.
type comfort struct {
	level   float64 // rms of the frame that was learnt from, rising slowly
	gain    float64 // of the excitation
	shape   [noiseOrder]float64
	history [noiseOrder]float64 // output, newest first
	state   uint32
}

func (c *comfort) init() { c.level, c.state = noiseMost, 1 }

// learn looks at a decoded frame.
func (c *comfort) learn(frame []float32) {
	c.level = min(noiseMost, c.level*noiseForget)
	sound := frame[len(frame)-noiseWindow:]
	level := math.Sqrt(meanSquare(frame))
	if level >= c.level {
		return
	}
	c.level = max(level, noiseMinimum)
	var correlation [noiseOrder + 1]float64
	for lag := range correlation {
		for i := lag; i < len(sound); i++ {
			correlation[lag] += float64(sound[i]) * float64(sound[i-lag])
		}
	}
	if level < noiseMinimum || correlation[0] <= 0 {
		c.gain, c.shape = 0, [noiseOrder]float64{}
		return
	}
	left := c.predict(correlation)
	c.gain = math.Sqrt(3 * left / noiseWindow) // uniform noise from -1 to 1 has a variance of 1/3
}

// predict fills in shape (Levinson's recursion) and returns the energy that it leaves over.
func (c *comfort) predict(correlation [noiseOrder + 1]float64) float64 {
	c.shape = [noiseOrder]float64{}
	left := correlation[0] * 1.001 // white noise 30 dB below keeps the filter stable
	for order := range noiseOrder {
		reflection := correlation[order+1]
		for k := range order {
			reflection -= c.shape[k] * correlation[order-k]
		}
		reflection /= left
		before := c.shape
		for k := range order {
			c.shape[k] = before[k] - reflection*before[order-1-k]
		}
		c.shape[order] = reflection
		left *= 1 - reflection*reflection
	}
	return max(0, left)
}

// next is one more sample of noise.
func (c *comfort) next() float32 {
	c.state = c.state*1664525 + 1013904223
	sample := c.gain * (float64(c.state)/(1<<31) - 1)
	for k, weight := range c.shape {
		sample += weight * c.history[k]
	}
	sample = max(-4*noiseMost, min(4*noiseMost, sample))
	copy(c.history[1:], c.history[:noiseOrder-1])
	c.history[0] = sample
	return float32(sample)
}

// fadeOut lets noise go over into the beginning of real sound.
func (c *comfort) fadeOut(sound []float32) {
	for i := range sound {
		faded := float32(i) / float32(len(sound))
		sound[i] = sound[i]*faded + c.next()*(1-faded)
	}
}
