package tui

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"sotto/net/call"
	"sotto/settings"
	"sotto/settings/advice"
)

// The settings that the golden screens show; settings that come later are shown
// too, but do not change what these screens are to prove.
func init() {
	_ = os.Setenv("TZ", "UTC") // read when a time is first shown; time.Local itself others read already
	settingKeys = slices.DeleteFunc(settingKeys, func(key settings.Key) bool {
		return !slices.Contains([]string{
			"name", "calls.enabled", "calls.who", "calls.ringing", "calls.direct", "sound.mic", "sound.speaker",
			"relay.address", "relay.admission", "look.colour", "look.glyphs", "look.mouse", "calls.history", "calls.waiting", "calls.presence",
		}, key.Name)
	})
}

// scene is a screen in a certain state, reached as a person would reach it.
type scene struct {
	name  string
	snap  call.Snapshot
	fresh bool // the profile is not set up
	with  []Contact
	set   map[string]string
	past  []settings.HistoryEntry
	play  func(d *driver)
}

var someContacts = []Contact{
	{Name: "bob", Key: "b0", Verified: true},
	{Name: "carol", Key: "ca"},
	{Name: "山田太郎 🎧", Key: "5a", Verified: true},
	{Name: "mallory", Key: "ff", Blocked: true},
}

// somePast has a call of every kind; two were missed after the scenes begin.
var somePast = []settings.HistoryEntry{
	{ID: "9", Time: start.Add(5 * time.Minute), Name: "carol", Key: "ca", Incoming: true, Outcome: "missed"},
	{ID: "8", Time: start.Add(4 * time.Minute), Name: "Definitely Your Bank", Key: "ee", Incoming: true, Outcome: "silenced"},
	{
		ID: "7", Time: start.Add(-time.Hour), Name: "bob", Key: "b0", Outcome: "answered", Seconds: 754, Route: "relay",
		Receipt: "Call with bob, 12:34. It went through two relays; they saw your address as 192.0.2.17:51402, which is your relay's. Encrypted from end to end (AES-256-GCM, with a post-quantum layer). Verified contact. Packets refused by the guard: 0.",
	},
	{ID: "6", Time: start.Add(-26 * time.Hour), Name: "山田太郎 🎧", Key: "5a", Incoming: true, Outcome: "declined-here"},
	{ID: "5", Time: start.Add(-50 * time.Hour), Name: "bob", Key: "b0", Outcome: "no-answer"},
	{ID: "4", Time: start.Add(-100 * time.Hour), Name: "bob", Key: "b0", Outcome: "failed", Why: "the relay of bob does not answer; try again later"},
	{ID: "3", Time: start.Add(-30 * 24 * time.Hour), Name: "mallory", Key: "ff", Incoming: true, Outcome: "mismatch", Seconds: 3, Route: "relay"},
}

var ready = call.Snapshot{Line: call.LineReady, Relay: "relay.example.org:443"}

// elsewhere is a profile with a relay, and calling off.
var elsewhere = map[string]string{"relay.address": "relay.example.org"}

// Friends who see of the person of the scenes that she is here; bob and the one from Japan are here, too.
var (
	friends = []Contact{
		{Name: "bob", Key: "b0", Verified: true, Presence: settings.Presence{Agreed: true, Theirs: true}},
		{Name: "carol", Key: "ca", Presence: settings.Presence{Agreed: true, Theirs: true}},
		{Name: "山田太郎 🎧", Key: "5a", Verified: true, Presence: settings.Presence{Agreed: true, Theirs: true}},
		{Name: "mallory", Key: "ff", Blocked: true},
	}
	present    = call.Snapshot{Line: call.LineReady, Relay: "relay.example.org:443", Here: map[string]bool{"b0": true, "5a": true}}
	onPresence = map[string]string{"calls.enabled": "on", "relay.address": "relay.example.org", "calls.presence": "on"}
)

var on443 = map[string]string{"calls.enabled": "on", "relay.address": "relay.example.org"}

// with is a ready line and a call that was changed a little.
func with(change func(*call.Info)) call.Snapshot {
	snap := ready
	snap.Call = aCall()
	if change != nil {
		change(snap.Call)
	}
	return snap
}

// came makes a call a change that happened, as after an event.
func came(change func(*call.Info)) func(d *driver) {
	return func(d *driver) {
		d.calls.change(func(s *call.Snapshot) { s.Call = with(change).Call })
		d.happen()
		d.now = d.now.Add(time.Second)
	}
}

func withTexts(i *call.Info) {
	i.Texts = []call.Text{
		{At: start, Body: "the door code is 4711"},
		{At: start, Mine: true, Body: "thank you"},
		{At: start, Body: "see you at four, or rather at half past, if the train from the coast is on time"},
	}
}

