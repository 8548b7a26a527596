// Package tone makes the two sounds a call has before anyone speaks: the ring that
// a callee hears and the ringback that a caller hears. They are sines with soft
// edges, quieter than speech.
//
// A ring is meant for a real loudspeaker only: whoever plays one decides that.
package tone

import (
	"math"
	"time"

	"sotto/audio"
)

// Pattern is a sound that repeats until it is stopped.
type Pattern struct {
	// Notes are played one after another.
	Notes []Note
	// Pause follows the last note.
	Pause time.Duration
}

// Note is up to two sines for a time, or silence.
type Note struct {
	Hertz  [2]float64 // 0: none
	Length time.Duration
}

// Ringback is what a caller hears: the European cadence (ITU-T E.180), a second of
// 425 Hz every five.
var Ringback = Pattern{Notes: []Note{{Hertz: [2]float64{425}, Length: time.Second}}, Pause: 4 * time.Second}

// Ring is what a callee hears: two rising thirds, then quiet for longer than they took.
var Ring = Pattern{
	Notes: []Note{
		{Hertz: [2]float64{523.25, 659.26}, Length: 350 * time.Millisecond},
		{Length: 100 * time.Millisecond},
		{Hertz: [2]float64{587.33, 739.99}, Length: 350 * time.Millisecond},
	},
	Pause: 1800 * time.Millisecond,
}

const (
	amplitude = 0.06                  // of each sine: -27 dBFS RMS
	edge      = 15 * time.Millisecond // rise and fall, so that nothing clicks
)

// Player makes a Pattern's samples, one period after another. It belongs to one
// goroutine or callback and allocates nothing.
type Player struct {
	notes []Note // with the pause as the last
	at    int    // note
	pos   int    // sample in it
}

// NewPlayer returns a Player at the beginning of a Pattern.
func NewPlayer(p Pattern) *Player {
	notes := append(append([]Note(nil), p.Notes...), Note{Length: p.Pause})
	kept := notes[:0]
	for _, note := range notes {
		if samples(note.Length) > 0 {
			kept = append(kept, note)
		}
	}
	return &Player{notes: kept}
}

func samples(d time.Duration) int { return int(d * audio.SampleRate / time.Second) }

// Fill makes the next samples.
func (p *Player) Fill(period []float32) {
	if len(p.notes) == 0 {
		clear(period)
		return
	}
	for i := range period {
		note := &p.notes[p.at]
		length := samples(note.Length)
		period[i] = note.sample(p.pos, length)
		if p.pos++; p.pos == length {
			p.at, p.pos = (p.at+1)%len(p.notes), 0
		}
	}
}

func (n *Note) sample(pos, length int) float32 {
	var sum float64
	for _, hertz := range n.Hertz {
		sum += math.Sin(2 * math.Pi * hertz * float64(pos) / audio.SampleRate)
	}
	ramp := float64(min(pos, length-pos)) / float64(samples(edge))
	return float32(amplitude * sum * min(1, ramp))
}

// Play starts sink with a Pattern and returns a function that ends it: it closes
// the sink, waits for it, and may be called more than once. Close is its error.
// When Play itself fails the sink is closed.
func Play(sink audio.Sink, p Pattern) (stop func() error, err error) {
	player := NewPlayer(p)
	if err := sink.Start(player.Fill); err != nil {
		_ = sink.Close()
		return nil, err
	}
	return sink.Close, nil
}
