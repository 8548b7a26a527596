package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/audio"
	"sotto/net/call"
)

// proofPanel is everything that the live connection shows about itself, row by row.
type proofPanel struct{}

func (*proofPanel) heading(w *world) (title, status string) {
	return "Proof", clock(w.now.Sub(w.snap.Call.ConnectedAt))
}

func (*proofPanel) keys(*world) []bind { return []bind{as(back, "back to the call"), on(hangUp)} }

func (*proofPanel) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	p.say(w.theme.Faint, "Read from the connection as it is now, not from what was promised.", width)
	p.gap()
	for _, one := range append(claims(info, name, w.snap.RelayHere), facts(info, name)...) {
		style := plainStyle
		if !one.sure {
			style = w.theme.Warn
		}
		p.row(w, one.label, one.text, style, width)
	}
	return p
}

// facts are what the proof shows beyond the claims of the call screen.
func facts(info *call.Info, name string) []claim {
	proof := &info.Proof
	keys := claim{"Keys", "Nobody has compared them yet: until then the other end is somebody who has the key that you stored as " + name + ".", false}
	switch {
	case info.Peer.Echo:
		keys = claim{"Keys", "Echo's key was made for this call, inside this program.", true}
	case proof.Verified:
		keys = claim{"Keys", "The key is the one that you compared with " + name + " before.", true}
	}
	all := []claim{keys}
	if proof.Encrypted {
		layers := "One layer: " + proof.Cipher + "."
		if proof.PostQuantum {
			layers = "Two layers: " + proof.Cipher + " on the way, and each piece of sound sealed once more with a key that also comes from ML-KEM-768, which a future quantum computer is not known to break."
		}
		all = append(all, claim{"Encryption", layers, true})
	}
	var ways []string
	if proof.RelayLocal != "" {
		ways = append(ways, "your end "+proof.RelayLocal)
	}
	if proof.RelayRemote != "" {
		ways = append(ways, "theirs "+proof.RelayRemote)
	}
	if proof.Route != "" && len(ways) > 0 {
		kind := proof.PairTypes
		if kind == "" {
			kind = proof.Route
		}
		all = append(all, claim{"Route", kind + ": " + strings.Join(ways, ", ") + ".", proof.Route == "relay"})
	}
	if proof.Refused == 0 {
		all = append(all, claim{"Stopped", "No packet tried to go anywhere but to your relay.", true})
	}
	if info.Quality.Word != "" {
		all = append(all, claim{"Connection", sentence(connection(info)), true})
	}
	return all
}

// connection is how good the way is at this moment, and in what pieces sound takes it.
func connection(info *call.Info) string {
	stats := &info.Stats
	var shown []string
	if info.Quality.Reason != "" {
		shown = append(shown, info.Quality.Reason)
	}
	if info.Reconnecting.IsZero() {
		if stats.RTTMilliseconds >= 0.5 {
			shown = append(shown, fmt.Sprintf("%.0f ms there and back", stats.RTTMilliseconds))
		}
		switch long := int(audio.FrameDuration / time.Millisecond); {
		case stats.FrameMilliseconds >= long:
			shown = append(shown, fmt.Sprintf("your sound leaves in pieces of %d ms", stats.FrameMilliseconds))
		case stats.FrameMilliseconds > 0:
			shown = append(shown, fmt.Sprintf("your sound leaves in short pieces of %d ms, so it is heard %d ms sooner", stats.FrameMilliseconds, long-stats.FrameMilliseconds))
		}
	}
	if len(shown) == 0 {
		return info.Quality.Word
	}
	return info.Quality.Word + ": " + strings.Join(shown, "; ")
}

func (*proofPanel) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case back:
		m.pop()
	case hangUp:
		return act(m.calls.HangUp, (*model).pull)
	}
	return nil
}