func twoCalls() call.Snapshot {
	snap := with(nil)
	snap.Waiting = &call.Info{ID: "2", Phase: call.Incoming, Incoming: true, Peer: call.Peer{Name: "carol", Known: true}, Started: start}
	return snap
}

func before(phase call.Phase) func(*call.Info) {
	return func(i *call.Info) {
		i.Phase, i.Started, i.ConnectedAt = phase, start.Add(-7*time.Second), time.Time{}
		i.Proof, i.Stats, i.Quality = call.Proof{}, call.Stats{LevelIn: -96, LevelOut: -96}, call.Quality{}
	}
}

func over(reason call.Reason, detail string) func(*call.Info) {
	return func(i *call.Info) {
		i.Phase, i.Reason, i.Detail, i.EndedAt = call.Ended, reason, advice.Text{What: detail}, start
		if reason != call.HungUp && reason != call.PeerHungUp {
			i.ConnectedAt = time.Time{}
		}
	}
}

func keysPressed(names ...string) func(d *driver) { return func(d *driver) { d.press(names...) } }

func scenes() []scene {
	return append(append(atRest(), settingScenes()...), callScenes()...)
}

func atRest() []scene {
	return []scene{
		{name: "setup-name", fresh: true},
		{name: "setup-relay", fresh: true, play: keysPressed("enter")},
		{name: "setup-relay-address", fresh: true, play: func(d *driver) {
			d.press("enter", "down")
			d.write("relay.example.org:8443")
		}},
		{name: "setup-code", fresh: true, play: func(d *driver) {
			d.press("enter", "down", "down")
			d.write("relay.example.org 42 apple")
		}},
		{name: "setup-microphone", fresh: true, play: func(d *driver) {
			d.press("enter", "enter")
			mic := d.m.stack[0].(*setup).mic
			mic.level, mic.loud = -20, true
		}},
		{name: "setup-no-microphone", fresh: true, play: func(d *driver) {
			d.profile.noMic = errors.New("no microphone was found; connect one, or check that the sound server runs")
			d.press("enter", "enter")
		}},
		{name: "setup-calling", fresh: true, play: keysPressed("enter", "enter", "enter")},
		{name: "setup-failed", fresh: true, play: func(d *driver) {
			d.profile.fails = errors.New("the disk is full: nothing was saved; make room and press enter again")
			d.press("enter", "enter", "enter", "enter")
		}},
		{name: "contacts-empty"},
		{name: "contacts", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("down")},
		{name: "contacts-connecting", with: someContacts, set: on443, snap: call.Snapshot{
			Line: call.LineConnecting, Relay: "relay.example.org:443",
			LineError: errors.New("the relay does not answer; trying again in 4 s"),
		}},
		{name: "contacts-here", with: someContacts, snap: call.Snapshot{Line: call.LineReady, Relay: "127.0.0.1:43117", RelayHere: true}},
		{name: "contacts-dial-failed", with: someContacts, play: func(d *driver) {
			d.calls.fails = errors.New("calling is off; turn it on in the settings, or with: sotto settings set calls.enabled on")
			d.press("down", "enter")
		}},
		{name: "contacts-found", snap: ready, with: someContacts, set: on443, play: func(d *driver) {
			d.press("/")
			d.write("ro")
		}},
		{name: "contacts-presence", snap: present, with: friends, set: onPresence, past: somePast, play: keysPressed("down")},
		{name: "contact-present", snap: present, with: friends, set: onPresence, play: keysPressed("down", "i")},
		{name: "contact-presence", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "down", "i", "p")},
		{name: "contact", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("down", "i")},
		{name: "contact-unverified", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "down", "i")},
		{name: "contact-blocked", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "i", "b")},
		{name: "contact-ring", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "i", "s")},
		{name: "contact-direct", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "i", "e")},
		{name: "contact-verify", snap: ready, with: someContacts, set: on443, play: keysPressed("down", "down", "i", "v")},
		{name: "palette", snap: ready, with: someContacts, set: on443, play: keysPressed("down", ":")},
		{name: "palette-found", snap: ready, with: someContacts, set: on443, play: func(d *driver) {
			d.press("ctrl+p")
			d.write("carol")
		}},
		{name: "add", play: keysPressed("a")},
		{name: "add-card", play: keysPressed("a", "down", "down", "enter")},
		{name: "join", set: elsewhere, play: func(d *driver) {
			d.press("a", "down", "enter")
			d.write("42 apple ri")
			d.press("tab")
		}},
		{name: "add-name", play: func(d *driver) {
			d.press("a", "down", "down", "enter")
			text, _ := d.profile.Card()
			d.write(text)
			d.press("enter")
			d.write("dora")
		}},
		{name: "add-failed", play: func(d *driver) {
			d.profile.fails = errors.New("this is not a whole card: one or more letters are wrong; copy it again")
			d.press("a", "down", "down", "enter")
			d.write("sotto:abc")
			d.press("enter", "enter")
		}},
		{name: "rename", with: someContacts, play: keysPressed("down", "r")},
		{name: "remove", with: someContacts, play: keysPressed("down", "d")},
		{name: "card", set: elsewhere, play: keysPressed("c")},
		{name: "card-picture", set: elsewhere, play: keysPressed("c", "p")},
		{name: "invite", set: on443, snap: ready, play: invites()},
		{name: "invite-picture", set: on443, snap: ready, play: invites("p")},
		{name: "invite-failed", set: elsewhere, play: keysPressed("a", "enter")},
		{name: "invite-no-relay", play: keysPressed("a", "enter")},
		{name: "invite-no-relay-address", play: func(d *driver) {
			d.press("a", "enter", "down")
			d.write("relay.example.org:8443")
		}},
		{name: "help", with: someContacts, play: keysPressed("down", "?")},
		{name: "help-in-a-form", play: keysPressed("a", "down", "down", "enter", "f1")},
	}
}

