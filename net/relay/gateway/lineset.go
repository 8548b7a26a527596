package gateway

import (
	"sync"
	"time"
)

// lineSet is the lines that are open, and those still on their way in or out.
type lineSet struct {
	busy sync.WaitGroup // one for each handler

	mu     sync.Mutex // guards the following
	open   map[*client]struct{}
	closed bool
}

// enter counts a handler in; false once the gateway closes.
func (s *lineSet) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.busy.Add(1)
	return true
}

func (s *lineSet) leave() { s.busy.Done() }

func (s *lineSet) add(l *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = make(map[*client]struct{})
	}
	s.open[l] = struct{}{}
	if s.closed {
		l.out.goodbye()
	}
}

func (s *lineSet) remove(l *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
}

func (s *lineSet) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// shut lets no more handlers in.
func (s *lineSet) shut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
}

func (s *lineSet) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed
}

// goodbye asks every line to end and gives them until the time-out.
func (s *lineSet) goodbye(timeout time.Duration) {
	s.mu.Lock()
	for l := range s.open {
		l.out.goodbye()
	}
	s.mu.Unlock()
	gone := make(chan struct{})
	go func() {
		s.busy.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(timeout): // wait, called after the cut, ends that goroutine too
	}
}

func (s *lineSet) wait() { s.busy.Wait() }

// cutSilent ends lines that have not been heard since.
func (s *lineSet) cutSilent(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.open {
		if l.heard.Load() < since.UnixNano() {
			l.cut()
		}
	}
}
