package open

import (
	"testing"

	"sotto/audio/device"
)

func TestEchoes(t *testing.T) {
	for _, c := range []struct {
		mic, speaker string
		want         bool
	}{
		{"", "", true},
		{"Built-in Audio Analog Stereo", "Built-in Audio Analog Stereo", true},
		{"Built-in Audio", "USB Headset Analog Stereo", false},
		{"Built-in Audio", "AirPods Pro", false},
		{"alsa_input.pci (echo cancelled with Built-in Audio)", "Built-in Audio", false},
		{"Echo-Cancel Source", "Built-in Audio", false},
		{"Headset Microphone", "Monitor Speakers", true},
	} {
		if got := Echoes(device.Device{Name: c.mic}, device.Device{Name: c.speaker}); got != c.want {
			t.Errorf("%q and %q: %v, want %v", c.mic, c.speaker, got, c.want)
		}
	}
}
