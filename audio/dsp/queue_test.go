package dsp

import (
	"fmt"
	"testing"
	"time"

	"sotto/audio"
)

// TestPlayingIsEven: what a device asks for at once is played evenly while it lasts, also when it is handed
// over a period at a time.
func TestPlayingIsEven(t *testing.T) {
	for _, takes := range []int{coursePiece, audio.PeriodSamples, 2 * audio.PeriodSamples, 1024, 4 * audio.PeriodSamples} {
		t.Run(fmt.Sprint(takes), func(t *testing.T) {
			q, sound := newQueue(playedRoom), make([]float32, audio.PeriodSamples)
			const made = 200 * time.Microsecond // a piece
			samples := func(n int) time.Duration { return time.Duration(n) * time.Second / audio.SampleRate }
			for asked := 0; asked < audio.SampleRate; asked += takes {
				at := samples(asked)
				for left := takes; left > 0; left -= audio.PeriodSamples {
					q.push(sound[:min(left, audio.PeriodSamples)], at, 0)
					at += made
				}
				for ; at < samples(asked+takes); at += made {
					if off := q.reached(at) - at.Seconds()*audio.SampleRate; off < -1 || off > 1 {
						t.Fatalf("at %v, %.0f samples too many were played", at, off)
					}
				}
			}
		})
	}
}
