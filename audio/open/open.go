// Package open turns the words of --mic and --speaker, and of the settings, into
// sound: default, device:NAME, null, tone[:HZ], file:PATH.wav or - .
package open

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/audio/fake"
)

// spec is what the words mean: a kind, and what follows the colon.
type spec struct{ kind, rest string }

const (
	defaultDevice = "default"
	namedDevice   = "device"
	null          = "null"
	tone          = "tone"
	file          = "file"
	pipe          = Pipe
)

// Pipe is the word for standard input or output.
const Pipe = "-"

// parse takes the words apart. Its error is audio.ErrUsage.
func parse(words string) (spec, error) {
	kind, rest, more := strings.Cut(words, ":")
	s := spec{kind, rest}
	switch kind {
	case "":
		s.kind = defaultDevice
		if !more {
			return s, nil
		}
	case defaultDevice, null, pipe:
		if !more {
			return s, nil
		}
	case namedDevice, file:
		if rest != "" {
			return s, nil
		}
	case tone:
		if !more {
			s.rest = strconv.Itoa(fake.DefaultTone)
		}
		if hertz, err := strconv.ParseFloat(s.rest, 64); err == nil && hertz >= fake.LowestTone && hertz <= fake.HighestTone {
			return s, nil
		}
		return s, fmt.Errorf("%q: %w; HZ is a number from %d to %d", words, audio.ErrUsage, fake.LowestTone, fake.HighestTone)
	}
	return s, fmt.Errorf("%q: %w", words, audio.ErrUsage)
}

func parseSink(words string) (spec, error) {
	s, err := parse(words)
	if err == nil && s.kind == tone {
		err = fmt.Errorf("%q is a microphone; a speaker is default, device:NAME, null, file:PATH.wav or -: %w", words, audio.ErrUsage)
	}
	return s, err
}

// MeansSource reports words that mean no microphone, whether or not it is there: audio.ErrUsage.
func MeansSource(words string) error {
	_, err := parse(words)
	return err
}

// MeansSink reports words that mean no speaker, whether or not it is there: audio.ErrUsage.
func MeansSink(words string) error {
	_, err := parseSink(words)
	return err
}

// Source opens the microphone that words mean; "" is the default one. It gives no
// sound before its Start. audio.ErrUsage: the words mean nothing. audio.ErrDevice:
// what was named cannot be used. A default microphone that is missing or busy is
// no error: the source is then silent, and warning is a sentence that says so.
func Source(words string) (source audio.Source, warning string, err error) {
	s, err := parse(words)
	if err != nil {
		return nil, "", err
	}
	switch s.kind {
	case defaultDevice:
		if source, err = device.OpenSource(""); err != nil {
			return fake.NewNullSource(), warn("no microphone, so nobody hears you", err), nil
		}
	case namedDevice:
		source, err = device.OpenSource(s.rest)
	case file:
		source, err = fake.NewFileSource(s.rest)
	case tone:
		hertz, _ := strconv.ParseFloat(s.rest, 64) // parse has tried it
		source, err = fake.NewTone(hertz)
	case pipe:
		source = fake.NewPipeSource(os.Stdin)
	default:
		source = fake.NewNullSource()
	}
	if err != nil {
		return nil, "", err
	}
	return source, "", nil
}

// Sink opens the speaker that words mean, as Source does a microphone; a tone is none.
func Sink(words string) (sink audio.Sink, warning string, err error) {
	s, err := parseSink(words)
	if err != nil {
		return nil, "", err
	}
	switch s.kind {
	case defaultDevice:
		if sink, err = device.OpenSink(""); err != nil {
			return fake.NewNullSink(), warn("no speaker, so you hear nothing", err), nil
		}
	case namedDevice:
		sink, err = device.OpenSink(s.rest)
	case file:
		sink, err = fake.NewFileSink(s.rest)
	case pipe:
		sink, err = fake.NewPipeSink(os.Stdout)
	default:
		sink = fake.NewNullSink()
	}
	if err != nil {
		return nil, "", err
	}
	return sink, "", nil
}

func warn(what string, err error) string {
	return what + ": " + err.Error()
}

// CheckSource tells whether the words mean a microphone that is there, and keeps
// none open: a call is refused for its microphone before anything else is tried,
// and the microphone opens only when the call is answered. Errors are Source's.
func CheckSource(words string) error {
	s, err := parse(words)
	if err != nil || s.kind != file {
		return checkDevice(s, device.Capture, err)
	}
	source, err := fake.NewFileSource(s.rest)
	if err != nil {
		return err
	}
	return source.Close()
}

// CheckSink is CheckSource for a speaker. A file is created, and what an earlier
// process wrote to it is gone.
func CheckSink(words string) error {
	s, err := parseSink(words)
	if err != nil || s.kind != file {
		return checkDevice(s, device.Playback, err)
	}
	sink, err := fake.NewFileSink(s.rest)
	if err != nil {
		return err
	}
	return sink.Close()
}

// checkDevice looks a named device up; any other spec stands as err has it.
func checkDevice(s spec, kind string, err error) error {
	if err != nil || s.kind != namedDevice {
		return err
	}
	devices, err := device.List()
	if err != nil {
		return fmt.Errorf("%w: %q: %w", audio.ErrDevice, s.rest, err)
	}
	_, err = device.Find(devices, kind, s.rest)
	return err
}

// IsDevice tells whether the words mean a sound card, one that a person listens to
// or speaks into: only such a speaker rings.
func IsDevice(words string) bool {
	s, err := parse(words)
	return err == nil && (s.kind == defaultDevice || s.kind == namedDevice)
}
