package tui

import (
	tea "charm.land/bubbletea/v2"
)

// press finds what a key does here and now: leaving comes first, then the grace
// of an incoming call, then the help, then the screen, and what is left over is
// text for a field.
func (m *model) press(msg tea.KeyPressMsg) tea.Cmd {
	typing := m.typing()
	if msg.String() == "ctrl+c" {
		return m.leave()
	}
	if m.asked || m.inGrace() {
		return nil
	}
	if m.palette != nil {
		return m.palette.press(m, msg)
	}
	if catching, ok := m.current().(catcher); ok && !m.helping {
		m.notice = ""
		return catching.catch(m, msg)
	}
	chosen, known := find(m.binds(), msg, typing != nil && !m.helping)
	if !known {
		if typing != nil && !m.helping {
			typing.press(msg)
		}
		return nil
	}
	if (chosen == answerWaiting || chosen == declineWaiting) && m.now.Sub(m.waitsSince) < grace {
		return nil // a key on its way to the call that goes on
	}
	return m.perform(chosen)
}

// perform does what a key, or the palette, asked for.
func (m *model) perform(chosen action) tea.Cmd {
	switch chosen {
	case leave:
		return m.leave()
	case palette:
		m.palette = newPalette()
		return nil
	case help:
		m.helping, m.scroll = true, 0
		return nil
	case pageUp, pageDown:
		m.scrollBy(chosen)
		return nil
	}
	if m.helping {
		if chosen == back {
			m.helping, m.scroll = false, 0
		} else {
			m.scrollBy(chosen)
		}
		return nil
	}
	if (chosen == up || chosen == down) && !m.moves() {
		m.scrollBy(chosen)
		return nil
	}
	m.notice = ""
	return m.current().do(m, chosen)
}

// binds is every key that works now.
func (m *model) binds() []bind {
	if m.palette != nil {
		return usable(m.palette.binds(), true)
	}
	if m.helping {
		closing := as(back, "close")
		closing.keys = []string{"esc", "enter", "f1", m.keymap.key(help)}
		return []bind{closing, as(up, "scroll up"), as(down, "scroll down"), on(pageUp), on(pageDown), leaving(false)}
	}
	return usable(m.keymap.apply(m.screenBinds()), m.typing() != nil)
}

// screenBinds is every key of the screen that shows, and those of all screens.
func (m *model) screenBinds() []bind {
	all := m.current().keys(&m.world)
	if _, ok := m.current().(catcher); ok {
		return append(all, on(leave))
	}
	if !m.moves() {
		all = append(all, as(up, "scroll up"), as(down, "scroll down"))
	}
	all = append(all, on(pageUp), on(pageDown), on(help), leaving(m.typing() != nil))
	switch m.current().(type) {
	case incoming, *setup: // nothing else is to be done there
		return all
	}
	return append(all, on(palette))
}

// moves reports whether up and down mean something else than scrolling.
func (m *model) moves() bool {
	for _, candidate := range m.current().keys(&m.world) {
		if candidate.act == down {
			return true
		}
	}
	return false
}

func (m *model) scrollBy(way action) {
	body, height := m.body()
	_, now := body.window(height, m.scroll)
	most := max(len(body.lines)-height, 0)
	by := map[action]int{up: -1, down: 1, pageUp: 1 - height, pageDown: height - 1}[way]
	m.scroll = min(max(now+by, 0), most)
}

// inGrace reports whether a screen that came by itself still ignores keys, and
// remembers that it did.
func (m *model) inGrace() bool {
	if !m.guarded || m.snap.Call == nil || m.snap.Call.ID == m.dismissed {
		return false
	}
	if !m.world.inGrace() && m.now.Sub(m.ignored) >= burst {
		m.guarded = false
		return false
	}
	m.ignored = m.now
	return true
}

func (w *world) inGrace() bool { return w.guarded && w.now.Sub(w.shownAt) < grace }
