package cli

import (
	"sync"

	"sotto/audio/dsp"
	"sotto/audio/hotplug"
	"sotto/audio/open"
)

// The words of --voice.
const (
	voiceAuto = "auto"
	voiceOff  = "off"
)

func (p *program) checkVoice() error {
	if p.voice != voiceAuto && p.voice != voiceOff {
		return usage("--voice is auto or off, not %q", p.voice)
	}
	return nil
}

// processing is what works on the live call's microphone.
type processing struct {
	mu           sync.Mutex // guards the following
	voice        *dsp.Voice // nil: nothing does
	config       dsp.Config
	mic, speaker *hotplug.Keeper
}

// openVoice is the processing of a call that begins. A microphone that is no device
// is sent as it is: it was made that way.
func (a *app) openVoice(words string, mic, speaker *hotplug.Keeper) *dsp.Voice {
	v := &a.processing
	v.mu.Lock()
	defer v.mu.Unlock()
	v.voice, v.mic, v.speaker = nil, mic, speaker
	if a.voice == voiceOff || !open.IsDevice(words) {
		return nil
	}
	v.config = a.voiceConfig()
	v.voice = dsp.New(v.config)
	return v.voice
}

// followVoice takes the processing to what settings and devices ask for now.
func (a *app) followVoice() {
	v := &a.processing
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.voice == nil {
		return
	}
	if wanted := a.voiceConfig(); wanted != v.config {
		v.config = wanted
		v.voice.Use(wanted)
	}
}

// voiceConfig is what is to be done; processing.mu is held. Settings with a mistake in
// them change nothing.
func (a *app) voiceConfig() dsp.Config {
	loaded, err := a.profile.Settings()
	if err != nil {
		return a.processing.config
	}
	sound := loaded.Sound
	return dsp.Config{
		Echo:     sound.Echo != voiceOff && open.Echoes(a.processing.mic.Device(), a.processing.speaker.Device()),
		Noise:    sound.Noise != voiceOff,
		Gain:     sound.Gain != voiceOff,
		HighPass: sound.HighPass != voiceOff,
	}
}

// voice tells which of the processing's modules this build has.
func (d *doctor) voice() {
	if d.program.voice == voiceOff {
		d.tell(well("voice", "sent as the microphone hears it (--voice off)"))
		return
	}
	for _, module := range dsp.Modules() {
		if !module.Present {
			d.tell(well("voice", "can take out echo and rumble and even out the level; %s (%s) is missing: with npm installed, make fetches it", module.Does, module.Name))
			return
		}
	}
	d.tell(well("voice", "can take out echo, noise and rumble and even out the level"))
}
