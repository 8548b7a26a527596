//go:build cgo && !noaudio

package device

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf16"
	"unsafe"

	"github.com/gen2brain/malgo"

	"sotto/audio"
)

// backends are tried in this order, one at a time, so that it is known which one
// answers. Those of other systems are left out: each that is tried costs memory that the
// library keeps. The null backend is not among them: left to itself miniaudio falls back
// to it, and a person would be talking to nobody.
var backends = map[string][]malgo.Backend{
	"windows": {malgo.BackendWasapi, malgo.BackendDsound, malgo.BackendWinmm},
	"darwin":  {malgo.BackendCoreaudio},
	"linux":   {malgo.BackendPulseaudio, malgo.BackendAlsa, malgo.BackendJack},
	"openbsd": {malgo.BackendSndio, malgo.BackendPulseaudio, malgo.BackendJack},
	"netbsd":  {malgo.BackendAudio4, malgo.BackendPulseaudio, malgo.BackendJack},
	"freebsd": {malgo.BackendSndio, malgo.BackendOss, malgo.BackendPulseaudio, malgo.BackendJack},
}[runtime.GOOS]

const (
	// openLimit bounds how long a sound server may take to answer, closeLimit how
	// long it may take to let go. One that hangs keeps its thread and memory; the
	// call goes on without it.
	openLimit  = 5 * time.Second
	closeLimit = 500 * time.Millisecond
)

// pulseSpare is how much more than a period PulseAudio keeps of what it plays.
const pulseSpare = 5 * time.Millisecond

// system is a connection to the sound server.
type system struct {
	context *malgo.AllocatedContext
	backend malgo.Backend
}

// connect finds a backend that has devices.
func connect() (system, error) {
	quiet()
	for _, backend := range backends {
		if backend == malgo.BackendAlsa && !cards() {
			continue
		}
		context, err := malgo.InitContext([]malgo.Backend{backend}, malgo.ContextConfig{}, nil)
		if err != nil {
			continue
		}
		return system{context, backend}, nil
	}
	return system{}, audio.ErrNoDevices
}

func (s system) close() {
	_ = s.context.Uninit()
	s.context.Free()
}

// listed is a Device and what miniaudio calls it.
type listed struct {
	Device
	id malgo.DeviceID
}

func (s system) devices() ([]listed, error) {
	var all []listed
	for _, kind := range []string{Capture, Playback} {
		infos, err := s.context.Devices(deviceType(kind))
		if err != nil {
			return nil, fmt.Errorf("%w: asking the sound server: %w", audio.ErrNoDevices, err)
		}
		for _, info := range infos {
			id := idText(s.backend, info.ID)
			if s.backend == malgo.BackendAlsa && pseudo(id) {
				continue
			}
			all = append(all, listed{Device{ID: id, Name: info.Name(), Kind: kind, Default: info.IsDefault != 0}, info.ID})
		}
	}
	if len(all) == 0 {
		return nil, audio.ErrNoDevices
	}
	return all, nil
}

func deviceType(kind string) malgo.DeviceType {
	if kind == Capture {
		return malgo.Capture
	}
	return malgo.Playback
}

// pseudo tells ALSA's plugins (null, surround51, upmix, …) from its cards.
func pseudo(alsa string) bool { return alsa != "default" && !strings.HasPrefix(alsa, "hw:") }

// idText is the backend's own name for a device; DeviceID.String is its bytes in hex.
func idText(backend malgo.Backend, id malgo.DeviceID) string {
	switch backend {
	case malgo.BackendWasapi: // UTF-16
		var units []uint16
		for i := 0; i+1 < len(id) && (id[i] != 0 || id[i+1] != 0); i += 2 {
			units = append(units, uint16(id[i])|uint16(id[i+1])<<8)
		}
		return string(utf16.Decode(units))
	case malgo.BackendDsound, malgo.BackendWinmm, malgo.BackendJack: // numbers
		return id.String()
	}
	text, _, _ := bytes.Cut(id[:], []byte{0})
	if backend == malgo.BackendAlsa && bytes.HasPrefix(text, []byte(":")) {
		return "hw" + string(text) // miniaudio tries other prefixes before hw
	}
	return string(text)
}

// late counts what a sound server has not answered in time and may still answer.
// At hangsAt it is not asked again: each question would keep a thread more.
var late atomic.Int32

const hangsAt = 3

// ask is within for what may be asked again later.
func ask[T any](work func() (T, error), undo func(T)) (T, error) {
	if late.Load() >= hangsAt {
		var none T
		return none, audio.ErrHangs
	}
	return within(openLimit, work, undo)
}

// within runs work, at most limit long. What comes too late is undone.
func within[T any](limit time.Duration, work func() (T, error), undo func(T)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-timer.C:
		late.Add(1)
		go func() {
			defer late.Add(-1)
			if r := <-done; r.err == nil {
				undo(r.value)
			}
		}()
		var none T
		return none, audio.ErrHangs
	}
}

