package tui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/charmbracelet/x/ansi"

	"sotto/net/call"
)

// dialling is an outgoing call that nobody has answered yet.
type dialling struct{}

func (dialling) heading(w *world) (title, status string) {
	return "Calling", clock(w.now.Sub(w.snap.Call.Started))
}

func (dialling) keys(*world) []bind {
	return []bind{as(hangUp, "cancel"), on(switchView)}
}

func (dialling) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	p.add(w.theme.Title.Render(name) + "  " + w.peerMark(info))
	p.gap()
	if info.Phase == call.Ringing {
		p.say(plainStyle, "It rings at the other end.", width)
	} else {
		p.say(plainStyle, "The call is on its way.", width)
	}
	p.gap()
	p.say(w.theme.Faint, "Your microphone opens when "+name+" answers. Without an answer the call ends after 45 seconds.", width)
	w.drawWarnings(&p, info, width)
	return p
}

func (w *world) drawWarnings(p *page, info *call.Info, width int) {
	if len(info.Warnings) > 0 {
		p.gap()
	}
	for _, warning := range info.Warnings {
		p.say(w.theme.Warn, w.theme.Glyph.Warning+" "+sentence(OnScreens(warning)), width)
	}
}

func (dialling) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case hangUp:
		return act(m.calls.HangUp, (*model).pull)
	case switchView:
		m.peek()
		return m.pull()
	}
	return nil
}

// incoming is somebody calling. Nothing is sent until the person answers.
type incoming struct{}

func (incoming) heading(w *world) (title, status string) {
	return "Incoming call", clock(w.now.Sub(w.snap.Call.Started))
}

func (incoming) keys(w *world) []bind {
	binds := []bind{on(answer), on(decline)}
	if !w.snap.Call.Silenced {
		binds = append(binds, on(silence))
	}
	if w.snap.Call.Peer.Known {
		binds = append(binds, on(declineWith))
	}
	return binds
}

func (incoming) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	mark := w.peerMark(info)
	if !info.Peer.Known && !info.Peer.Echo {
		mark = w.theme.Warn.Render(w.theme.Glyph.Unverified) + " not in your contacts"
	}
	stay := page{tight: w.small}
	line := w.theme.Title.Render(name) + " is calling"
	stay.pair(line, mark, min(width, ansi.StringWidth(line)+2+ansi.StringWidth(mark)))
	stay.gap()
	if info.Silenced {
		stay.say(w.theme.Faint, "Silenced here. The caller is told nothing new.", width)
		stay.gap()
	}
	p.fixed = stay.lines
	if !info.Peer.Verified && !info.Peer.Echo {
		p.row(w, "Who it is", "Anybody can take a name. Compare the safety words once you talk.", w.theme.Warn, width)
	}
	p.row(w, "Why it rings", w.why(info), plainStyle, width)
	p.row(w, "If you answer", w.answerReveals(info), plainStyle, width)
	p.row(w, "Until then", w.beforeAnswer(info), plainStyle, width)
	w.drawWarnings(&p, info, width)
	return p
}

// why is the rule that let the call ring, as a sentence; a name keeps its letters.
func (w *world) why(info *call.Info) string {
	if info.Peer.Name != "" && strings.HasPrefix(info.WhyItRings, info.Peer.Name) {
		return w.shortName(info.Peer.Name) + strings.TrimPrefix(info.WhyItRings, info.Peer.Name) + "."
	}
	return sentence(info.WhyItRings)
}

// answerReveals says what answering gives away, from how things stand now.
func (w *world) answerReveals(info *call.Info) string {
	text := "Your microphone opens, and they hear you."
	switch {
	case info.Peer.Echo:
	case w.relayHere():
		text += " Your relay runs on this machine, so the address they see is this computer's."
	case w.snap.Relay != "":
		text += " They see an address of your relay " + w.snap.Relay + ", not yours."
	}
	return text
}

