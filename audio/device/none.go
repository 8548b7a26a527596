//go:build !cgo || noaudio

package device

import (
	"fmt"

	"sotto/audio"
)

// stream is never made: this build has no device to open.
type stream struct{ audio.Source }

type (
	source = stream
	sink   struct{ stream }
)

func (sink) Start(func([]float32)) error { return audio.ErrNoDevices }

func list() ([]Device, error) { return nil, audio.ErrNoDevices }

func open(kind, name string) (stream, error) {
	if name != "" {
		return stream{}, fmt.Errorf("%w: this build of sotto has no sound devices; use null, a file or -", audio.ErrDevice)
	}
	return stream{}, audio.ErrNoDevices
}