// invites opens an invitation that has its code, and presses more keys.
func invites(then ...string) func(d *driver) {
	return func(d *driver) {
		screen := newInvitation(d.m.ctx)
		d.m.push(screen)
		d.send(inviteCode{screen, "relay.example.org:443 42 apple river stone cloud"})
		d.press(then...)
	}
}

// at opens the settings, selects one and presses more keys.
func at(label string, then ...string) func(d *driver) {
	return func(d *driver) {
		d.press("s")
		d.seek(label)
		d.press(then...)
	}
}

func settingScenes() []scene {
	local := map[string]string{"relay.address": "local"}
	return []scene{
		{name: "history", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("h", "down", "down")},
		{name: "history-empty", play: keysPressed("h")},
		{name: "history-answered", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("h", "down", "down", "enter")},
		{name: "history-missed", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("h", "enter")},
		{name: "history-failed", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("h", "down", "down", "down", "down", "down", "enter")},
		{name: "history-stranger", snap: ready, with: someContacts, set: on443, past: somePast, play: keysPressed("h", "down", "enter")},
		{name: "history-delete", past: somePast, play: keysPressed("h", "x")},
		{name: "settings", play: keysPressed("s")},
		{name: "settings-off", play: at("Calling")},
		{name: "settings-on", snap: ready, set: on443, play: at("Calling")},
		{name: "settings-who", snap: ready, set: on443, play: at("Who may call", "enter")},
		{name: "settings-direct", snap: ready, set: on443, play: at("Direct calls")},
		{name: "settings-presence", snap: ready, set: on443, play: at("Presence")},
		{name: "settings-relay", set: local, play: at("Relay")},
		{name: "settings-relay-edit", set: local, play: at("Relay", "enter")},
		{name: "settings-saved", set: elsewhere, play: at("Calling", "enter")},
		{name: "settings-failed", set: elsewhere, play: func(d *driver) {
			d.profile.fails = errors.New("the settings could not be written: the disk is full; the old settings still hold")
			at("Calling", "enter")(d)
		}},
		{name: "settings-speaker", play: at("Speaker", "enter")},
		{name: "settings-passphrase", play: at("Passphrase")},
		{name: "settings-passphrase-new", play: func(d *driver) {
			at("Passphrase", "enter")(d)
			d.write("blue heron")
			d.press("enter")
			d.write("blue her")
		}},
		{name: "settings-key", play: at("Mute", "enter")},
		{name: "settings-found", play: func(d *driver) {
			d.press("s", "/")
			d.write("mic")
		}},
		{name: "settings-nothing-found", play: func(d *driver) {
			d.press("s", "/")
			d.write("zzz")
		}},
		{name: "settings-mistake", play: func(d *driver) {
			d.profile.mistake = errors.New("/home/alice/.config/sotto/settings.toml, line 14: calls.who is nobody, verified, contacts or anyone, not \"friends\"")
			d.send(changed{})
			d.press("s")
		}},
		{name: "others-off", play: keysPressed("s", "enter")},
		{name: "others-ready", snap: ready, set: on443, play: keysPressed("s", "enter")},
		{name: "others-in-a-call", snap: with(nil), set: on443, play: keysPressed("tab", "s", "enter")},
	}
}

