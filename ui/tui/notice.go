package tui

import (
	"errors"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/ui/notify"
	"sotto/ui/term"
)

// notices tell of a call beyond the screen: the bell, the window's title, and the
// desktop, directly or where the terminal passes a notification on. Who calls leaves the
// screen only with look.notify = "full": a title or a notification is seen by whoever
// looks at the desk, and desktops keep what they showed.
type notices struct {
	on      bool            // there is a terminal to tell
	kind    term.Notices    // what it understands
	shown   string          // the call that the terminal's notification is about; "": none is shown
	missed  string          // what the title says of a missed call, until a key is pressed
	desktop *notify.Desktop // shows calls with buttons, in place of kind; nil: there is none
}

// deskTold is what became of a notice on the desktop.
type deskTold struct{ notify.Event }

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
		if level == "full" && m.notices.desktop == nil {
			out += m.tellTerminal(is)
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

// tellTerminal is what makes the terminal show who calls.
func (m *model) tellTerminal(info *call.Info) string {
	m.notices.shown = info.ID
	return m.notices.kind.Show("Incoming call", m.called(info)+" is calling")
}

// settleDesktop shows the call that rings, or none. It runs after each message and not
// as a command, because commands overtake each other; Show does not wait.
func (m *model) settleDesktop() { m.notices.desktop.Show(m.deskNotice()) }

func (m *model) deskNotice() notify.Notice {
	info := ringsAloud(&m.snap)
	if info == nil || m.gone || m.settings["look.notify"] != "full" {
		return notify.Notice{}
	}
	notice := notify.Notice{Call: info.ID, Title: "Incoming call", Body: m.called(info) + " is calling.", Answer: "Answer", Decline: "Decline"}
	switch {
	case info.Peer.Echo:
	case !info.Peer.Known:
		notice.Body += " Not in your contacts: anybody can take a name."
	case !info.Peer.Verified:
		notice.Body += " Not verified."
	}
	if m.snap.Waiting != nil && info.ID == m.snap.Waiting.ID {
		notice.Answer = "Hang up and answer"
	}
	return notice
}

// waitForDesktop ends with the next word from the desktop, or with the screens.
func (m *model) waitForDesktop() tea.Cmd {
	ctx, events := m.ctx, m.notices.desktop.Events()
	if events == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case event := <-events:
			return deskTold{event}
		case <-ctx.Done():
			return nil
		}
	}
}

// heardDesktop does what a button says, to the call that the notice was about. Where
// nobody shows notices, the terminal may.
func (m *model) heardDesktop(event notify.Event) tea.Cmd {
	work := m.calls.AnswerCall
	switch event.Kind {
	case notify.NotShown:
		if info := ringsAloud(&m.snap); info != nil && info.ID == event.Call && m.settings["look.notify"] == "full" {
			if out := m.tellTerminal(info); out != "" {
				return tea.Raw(out)
			}
		}
		return nil
	case notify.Declined:
		work = m.calls.DeclineCall
	}
	return act(func() error {
		if err := work(event.Call); !errors.Is(err, call.ErrNoCall) {
			return err
		}
		return nil // that call is over, or was answered by a key meanwhile
	}, (*model).pull)
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
