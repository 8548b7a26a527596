//go:build !cgo || noaudio

package device

import (
	"fmt"
	"time"

	"sotto/audio"
)

// stream is never made: this build has no device to open.
type stream struct{ audio.Source }

func (stream) Device() Device { return Device{} }
func (stream) Gaps() uint64   { return 0 }

func list() ([]Device, error) { return nil, audio.ErrNoDevices }

func open(_, name string, _ time.Duration) (stream, error) {
	if name != "" {
		return stream{}, fmt.Errorf("%w: this build of sotto has no sound devices; use null, a file or -", audio.ErrDevice)
	}
	return stream{}, audio.ErrNoDevices
}
