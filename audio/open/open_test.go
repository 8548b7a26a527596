package open_test

import (
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sotto/audio"
	"sotto/audio/open"
)

// noServer makes sure that no sound server is found: these tests run anywhere.
func noServer(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(dir, "none"))
	t.Setenv("XDG_RUNTIME_DIR", dir)
}

func TestWordsThatMeanNothing(t *testing.T) {
	for _, words := range []string{"nul", "default:x", "null:", "device:", "device", "file:", "file", "tone:", "tone:abc", "tone:19", "tone:1e9", "tone:NaN", "--", "-:", ":", " default", "DEFAULT", "sound.wav"} {
		if source, _, err := open.Source(words); !errors.Is(err, audio.ErrUsage) || source != nil {
			t.Errorf("the microphone %q: %v", words, err)
		}
		if sink, _, err := open.Sink(words); !errors.Is(err, audio.ErrUsage) || sink != nil {
			t.Errorf("the speaker %q: %v", words, err)
		}
		if open.CheckSource(words) == nil || open.CheckSink(words) == nil {
			t.Errorf("%q passes the check", words)
		}
	}
	for _, words := range []string{"tone", "tone:300"} {
		if _, _, err := open.Sink(words); !errors.Is(err, audio.ErrUsage) {
			t.Errorf("the speaker %q: %v", words, err)
		}
	}
}

func TestWordsThatMeanSomething(t *testing.T) {
	file := filepath.Join(t.TempDir(), "call.wav")
	for _, words := range []string{"null", "-", "file:" + file} {
		if err := open.CheckSink(words); err != nil {
			t.Errorf("checking the speaker %q: %v", words, err)
		}
		sink, warning, err := open.Sink(words)
		if err != nil || warning != "" {
			t.Errorf("the speaker %q: %q %v", words, warning, err)
			continue
		}
		if sink.Name() != words {
			t.Errorf("the speaker %q is called %q", words, sink.Name())
		}
		_ = sink.Close()
	}
	for words, name := range map[string]string{"null": "null", "-": "-", "tone": "tone:440", "tone:300.5": "tone:300.5", "file:" + file: "file:" + file} {
		if err := open.CheckSource(words); err != nil {
			t.Errorf("checking the microphone %q: %v", words, err)
		}
		source, warning, err := open.Source(words)
		if err != nil || warning != "" {
			t.Errorf("the microphone %q: %q %v", words, warning, err)
			continue
		}
		if source.Name() != name {
			t.Errorf("the microphone %q is called %q", words, source.Name())
		}
		_ = source.Close()
	}
}

func TestWhatWasNamedMustBeThere(t *testing.T) {
	noServer(t)
	for _, words := range []string{"device:nowhere", "file:" + filepath.Join(t.TempDir(), "none", "x.wav")} {
		if _, _, err := open.Source(words); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("the microphone %q: %v", words, err)
		}
		if _, _, err := open.Sink(words); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("the speaker %q: %v", words, err)
		}
		if err := open.CheckSource(words); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("checking the microphone %q: %v", words, err)
		}
		if err := open.CheckSink(words); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("checking the speaker %q: %v", words, err)
		}
	}
}

func TestAMissingDefaultGoesOnInSilenceAndSaysSo(t *testing.T) {
	noServer(t)
	if cards, _ := filepath.Glob("/dev/snd/pcm*"); len(cards) > 0 {
		t.Skip("SKIPPED: this machine has a sound card")
	}
	if runtime.GOOS != "linux" {
		t.Skip("SKIPPED: here the sound system cannot be hidden from a test")
	}
	for _, words := range []string{"", "default"} {
		if open.CheckSource(words) != nil || open.CheckSink(words) != nil {
			t.Errorf("%q does not pass the check", words)
		}
		source, warning, err := open.Source(words)
		if err != nil || !strings.Contains(warning, "no microphone") || source.Name() != "null" {
			t.Errorf("microphone %q: %v %q %v", words, source, warning, err)
		}
		_ = source.Close()
		sink, warning, err := open.Sink(words)
		if err != nil || !strings.Contains(warning, "no speaker") || sink.Name() != "null" {
			t.Errorf("speaker %q: %v %q %v", words, sink, warning, err)
		}
		_ = sink.Close()
		t.Log(warning)
	}
}

func TestOnlyDevicesRing(t *testing.T) {
	for words, want := range map[string]bool{"": true, "default": true, "device:x": true, "null": false, "-": false, "file:x.wav": false, "nonsense": false} {
		if open.IsDevice(words) != want {
			t.Errorf("IsDevice(%q) is %v", words, !want)
		}
	}
}
