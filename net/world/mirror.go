package world

import (
	"sync"
	"time"

	"sotto/audio"
	"sotto/audio/fake"
)

// mirror is a pair of devices that says back what it hears, some time later. Each tells
// its own time and neither is punctual: what is said is read in order, however the two
// take turns. When the ear stands still for so long that all is said, the mouth is silent
// until as much is kept again as at the beginning.
type mirror struct {
	mu      sync.Mutex                     // guards the following
	waiting [][audio.PeriodSamples]float32 // a ring, twice as long as it keeps
	after   int                            // periods for which it keeps what it heard
	heard   int                            // periods so far
	said    int                            // and of those
	silent  bool                           // gathers periods first
}

func newMirror(after time.Duration) *mirror {
	periods := max(1, int(after/audio.PeriodDuration))
	return &mirror{waiting: make([][audio.PeriodSamples]float32, 2*periods), after: periods, silent: true}
}

func (m *mirror) hear(period []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	copy(m.waiting[m.heard%len(m.waiting)][:], period)
	m.heard++
}

// say writes the next period to out: silence, while there is none. What begins or ends
// where nothing is before or after it does so softly, for it would click.
func (m *mirror) say(out *[audio.PeriodSamples]float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.heard - m.said
	begins := m.silent
	if kept >= len(m.waiting) { // the mouth stood still
		kept, begins = m.after, true
		m.said = m.heard - kept
	}
	if m.silent = m.silent && kept < m.after; m.silent {
		clear(out[:])
		return
	}
	*out = m.waiting[m.said%len(m.waiting)]
	m.said++
	m.silent = kept == 1 // the ear stands still
	for i := range out {
		at := float32(i+1) / audio.PeriodSamples
		if begins {
			out[i] *= at
		}
		if m.silent {
			out[i] *= 1 - at
		}
	}
}

// ear is the mirror as a loudspeaker, mouth as a microphone.
type (
	ear struct {
		audio.Sink
		mirror *mirror
	}
	mouth struct {
		audio.Source
		mirror *mirror
	}
)

func (m *mirror) sound() (audio.Source, audio.Sink) {
	return mouth{fake.NewNullSource(), m}, ear{fake.NewNullSink(), m}
}

func (e ear) Start(fill func([]float32)) error {
	return e.Sink.Start(func(period []float32) {
		fill(period)
		e.mirror.hear(period)
	})
}

func (s mouth) Start(deliver func([]float32)) error {
	var said [audio.PeriodSamples]float32
	return s.Source.Start(func([]float32) {
		s.mirror.say(&said)
		deliver(said[:])
	})
}
