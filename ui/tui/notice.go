package tui

import (
	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/ui/term"
)

// notices tell of a call beyond the screen: the bell, the window's title, and the
// desktop where the terminal passes a notification on. Who calls leaves the screen
// only with look.notify = "full": a title or a notification is seen by whoever looks
// at the desk, and desktops keep what they showed.
type notices struct {
	on     bool         // there is a terminal to tell
	kind   term.Notices // what it understands
	shown  string       // the call that the notification is about; "": none is shown
	missed string       // what the title says of a missed call, until a key is pressed
}

// ringsAloud is the call that may make itself noticed; nil: none.
func ringsAloud(snap *call.Snapshot) *call.Info {
	if info := snap.Call; info != nil && info.Phase == call.Incoming && !info.Silenced {
		return info
	}
	if snap.Waiting != nil && !snap.Waiting.Silenced {
		return snap.Waiting
	}
	return nil
}

// noteCalls tells of what changed since the calls were as before.
func (m *model) noteCalls(before *call.Snapshot) tea.Cmd {
	level := m.settings["look.notify"]
	if !m.notices.on || level == "off" {
		return nil
	}
	was, is := ringsAloud(before), ringsAloud(&m.snap)
	var out string
	switch {
	case is != nil && (was == nil || was.ID != is.ID):
		m.notices.missed = ""
		out = "\a"
		if level == "full" {
			out += m.notices.kind.Show("Incoming call", m.called(is)+" is calling")
			m.notices.shown = is.ID
		}
	case is == nil && was != nil:
		if info := m.snap.Call; info != nil && info.ID == was.ID && info.Phase == call.Ended && info.Reason == call.Missed {
			m.notices.missed = "Missed call"
			out = "\a"
			if level == "full" {
				m.notices.missed += " from " + m.called(info)
				out += m.notices.kind.Show("Missed call", m.called(info)+" called")
			}
		} else if m.notices.shown != "" {
			out = m.notices.kind.Close()
		}
		m.notices.shown = ""
	}
	if out == "" {
		return nil
	}
	return tea.Raw(out)
}

// called is a name that nothing but letters can come from.
func (m *model) called(info *call.Info) string {
	return m.shortName(identity.CleanName(info.Peer.Name))
}

// title is what the window is called.
func (m *model) title() string {
	level := m.settings["look.notify"]
	if !m.notices.on || level == "off" {
		return ""
	}
	info := ringsAloud(&m.snap)
	switch {
	case info != nil && level == "full":
		return m.called(info) + " is calling - Sotto"
	case info != nil:
		return "Incoming call - Sotto"
	case m.notices.missed != "":
		return m.notices.missed + " - Sotto"
	}
	return "Sotto"
}
