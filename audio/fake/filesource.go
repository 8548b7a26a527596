package fake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"sotto/audio"
)

// fileSource plays a WAV file as a microphone: its first sample at Start, in real
// time, and silence after its last.
type fileSource struct {
	*runner
	file *os.File
	read func(period []float32) error // owned by the runner's goroutine
}

// NewFileSource opens a WAV file of PCM sound at any rate. Errors are audio.ErrDevice.
func NewFileSource(path string) (audio.Source, error) {
	if err := refuseSpecial(path); err != nil {
		return nil, fileError("reading", path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fileError("reading", path, err)
	}
	wav, err := newWAVReader(file)
	if err != nil {
		_ = file.Close()
		return nil, fileError("reading", path, err)
	}
	f := &fileSource{runner: newRunner("file:" + path), file: file}
	f.read = wav.readMono48()
	return f, nil
}

// readMono48 returns a function that reads period after period at 48 kHz. After
// the end periods are silent; an error that is not the end is returned once.
func (w *wavReader) readMono48() func(period []float32) error {
	var broken error
	next := func() (float32, bool) {
		sample, err := w.next()
		if err != nil {
			w.left = 0
			if !errors.Is(err, io.EOF) {
				broken = err
			}
			return 0, false
		}
		return sample, true
	}
	if w.rate == audio.SampleRate {
		return func(period []float32) error {
			for i := range period {
				period[i], _ = next()
			}
			err := broken
			broken = nil
			return err
		}
	}
	resampled := newResampler(w.rate, next)
	return func(period []float32) error {
		resampled.read(period)
		err := broken
		broken = nil
		return err
	}
}

func (f *fileSource) Start(deliver func(period []float32)) error {
	period := make([]float32, audio.PeriodSamples)
	return f.start(func(time.Time) {
		if err := f.read(period); err != nil {
			f.fail(fileError("reading", f.file.Name(), err))
		}
		deliver(period)
	})
}

func (f *fileSource) Close() error {
	if !f.close() {
		return nil
	}
	return f.file.Close()
}

// refuseSpecial keeps from opening what is no file: opening a named pipe would wait
// for its other end.
func refuseSpecial(path string) error {
	info, err := os.Stat(path)
	if err == nil && info.Mode()&(fs.ModeDir|fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		return errors.New("it is not a file; a pipe can be given as -")
	}
	return nil
}

func fileError(doing, path string, err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		err = pathError.Err
	}
	return fmt.Errorf("%w: %s %s: %w", audio.ErrDevice, doing, path, err)
}
