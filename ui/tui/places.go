package tui

import (
	"errors"

	tea "charm.land/bubbletea/v2"

	"sotto/settings"
)

// place is a line of the settings that is no setting of the file but leads
// somewhere: to the passphrase, or to deleting the history.
type place struct {
	group settings.Group
	label string
	value func(w *world) string
	says  [][2]string
	open  func(m *model) screen
}

var settingPlaces = []place{
	{
		group: settings.GroupPrivacy, label: "Passphrase",
		value: func(w *world) string {
			if w.sealed {
				return "set"
			}
			return "none"
		},
		says: [][2]string{
			{"Who sees what", "With one, whoever takes your disk or your files cannot read your keys, contacts and history. Without one, they can."},
			{"What it costs", "You type it when Sotto starts. Nobody can bring the profile back if you forget it."},
			{"Who overrules it", "Nobody. It does not protect against somebody who uses this computer while Sotto is open."},
		},
		open: func(m *model) screen { return newPassphraseForm(m.sealed) },
	},
	{
		group: settings.GroupPrivacy, label: "Delete history",
		value: func(w *world) string {
			if len(w.history) == 0 {
				return "nothing there"
			}
			return count(len(w.history), "call")
		},
		says: [][2]string{{"", "Asks first, and then deletes all calls from the history."}},
		open: func(*model) screen { return newForgetting() },
	},
}

var (
	errNotTheSame = errors.New("the two new ones are not the same; type both again")
	errNothingNew = errors.New("type a new passphrase, or go back with esc")
)

// newPassphraseForm sets, changes or takes away the passphrase of the profile.
func newPassphraseForm(sealed bool) *form {
	f := &form{
		title: "Passphrase", done: "save", busy: "Sealing the profile. This takes a moment.",
		about: "Several words that nobody would guess are best. If you forget them, nobody can bring this profile back.",
	}
	fresh := labelled{label: "New passphrase", field: newField("", 512)}
	if sealed {
		f.fields = append(f.fields, labelled{label: "Passphrase now", must: "Type the passphrase that is set now.", field: newField("", 512)})
		fresh.hint = "leave both empty for none"
	}
	again := fresh
	again.label, again.hint = "The same again", ""
	f.fields = append(f.fields, fresh, again)
	for i := range f.fields {
		f.fields[i].field.secret = true
	}
	f.send = func(m *model, values []string) tea.Cmd {
		profile, old := m.profile, ""
		if sealed {
			old, values = values[0], values[1:]
		}
		return func() tea.Msg {
			if values[0] != values[1] {
				return sent{form: f, err: errNotTheSame}
			}
			text := "The passphrase is set. Sotto asks for it at the next start."
			switch {
			case values[0] == "" && !sealed:
				return sent{form: f, err: errNothingNew}
			case values[0] == "":
				text = "There is no passphrase any more."
			}
			return sent{form: f, err: profile.SetPassphrase(old, values[0]), said: text}
		}
	}
	return f
}
