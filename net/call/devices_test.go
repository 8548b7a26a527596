package call_test

import (
	"errors"
	"slices"
	"testing"

	"sotto/audio"
	"sotto/audio/fake"
	"sotto/audio/hotplug"
	"sotto/audio/open"
	"sotto/net/call"
	"sotto/net/nettest"
	"sotto/net/world"
	"sotto/settings"
	"sotto/settings/advice"
)

func TestDevicesInACall(t *testing.T) {
	nettest.Leaks(t)
	notices := make(chan audio.Notice)
	hardware := hotplug.New()
	engine := call.New(call.Config{
		Book: world.NewBook(settings.Nobody), Echo: world.Echo,
		OpenSound: func() (call.Sound, error) {
			mic, err := open.Microphone(hardware, "null", nil)
			if err != nil {
				return call.Sound{}, err
			}
			return call.Sound{
				Source: mic, Sink: fake.NewNullSink(), Notices: notices, MicWords: "null", SpeakerWords: "null",
				Use: func(words, _ string) error { return open.Change(mic, words) },
			}, nil
		},
	})
	defer engine.Close()
	if err := engine.UseDevices("tone", ""); !errors.Is(err, call.ErrNoCall) {
		t.Errorf("without a call: %v", err)
	}
	events, unsubscribe := engine.Subscribe()
	defer unsubscribe()
	s := &side{t: t, events: events, engine: engine}
	s.do(engine.Dial(call.EchoName))
	s.await(call.EventConnected)
	if level := s.await(call.EventStats).Call.Stats.LevelIn; level != audio.Silence {
		t.Errorf("null is sent at %.0f dBFS", level)
	}
	if err := engine.UseDevices("what:ever", ""); !errors.Is(err, audio.ErrUsage) {
		t.Errorf("words that mean nothing: %v", err)
	}
	if info := engine.Snapshot().Call; info.MicWords != "null" || info.SpeakerWords != "null" {
		t.Errorf("in use are %q and %q", info.MicWords, info.SpeakerWords)
	}
	s.do(engine.UseDevices("tone:440", ""))
	if info := engine.Snapshot().Call; info.MicWords != "tone:440" || info.SpeakerWords != "null" {
		t.Errorf("after the change, in use are %q and %q", info.MicWords, info.SpeakerWords)
	}
	for s.await(call.EventStats).Call.Stats.LevelIn < -20 { // the new microphone is heard
	}

	gone := advice.Text{What: "The microphone is gone", Do: advice.DoWithoutDevices}
	notices <- audio.Notice{Text: gone}
	if event := s.await(call.EventChanged); event.Warning != gone || !slices.Contains(event.Call.Warnings, gone) {
		t.Errorf("told %q, of %q", event.Warning, event.Call.Warnings)
	}
	notices <- audio.Notice{Text: gone, Over: true}
	if event := s.await(call.EventChanged); event.Warning.What != "" || slices.Contains(event.Call.Warnings, gone) {
		t.Errorf("when it is over: told %q, of %q", event.Warning, event.Call.Warnings)
	}
	s.do(engine.HangUp())
	s.ended(call.HungUp)
}
