package device

import (
	"errors"
	"strings"
	"testing"

	"sotto/audio"
)

func TestFindComparesExactlyFirstIDsThenDescriptions(t *testing.T) {
	devices := []Device{
		{ID: "a_mic", Name: "a_mic_src", Kind: Capture},
		{ID: "a_mic_src", Name: "Headset", Kind: Capture},
		{ID: "b_mic", Name: "Headset", Kind: Capture},
		{ID: "lone", Name: "Webcam", Kind: Capture},
		{ID: "out", Name: "Webcam", Kind: Playback},
	}
	for name, want := range map[string]string{"a_mic": "a_mic", "a_mic_src": "a_mic_src", "Webcam": "lone"} {
		if found, err := Find(devices, Capture, name); err != nil || found.ID != want {
			t.Errorf("%q is %q, %v", name, found.ID, err)
		}
	}
	for _, name := range []string{"a_mi", "A_MIC", "out", "", "Headse", "Headset"} {
		if found, err := Find(devices, Capture, name); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("%q is %q, %v", name, found.ID, err)
		}
	}
	if _, err := Find(devices, Capture, "Headset"); !strings.Contains(err.Error(), "device:a_mic_src, device:b_mic") {
		t.Errorf("a shared description: %v", err)
	}
	if found, err := Find(devices, Playback, "Webcam"); err != nil || found.ID != "out" {
		t.Errorf("the speaker Webcam is %q, %v", found.ID, err)
	}
}
