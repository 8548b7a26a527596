package tui

import (
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
)

// talk is push to talk: with sound.talk = "push" the microphone is closed in a call
// until the space bar is held. The end of a press reaches a program only through the
// Kitty keyboard protocol; where a terminal does not have it, the space bar opens
// and closes the microphone in turn.
type talk struct {
	open     bool      // the person talks
	releases bool      // the terminal tells when a key is let go
	pressed  time.Time // when the space bar was last pressed or repeated
}

// gate passes the newest wish on to a microphone. Commands run side by side: whichever
// runs last brings what was wished last, not what it was made for.
type gate struct {
	mu   sync.Mutex // one command at a time
	open atomic.Bool
}

func (g *gate) set(calls Calls) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return calls.SetMuted(!g.open.Load())
}

// pushToTalk reports whether the space bar decides in this call.
func (w *world) pushToTalk() bool {
	return w.settings["sound.talk"] == "push" && w.live() && w.snap.Call.Phase != call.Incoming
}

// listensForTalk reports whether the space bar talks here and now.
func (m *model) listensForTalk() bool {
	return m.pushToTalk() && m.snap.Call.Phase == call.Connected && m.typing() == nil && m.palette == nil && !m.asked
}

// askForReleases asks the terminal for the ends of key presses, and for word when it
// is no longer looked at, only while that is of use: both change what other keys send.
func (m *model) askForReleases(view *tea.View) {
	if !m.listensForTalk() {
		return
	}
	view.ReportFocus = true
	view.KeyboardEnhancements.ReportEventTypes = true
	view.KeyboardEnhancements.ReportAllKeysAsEscapeCodes = true
	view.KeyboardEnhancements.ReportAssociatedText = true
}

// hearTalk takes the messages that push to talk lives on; taken means that nothing
// else is to look at the message.
func (m *model) hearTalk(msg tea.Msg) (command tea.Cmd, taken bool) {
	switch msg := msg.(type) {
	case tea.KeyboardEnhancementsMsg:
		if m.talk.releases = msg.SupportsEventTypes(); !m.talk.releases {
			return m.setTalk(false), true
		}
	case tea.BlurMsg:
		return m.setTalk(false), true
	case tea.KeyReleaseMsg:
		if msg.Code == tea.KeySpace && m.talk.releases {
			return m.setTalk(false), true
		}
	case tea.KeyPressMsg:
		if !m.pushToTalk() || m.typing() != nil || m.palette != nil || m.asked || !isSpace(msg) {
			return nil, false
		}
		return m.pressTalk(msg), true
	}
	return nil, false
}

// isSpace reports whether the space bar was pressed alone; locks do not matter.
func isSpace(msg tea.KeyPressMsg) bool {
	return msg.Code == tea.KeySpace && msg.Mod&^(tea.ModCapsLock|tea.ModNumLock|tea.ModScrollLock) == 0
}

// pressTalk opens the microphone, or closes it where the end of a press is not told.
// There a key held down comes as many presses: the ones that follow closely do not count.
func (m *model) pressTalk(msg tea.KeyPressMsg) tea.Cmd {
	again := m.now.Sub(m.talk.pressed) < burst
	m.talk.pressed = m.now
	if msg.IsRepeat || !m.listensForTalk() {
		return nil
	}
	m.notice = ""
	switch {
	case m.talk.releases:
		return m.setTalk(true)
	case again:
		return nil
	}
	return m.setTalk(!m.talk.open)
}

// setTalk opens or closes the microphone. One that is deafened or on hold stays closed.
func (m *model) setTalk(open bool) tea.Cmd {
	info := m.snap.Call
	if open == m.talk.open || open && (!m.listensForTalk() || info.Deafened || info.Held) {
		return nil
	}
	m.talk.open = open
	m.gate.open.Store(open)
	if !m.pushToTalk() {
		return nil
	}
	calls, gate := m.calls, m.gate
	return act(func() error { return gate.set(calls) }, (*model).pull)
}

// settleTalk closes a microphone that nothing holds open any more: a line of text has
// the keys now, the call is another one, or it was opened some other way.
func (m *model) settleTalk(before *call.Info) tea.Cmd {
	info := m.snap.Call
	if m.talk.open && (!m.listensForTalk() || before == nil || before.ID != info.ID) {
		return m.setTalk(false)
	}
	if info == before || !m.pushToTalk() || m.talk.open || info.Muted || m.asked {
		return nil
	}
	calls, gate := m.calls, m.gate
	return func() tea.Msg {
		_ = gate.set(calls) // a call that has just ended needs no closing
		return nil
	}
}

// talkBind is what mutes: the space bar alone, with push to talk.
func (w *world) talkBind(muting bind) bind {
	if !w.pushToTalk() {
		return muting
	}
	switch {
	case w.talk.releases:
		return as(pushTalk, "hold to talk")
	case w.talk.open:
		return as(pushTalk, "stop talking")
	}
	return as(pushTalk, "talk")
}

// talkState says whether the other side hears anything, and which way the key works.
func (w *world) talkState(info *call.Info, name string) string {
	open := w.talk.open && !info.Muted
	switch {
	case open && w.talk.releases:
		return name + " hears you until you let go of space."
	case open:
		return name + " hears you. Press space again to stop."
	case w.talk.releases && info.TalkingMuted:
		return "You are talking, but " + name + " does not hear you: hold space while you talk."
	case w.talk.releases:
		return "Push to talk: " + name + " hears you only while you hold space."
	case info.TalkingMuted:
		return "You are talking, but " + name + " does not hear you: press space first."
	}
	return "Push to talk: press space to talk, and again to stop. This terminal does not tell when a key is let go."
}
