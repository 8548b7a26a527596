package weather

import (
	"fmt"
	"time"

	"sotto/audio"
)

// Cell is some conditions and what becomes of speech in them.
type Cell struct {
	Conditions
	ESTOI     float64       // at least
	Delay     time.Duration // median, at most
	Concealed float64       // at most
}

// CellSpeech is how long the sentence of ui/cli/testdata is repeated for Cells.
const CellSpeech = 11 * time.Second

// Cells are a few cells of the table in docs/sound.md. Their bounds are for a synthetic
// voice, which the codec renders worse than a human one.
func Cells() []Cell {
	cells := []Cell{
		{Conditions{Name: "short-frames", Frames: audio.ShortFrames}, 0.965, 25 * time.Millisecond, 0.001},
		{Conditions{Name: "short-frames-and-jitter", Jitter: 20 * time.Millisecond, Frames: audio.ShortFrames}, 0.955, 45 * time.Millisecond, 0.005},
		{Conditions{Name: "a-tenth-lost", Loss: 0.1}, 0.94, 80 * time.Millisecond, 0.005},
		{Conditions{Name: "three-tenths-lost", Loss: 0.3}, 0.90, 85 * time.Millisecond, 0.05},
		{Conditions{Name: "bursts-of-60-ms", Loss: 0.05, Burst: 3}, 0.93, 85 * time.Millisecond, 0.03},
		{Conditions{Name: "jitter", Jitter: 80 * time.Millisecond}, 0.94, 125 * time.Millisecond, 0.01},
		{Conditions{Name: "drift", Drift: -300}, 0.95, 45 * time.Millisecond, 0.005},
		{Conditions{Name: "a-stall", Stall: 300 * time.Millisecond}, 0.82, 45 * time.Millisecond, 0.03},
	}
	for i := range cells {
		if cells[i].Frames == audio.AutoFrames {
			cells[i].Frames = audio.LongFrames
		}
	}
	return cells
}

// Check is an error if what was heard is worse than the cell allows, or if there were
// packets of several sizes (as keys of sizes).
func (c Cell) Check(o Outcome, sizes map[int]int) error {
	if o.ESTOI < c.ESTOI || o.Median > c.Delay || o.Concealed > c.Concealed || o.Clicks > 1 {
		return fmt.Errorf("ESTOI %.3f, %v, %.4f concealed, %d clicks, delays %v", o.ESTOI, o.Median, o.Concealed, o.Clicks, o.Delays)
	}
	if len(sizes) != 1 {
		return fmt.Errorf("packets of these sizes: %v", sizes)
	}
	return nil
}
