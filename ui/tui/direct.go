package tui

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
)

// addressWithin bounds how long the relay may take to say which address it sees.
const addressWithin = 5 * time.Second

// directMark stays on the screen as long as a call is direct.
func (w *world) directMark(info *call.Info, name string) string {
	return "Direct: " + name + " sees your own address. " + w.keymap.key(toRelays) + " goes back to the relays."
}

// directWith says what direct calls with a contact depend on.
func (w *world) directWith(contact Contact) string {
	switch {
	case !contact.Verified:
		return "No: only with a verified contact."
	case !contact.Direct:
		return "No: all calls go through relays. " + w.keymap.key(setDirect) + " changes that."
	case w.settings["calls.direct"] != "on":
		return "Agreed for this contact, but switched off in the settings: all calls go through relays. " + w.keymap.key(setDirect) + " takes it back."
	}
	return "Yes, when they have agreed too. They then see your own address. " + w.keymap.key(setDirect) + " takes it back."
}

// askDirect takes an agreement back at once; before a new one it shows what it reveals.
func (m *model) askDirect(contact Contact) tea.Cmd {
	profile, ctx := m.profile, m.ctx
	if contact.Direct {
		return act(func() error { return profile.SetContactDirect(contact.Name, false) },
			said("Calls with "+m.shortName(contact.Name)+" go through relays only."))
	}
	var address string
	return act(func() error {
		ctx, cancel := context.WithTimeout(ctx, addressWithin)
		defer cancel()
		address, _ = profile.AddressSeen(ctx) // without a relay there is none to show, and the question says so
		return nil
	}, func(m *model) tea.Cmd {
		m.push(newDirectQuestion(&m.world, contact.Name, address))
		return nil
	})
}

// newDirectQuestion asks for the agreement to direct calls with one contact.
func newDirectQuestion(w *world, name, address string) *question {
	short := w.shortName(name)
	sees := "They would see your network address, and so roughly where you are. Which one that is cannot be shown: your relay does not answer now."
	if address != "" {
		sees = "They would see " + address + ", which is your network address, and so roughly where you are."
	}
	if w.settings["calls.direct"] != "on" {
		sees += " It takes effect when direct calls are switched on in the settings, too."
	}
	return &question{
		title: "Direct calls",
		asks:  "May calls with " + short + " go straight from your computer to theirs, if they agree too?",
		answer: choice{full: true, options: []option{
			{value: "no", label: "No", means: "All calls with " + short + " go through relays. They see your relay's address."},
			{value: "yes", label: "Yes", means: sees},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			if value != "yes" {
				return nil
			}
			profile := m.profile
			return act(func() error { return profile.SetContactDirect(name, true) }, said("Direct calls with "+short+" are agreed to on your side."))
		},
	}
}
