package world

import (
	"sync"
	"time"

	"sotto/audio"
	"sotto/audio/fake"
)

// mirror is a pair of devices that says back what it hears, some time later.
type mirror struct {
	mu      sync.Mutex // guards the following
	waiting [][audio.PeriodSamples]float32
	next    int // of waiting, a ring: what is heard takes the place of what is said
}

func newMirror(after time.Duration) *mirror {
	return &mirror{waiting: make([][audio.PeriodSamples]float32, max(1, int(after/audio.PeriodDuration)))}
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
		m := e.mirror
		m.mu.Lock()
		defer m.mu.Unlock()
		copy(m.waiting[m.next][:], period)
		m.next = (m.next + 1) % len(m.waiting)
	})
}

func (s mouth) Start(deliver func([]float32)) error {
	var said [audio.PeriodSamples]float32
	return s.Source.Start(func([]float32) {
		m := s.mirror
		m.mu.Lock()
		said = m.waiting[m.next]
		m.mu.Unlock()
		deliver(said[:])
	})
}