func list() ([]Device, error) {
	return ask(func() ([]Device, error) {
		s, err := connect()
		if err != nil {
			return nil, err
		}
		defer s.close()
		all, err := s.devices()
		return plain(all), err
	}, func([]Device) {})
}

func plain(all []listed) []Device {
	var devices []Device
	for _, d := range all {
		devices = append(devices, d.Device)
	}
	return devices
}

func open(kind, name string, period time.Duration) (*stream, error) {
	s, err := ask(func() (*stream, error) { return openNow(kind, name, period) }, func(s *stream) { s.release() })
	if err != nil && !errors.Is(err, audio.ErrDevice) && !errors.Is(err, audio.ErrNoDevices) {
		err = fmt.Errorf("%w: %s: %w", audio.ErrDevice, theDevice(kind, name), err)
	}
	return s, err
}

// theDevice is a device in a sentence.
func theDevice(kind, name string) string {
	if name == "" {
		return "the default " + spoken(kind)
	}
	return fmt.Sprintf("%s %q", spoken(kind), name)
}

func openNow(kind, name string, period time.Duration) (*stream, error) {
	system, err := connect()
	if err != nil {
		if name != "" {
			return nil, fmt.Errorf("%w: %s: there is no sound server and no sound card", audio.ErrDevice, theDevice(kind, name))
		}
		return nil, err
	}
	s, err := system.open(kind, name, period)
	if err != nil {
		system.close()
		return nil, err
	}
	return s, nil
}

func (s system) open(kind, name string, period time.Duration) (*stream, error) {
	all, err := s.devices()
	if err != nil {
		if name != "" {
			return nil, fmt.Errorf("%w: %s: %w", audio.ErrDevice, theDevice(kind, name), err)
		}
		return nil, err
	}
	size, lasts := s.buffer(kind, period)
	config := malgo.DefaultDeviceConfig(deviceType(kind))
	config.SampleRate = audio.SampleRate
	// Explicit: PulseAudio's own idea of low latency is 25 ms.
	config.PeriodSizeInFrames = uint32(size * audio.SampleRate / time.Second)
	// Asked for as little at a time as the system does: PulseAudio, a quarter of what it keeps.
	config.NoFixedSizedCallback = 1
	config.Pulse.StreamNameCapture, config.Pulse.StreamNamePlayback = "Sotto", "Sotto"
	side := &config.Capture
	if kind == Playback {
		side = &config.Playback
	}
	side.Format, side.Channels = malgo.FormatF32, 1
	var pinned runtime.Pinner // holds the id, in a block of its own, still while C reads it
	defer pinned.Unpin()
	shown := theDevice(kind, name)
	at := slices.IndexFunc(all, func(d listed) bool { return d.Kind == kind && d.Default })
	if name != "" {
		found, err := Find(plain(all), kind, name)
		if err != nil {
			return nil, err
		}
		at = slices.IndexFunc(all, func(d listed) bool { return d.Device == found })
		id := new(malgo.DeviceID)
		*id = all[at].id
		pinned.Pin(id)
		side.DeviceID = unsafe.Pointer(id)
		shown = fmt.Sprintf("%s %q", spoken(kind), found.Name)
	} else if !slices.ContainsFunc(all, func(d listed) bool { return d.Kind == kind }) {
		return nil, fmt.Errorf("%w: there is no %s", audio.ErrNoDevices, spoken(kind))
	}
	stream := newStream(kind, shown, s)
	stream.lasts = lasts
	if at >= 0 {
		stream.opened = all[at].Device
	}
	stream.device, err = malgo.InitDevice(s.context.Context, config, malgo.DeviceCallbacks{Data: stream.callback})
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", audio.ErrDevice, shown, mend(err))
	}
	return stream, nil
}

// buffer is how long the pieces are that miniaudio is asked for, and how long the device
// goes on by itself. miniaudio has most systems keep three pieces. PulseAudio and what
// stands in for it keep one of what they play, and a quarter of that is with the card
// already: a loudspeaker would run dry whenever this program got no processor for 7.5 ms,
// each time with a gap, and as much delay for good.
func (s system) buffer(kind string, period time.Duration) (size, lasts time.Duration) {
	if s.backend == malgo.BackendPulseaudio && kind == Playback {
		size = period + pulseSpare
		return size, size * 3 / 4
	}
	return period, 3 * period
}

// mend adds what to do to what miniaudio says.
func mend(err error) error {
	switch {
	case errors.Is(err, audio.ErrHangs):
		return err
	case errors.Is(err, malgo.ErrBusy), errors.Is(err, malgo.ErrAlreadyInUse), errors.Is(err, malgo.ErrUnavailable):
		return fmt.Errorf("another program is using it; close that one or choose another device (%w)", err)
	case errors.Is(err, malgo.ErrAccessDenied):
		return fmt.Errorf("this program may not use it; allow it in the system's privacy settings (%w)", err)
	}
	return fmt.Errorf("it did not open; close the program that may be holding it or choose another device (%w)", err)
}
