package tui

import (
	"regexp"
	"testing"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/net/call"
	"sotto/net/line"
	"sotto/net/pair"
	"sotto/net/profile"
	"sotto/settings"
	"sotto/settings/advice"
)

// TestErrorsNameNoCommand looks at what the screens say of the errors that people meet:
// there is no command line to type the remedy into. Each kind of advice is of one of them.
func TestErrorsNameNoCommand(t *testing.T) {
	if missing := onScreens.Missing(); len(missing) > 0 {
		t.Errorf("the screens have no words for the advice %v", missing)
	}
	_, noDevice := device.Find(nil, device.Capture, "usb")
	command := regexp.MustCompile(`\bsotto (settings|contacts|invite|join|setup|devices|doctor|call)\b|--[a-z]`)
	given := map[advice.Kind]bool{
		advice.None:       true,
		advice.PutInToken: true, // of a refusal, which only a relay makes; net/line looks at it
	}
	for _, err := range []error{
		audio.ErrNoDevices, audio.ErrHangs, noDevice, call.ErrCallingOff, call.ErrNoContact, line.ErrUnreachable, line.ErrUntrusted, line.ErrExpired, line.ErrProxy, line.ErrPinMismatch,
		line.ErrRefused, pair.ErrWrongCode, pair.ErrExpired, pair.ErrNobody, pair.ErrBroken, pair.ErrTheyKnow, pair.ErrTheyLost,
		profile.ErrNoRelay, profile.ErrProxyHere, profile.ErrOtherKey, profile.ErrOwnCard, profile.ErrNameTaken, profile.ErrKeyTaken,
		profile.ErrBadName, profile.ErrUnverified, settings.ErrNotSetUp,
	} {
		given[advice.Of(err).Do] = true
		if found := command.FindString(OnScreens(err)); found != "" {
			t.Errorf("%q is told of by %q", OnScreens(err), found)
		}
	}
	for kind, words := range onScreens {
		if found := command.FindString(words); found != "" {
			t.Errorf("%q is told of by %q", words, found)
		}
		if !given[advice.Kind(kind)] {
			t.Errorf("no error gives the advice %q any more", words)
		}
	}
}
