package open

import (
	"errors"

	"sotto/audio"
	"sotto/audio/device"
)

// Described is a sound device as a person chooses it.
type Described struct {
	Words   string // what --mic, --speaker and the settings take: device:ID
	Name    string // a description; several devices may share it
	Kind    string // device.Capture or device.Playback
	Default bool
}

// List returns the devices there are, microphones first; none is no error. It asks
// the sound server, which takes five seconds when that hangs: audio.ErrHangs.
func List() ([]Described, error) {
	devices, err := device.List()
	if errors.Is(err, audio.ErrNoDevices) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	described := make([]Described, len(devices))
	for i, d := range devices {
		described[i] = Described{Words: namedDevice + ":" + d.ID, Name: d.Name, Kind: d.Kind, Default: d.Default}
	}
	return described, nil
}
