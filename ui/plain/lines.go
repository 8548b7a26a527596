package plain

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	lineLimit  = 64 * 1024 // bytes of a line that is typed: a card is about one thousand
	queueLimit = 200       // lines that may wait for a slow reader
	drainFor   = 300 * time.Millisecond
)

// printer adds lines to the output without ever waiting for it. When too many wait,
// the oldest go, and how many is said in their place.
type printer struct {
	output io.Writer
	wake   chan struct{} // one place
	done   chan struct{} // closed when the goroutine has ended

	mu     sync.Mutex // guards the following
	queue  []string
	lost   int
	ending bool
}

func newPrinter(output io.Writer) *printer {
	p := &printer{output: output, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go p.run()
	return p
}

// line queues one line.
func (p *printer) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ending {
		return
	}
	if len(p.queue) == queueLimit {
		p.queue = p.queue[1:]
		p.lost++
	}
	p.queue = append(p.queue, strings.TrimRight(clean(text), " ")+"\n")
	p.stir()
}

func (p *printer) stir() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// run is the only one that waits for the output.
func (p *printer) run() {
	defer close(p.done)
	for range p.wake {
		for {
			text, ended := p.next()
			if ended {
				return
			}
			if text == "" {
				break
			}
			if _, err := io.WriteString(p.output, text); err != nil {
				p.mu.Lock()
				p.queue, p.ending = nil, true // nobody reads any more
				p.mu.Unlock()
				return
			}
		}
	}
}

func (p *printer) next() (text string, ended bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.lost > 0:
		text = fmt.Sprintf("%d lines were left out here, because they were not read in time.\n", p.lost)
		p.lost = 0
	case len(p.queue) > 0:
		text = p.queue[0]
		p.queue = p.queue[1:]
	default:
		return "", p.ending
	}
	return text, false
}

// finish writes what waits, for a moment; an output that takes nothing is left.
func (p *printer) finish() {
	p.mu.Lock()
	p.ending = true
	p.stir()
	p.mu.Unlock()
	select {
	case <-p.done:
	case <-time.After(drainFor):
	}
}

// clean takes out whatever a terminal could obey: control characters, the escape
// among them, and those that turn the direction of letters.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == unicode.ReplacementChar, unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x2028, r == 0x2029:
			return -1
		}
		return r
	}, text)
}

func (p *plain) say(format string, arguments ...any) {
	p.print.line(fmt.Sprintf(format, arguments...))
}

// read gives the lines of the input until it ends, or ctx does. Its goroutine may
// be waiting for the input then, which nothing can hasten.
func read(ctx context.Context, input io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(input)
		scanner.Buffer(nil, lineLimit)
		for scanner.Scan() {
			select {
			case lines <- strings.TrimSpace(clean(scanner.Text())):
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
