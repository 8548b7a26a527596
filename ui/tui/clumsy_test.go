package tui

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
)

// TestAClumsyHand presses keys, clicks, resizes and lets calls come and go without
// any sense: nothing may panic, and no screen may be larger than the window.
func TestAClumsyHand(t *testing.T) {
	keys := []string{
		"enter", "enter", "esc", "up", "down", "tab", "left", "backspace", "home", "pgdown", "pgup", "space", "shift+tab", "f1", "delete",
		"a", "b", "c", "d", "g", "h", "i", "m", "o", "p", "r", "s", "t", "v", "w", "x", "/", ":", "?", "j", "k", "1", "ctrl+p", "ctrl+u", "ctrl+w",
	}
	things := []func(*call.Snapshot){
		func(s *call.Snapshot) { *s = with(before(call.Incoming)); s.Call.ID = "in" },
		func(s *call.Snapshot) { *s = with(nil) },
		func(s *call.Snapshot) { *s = twoCalls() },
		func(s *call.Snapshot) { *s = with(withTexts) },
		func(s *call.Snapshot) { *s = with(before(call.Dialling)) },
		func(s *call.Snapshot) { *s = with(before(call.Connecting)) },
		func(s *call.Snapshot) { *s = with(over(call.Mismatch, "")) },
		func(s *call.Snapshot) { *s = with(over(call.PeerHungUp, "")) },
		func(s *call.Snapshot) { s.Call, s.Waiting = nil, nil },
		func(s *call.Snapshot) { s.Line = call.LineOff },
		func(s *call.Snapshot) {
			*s = with(func(i *call.Info) { i.Proof.Route, i.Proof.PeerSees = "direct", "198.51.100.7:50000" })
		},
	}
	for seed := range uint64(16) {
		random := rand.New(rand.NewPCG(seed, 5))
		profile := newFakeProfile(seed%4 != 0, someContacts...)
		profile.history = slices.Clone(somePast)
		profile.settings["look.mouse"] = "on"
		d := newDriver(t, &fakeCalls{snap: ready}, profile)
		width, height := 80, 24
		for range 100 {
			switch roll := random.IntN(20); {
			case roll < 16:
				d.send(keyNamed(t, keys[random.IntN(len(keys))]))
			case roll == 16:
				width, height = 1+random.IntN(130), 1+random.IntN(45)
				d.resize(width, height)
			case roll == 17:
				d.calls.change(things[random.IntN(len(things))])
				d.happen()
			case roll == 18:
				d.send(tea.MouseClickMsg{X: random.IntN(width), Y: random.IntN(height), Button: tea.MouseLeft})
			default:
				d.send(changed{})
			}
			d.now = d.now.Add(time.Duration(random.IntN(500)) * time.Millisecond)
		}
		checkSize(t, d.m.View().Content, width, height)
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}
