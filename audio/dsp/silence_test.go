package dsp

import (
	"math/rand/v2"
	"testing"

	"sotto/audio"
)

// BenchmarkEchoAfterSpeech: a period costs about the same whether the far side speaks or
// has fallen silent, or as good as silent, as a decoder does.
func BenchmarkEchoAfterSpeech(b *testing.B) {
	for _, far := range []struct {
		name  string
		level float32
	}{{"speaking", 0.1}, {"silent", 0}, {"almost silent, 1e-15", 1e-15}, {"almost silent, 1e-19", 1e-19}, {"almost silent, 1e-22", 1e-22}, {"almost silent, 1e-30", 1e-30}} {
		b.Run(far.name, func(b *testing.B) {
			c := chain{echo: newEcho()}
			random := rand.New(rand.NewPCG(1, 2))
			played, heard := make([]float32, audio.PeriodSamples), make([]float32, audio.PeriodSamples)
			period := func(level float32) {
				for i := range played {
					heard[i] = played[i]*0.5 + float32(random.NormFloat64())*0.05
				}
				for i := range played {
					played[i] = level * float32(random.NormFloat64())
				}
				c.play(played)
				c.process(heard, false)
			}
			for range 1000 {
				period(0.1)
			}
			for range 2000 {
				period(far.level)
			}
			for b.Loop() {
				period(far.level)
			}
		})
	}
}

// TestSilenceIsFlushed: what is as good as silent reaches no part of the processing as a
// number of its own.
func TestSilenceIsFlushed(t *testing.T) {
	c := chain{echo: newEcho(), highPass: newHighPass(highPassCut)}
	period := make([]float32, audio.PeriodSamples)
	for n := range 200 {
		for i := range period {
			period[i] = 1e-22
		}
		c.play(period)
		for i := range period {
			period[i] = 1e-22
		}
		c.process(period, false)
		for i, x := range period {
			if x != 0 {
				t.Fatalf("sample %d of period %d is %v", i, n, x)
			}
		}
	}
	for p, x := range c.echo.filter.history {
		for bin := range x.re {
			if x.re[bin] != 0 || x.im[bin] != 0 {
				t.Fatalf("partition %d hears %v in bin %d of silence", p, x.re[bin], bin)
			}
		}
	}
}
