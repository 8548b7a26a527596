package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
)

// form asks for one or two lines of text and hands them on. What was typed
// stays until it was taken.
type form struct {
	title   string
	about   string
	done    string // what Enter does on the last line
	fields  []labelled
	at      int
	sending bool
	busy    string // shown while what was typed is being taken; "": it takes no time
	cancel  func() // nil: what was begun cannot be given up
	send    func(m *model, values []string) tea.Cmd
}

type labelled struct {
	label, hint string
	must        string // said when the line is empty; "": it may be
	field       field
	complete    func(prefix string) []string // nil: there are no words to complete
}

func (f *form) heading(w *world) (title, status string) { return f.title, w.status() }

func (f *form) typing() *field {
	if f.sending {
		return nil
	}
	return &f.fields[f.at].field
}

func (f *form) keys(*world) []bind {
	if f.sending {
		return []bind{as(back, "cancel")}
	}
	binds := []bind{as(accept, f.done), as(back, "cancel")}
	if f.at < len(f.fields)-1 {
		binds[0].does = "next"
	}
	if len(f.fields) > 1 {
		next, previous := on(down), on(up)
		next.keys, previous.keys = []string{"down", "tab"}, []string{"up", "shift+tab"}
		next.does, previous.does = "next line", "line before"
		if f.fields[f.at].complete != nil {
			next.keys, binds = []string{"down"}, append(binds, on(complete))
		}
		binds = append(binds, previous, next)
	}
	return binds
}

func (f *form) render(w *world, width int) page {
	p := page{tight: w.small}
	if f.sending && f.busy != "" {
		p.say(plainStyle, f.busy, width)
		return p
	}
	p.say(plainStyle, f.about, width)
	p.gap()
	for i := range f.fields {
		line := &f.fields[i]
		from := len(p.lines)
		if i != f.at {
			p.add(w.theme.Faint.Render(line.label))
			text := line.field.text()
			if line.field.secret {
				text = strings.Repeat("*", len(line.field.letters))
			}
			text = cut(text, width, w.theme.Glyph.Ellipsis)
			if text == "" {
				text = w.theme.Faint.Render(cut(line.hint, width, w.theme.Glyph.Ellipsis))
			}
			p.add(text)
			p.gap()
			continue
		}
		label := line.label
		if line.field.solid && len(line.field.letters) > 60 {
			label += " (" + count(len(line.field.letters), "letter") + ")"
		}
		p.add(w.theme.Accent.Render(label))
		p.input(w, &line.field, line.hint, 0, width)
		p.show(from, len(p.lines))
		p.gap()
	}
	return p
}

func (f *form) do(m *model, chosen action) tea.Cmd {
	if f.sending {
		if chosen == back && f.cancel != nil {
			f.cancel()
			m.pop()
		}
		return nil
	}
	switch chosen {
	case complete:
		line := &f.fields[f.at]
		if found := completeWord(&line.field, line.complete); len(found) > 0 {
			m.tell(strings.Join(found[:min(len(found), 12)], "  "))
		}
	case up:
		f.at = max(f.at-1, 0)
	case down:
		f.at = min(f.at+1, len(f.fields)-1)
	case back:
		if f.cancel != nil {
			f.cancel()
		}
		m.pop()
	case accept:
		if line := &f.fields[f.at]; line.must != "" && line.field.value() == "" {
			m.tell(line.must)
			return nil
		}
		if f.at < len(f.fields)-1 {
			f.at++
			return nil
		}
		for i := range f.fields {
			if line := &f.fields[i]; line.must != "" && line.field.value() == "" {
				f.at = i
				m.tell(line.must)
				return nil
			}
		}
		var values []string
		for i := range f.fields {
			if line := &f.fields[i].field; line.secret {
				values = append(values, line.text()) // blanks count
			} else {
				values = append(values, line.value())
			}
		}
		f.sending = true
		return f.send(m, values)
	}
	return nil
}

// sent is the end of a form: closed when what was typed was taken, else open
// again with everything still there.
type sent struct {
	form *form
	err  error
	said string
	then func(m *model) // when it was taken; nil: nothing more
}

func (m *model) finishForm(result sent) tea.Cmd {
	result.form.sending = false
	if result.err != nil && !m.isOpen(result.form) {
		return nil // given up meanwhile
	}
	if result.err != nil {
		m.complain(result.err)
		return nil
	}
	m.close(result.form)
	if result.then != nil {
		result.then(m)
	}
	m.tell(result.said)
	return m.load()
}

func newAddForm() *form {
	f := &form{
		title: "Add a contact", done: "add",
		about: "Paste the card that they gave you. They need yours too before you can call each other.",
		fields: []labelled{
			{label: "Card", hint: "sotto:...", must: "Paste a card: a long line that starts with sotto:"},
			{label: "Name", hint: "leave empty to use the name on the card", field: newField("", nameLimit)},
		},
	}
	f.fields[0].field.solid = true
	f.send = func(m *model, values []string) tea.Cmd {
		profile, short := m.profile, m.shortName
		return func() tea.Msg {
			name, err := profile.AddContact(values[0], values[1])
			return sent{form: f, err: err, said: short(name) + " is in your contacts, not verified yet: compare the safety words in your first call."}
		}
	}
	return f
}

func newRenameForm(w *world, old string) *form {
	f := &form{
		title: "Rename", done: "rename",
		about:  "The new name is yours alone: " + w.shortName(old) + " does not see it.",
		fields: []labelled{{label: "Name", must: "Type a name, or go back with esc.", field: newField(old, nameLimit)}},
	}
	f.send = func(m *model, values []string) tea.Cmd {
		profile, short := m.profile, m.shortName
		return func() tea.Msg {
			return sent{
				form: f, err: profile.RenameContact(old, values[0]),
				said: short(old) + " is now called " + short(values[0]) + ".",
				then: func(m *model) { m.renamed(old, values[0]) },
			}
		}
	}
	return f
}

// newSettingForm edits one setting that is a line of text.
func newSettingForm(w *world, row settingRow) *form {
	key, say := row.key.Name, row.words
	f := &form{
		title: say.label, done: "save", about: strings.Join(say.edit, " "),
		fields: []labelled{{label: say.label, hint: say.hint, must: say.must, field: newField(w.settings[key], 0)}},
	}
	f.fields[0].field.solid = say.solid
	f.send = func(m *model, values []string) tea.Cmd {
		profile := m.profile
		return func() tea.Msg { return sent{form: f, err: profile.Set(key, values[0]), said: "Saved."} }
	}
	return f
}
