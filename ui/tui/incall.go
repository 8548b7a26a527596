package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/net/call"
)

// inCall is a call being connected, or going on.
type inCall struct{}

func (inCall) heading(w *world) (title, status string) {
	info := w.snap.Call
	if info.Phase == call.Connecting {
		return "Connecting", ""
	}
	return "Call", clock(w.now.Sub(info.ConnectedAt))
}

func (inCall) keys(w *world) []bind {
	info := w.snap.Call
	if info.Phase == call.Connecting {
		return []bind{as(hangUp, "cancel"), on(switchView)}
	}
	muting, holding, deafening := on(mute), on(hold), on(deafen)
	if info.Muted {
		muting.does = "unmute"
	}
	if info.Held {
		holding.does = "resume"
	}
	if info.Deafened {
		deafening.does = "hear again"
	}
	muting = w.talkBind(muting)
	binds := []bind{on(hangUp), muting, holding, on(writeText), on(showProof), on(switchView), deafening, on(openDevices)}
	if info.Deafened {
		binds = []bind{on(hangUp), deafening, muting, holding, on(writeText), on(showProof), on(switchView), on(openDevices)}
	}
	if info.Peer.Known && !info.Proof.Verified && len(info.Proof.Words) > 0 {
		binds = slices.Insert(binds, 1, as(verify, "words match"))
	}
	if info.Proof.Route == "direct" {
		binds = append([]bind{on(hangUp), on(toRelays)}, binds[1:]...)
	}
	if w.snap.Waiting != nil {
		binds = append([]bind{on(answerWaiting), on(declineWaiting)}, binds...)
	}
	return binds
}

func (inCall) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	stay := page{tight: w.small}
	stay.pair(w.theme.Title.Render(name)+"  "+w.peerMark(info), w.qualityWord(info), width)
	if info.Phase == call.Connecting {
		stay.gap()
		stay.say(plainStyle, "Connecting. Your microphone is not heard yet.", width)
	} else {
		stay.gap()
		w.drawMeters(&stay, info, name, width)
	}
	if state := w.callState(info, name); state != "" {
		stay.gap()
		stay.say(w.theme.Warn, state, width)
	}
	if info.Proof.Route == "direct" {
		stay.gap()
		stay.say(w.theme.Warn, w.directMark(info, name), width)
	}
	if other := w.snap.Waiting; other != nil {
		stay.gap()
		stay.say(w.theme.Accent, w.waits(other), width)
	}
	stay.gap()
	p.fixed = stay.lines
	w.drawTexts(&p, info, name, width, 3)

	for _, warning := range info.Warnings {
		p.row(w, w.theme.Glyph.Warning+" Note", sentence(OnScreens(warning)), w.theme.Warn, width)
	}
	if info.Quality.Reason != "" {
		p.row(w, "Connection", sentence(info.Quality.Word+": "+info.Quality.Reason), plainStyle, width)
	}
	shown := claims(info, name, w.snap.RelayHere)
	if w.small {
		shown = append(summary(info, name, w.snap.RelayHere), shown...)
	}
	for _, one := range shown {
		style := plainStyle
		if !one.sure {
			style = w.theme.Warn
		}
		p.row(w, one.label, one.text, style, width)
	}
	return p
}

// peerMark says beside the name how sure it is that it is them.
func (w *world) peerMark(info *call.Info) string {
	switch {
	case info.Peer.Echo:
		return w.theme.Faint.Render("inside Sotto")
	case info.Phase == call.Connected && info.Proof.Verified, info.Phase != call.Connected && info.Peer.Verified:
		return w.verifiedMark(true)
	}
	return w.verifiedMark(false)
}

func (w *world) qualityWord(info *call.Info) string {
	if !info.Reconnecting.IsZero() {
		return w.theme.Warn.Render("reconnecting")
	}
	switch word := info.Quality.Word; word {
	case "":
		return ""
	case "good":
		return w.theme.Good.Render(word) + " connection"
	case "poor":
		return w.theme.Bad.Render(word) + " connection"
	default:
		return w.theme.Warn.Render(word) + " connection"
	}
}

// waits says who else calls. Nothing is told to them beyond what a ringing tells.
func (w *world) waits(other *call.Info) string {
	mark := "not verified"
	if other.Peer.Verified {
		mark = "verified"
	}
	return w.shortName(other.Peer.Name) + " (" + mark + ") is calling too. " +
		w.keymap.key(answerWaiting) + " hangs up this call and answers, " + w.keymap.key(declineWaiting) + " declines."
}