func callScenes() []scene {
	return []scene{
		{name: "dialling", snap: with(before(call.Dialling))},
		{name: "ringing", snap: with(before(call.Ringing))},
		{name: "connecting", snap: with(before(call.Connecting))},
		{name: "incoming", snap: ready, set: on443, play: came(func(i *call.Info) {
			before(call.Incoming)(i)
			i.Incoming, i.WhyItRings = true, "bob is one of your contacts"
		})},
		{name: "incoming-stranger", snap: ready, set: on443, play: came(func(i *call.Info) {
			before(call.Incoming)(i)
			i.Incoming, i.WhyItRings = true, "anyone who has your card may call you"
			i.Peer = call.Peer{Name: "Definitely Your Bank Please Answer Now"}
			i.Proof.Verified = false
		})},
		{name: "call", snap: with(nil)},
		{name: "call-unverified", snap: with(func(i *call.Info) {
			i.Peer.Verified, i.Proof.Verified = false, false
		})},
		{name: "call-troubled", snap: with(func(i *call.Info) {
			i.Muted, i.PeerHeld = true, true
			i.Proof.SameRelay, i.Proof.RelayRemote, i.Proof.Refused = true, "192.0.2.17:60011", 3
			i.Quality = call.Quality{Word: "poor", Reason: "one in five packets does not arrive"}
			i.Warnings = []advice.Text{{What: "no microphone was found, so nothing is recorded: going on with silence"}}
		})},
		{name: "call-echo", snap: with(func(i *call.Info) {
			i.Peer = call.Peer{Name: "echo", Echo: true}
			i.Proof.Verified, i.Stats.LevelIn = false, -1
		})},
		{name: "incoming-silenced", snap: ready, set: on443, play: came(func(i *call.Info) {
			before(call.Incoming)(i)
			i.Incoming, i.Silenced, i.WhyItRings = true, true, "bob is one of your contacts"
		})},
		{name: "incoming-refusal", snap: ready, set: on443, play: func(d *driver) {
			came(func(i *call.Info) { before(call.Incoming)(i); i.Incoming = true })(d)
			d.press("t")
			d.write("In a meeting, later?")
		}},
		{name: "call-texts", snap: with(withTexts)},
		{name: "call-writing", snap: with(withTexts), play: func(d *driver) {
			d.press("t")
			d.write("four o'clock then")
		}},
		{name: "call-reconnecting", snap: with(func(i *call.Info) {
			i.Reconnecting, i.Stats = start.Add(-12*time.Second), call.Stats{LevelIn: -20, LevelOut: -96}
			i.Quality = call.Quality{Word: "poor", Reason: "nothing arrives"}
		})},
		{name: "call-deafened", snap: with(func(i *call.Info) { i.Muted, i.Deafened = true, true })},
		{name: "call-talking-muted", snap: with(func(i *call.Info) { i.Muted, i.TalkingMuted = true, true })},
		{name: "call-direct", snap: with(func(i *call.Info) {
			i.Proof.Route, i.Proof.PeerSees, i.Proof.DirectAddress = "direct", "198.51.100.7:50000", "198.51.100.7"
			i.Proof.RelayLocal, i.Proof.RelayRemote = "", ""
		})},
		{name: "call-waiting", snap: twoCalls()},
		{name: "ended-declined", snap: ready, play: came(func(i *call.Info) {
			over(call.Declined, "")(i)
			i.Texts = []call.Text{{At: start, Body: "Driving. I call you at six."}}
		})},
		{name: "call-devices", snap: with(nil), play: keysPressed("g", "down")},
		{name: "call-proof", snap: with(nil), play: keysPressed("p")},
		{name: "call-proof-short", snap: with(func(i *call.Info) { i.Stats.FrameMilliseconds = 10 }), play: keysPressed("p")},
		{name: "call-verify", snap: with(func(i *call.Info) { i.Peer.Verified, i.Proof.Verified = false, false }), play: keysPressed("v")},
		{name: "call-peeked", with: someContacts, snap: with(nil), play: keysPressed("tab", "down")},
		{name: "ended", snap: with(nil), play: func(d *driver) { d.now = start; came(over(call.PeerHungUp, ""))(d) }},
		{name: "ended-no-answer", snap: ready, play: came(over(call.NoAnswer, ""))},
		{name: "ended-mismatch", snap: ready, play: came(over(call.Mismatch, ""))},
		{name: "ended-unreachable", snap: ready, play: came(over(call.Unreachable, "relay.example.org does not answer; check its address in the settings, or try again later"))},
	}
}

// build sets a scene up in a terminal of some size.
func (s *scene) build(t *testing.T, width, height int, environ ...string) *driver {
	t.Helper()
	profile := newFakeProfile(!s.fresh, s.with...)
	for key, value := range s.set {
		profile.settings[key] = value
	}
	profile.history = s.past
	calls := &fakeCalls{snap: s.snap}
	if calls.snap.Call != nil {
		info := *calls.snap.Call
		calls.snap.Call = &info
	}
	d := newDriver(t, calls, profile, environ...)
	d.resize(width, height)
	if s.play != nil {
		s.play(d)
	}
	return d
}