func (w *world) beforeAnswer(info *call.Info) string {
	if info.Peer.Known && w.settings["calls.ringing"] == "on" {
		return "They can tell that it rings here, and learn nothing else."
	}
	return "They learn nothing, not even that it rings."
}

func (incoming) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case answer:
		return act(m.calls.Answer, (*model).pull)
	case decline:
		return act(m.calls.Decline, (*model).pull)
	case silence:
		return act(m.calls.Silence, (*model).pull)
	case declineWith:
		m.over, m.scroll = &refusal{field: newField("", textLimit)}, 0
	}
	return nil
}

// ended says how the last call ended and what to do next.
type ended struct{}

func (ended) heading(w *world) (title, status string) { return "Call ended", "" }

func (ended) keys(w *world) []bind {
	done := on(back)
	done.keys = []string{"enter", "esc"}
	if info := w.snap.Call; (info.Peer.Known || info.Peer.Echo) && info.Reason != call.Mismatch {
		return []bind{done, on(callAgain)}
	}
	return []bind{done}
}

func (ended) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	style := w.theme.Strong
	if info.Reason == call.Mismatch {
		style = w.theme.Bad
	}
	p.say(style, info.Reason.Sentence(name)+".", width)
	if !info.ConnectedAt.IsZero() && !info.EndedAt.IsZero() {
		p.say(plainStyle, "The call lasted "+clock(info.Talked().Round(time.Second))+".", width)
	}
	if text := info.Declined(); text != "" && info.Reason == call.Declined {
		p.say(plainStyle, name+" wrote: "+text, width)
	} else if text != "" {
		p.say(plainStyle, "You wrote: "+text, width)
	}
	p.gap()
	if info.Reason == call.Mismatch {
		drawMismatch(w, &p, info, name, width)
		return p
	}
	if info.Detail.What != "" {
		p.say(plainStyle, sentence(OnScreens(info.Detail)), width)
	} else if info.Declined() == "" {
		p.say(plainStyle, nextStep(info.Reason, name), width)
	}
	if receipt := info.Receipt(); receipt != "" {
		p.gap()
		p.row(w, "Receipt", receipt, plainStyle, width)
	}
	return p
}

// drawMismatch says what it means that a call could not be proved.
func drawMismatch(w *world, p *page, info *call.Info, name string, width int) {
	p.row(w, "What happened", join("The keys at the other end are not the ones that belong to "+name+", or a sound did not open under them. Sotto ended the call by itself.", sentence(OnScreens(info.Detail))), plainStyle, width)
	p.row(w, "What it means", "Somebody may have tried to get in between. It can also be harmless: "+name+" may have set up Sotto anew, and then has other keys.", plainStyle, width)
	p.row(w, "What was heard", "Nothing that you said was sent in a way that others could open.", plainStyle, width)
	p.row(w, "What to do", "Ask "+name+" another way, best in person, whether they set up Sotto anew. If so, remove them here and add them again. If not, do not call over this relay again.", plainStyle, width)
}

// nextStep is what to do after a call that ended like this, where the call
// itself had nothing to say about it.
func nextStep(reason call.Reason, name string) string {
	switch reason {
	case call.Declined, call.Busy:
		return "Try again later."
	case call.NoAnswer:
		return name + " may be away, or may not take calls from you: from here that looks the same. Try again later."
	case call.Missed:
		return "To call back, select " + name + " in your contacts and press enter."
	case call.Unreachable:
		return "Check that this machine is online, and the relay's address in the settings. Then call again."
	case call.Lost:
		return "Check that this machine is online, then call again."
	case call.DeviceFailed:
		return "Choose another microphone or speaker in the settings, then call again."
	case call.Failed:
		return "Call again."
	}
	return ""
}

func (ended) do(m *model, chosen action) tea.Cmd {
	info := m.snap.Call
	m.dismissed, m.scroll = info.ID, 0
	if chosen == callAgain {
		name := info.Peer.Name
		if info.Peer.Echo {
			name = echoName
		}
		m.tell("Calling " + m.shortName(name) + ".")
		return m.dialWho(name)
	}
	return m.pull()
}
