package fake

import (
	"fmt"
	"math"

	"sotto/audio"
)

const (
	// DefaultTone is the pitch of a tone that is not given one, in hertz.
	DefaultTone = 440
	// LowestTone and HighestTone bound what can be asked for, in hertz.
	LowestTone  = 20
	HighestTone = 20000

	toneAmplitude = 0.25 // -15 dBFS RMS: like speech, not like an alarm
)

// NewTone is a microphone that hears a steady sine of hertz.
func NewTone(hertz float64) (audio.Source, error) {
	if !(hertz >= LowestTone && hertz <= HighestTone) {
		return nil, fmt.Errorf("a tone of %v Hz cannot be heard; choose from %d to %d", hertz, LowestTone, HighestTone)
	}
	var phase float64 // in turns
	step := hertz / audio.SampleRate
	return &generated{newRunner(fmt.Sprintf("tone:%g", hertz)), func(period []float32) {
		for i := range period {
			period[i] = float32(toneAmplitude * math.Sin(2*math.Pi*phase))
			phase += step
			if phase >= 1 {
				phase--
			}
		}
	}}, nil
}
