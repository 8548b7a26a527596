package fake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sotto/audio"
)

// recording is a WAV file that is being written. Its header is true at every
// moment: samples are written first, with nothing held back, then the sizes that
// count them, so that a kill in between leaves at most one period uncounted.
type recording struct {
	file storage

	mu      sync.Mutex // guards the following
	playing bool       // a sink has it open
	data    int64      // bytes of sound in the file, as the header says
	broken  error      // the first failed write; the file stays as it was before it
	head    [headerSize]byte
	raw     [2 * audio.PeriodSamples]byte
}

// storage is what a recording needs of a file.
type storage interface {
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
}

const (
	headerSize = 44
	maxData    = math.MaxUint32 - headerSize // WAV counts in 32 bits: 12 hours
)

var errFull = errors.New("a WAV file holds no more than 12 hours; name another one")

// putHeader writes the header of a file with data bytes of 16 bit mono sound.
func putHeader(h *[headerSize]byte, data int64) {
	const bytesPerSample = 2
	copy(h[0:], "RIFF")
	binary.LittleEndian.PutUint32(h[4:], uint32(headerSize-8+data))
	copy(h[8:], "WAVEfmt ")
	binary.LittleEndian.PutUint32(h[16:], 16)
	binary.LittleEndian.PutUint16(h[20:], formatPCM)
	binary.LittleEndian.PutUint16(h[22:], 1)
	binary.LittleEndian.PutUint32(h[24:], audio.SampleRate)
	binary.LittleEndian.PutUint32(h[28:], audio.SampleRate*bytesPerSample)
	binary.LittleEndian.PutUint16(h[32:], bytesPerSample)
	binary.LittleEndian.PutUint16(h[34:], 8*bytesPerSample)
	copy(h[36:], "data")
	binary.LittleEndian.PutUint32(h[40:], uint32(data))
}

// write appends one period. Once a write has failed nothing is written any more.
func (r *recording) write(period []float32) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return nil
	}
	putSamples(r.raw[:], period)
	err := errFull
	if r.data+int64(len(r.raw)) <= maxData {
		_, err = r.file.WriteAt(r.raw[:], headerSize+r.data)
	}
	if err == nil {
		putHeader(&r.head, r.data+int64(len(r.raw)))
		_, err = r.file.WriteAt(r.head[:], 0)
	}
	if err != nil {
		r.broken = err
		return err
	}
	r.data += int64(len(r.raw))
	return nil
}

// putSamples writes samples as s16le.
func putSamples(raw []byte, samples []float32) {
	for i, sample := range samples {
		scaled := math.Round(float64(max(-1, min(1, sample))) * math.MaxInt16)
		binary.LittleEndian.PutUint16(raw[2*i:], uint16(int16(scaled)))
	}
}

// recordings are the files this process has written to so far, by absolute path:
// the calls of one process follow one another in a file, and the file stays open
// between them. A new process starts it anew.
var recordings = struct {
	sync.Mutex
	byPath map[string]*recording
}{byPath: map[string]*recording{}}

func openRecording(path string) (*recording, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := refuseSpecial(absolute); err != nil {
		return nil, err
	}
	recordings.Lock()
	defer recordings.Unlock()
	r := recordings.byPath[absolute]
	if r == nil || !r.stillAt(absolute) {
		if r, err = createRecording(absolute); err != nil {
			return nil, err
		}
		recordings.byPath[absolute] = r
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.playing {
		return nil, errors.New("another call is being written to it")
	}
	r.playing, r.broken = true, nil
	return r, nil
}

func createRecording(path string) (*recording, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	r := &recording{file: file}
	putHeader(&r.head, 0)
	if _, err := file.WriteAt(r.head[:], 0); err != nil {
		_ = file.Close()
		return nil, err
	}
	return r, nil
}

// stillAt tells whether the file is where it was: a person may have moved it away
// between two calls. One that has gone is closed.
func (r *recording) stillAt(path string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.playing {
		return true
	}
	ours, err := r.file.Stat()
	if err == nil {
		if there, err := os.Stat(path); err == nil && os.SameFile(ours, there) {
			return true
		}
	}
	_ = r.file.Close()
	return false
}

// fileSink writes what a loudspeaker would play to a WAV file (16 bit, 48 kHz, mono).
type fileSink struct {
	*runner
	path      string
	recording *recording
}

// NewFileSink opens path for writing. What an earlier process left there is
// replaced; what this process wrote there is continued. Errors are audio.ErrDevice.
func NewFileSink(path string) (audio.Sink, error) {
	r, err := openRecording(path)
	if err != nil {
		return nil, fileError("writing", path, err)
	}
	return &fileSink{newRunner("file:" + path), path, r}, nil
}

func (f *fileSink) Start(fill func(period []float32)) error {
	period := make([]float32, audio.PeriodSamples)
	return f.start(func(time.Time) {
		fill(period)
		if err := f.recording.write(period); err != nil {
			f.fail(fmt.Errorf("%w; the rest of the call is not written down", fileError("writing", f.path, err)))
		}
	})
}

func (f *fileSink) Close() error {
	if f.close() {
		f.recording.mu.Lock()
		f.recording.playing = false
		f.recording.mu.Unlock()
	}
	return nil
}
