package term

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// How much may wait for a slow terminal, and how long leaving waits for it.
const (
	queueLimit = 16 * 1024 // bytes; a frame that finds nothing waiting may be larger
	drainFor   = 500 * time.Millisecond
)

// clearing is how a renderer begins the whole screen anew; unmargined is the same without
// margins (DECSTBM, which moves the cursor, so it comes first).
var (
	clearing   = []byte(ansi.CursorHomePosition + ansi.EraseEntireScreen)
	unmargined = append([]byte("\x1b[r"), clearing...)
)

// Writer stands between what draws and a terminal: Write never waits. A
// terminal that stops reading (an SSH link that stalls, a suspended
// multiplexer) then delays nothing but what it shows.
//
//	Write ──► queue (at most queueLimit bytes) ──► one goroutine ──► the terminal
//
// When the queue is full everything in it is dropped, but for the modes it set:
// these are what the next frame cannot bring again. Once the terminal reads
// again it gets the modes, and Redraw asks for a whole frame.
//
// A frame that clears the screen first takes off the scrolling margins: one that was
// drawn just before the terminal was resized may have left those of the old height, within
// which the new frame would scroll.
//
// It embeds the file, so that whoever asks for a terminal finds one.
type Writer struct {
	*os.File

	wake   chan struct{} // one place: there is something to write, or to end
	redraw chan struct{} // one place
	done   chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards the following
	queue  [][]byte
	queued int   // bytes in queue
	lost   bool  // frames were dropped since the terminal last took one
	modes  modes // of what was dropped
	failed error // the terminal takes nothing more
	ending bool
	ended  bool // everything was written before the goroutine ended
}

// NewWriter starts writing to the guard's terminal, which must be file; from now
// on the guard gives it back through the writer. Finish ends it; it does not
// close the file.
func NewWriter(file *os.File, guard *Guard) *Writer {
	w := &Writer{
		File: file,
		wake: make(chan struct{}, 1), redraw: make(chan struct{}, 1), done: make(chan struct{}),
	}
	guard.output = w
	go func() {
		defer guard.Catch(func(any) { os.Exit(2) })
		defer close(w.done)
		w.run()
	}()
	return w
}

// Redraw tells once after each overflow that frames were lost and the terminal
// reads again: the whole screen has to be drawn.
func (w *Writer) Redraw() <-chan struct{} { return w.redraw }

// Write queues a copy of frame. Its error is the one that ended the writing.
func (w *Writer) Write(frame []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return 0, w.failed
	}
	if w.ending {
		return 0, os.ErrClosed
	}
	if len(frame) == 0 {
		return 0, nil
	}
	if len(w.queue) > 0 && w.queued+len(frame) > queueLimit {
		w.drop()
	}
	if w.lost {
		w.modes.keep(frame)
		return len(frame), nil
	}
	whole := bytes.ReplaceAll(frame, clearing, unmargined) // a copy
	w.queue = append(w.queue, whole)
	w.queued += len(whole)
	w.stir()
	return len(frame), nil
}

// WriteString is Write; without it the embedded file's own would be found.
func (w *Writer) WriteString(text string) (int, error) { return w.Write([]byte(text)) }

// ReadFrom is what io.Copy looks for; the embedded file's own would wait.
func (w *Writer) ReadFrom(source io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{w}, source)
}

// drop forgets what waits. The caller holds mu.
func (w *Writer) drop() {
	for _, frame := range w.queue {
		w.modes.keep(frame)
	}
	w.queue, w.queued, w.lost = nil, 0, true
}

func (w *Writer) stir() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the only one that waits for the terminal.
func (w *Writer) run() {
	for range w.wake {
		for {
			frame, whole, ended := w.next()
			if ended {
				return
			}
			if frame == nil {
				break
			}
			if _, err := w.File.Write(frame); err != nil {
				w.mu.Lock()
				w.failed, w.queue, w.queued = err, nil, 0
				w.mu.Unlock()
				return
			}
			if !whole {
				select {
				case w.redraw <- struct{}{}:
				default:
				}
			}
		}
	}
}

// next takes the oldest frame, or after an overflow the modes that were lost
// with the frames; whole is false then. ended: nothing is left and nothing will come.
func (w *Writer) next() (frame []byte, whole, ended bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.lost:
		frame = w.modes.sequences()
		w.lost, w.modes = false, modes{}
		return frame, false, false
	case len(w.queue) > 0:
		frame = w.queue[0]
		w.queue = w.queue[1:]
		w.queued -= len(frame)
		return frame, true, false
	}
	w.ended = w.ending
	return nil, true, w.ended
}

// Finish writes what waits and then last, and ends the goroutine; it waits at
// most half a second. A terminal that does not read by then is left as it is.
func (w *Writer) Finish(last string) {
	w.mu.Lock()
	if !w.ending && w.failed == nil {
		if last != "" {
			w.queue = append(w.queue, []byte(last))
			w.queued += len(last)
		}
		w.ending = true
		w.stir()
	}
	w.mu.Unlock()
	select {
	case <-w.done:
	case <-time.After(drainFor):
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ended && w.failed == nil { // it panicked
		_, _ = w.File.WriteString(last)
	}
}

// Close is Finish with nothing to add.
func (w *Writer) Close() error {
	w.Finish("")
	return nil
}
