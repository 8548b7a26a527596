// Package device is the sound cards of this machine: which there are (List), and
// one of them as an audio.Source or audio.Sink. It is the only folder that imports
// malgo (miniaudio). A build without cgo, or with the tag noaudio, knows no device.
//
// Nothing here touches the sound server before List, OpenSource or OpenSink is
// called, and nothing stays open that a Close has not to close.
package device

import (
	"fmt"
	"strings"
	"time"

	"sotto/audio"
	"sotto/settings/advice"
)

// The kinds of Device.
const (
	Capture  = "capture"
	Playback = "playback"
)

// Device is a sound device as the system names it.
type Device struct {
	ID      string // the backend's own name: PulseAudio source or sink, ALSA id, Core Audio UID
	Name    string // a description for people; several devices may share it
	Kind    string // Capture or Playback
	Default bool
}

// List returns the devices there are, capture first. Without any it returns
// audio.ErrNoDevices. audio.ErrHangs: the sound server was asked for five seconds.
func List() ([]Device, error) { return list() }

// Periods are how long the pieces may be in which a device takes and gives sound,
// the shortest first: shorter is less delay, and some devices stumble over it.
var Periods = []time.Duration{audio.PeriodDuration, 20 * time.Millisecond, 25 * time.Millisecond}

// Stream is an open device; it is an audio.Source or an audio.Sink by the kind it
// was opened as.
type Stream interface {
	Start(handle func(period []float32)) error
	Lost() <-chan error
	Name() string
	Close() error
	Device() Device // which one it is, also for a default one; its ID is "" where the system does not say
	Gaps() uint64   // how often the device was left waiting long enough to run dry
}

// Open opens the device of a kind called name (see Find), or the default one for "",
// with one of Periods. It gives or takes no sound before Start. A named one that
// cannot be used is audio.ErrDevice; no devices at all are audio.ErrNoDevices; what
// hangs is audio.ErrHangs as well.
func Open(kind, name string, period time.Duration) (Stream, error) {
	s, err := open(kind, name, period)
	if err != nil {
		return nil, err // not s: an interface that holds nil
	}
	return s, nil
}

// OpenSource opens a microphone with the shortest period.
func OpenSource(name string) (audio.Source, error) { return Open(Capture, name, Periods[0]) }

// OpenSink opens a loudspeaker with the shortest period.
func OpenSink(name string) (audio.Sink, error) { return Open(Playback, name, Periods[0]) }

// Find returns the device of a kind that name means: the one with exactly that id,
// else the only one with exactly that description. Errors are audio.ErrDevice.
func Find(devices []Device, kind, name string) (Device, error) {
	var described []Device
	for _, d := range devices {
		if d.Kind != kind {
			continue
		}
		if d.ID == name {
			return d, nil
		}
		if d.Name == name {
			described = append(described, d)
		}
	}
	switch len(described) {
	case 0:
		return Device{}, fmt.Errorf("%w: %w", audio.ErrDevice, advice.New(fmt.Sprintf("there is no %s called %q", spoken(kind), name), advice.SeeDevices))
	case 1:
		return described[0], nil
	}
	ids := make([]string, len(described))
	for i, d := range described {
		ids[i] = "device:" + d.ID
	}
	return Device{}, fmt.Errorf("%w: %d devices are called %q; choose one of %s", audio.ErrDevice, len(ids), name, strings.Join(ids, ", "))
}

// spoken is a kind in a sentence.
func spoken(kind string) string {
	if kind == Capture {
		return "microphone"
	}
	return "speaker"
}
