package tui

import tea "charm.land/bubbletea/v2"

// withRelay does what takes a relay: at once where one is chosen, else after one was.
func (m *model) withRelay(why string, then func(m *model) tea.Cmd) tea.Cmd {
	if relay, known := m.settings["relay.address"]; !known || relay != "" {
		return then(m)
	}
	m.push(newRelayQuestion(why, then))
	return nil
}

// newRelayQuestion asks for a relay, and then goes on with what takes one.
func newRelayQuestion(why string, then func(m *model) tea.Cmd) *question {
	address := &field{solid: true}
	return &question{
		title: "Choose a relay", asks: "Which relay carries your calls?", about: why,
		answer: choice{options: relayOptions(address)},
		refuse: func(m *model, value string) bool { return value == "address" && !m.isRelayAddress(address.value()) },
		chosen: func(m *model, value string) tea.Cmd {
			if value == "address" {
				value = address.value()
			}
			profile := m.profile
			return act(func() error { return profile.Set("relay.address", value) }, func(m *model) tea.Cmd {
				m.settings["relay.address"] = value
				m.notice = ""
				return tea.Batch(then(m), m.load())
			})
		},
	}
}
