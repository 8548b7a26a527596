package tui

import tea "charm.land/bubbletea/v2"

// framesLost says that the terminal did not read for a while, missed frames and
// reads again.
type framesLost struct{}

// waitForRedraw ends when the whole screen has to be drawn again, or with the screens.
func (m *model) waitForRedraw() tea.Cmd {
	ctx, redraw := m.ctx, m.redraw
	if redraw == nil {
		return nil
	}
	return func() tea.Msg {
		select {
		case <-redraw:
			return framesLost{}
		case <-ctx.Done():
			return nil
		}
	}
}
