package cli

import (
	"fmt"
	"testing"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/net/call"
	"sotto/net/line"
	spoken "sotto/net/pair"
	"sotto/net/profile"
	"sotto/settings"
	"sotto/settings/advice"
	"sotto/ui/tui"
)

// TestErrorsInCommands holds the sentences of the errors that give advice: scripts read
// them, and so do the entries of a history that is kept.
func TestErrorsInCommands(t *testing.T) {
	if missing := commands.Missing(); len(missing) > 0 {
		t.Errorf("the command line has no words for the advice %v", missing)
	}
	_, noDevice := device.Find(nil, device.Capture, "usb")
	for _, test := range []struct {
		err  error
		want string
	}{
		{settings.ErrNotSetUp, "this profile is not set up: run sotto setup"},
		{profile.ErrNoRelay, "no relay is chosen; choose one with sotto settings set relay.address HOST:PORT#PIN, or local for this machine"},
		{profile.ErrProxyHere, `a relay on this machine reaches others without the proxy; choose another relay, or take the proxy out with sotto settings set relay.proxy ""`},
		{fmt.Errorf("%w (refused)", line.ErrProxy), `the proxy did not connect to the relay; check that the proxy runs and the relay's address is right, or take the proxy out with sotto settings set relay.proxy "" (refused)`},
		{call.ErrCallingOff, "calling is off; turn it on with sotto settings set calls.enabled on"},
		{fail(statusNoContact, call.ErrNoContact), "nobody of that name is in your contacts; run sotto contacts to see who is"},
		{profile.ErrKeyTaken, "this person is in your contacts already, under another name; sotto contacts rename changes it"},
		{spoken.ErrWrongCode, "the code did not match, and it is used up now: a word was wrong, or somebody stands in between; make a new code with sotto invite and say it again"},
		{spoken.ErrExpired, "nobody used the code in its ten minutes, and it is void now; make a new one with sotto invite"},
		{noDevice, `the sound device could not be used: there is no microphone called "usb"; sotto devices lists those there are`},
		{advice.New("ask for the token", advice.PutInToken), "ask for the token and set relay.admission"},
		{audio.ErrHangs, "the sound server does not answer; restart it, or use --mic null --speaker null"},
		{fmt.Errorf("%w: there is no speaker", audio.ErrNoDevices), "no sound device was found; plug one in, or use --mic null --speaker null: there is no speaker"},
	} {
		if got := told(test.err); got != test.want {
			t.Errorf("told %q\n  not %q", got, test.want)
		}
	}
}

// TestHistoryOnScreens: the history's entries are in the command line's words, also those
// of long ago, and the screens have others for the same advice.
func TestHistoryOnScreens(t *testing.T) {
	for kind := range commands {
		why := advice.Text{What: "it did not work", Do: advice.Kind(kind), Rest: " (twice)"}
		if got, want := onScreens(told(why)), tui.OnScreens(why); got != want {
			t.Errorf("%q is on the screens %q, not %q", told(why), got, want)
		}
	}
	if got := onScreens(""); got != "" {
		t.Errorf("nothing is on the screens %q", got)
	}
}
