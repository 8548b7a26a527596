package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/audio/hotplug"
	"sotto/audio/open"
)

const (
	listenFor = 1200 * time.Millisecond // to the microphone
	recordFor = 3 * time.Second
)

// sound looks at the devices in force, one after the other; recording lets a person hear
// what the others would. A sound server that hangs holds up one question, and is not asked
// another one. One fault is one failure: what cannot be tried for it is left out.
func (d *doctor) sound(ctx context.Context, recording bool) {
	devices, err := open.List()
	switch {
	case err != nil:
		d.tell(d.unusable("devices", err, restartServer))
	case len(devices) == 0 && (open.IsDevice(d.mic) || open.IsDevice(d.speaker)):
		d.deviceless = true
		d.tell(finding{name: "devices", detail: "there is no microphone and no speaker", mend: "plug one in, or start the sound server (on Linux PulseAudio or PipeWire); to go without sound, use --mic null --speaker null"})
	default:
		microphones := 0
		for _, each := range devices {
			if each.Kind == device.Capture {
				microphones++
			}
		}
		d.tell(well("devices", "microphones: %d, speakers: %d", microphones, len(devices)-microphones))
	}
	var recorded []float32 // nil: nothing to be heard
	switch {
	case !d.canAsk(d.mic):
	case recording:
		recorded = d.record(ctx, devices)
	default:
		d.tell(d.microphone(ctx, devices))
	}
	speaks := d.canAsk(d.speaker) && d.tell(d.loudspeaker(ctx, devices))
	d.voice()
	if ring := d.loaded.Sound.Ring; ring != "" && d.canAsk(ring) {
		if err := open.CheckSink(ring); err != nil {
			d.tell(d.unusable("ring", err, "choose another one with sotto settings set sound.ring"))
		} else {
			d.tell(well("ring", "%s is there", ring))
		}
	}
	if recorded != nil && speaks {
		d.playback(ctx, recorded)
	}
}

const restartServer = "restart the sound server (on Linux PulseAudio or PipeWire)"

// unusable is wrong for a device, and notes a sound server that hangs.
func (d *doctor) unusable(name string, err error, mend string) finding {
	if !errors.Is(err, audio.ErrHangs) {
		return wrong(name, err, mend)
	}
	d.deviceless = true
	return finding{name: name, detail: "the sound server does not answer", mend: restartServer + "; to go without sound, use --mic null --speaker null"}
}

// canAsk tells whether what words mean can be tried.
func (d *doctor) canAsk(words string) bool { return !d.deviceless || !open.IsDevice(words) }

// named is a device for a person: what words mean, with its description.
func named(devices []open.Described, kind, words string) string {
	for _, each := range devices {
		if each.Kind == kind && (each.Words == words || each.Default && (words == "" || words == "default")) {
			return fmt.Sprintf("%q", each.Name)
		}
	}
	return words
}

func (d *doctor) microphone(ctx context.Context, devices []open.Described) finding {
	if !open.IsDevice(d.mic) {
		if err := open.CheckSource(d.mic); err != nil {
			return wrong("microphone", err, "choose another one with --mic or sotto settings set sound.mic")
		}
		return well("microphone", "%s is used in place of one", d.mic)
	}
	name := named(devices, device.Capture, d.mic)
	limited, cancel := context.WithTimeout(ctx, listenFor+patienceForSound)
	defer cancel()
	levels, err := open.Levels(limited, d.mic)
	if err != nil {
		return d.unusable("microphone", err, otherMicrophone)
	}
	loudest, heard := audio.Silence, 0
	var enough <-chan time.Time // from the first sound on: some devices take long to begin
	for {
		select {
		case <-enough:
			return hears(name, loudest)
		case level, more := <-levels:
			if !more {
				return finding{name: "microphone", detail: name + " opened, and then nothing came from it", mend: "unplug it and plug it in again, choose another one, or restart the sound server"}
			}
			if heard++; heard == 1 {
				enough = time.After(listenFor)
			}
			loudest = max(loudest, level)
		}
	}
}

// hears is what a microphone's loudest tenth of a second, in dBFS, comes to.
func hears(name string, loudest float64) finding {
	if loudest == audio.Silence {
		return finding{name: "microphone", detail: name + " gives nothing but silence", mend: hotplug.Unmute() + ", or choose another one with --mic"}
	}
	return well("microphone", "%s hears something, at most %.0f dBFS, where 0 is the loudest there is", name, loudest).figure("loudest_dbfs", loudest)
}

const otherMicrophone = "choose another one with sotto settings set sound.mic; sotto devices lists them"

const patienceForSound = 5 * time.Second

func (d *doctor) loudspeaker(ctx context.Context, devices []open.Described) finding {
	if !open.IsDevice(d.speaker) {
		return well("speaker", "%s is used in place of one", d.speaker)
	}
	if err := open.Play(ctx, d.speaker, nil); err != nil {
		return d.unusable("speaker", err, "choose another one with sotto settings set sound.speaker; sotto devices lists them")
	}
	return well("speaker", "%s takes sound", named(devices, device.Playback, d.speaker))
}

// record lets a person speak, tells what that says of the microphone, and returns the
// sound; nil if there is none. Some microphones are digitally silent until they hear a
// voice: this one was asked for.
func (d *doctor) record(ctx context.Context, devices []open.Described) []float32 {
	if !d.json {
		d.say("    Speak now, for three seconds.")
	}
	name := named(devices, device.Capture, d.mic)
	sound, err := open.Record(ctx, d.mic, recordFor)
	if err != nil {
		d.tell(d.unusable("microphone", err, otherMicrophone))
		return nil
	}
	loudest := audio.Silence
	for piece := range slices.Chunk(sound, audio.SampleRate/10) {
		loudest = max(loudest, audio.Level(piece))
	}
	f := hears(name, loudest)
	if !open.IsDevice(d.mic) && f.mend != "" {
		f.mend = "choose another one with --mic"
	}
	if !d.tell(f) {
		return nil
	}
	return sound
}

func (d *doctor) playback(ctx context.Context, sound []float32) {
	if !d.json {
		d.say("    This is how you sound.")
	}
	if err := open.Play(ctx, d.speaker, sound); err != nil {
		d.tell(d.unusable("audio", err, "choose another speaker with --speaker"))
		return
	}
	level := audio.Level(sound)
	d.tell(well("audio", "recorded three seconds at %.0f dBFS and played them back", level).figure("level_dbfs", level))
}
