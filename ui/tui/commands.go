package tui

import (
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/settings"
)

// What commands bring back.
type (
	// pulled is the state of the calls. Only the newest answer counts: commands
	// run side by side and may come back in any order.
	pulled struct {
		sequence int
		beat     int // which series of ticks asked for it; 0: an event did
		snapshot call.Snapshot
	}
	// eventHappened asks for a pull; closed says that no more events will come.
	eventHappened struct{ kind call.EventKind }
	eventsClosed  struct{}
	// loaded is the profile as it is now.
	loaded struct {
		contacts []Contact
		history  []settings.HistoryEntry
		looked   time.Time // when the person last looked at it
		sealed   bool
		settings map[string]string
		mistake  error // in the settings file; settings are the last good ones
		err      error
	}
	// changed says that another program, or the person's editor, wrote to the profile.
	changed struct{}
	// saved is one setting after an attempt to change it.
	saved struct {
		key, value string
		err        error
	}
	// did is the end of any other command; after runs in Update when there was no error.
	did struct {
		err   error
		after func(*model) tea.Cmd
	}
	dialled      struct{ err error }
	redraw       struct{}
	askedToLeave struct{}
	letGo        struct{}
)

// load reads everything the screens show of the profile. What could be read is
// kept even when something else could not.
func load(profile Profile) loaded {
	var result loaded
	result.contacts, result.err = profile.Contacts()
	result.settings, result.mistake = profile.Settings()
	result.sealed = profile.Sealed()
	var err error
	if result.history, result.looked, err = profile.History(); result.err == nil {
		result.err = err
	}
	return result
}

func (m *model) load() tea.Cmd {
	profile := m.profile
	return func() tea.Msg { return load(profile) }
}

// save writes one setting and reads it back: the screen shows what is stored.
func (m *model) save(key, value string) tea.Cmd {
	profile := m.profile
	return func() tea.Msg {
		if err := profile.Set(key, value); err != nil {
			return saved{key: key, err: err}
		}
		stored, err := profile.Get(key)
		return saved{key: key, value: stored, err: err}
	}
}

// act runs something that may take time and then, without an error, after.
func act(work func() error, after func(*model) tea.Cmd) tea.Cmd {
	return func() tea.Msg { return did{err: work(), after: after} }
}

// pull asks for the state of the calls.
func (m *model) pull() tea.Cmd {
	m.asking++
	calls, sequence := m.calls, m.asking
	return func() tea.Msg { return pulled{sequence: sequence, snapshot: calls.Snapshot()} }
}

// tick asks for the state of the calls after a while.
func (m *model) tick() tea.Cmd {
	m.asking++
	calls, sequence, beat := m.calls, m.asking, m.beat
	return m.after(m.every, func(time.Time) tea.Msg {
		return pulled{sequence: sequence, beat: beat, snapshot: calls.Snapshot()}
	})
}

// waitForEvent ends with the next event, or with the screens.
func (m *model) waitForEvent() tea.Cmd {
	ctx, events := m.ctx, m.events
	return func() tea.Msg {
		select {
		case event, open := <-events:
			if !open {
				return eventsClosed{}
			}
			return eventHappened{event.Kind}
		case <-ctx.Done():
			return eventsClosed{}
		}
	}
}

// waitForChange ends when the profile's files were changed, or with the screens.
func (m *model) waitForChange() tea.Cmd {
	ctx, changes := m.ctx, m.profile.Changes()
	return func() tea.Msg {
		select {
		case <-changes:
			return changed{}
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *model) dialWho(who string) tea.Cmd {
	if m.dialling || m.live() {
		return nil
	}
	m.dialling, m.settled = true, math.MaxInt
	calls := m.calls
	return func() tea.Msg { return dialled{calls.Dial(who)} }
}

// hangUpIfCalling ends a call on the way out. A call that still rings here is
// left alone: declining it would tell the caller that somebody is there.
func hangUpIfCalling(calls Calls) {
	if info := calls.Snapshot().Call; info != nil && info.Phase != call.Ended && info.Phase != call.Incoming {
		_ = calls.HangUp()
	}
}