// callState is what makes either side silent, in words.
func (w *world) callState(info *call.Info, name string) string {
	var states []string
	if !info.Reconnecting.IsZero() {
		states = append(states, fmt.Sprintf("Reconnecting for %s: the way to %s broke, and a new one is being made. Nobody is heard meanwhile; you need do nothing.",
			count(max(int(w.now.Sub(info.Reconnecting)/time.Second), 0), "second"), name))
	}
	switch {
	case info.Held:
		states = append(states, "On hold: neither side is heard.")
	case info.Deafened:
		states = append(states, "Deafened: you hear nothing, and "+name+" does not hear you.")
	case w.pushToTalk() && info.Phase == call.Connected:
		states = append(states, w.talkState(info, name))
	case info.Muted && info.TalkingMuted:
		states = append(states, "You are talking, but you are muted: "+w.keymap.key(mute)+" lets "+name+" hear you.")
	case info.Muted:
		states = append(states, "Muted: "+name+" does not hear you.")
	}
	if info.PeerHeld {
		states = append(states, name+" has put you on hold.")
	}
	return join(states...)
}

// Levels below quietest look empty, levels above loudest are too loud.
const (
	quietest = -60.0 // dBFS
	loudest  = -3.0
)

func (w *world) drawMeters(p *page, info *call.Info, name string, width int) {
	column := min(max(ansi.StringWidth(name), 3), 14, max(width/3, 3))
	// A bar moves only for sound that somebody hears.
	you, them := "", ""
	switch {
	case info.Held:
		you, them = "on hold", "on hold"
	case info.Deafened:
		you, them = "muted", "not heard"
	case info.Muted:
		you = "muted"
	}
	still := ""
	switch {
	case info.PeerHeld:
		still = "on hold"
	case !info.Reconnecting.IsZero():
		still = "not heard"
	}
	you, them = cmp.Or(you, still), cmp.Or(them, still)
	p.add(w.meter("you", info.Stats.LevelIn, you, column, width))
	p.add(w.meter(name, info.Stats.LevelOut, them, column, width))
}

// meter is one level: a label, a bar, and a word when there is one to say.
func (w *world) meter(label string, level float64, word string, column, width int) string {
	const wordWidth = 10 // "not heard" and a blank
	glyph := w.theme.Glyph
	length := min(max(width-column-2-wordWidth, 4), 48)
	full := 0
	if word == "" {
		full = min(max(int((level-quietest)/-quietest*float64(length)+0.5), 0), length)
	}
	style := w.theme.Good
	if full > 0 && level > loudest {
		style, word = w.theme.Bad, "too loud"
	}
	bar := style.Render(strings.Repeat(glyph.MeterFull, full)) +
		w.theme.Faint.Render(strings.Repeat(glyph.MeterEmpty, length-full))
	return pad(cut(label, column, glyph.Ellipsis), column) + "  " + bar + " " + word
}

func (inCall) do(m *model, chosen action) tea.Cmd {
	info, calls := m.snap.Call, m.calls
	switch chosen {
	case hangUp:
		return act(calls.HangUp, (*model).pull)
	case mute:
		muted := !info.Muted
		return act(func() error { return calls.SetMuted(muted) }, (*model).pull)
	case pushTalk:
		return m.setTalk(!m.talk.open)
	case hold:
		held := !info.Held
		return act(func() error { return calls.SetHeld(held) }, (*model).pull)
	case deafen:
		deafened := !info.Deafened
		return act(func() error { return calls.SetDeafened(deafened) }, (*model).pull)
	case writeText:
		m.push(newWriting())
	case answerWaiting:
		return act(calls.AnswerWaiting, (*model).pull)
	case declineWaiting:
		return act(calls.DeclineWaiting, (*model).pull)
	case toRelays:
		return act(calls.ReturnToRelays, func(m *model) tea.Cmd {
			m.tell("Going back to the relays.")
			return m.pull()
		})
	case openDevices:
		picker := newCallDevices(info)
		m.push(picker)
		return picker.ask(m.profile)
	case showProof:
		m.push(&proofPanel{})
	case verify:
		m.push(newVerification(&m.world, info.Peer.Name))
	case switchView:
		m.peek()
		return m.pull()
	}
	return nil
}

// peek shows the contacts while the call goes on.
func (m *model) peek() {
	m.peeking, m.scroll = true, 0
}
