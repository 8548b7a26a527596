package tui

import (
	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/settings"
)

// hereNow reports whether a contact lets this person see that they are here, and they are.
func (w *world) hereNow(contact Contact) bool { return contact.Key != "" && w.snap.Here[contact.Key] }

// hereMark is the mark in a glyph and in words.
func (w *world) hereMark() string { return w.theme.Good.Render(w.theme.Glyph.Here) + " here now" }

// shownTo reports whether this person lets a contact see that they are here, and who may
// not call sees nothing of it.
func (w *world) shownTo(contact Contact) bool {
	return w.settings["calls.presence"] == "on" && contact.Presence.Agreed && !contact.Blocked && w.mayRing(contact)
}

// mayRing is whether the setting of who may call lets this contact ring, blocking aside.
func (w *world) mayRing(contact Contact) bool {
	switch w.settings["calls.who"] {
	case "nobody":
		return false
	case "verified":
		return contact.Verified || contact.Ring == settings.RingAlways
	}
	return true
}

// presenceWith says how it stands between this person and a contact, and what is missing.
func (w *world) presenceWith(contact Contact) string {
	key := w.keymap.key(setPresence)
	switch {
	case !contact.Presence.Agreed && contact.Presence.Theirs:
		return "They let you see it, if you let them. " + key + " does."
	case !contact.Presence.Agreed:
		return "Neither sees whether the other is here. " + key + " changes that."
	case contact.Blocked:
		return "Chosen, but a blocked contact sees nothing. " + key + " takes it back."
	case w.settings["calls.presence"] != "on":
		return "Chosen for this contact, but switched off in the settings. " + key + " takes it back."
	case !w.mayRing(contact):
		return "Chosen, but who may not call you sees nothing. " + key + " takes it back."
	case !contact.Presence.Theirs:
		return "Chosen on your side. They have not said in a call that they chose it too. " + key + " takes it back."
	case w.snap.Line != call.LineReady:
		return "You both chose it. While you have no line, neither sees anything. " + key + " takes it back."
	case w.hereNow(contact):
		return "Here now. They see that you are, too. " + key + " takes it back."
	}
	return "Not here now. They see when you are. " + key + " takes it back."
}

// askPresence takes a choice back at once, and asks before a new one.
func (m *model) askPresence(contact Contact) tea.Cmd {
	profile, short := m.profile, m.shortName(contact.Name)
	if contact.Presence.Agreed {
		return act(func() error { return profile.SetContactPresence(contact.Name, false) },
			said(short+" does not see any more when you are here, nor you when they are."))
	}
	m.push(newPresenceQuestion(&m.world, contact))
	return nil
}

// newPresenceQuestion asks whether one contact may see that the person is here.
func newPresenceQuestion(w *world, contact Contact) *question {
	short := w.shortName(contact.Name)
	means := "If they choose it too, each sees when the other has Sotto open. Your relays see a message every few minutes, and can tell by it that you two belong together."
	if !contact.Verified {
		means += " You have not compared keys: it may be somebody else who sees it."
	}
	if w.settings["calls.presence"] != "on" {
		means += " It takes effect when presence is switched on in the settings, too."
	}
	return &question{
		title: "Presence",
		asks:  "May " + short + " see when you are here?",
		answer: choice{full: true, options: []option{
			{value: "no", label: "No", means: "They cannot tell whether you are here, and you see nothing of them."},
			{value: "yes", label: "Yes", means: means},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			if value != "yes" {
				return nil
			}
			profile, tells := m.profile, short+" may see when you are here, once they have chosen the same and a call has said so."
			if contact.Presence.Theirs {
				tells = "You have both chosen it: " + short + " sees when you are here, and you when they are."
			}
			return act(func() error { return profile.SetContactPresence(contact.Name, true) }, said(tells))
		},
	}
}

// presenceSeen names who of the contacts sees that the person is here.
func (w *world) presenceSeen() string {
	names := w.whoSeesPresence()
	if len(names) == 1 {
		return names[0] + " sees that you are here now, if they are."
	}
	return count(len(names), "contact") + ", " + names[0] + " among them, see that you are here now, if they are."
}

// whoSeesPresence are the names of the contacts who are told that the person is here.
func (w *world) whoSeesPresence() (names []string) {
	for _, contact := range w.contacts {
		if w.snap.Line == call.LineReady && w.shownTo(contact) && contact.Presence.Theirs {
			names = append(names, w.shortName(contact.Name))
		}
	}
	return names
}
