package fake

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"sotto/audio"
)

const (
	periodBytes = 2 * audio.PeriodSamples
	// pipeAhead is how many periods are read before they are due: enough to ride
	// over a writer's hiccup, little enough not to be heard as delay.
	pipeAhead = 4
	// pollInterval bounds how long Close waits for a pipe nobody writes to.
	pollInterval = 50 * time.Millisecond
)

// pipeSource reads raw sound (s16le, 48 kHz, mono) as a microphone, one period of
// it each period, so that a writer that is faster than real time is held back.
// Where nothing has come in time it is silent. At the end of the sound Lost gives
// audio.ErrEnded, after which it is silent for good.
//
// Two goroutines: reader reads and owns in; the runner's delivers.
type pipeSource struct {
	*runner
	in      io.Reader
	ready   func(timeout time.Duration) bool // whether a read would not wait
	periods chan *[periodBytes]byte          // read, not yet delivered
	free    chan *[periodBytes]byte          // to read into
	reader  sync.WaitGroup
}

// NewPipeSource reads from in: os.Stdin, usually. It does not close it.
func NewPipeSource(in *os.File) audio.Source {
	return newPipeSource(in, func(timeout time.Duration) bool { return readable(in, timeout) })
}

func newPipeSource(in io.Reader, ready func(time.Duration) bool) *pipeSource {
	p := &pipeSource{
		runner: newRunner("-"), in: in, ready: ready,
		periods: make(chan *[periodBytes]byte, pipeAhead), free: make(chan *[periodBytes]byte, pipeAhead),
	}
	for range pipeAhead {
		p.free <- new([periodBytes]byte)
	}
	return p
}

func (p *pipeSource) Start(deliver func(period []float32)) error {
	period := make([]float32, audio.PeriodSamples)
	ended := false
	err := p.start(func(time.Time) {
		clear(period)
		select {
		case raw, open := <-p.periods:
			if open {
				getSamples(period, raw[:])
				p.free <- raw
			} else if !ended {
				ended = true
				p.fail(audio.ErrEnded)
			}
		default:
		}
		deliver(period)
	})
	if err == nil {
		p.reader.Go(p.read)
	}
	return err
}

// read fills free periods until the end of the sound or Close.
func (p *pipeSource) read() {
	defer close(p.periods)
	for {
		select {
		case <-p.stop:
			return
		case raw := <-p.free:
			n, ended := p.fillPeriod(raw[:])
			clear(raw[n:])
			if n > 0 {
				p.periods <- raw // there is room for every buffer there is
			}
			if ended {
				return
			}
		}
	}
}

// fillPeriod reads until raw is full, the sound ends or Close. A last odd byte is no sample.
func (p *pipeSource) fillPeriod(raw []byte) (n int, ended bool) {
	for n < len(raw) {
		for !p.ready(pollInterval) {
			select {
			case <-p.stop:
				return 0, true
			default:
			}
		}
		got, err := p.in.Read(raw[n:])
		n += got
		if err != nil {
			return n &^ 1, true
		}
	}
	return n, false
}

func (p *pipeSource) Close() error {
	if p.close() {
		p.reader.Wait()
	}
	return nil
}

// getSamples reads s16le.
func getSamples(samples []float32, raw []byte) {
	for i := range samples {
		samples[i] = float32(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / (1 << 15)
	}
}

// pipeSink writes what a loudspeaker would play as raw sound (s16le, 48 kHz, mono).
// A period that the other end has no room for in time is dropped, so that a reader
// that has stopped cannot stop the call.
type pipeSink struct {
	*runner
	out  io.WriteCloser
	room func() bool // whether a write of one period would not wait

	dropped int // owned by the runner's goroutine
}

// NewPipeSink writes to out: os.Stdout, usually. It does not close it. A reader
// that goes away is reported on Lost and does not kill the process.
func NewPipeSink(out *os.File) (audio.Sink, error) {
	own, room, err := openPipe(out)
	if err != nil {
		return nil, fmt.Errorf("%w: writing to standard output: %w", audio.ErrDevice, err)
	}
	return &pipeSink{runner: newRunner("-"), out: own, room: room}, nil
}

func (p *pipeSink) Start(fill func(period []float32)) error {
	period, raw := make([]float32, audio.PeriodSamples), make([]byte, periodBytes)
	broken := false
	return p.start(func(time.Time) {
		fill(period)
		if broken {
			return
		}
		if !p.room() {
			p.dropped++
			return
		}
		putSamples(raw, period)
		if _, err := p.out.Write(raw); err != nil {
			broken = true
			p.fail(fmt.Errorf("%w: writing to standard output: %w", audio.ErrDevice, err))
		}
	})
}

func (p *pipeSink) Close() error {
	if !p.close() {
		return nil
	}
	return p.out.Close()
}
