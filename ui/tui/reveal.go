package tui

import (
	"sotto/net/call"

	tea "charm.land/bubbletea/v2"
)

// reveal answers "What do others see now?": each sentence is computed from how
// things stand at this moment, not from what was chosen.
func (w *world) reveal() []claim {
	all := []claim{{"Your relay", w.relaySees(), true}}
	if w.live() && w.snap.Call.Phase == call.Connected {
		info := w.snap.Call
		name := w.shortName(info.Peer.Name)
		own := ownAddress(info, name, w.snap.RelayHere)
		all = append(all, claim{"In the call", own.text, own.sure})
	}
	return append(all,
		claim{"Your contacts", w.contactsSee(), true},
		claim{"Strangers", w.strangersSee(), w.settings["calls.who"] != "anyone" || w.snap.Line == call.LineOff},
		claim{"Your network", w.networkSees(), true},
	)
}

// revealShort is the same in a few words, for the row in the settings.
func (w *world) revealShort() string {
	switch {
	case w.live() && w.snap.Call.Phase == call.Connected && w.snap.Call.Proof.Route == "direct":
		return w.shortName(w.snap.Call.Peer.Name) + " sees your address"
	case w.live() && w.snap.Call.Peer.Echo && w.snap.Line == call.LineOff:
		return "nothing: echo is inside Sotto"
	case w.live() && w.snap.Call.Phase == call.Connected:
		return "your relay: that you are in a call"
	case w.snap.Line == call.LineOff:
		return "nothing: no connection is open"
	case w.relayHere():
		return "nothing beyond this machine"
	case w.snap.Line == call.LineConnecting:
		return "your relay: that you try to reach it"
	}
	return "your relay: that you are here"
}

func (w *world) relaySees() string {
	inCall := w.live() && !w.snap.Call.Peer.Echo && w.snap.Call.Phase == call.Connected
	switch {
	case w.snap.Line == call.LineOff:
		return "Nothing: no connection is open."
	case w.relayHere():
		return "It is this machine, and sees what happens on it. Nothing leaves this computer."
	case inCall:
		return "Relay " + w.snap.Relay + " sees your address, that Sotto is open, and that you are in a call: since when, but not a word of it."
	case w.snap.Line == call.LineConnecting:
		return "Relay " + w.snap.Relay + " sees your address once it can be reached; Sotto is trying."
	}
	if len(w.whoSeesPresence()) > 0 {
		return "Relay " + w.snap.Relay + " sees your address, that Sotto is open, and the messages that tell a contact so every few minutes: by them it can tell who belongs together."
	}
	return "Relay " + w.snap.Relay + " sees your address and that Sotto is open. It does not see who your contacts are."
}

func (w *world) contactsSee() string {
	switch {
	case w.snap.Line != call.LineReady:
		return "Nothing. Whoever calls you hears it ring out, as if you were away."
	case w.settings["calls.who"] == "nobody":
		return "Nothing. Nobody's call rings here; it looks as if you were away."
	case len(w.whoSeesPresence()) > 0:
		return w.presenceSeen() + " The others see nothing until they call. " + w.addressSeen()
	case w.settings["calls.ringing"] == "on":
		return "Nothing until they call. Then those who may call you learn that it rings here. " + w.addressSeen()
	}
	return "Nothing until you answer a call. " + w.addressSeen()
}

// addressSeen says who of the contacts can see the own address.
func (w *world) addressSeen() string {
	if w.settings["calls.direct"] == "on" {
		return "In a call, verified contacts you chose for direct calls see your address, if they chose you too; nobody else does."
	}
	return "Nobody sees your address."
}

func (w *world) strangersSee() string {
	if w.snap.Line == call.LineReady && w.settings["calls.who"] == "anyone" {
		return "Whoever has your card can make it ring here. They learn nothing before you answer."
	}
	return "Nothing. It looks as if you were away."
}

func (w *world) networkSees() string {
	switch {
	case w.snap.Line == call.LineOff:
		return "Nothing of Sotto."
	case w.relayHere():
		return "Nothing: the relay on this machine is not reached over the network."
	}
	return "Whoever runs it sees that this machine talks to relay " + w.snap.Relay + ", and how much; not with whom you talk, nor a word of it."
}

// revealed shows all of it.
type revealed struct{}

func (revealed) heading(w *world) (title, status string) {
	return "What do others see now?", w.status()
}

func (revealed) keys(*world) []bind { return []bind{on(back)} }

func (revealed) render(w *world, width int) page {
	p := page{tight: w.small}
	for _, one := range w.reveal() {
		style := plainStyle
		if !one.sure {
			style = w.theme.Warn
		}
		p.row(w, one.label, one.text, style, width)
		p.gap()
	}
	return p
}

func (revealed) do(m *model, chosen action) tea.Cmd {
	if chosen == back {
		m.pop()
	}
	return nil
}
