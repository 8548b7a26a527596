package tui

import (
	"testing"
	"time"

	"sotto/audio/open"
	"sotto/net/call"
)

func TestALineOfTextIsSentAndTheFieldStays(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.press("t")
	d.write("mhq?")
	d.press("enter")
	d.write("and more")
	d.press("enter")
	d.wants("you 15:00", "mhq?", "write a line")
	d.press("enter")
	d.wants("h hang up")
	d.wantsAsked("send mhq?, send and more")
}

func TestTheEndOfACallDoesNotTakeTheRestOfALine(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true, someContacts...))
	d.press("t")
	d.write("until late")
	d.calls.change(func(s *call.Snapshot) { over(call.PeerHungUp, "")(s.Call) })
	d.happen()
	d.write("r")
	d.press("enter")
	d.wants("bob hung up.")
	d.wantsAsked("")
	d.now = d.now.Add(time.Second)
	d.press("r")
	d.wantsAsked("dial bob")
}

func TestDecliningWithALine(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	ringsHere(d)
	d.now = d.now.Add(time.Second)
	d.press("t", "enter")
	d.wants("Write a line")
	d.write("dd later")
	d.press("enter")
	d.wantsAsked("decline with dd later")
	d.wants("You declined the call.", "You wrote: dd later")
}

func TestAnUnwrittenRefusalGoesBackToTheCall(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	ringsHere(d)
	d.now = d.now.Add(time.Second)
	d.press("t")
	d.write("x")
	d.press("esc", "enter")
	d.wantsAsked("answer")
}

func TestAStrangerIsNotToldInWords(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	ringsHere(d)
	d.calls.change(func(s *call.Snapshot) { s.Call.Peer = call.Peer{Name: "Bank"} })
	d.happen()
	d.now = d.now.Add(time.Second)
	d.wantsNot("decline with a line")
	d.press("t", "s")
	d.wants("Silenced here.")
	d.press("s", "d")
	d.wantsAsked("silence, decline")
}

func TestASecondCallIsTakenOnPurpose(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.calls.change(func(s *call.Snapshot) { s.Waiting = twoCalls().Waiting })
	d.happen()
	d.wants("carol (not verified) is calling too. w hangs up this call and answers, x declines.")
	d.press("w", "x")
	d.wantsAsked("")
	d.now = d.now.Add(grace)
	d.press("x")
	d.wantsAsked("decline the other")
	d.wantsNot("carol")
	d.press("w")
	d.calls.change(func(s *call.Snapshot) { s.Waiting = twoCalls().Waiting })
	d.happen()
	d.press("tab")
	d.wants("and another rings")
	d.press("tab")
	d.now = d.now.Add(grace)
	d.press("w")
	d.wantsAsked("decline the other, answer the other")
}

func TestReconnectingIsSaidWithItsSeconds(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(func(i *call.Info) { i.Reconnecting = start.Add(-time.Second) })}, newFakeProfile(true))
	d.wants("reconnecting", "Reconnecting for 1 second: the way to bob broke")
	d.now = d.now.Add(11 * time.Second)
	d.happen()
	d.wants("Reconnecting for 12 seconds:")
	d.press("tab")
	d.wants("Sotto Contacts reconnecting")
	d.press("tab")
	d.calls.change(func(s *call.Snapshot) { s.Call.Reconnecting = time.Time{} })
	d.happen()
	d.wantsNot("econnecting")
}

func TestDeafened(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.press("d")
	d.wants("Deafened: you hear nothing, and bob does not hear you.", "d hear again")
	d.press("d", "space")
	d.wants("Muted: bob does not hear you.")
	d.calls.change(func(s *call.Snapshot) { s.Call.TalkingMuted = true })
	d.happen()
	d.wants("You are talking, but you are muted: m lets bob hear you.")
	d.wantsAsked("deafen, deafen, mute")
}

func TestDevicesAreChangedInTheCall(t *testing.T) {
	d := newDriver(t, &fakeCalls{snap: with(nil)}, newFakeProfile(true))
	d.press("g")
	d.wants("› Microphone: the system's (now)", "Microphone: Desk microphone", "Speaker: Headphones (now)")
	d.press("down", "enter")
	d.wants("The microphone was changed for this call.", "h hang up")
	d.press("g")
	d.seek("Speaker: Headphones")
	d.press("enter")
	d.wantsAsked("use device:usb-mic and , use  and device:head")
	d.calls.fails = call.ErrFixedDevices
	d.press("g", "enter")
	d.wants("! The devices of this call cannot be changed.")
}

func TestDevicesOfOneNameAreToldApart(t *testing.T) {
	profile := newFakeProfile(true)
	profile.devices = []open.Described{
		{Words: "device:left", Name: "USB headset", Kind: microphone},
		{Words: "device:right", Name: "USB headset", Kind: microphone, Default: true},
		{Words: "device:desk", Name: "Desk microphone", Kind: microphone},
	}
	d := newDriver(t, &fakeCalls{snap: with(nil)}, profile)
	d.press("g")
	d.wants("› Microphone: the system's", "now that is USB headset.")
	d.press("down")
	d.wants("› Microphone: USB headset", "Several have this name; this is device:left.")
	d.press("down")
	d.wants("this is device:right.")
	d.press("down")
	d.wants("› Microphone: Desk microphone")
	d.wantsNot("Several have this name")
}

func TestDevicesAreChosenInTheSettings(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("s")
	d.seek("Speaker")
	d.press("enter")
	d.wants("› the system's (now)", "Headphones")
	d.seek("Headphones")
	d.press("enter")
	d.wants("› Speaker • device:head")
	d.press("enter")
	d.seek("Something else")
	d.press("enter", "ctrl+u")
	d.write("file:x.wav")
	d.press("enter")
	d.wants("› Speaker • file:x.wav")
}

func TestAContactRingsAsChosen(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press("down", "i")
	d.wants("Rings As the settings say.")
	d.press("s", "down", "down", "enter")
	d.wants("Saved.", "Rings Always.")
	d.press("s")
	d.wants("› Always (now)")
}

func TestAStrangerIsBlockedFromTheHistory(t *testing.T) {
	d := withPast(t)
	d.press("h", "down", "enter")
	d.wants("Definitely Your Bank called you", "Not in your contacts.")
	d.press("b")
	d.wants("is blocked. They are not told.", "b unblock")
	d.press("b")
	if got := d.profile.strangers; len(got) != 2 || got[0] != "ee true" || got[1] != "ee false" {
		t.Errorf("blocked %q", got)
	}
}
