//go:build cgo && !noaudio

package device

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"

	"sotto/audio"
)

const (
	// A device that was heard of within deadAfter is alive. miniaudio does not say
	// when a sound server dies: the callbacks stop, nothing else happens.
	deadAfter = 300 * time.Millisecond
	// settledAfter is how long a device may take to run evenly. An idle PulseAudio
	// null sink asks for a few periods at once, then for nothing for up to 0.9 s.
	settledAfter = 3 * time.Second
	unsettled    = 2500 * time.Millisecond // and what counts as dead until then, once it has begun: PulseAudio's blocks are 2 s at most
	watchEvery   = 100 * time.Millisecond
)

// stream is an open device of either kind. Its callback runs on miniaudio's
// thread; watch is the one goroutine, from Start to Close.
type stream struct {
	kind   string
	name   string
	opened Device
	lasts  time.Duration // how long the device goes on when its callback is late
	system system
	device *malgo.Device
	lost   chan error // holds the one error it ever carries

	handle atomic.Pointer[func(period []float32)] // nil: the callback does nothing
	began  atomic.Int64                           // when it was started, Unix nanoseconds
	gaps   atomic.Uint64                          // written by the callback
	last   atomic.Int64                           // when the callback last ran, Unix nanoseconds; 0: not yet

	// partial is a captured period that a callback has begun and the next one goes on
	// with: a system keeps to sizes of its own. Owned by the callback.
	partial [audio.PeriodSamples]float32
	filled  int // samples in partial

	mu      sync.Mutex // guards the following
	started bool
	closed  bool

	stop  chan struct{}
	watch sync.WaitGroup
	gone  chan struct{}
}

func newStream(kind, name string, s system) *stream {
	return &stream{kind: kind, name: name, system: s, lost: make(chan error, 1), stop: make(chan struct{}), gone: make(chan struct{})}
}

func (s *stream) Name() string       { return s.name }
func (s *stream) Lost() <-chan error { return s.lost }
func (s *stream) Device() Device     { return s.opened }
func (s *stream) Gaps() uint64       { return s.gaps.Load() }

// Start lets the device run; handle delivers or fills a period.
func (s *stream) Start(handle func(period []float32)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started || s.closed {
		return errors.New("this sound device was started or closed before")
	}
	s.started = true
	s.began.Store(time.Now().UnixNano())
	s.handle.Store(&handle)
	_, err := within(openLimit, func() (struct{}, error) { return struct{}{}, s.device.Start() }, func(struct{}) {})
	if err != nil {
		s.handle.Store(nil)
		return fmt.Errorf("%w: starting %s: %w", audio.ErrDevice, s.name, mend(err))
	}
	s.watch.Go(s.watchdog)
	return nil
}

// callback runs on the device's own thread. It only copies.
func (s *stream) callback(output, input []byte, _ uint32) {
	s.tick(time.Now().UnixNano())
	handle := s.handle.Load()
	if handle == nil {
		clear(output)
		return
	}
	if s.kind == Capture {
		s.capture(floats(input), *handle)
		return
	}
	s.play(floats(output), *handle)
}

// tick notes that the callback runs, and whether it was kept waiting for longer than
// the device's buffer lasts.
func (s *stream) tick(now int64) {
	last := s.last.Swap(now)
	if time.Duration(now-last) > s.lasts && now-s.began.Load() > int64(settledAfter) {
		s.gaps.Add(1)
	}
}

func floats(raw []byte) []float32 {
	if len(raw) == 0 {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&raw[0])), len(raw)/4)
}

func (s *stream) capture(samples []float32, deliver func([]float32)) {
	for len(samples) > 0 {
		if s.filled == 0 && len(samples) >= audio.PeriodSamples {
			deliver(samples[:audio.PeriodSamples])
			samples = samples[audio.PeriodSamples:]
			continue
		}
		n := copy(s.partial[s.filled:], samples)
		samples = samples[n:]
		if s.filled += n; s.filled == len(s.partial) {
			s.filled = 0
			deliver(s.partial[:])
		}
	}
}

// play has at most a period filled at a time.
func (s *stream) play(samples []float32, fill func([]float32)) {
	for len(samples) > 0 {
		n := min(len(samples), audio.PeriodSamples)
		fill(samples[:n])
		samples = samples[n:]
	}
}

// watchdog reports the device as lost when its callbacks stop coming.
func (s *stream) watchdog() {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	began, looked := time.Now(), time.Now()
	for {
		select {
		case <-s.stop:
			return
		case now := <-ticker.C:
			slept := now.Sub(looked) > 2*watchEvery // the whole machine, perhaps
			looked = now
			if slept {
				began = now
				if s.last.Load() != 0 {
					s.last.Store(now.UnixNano())
				}
				continue
			}
			if s.dead(began, now) {
				s.lost <- fmt.Errorf("%w: %s has stopped; plug it in again or choose another one", audio.ErrDevice, s.name)
				return
			}
		}
	}
}

func (s *stream) dead(began, now time.Time) bool {
	last := s.last.Load()
	switch {
	case last == 0:
		return now.Sub(began) > settledAfter
	case now.Sub(began) < settledAfter:
		return now.Sub(time.Unix(0, last)) > unsettled
	}
	return now.Sub(time.Unix(0, last)) > deadAfter
}

// Close stops the device and lets go of it. A sound server that hangs is left
// behind after closeLimit.
func (s *stream) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		<-s.gone
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	defer close(s.gone)
	s.handle.Store(nil)
	close(s.stop)
	s.watch.Wait()
	_, err := within(closeLimit, func() (struct{}, error) {
		s.release()
		return struct{}{}, nil
	}, func(struct{}) {})
	if err != nil {
		return fmt.Errorf("closing %s: %w", s.name, err)
	}
	return nil
}

// release must not run on the callback's thread.
func (s *stream) release() {
	_ = s.device.Stop()
	s.device.Uninit()
	s.system.close()
}
