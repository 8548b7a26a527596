package open

import (
	"slices"
	"strings"

	"sotto/audio/device"
)

// Echoes tells whether what a speaker plays may come back through a microphone: not
// through a headset, and not where the sound server takes the echo out already. Names
// are all there is to go by; a device that says nothing echoes.
func Echoes(mic, speaker device.Device) bool {
	says := func(d device.Device, words ...string) bool {
		name := strings.ToLower(d.ID + " " + d.Name)
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
	}
	return !says(speaker, "headset", "headphone", "earphone", "earbud", "airpods", "hands-free", "handsfree") &&
		!says(mic, "echo-cancel", "echo_cancel", "echocancel", "echo cancel")
}
