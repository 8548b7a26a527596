// Package hotplug keeps a microphone or a speaker for the length of a call, whatever
// becomes of the device under it: unplugged, plugged in again, changed by the person,
// no longer the default, or the whole sound server dead and restarted.
//
//	words ─> Keeper ─ open, look, swap ─> device | file, tone, pipe | stand-in
//	           │ pass: the newest stream that gives sound is the one that counts
//	           └──> the Session, which never notices
//
// A Keeper is an audio.Source or an audio.Sink. While there is no speaker a stand-in
// takes the sound at the same even pace, so that none piles up; while there is no
// microphone the Session sends silence by its own clock, as for any source that is
// late, so that nothing shows on the wire. A new stream takes over with its first period, and
// only then is the old one let go of: a change is heard as no more than a seam.
//
// One goroutine (run) owns everything that changes. It waits for no sound server:
// opening, starting and closing have goroutines of their own, which a server that
// hangs holds up for as long as package device lets it.
package hotplug

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"sotto/audio"
	"sotto/audio/device"
)

// Stream is what a Source and a Sink have in common.
type Stream interface {
	Start(handle func(period []float32)) error
	Lost() <-chan error
	Name() string
	Close() error
}

// Wish is what a person wants to speak into or hear with.
type Wish struct {
	Stream Stream // a file, a tone, a pipe, or nothing: opened already; nil: a device
	Device string // its id or its description; "" is the default one
}

const (
	// standInAfter is how long the first device may take until a stand-in begins.
	standInAfter = 300 * time.Millisecond
	lookEvery    = 250 * time.Millisecond // how often run looks at the clock
	closeWait    = 700 * time.Millisecond // how long Close waits for a server that hangs

	backOffLeast = 250 * time.Millisecond // between attempts to open a device that is listed and does not open
	backOffMost  = 8 * time.Second
)

var errClosed = errors.New("the call is over")

// Keeper keeps one microphone or speaker. Its methods may be called from any goroutine.
type Keeper struct {
	hardware *Hardware
	kind     string // device.Capture or device.Playback

	// in
	starts  chan func([]float32)
	wishes  chan request
	opened  chan result
	took    chan struct{} // capacity 1: a newer stream gives sound
	devices chan listing  // capacity 1: the newest

	// out
	notices chan<- audio.Notice // nil: nobody wants to know
	lost    chan error          // capacity 1: of a stream that is no device

	stop chan struct{}
	done chan struct{}
	once sync.Once
	work sync.WaitGroup // goroutines that open, start and close

	numbers atomic.Uint64 // of streams started
	current atomic.Pointer[device.Device]
	sound   sound
}

// request is a wish, and where to say whether it came true.
type request struct {
	wish  Wish
	reply chan error // capacity 1
}

// Keep begins to keep what is wished for: a device opens at once, and gives no sound
// before Start. What there is to say goes to notices, which several may share and
// which may be nil.
func (h *Hardware) Keep(kind string, wish Wish, notices chan<- audio.Notice) *Keeper {
	k := &Keeper{
		hardware: h, kind: kind,
		starts: make(chan func([]float32)), wishes: make(chan request), opened: make(chan result),
		took: make(chan struct{}, 1), devices: make(chan listing, 1),
		notices: notices, lost: make(chan error, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	k.sound.kind, k.sound.took = kind, k.took
	go k.run(wish)
	return k
}

// Start lets sound flow; it never waits for a device.
func (k *Keeper) Start(handle func(period []float32)) error {
	select {
	case k.starts <- handle:
		return nil
	case <-k.done:
		return errClosed
	}
}

// Lost carries the end of a file or pipe; a device that goes away is an audio.Notice.
func (k *Keeper) Lost() <-chan error { return k.lost }

// Name is the kind: which device it is changes.
func (k *Keeper) Name() string { return spoken(k.kind) }

// Kind is device.Capture or device.Playback.
func (k *Keeper) Kind() string { return k.kind }

// Device is the device that sound comes from or goes to now; zero for none, and for a
// file, a tone or a pipe.
func (k *Keeper) Device() device.Device {
	if now := k.current.Load(); now != nil {
		return *now
	}
	return device.Device{}
}

// Use changes to what is wished for and returns when it runs. After an error
// everything is as before; a Stream is then closed.
func (k *Keeper) Use(wish Wish) error {
	r := request{wish, make(chan error, 1)}
	select {
	case k.wishes <- r:
	case <-k.done:
		if wish.Stream != nil {
			_ = wish.Stream.Close()
		}
		return errClosed
	}
	select {
	case err := <-r.reply:
		return err
	case <-k.done:
		return errClosed
	}
}

// Close lets go of the device. It waits for it, except for one that hangs.
func (k *Keeper) Close() error {
	k.once.Do(func() { close(k.stop) })
	<-k.done
	gone := make(chan struct{})
	go func() {
		k.work.Wait()
		close(gone)
	}()
	timer := time.NewTimer(closeWait)
	defer timer.Stop()
	select {
	case <-gone:
	case <-timer.C: // what hangs is undone when it comes back
	}
	return nil
}

// sound is the way between a stream's thread and the Session. Streams are numbered
// from 1 as they are started; the stand-in is 0.
type sound struct {
	kind string
	took chan<- struct{}

	mu      sync.Mutex // guards the following; held for one copy
	handle  func(period []float32)
	current uint64 // the stream that counts
	retired uint64 // this one and those before it no longer count
	zeros   int    // capture: periods of digital silence since current took over
	sounded bool   // capture: current has given something else
}

// pass takes a period of the stream with this number. The first one of a newer
// stream makes it the one that counts.
func (s *sound) pass(number uint64, period []float32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if number < s.current || number != 0 && number <= s.retired {
		if s.kind == device.Playback {
			clear(period)
		}
		return
	}
	if number > s.current {
		s.current, s.zeros, s.sounded = number, 0, false
		select {
		case s.took <- struct{}{}:
		default:
		}
	}
	if s.kind == device.Capture && !s.sounded {
		if s.sounded = !silent(period); !s.sounded {
			s.zeros++
		}
	}
	s.handle(period)
}

// settling holds a device back until it runs evenly: a sink that has just been opened
// fills its own buffer first, and some then ask for nothing for a second. It belongs
// to the device's thread.
type settling struct{ first, last time.Time }

const (
	settledAfter = 50 * time.Millisecond  // since its first period
	settledGap   = 100 * time.Millisecond // and since the one before
)

// over notes a period, and tells whether the device runs evenly.
func (s *settling) over(now time.Time) bool {
	before := s.last
	s.last = now
	if s.first.IsZero() {
		s.first = now
	}
	return now.Sub(s.first) >= settledAfter && now.Sub(before) <= settledGap
}

func silent(period []float32) bool {
	for _, sample := range period {
		if sample != 0 {
			return false
		}
	}
	return true
}

// retire makes a stream and those before it count no more: the stand-in is next.
func (s *sound) retire(number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = max(s.retired, number)
	if s.current <= s.retired {
		s.current = 0
	}
}

// counts is the number of the stream that counts.
func (s *sound) counts() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current
}

// dead is for how long the stream that counts has given nothing but digital silence,
// which no microphone does, since it began.
func (s *sound) dead() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sounded || s.current == 0 {
		return 0
	}
	return time.Duration(s.zeros) * audio.PeriodDuration
}
