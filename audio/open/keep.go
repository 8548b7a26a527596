package open

import (
	"sotto/audio"
	"sotto/audio/device"
	"sotto/audio/hotplug"
)

// Microphone begins to keep the microphone that words mean, for the length of a call:
// see package hotplug. It waits for no device. audio.ErrUsage: the words mean nothing.
// audio.ErrDevice: the file that was named cannot be used. A device that cannot be
// used is told to notices, which may be nil, and another one stands in for it.
func Microphone(hardware *hotplug.Hardware, words string, notices chan<- audio.Notice) (*hotplug.Keeper, error) {
	return keep(hardware, device.Capture, words, notices)
}

// Speaker is Microphone for what sound goes to.
func Speaker(hardware *hotplug.Hardware, words string, notices chan<- audio.Notice) (*hotplug.Keeper, error) {
	return keep(hardware, device.Playback, words, notices)
}

// Change lets a kept microphone or speaker be what words mean from now on; "" changes
// nothing. After an error it is what it was.
func Change(kept *hotplug.Keeper, words string) error {
	if words == "" {
		return nil
	}
	wish, err := wishFor(kept.Kind(), words)
	if err != nil {
		return err
	}
	return kept.Use(wish)
}

func keep(hardware *hotplug.Hardware, kind, words string, notices chan<- audio.Notice) (*hotplug.Keeper, error) {
	wish, err := wishFor(kind, words)
	if err != nil {
		return nil, err
	}
	return hardware.Keep(kind, wish, notices), nil
}

// wishFor opens what is no device.
func wishFor(kind, words string) (wish hotplug.Wish, err error) {
	if kind == device.Capture {
		s, err := parse(words)
		if err != nil || s.kind == defaultDevice || s.kind == namedDevice {
			return hotplug.Wish{Device: s.rest}, err
		}
		wish.Stream, _, err = Source(words)
		return wish, err
	}
	s, err := parseSink(words)
	if err != nil || s.kind == defaultDevice || s.kind == namedDevice {
		return hotplug.Wish{Device: s.rest}, err
	}
	wish.Stream, _, err = Sink(words)
	return wish, err
}
