package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/audio/dsp"
	"sotto/settings"
)

// settingsList shows every setting with its value, and under the selected one
// what it means. The first line says what others see now.
type settingsList struct {
	at     int // among the rows that are shown
	filter filter
}

// settingKeys are the settings in the order in which the screen shows them.
var settingKeys = inGroups(settings.Keys())

func inGroups(keys []settings.Key) []settings.Key {
	var sorted []settings.Key
	for _, group := range []settings.Group{
		settings.GroupCalls, settings.GroupPrivacy, settings.GroupSound,
		settings.GroupRelay, settings.GroupKeys, settings.GroupLook,
	} {
		for _, key := range keys {
			if key.Group == group {
				sorted = append(sorted, key)
			}
		}
	}
	return sorted
}

// settingRow is a line of the list: a setting, or the question what others see.
type settingRow struct {
	key   *settings.Key // nil: what others see now, or the key of an action
	act   action        // none but for the key of an action
	place *place        // not nil for what is no setting of the file
	group settings.Group
	words words
}

const othersSee = "What do others see now?"

// rows are what the filter leaves.
func (s *settingsList) rows() []settingRow {
	all := []settingRow{{words: words{label: othersSee}}}
	for i := range settingKeys {
		key := &settingKeys[i]
		if key.Name != "look.keys" { // its rows are the keys themselves
			all = append(all, settingRow{key: key, group: key.Group, words: wordsFor(key)})
		}
		if i+1 == len(settingKeys) || settingKeys[i+1].Group != key.Group {
			all = append(all, placesIn(key.Group)...)
		}
	}
	all = append(all, keyRows()...)
	var texts []string
	for _, row := range all {
		text := row.words.label
		if row.key != nil {
			text += " " + row.key.Name
		}
		texts = append(texts, text)
	}
	if s.filter.field.value() == "" {
		return all
	}
	var kept []settingRow
	for _, i := range s.filter.keep(texts) {
		kept = append(kept, all[i])
	}
	return kept
}

func placesIn(group settings.Group) []settingRow {
	var rows []settingRow
	for i := range settingPlaces {
		if one := &settingPlaces[i]; one.group == group {
			rows = append(rows, settingRow{place: one, group: group, words: words{label: one.label}})
		}
	}
	return rows
}

// row is the selected one; ok is false when the filter leaves none.
func (s *settingsList) row() (row settingRow, ok bool) {
	rows := s.rows()
	if len(rows) == 0 {
		return settingRow{}, false
	}
	s.at = min(max(s.at, 0), len(rows)-1)
	return rows[s.at], true
}

func (s *settingsList) heading(w *world) (title, status string) { return "Settings", w.status() }

func (s *settingsList) typing() *field { return s.filter.typing() }

func (s *settingsList) keys(w *world) []bind {
	if s.filter.open {
		return []bind{as(accept, "select"), on(up), on(down), as(back, "show all")}
	}
	row, ok := s.row()
	binds := []bind{on(up), on(down), on(search), on(back)}
	if !ok || row.words.fixed != "" {
		return binds
	}
	change := as(accept, "change")
	change.keys = []string{"enter", "space"}
	switch {
	case row.others():
		change.does = "show"
	case row.place != nil:
		change.does = "open"
	case row.key != nil && len(row.key.Values) == 2:
		change.does = "switch"
	}
	binds = append([]bind{change}, binds...)
	if row.changed(w) {
		binds = append(binds, on(reset))
	}
	return binds
}

// changed reports whether a setting is another than a fresh profile has, where
// a fresh profile has one.
func (r *settingRow) changed(w *world) bool {
	if r.act != none {
		letter, _ := letterOf(table[r.act].keys)
		return w.keymap.key(r.act) != letter
	}
	return r.key != nil && r.key.Default != "" && r.words.fixed == "" && w.settings[r.key.Name] != r.key.Default
}

// others reports whether the row is the question what others see.
func (r *settingRow) others() bool { return r.key == nil && r.act == none && r.place == nil }

func (r *settingRow) value(w *world) string {
	switch {
	case r.act != none:
		return w.keymap.key(r.act)
	case r.place != nil:
		return r.place.value(w)
	case r.key == nil:
		return w.revealShort()
	}
	return r.words.valueWord(w.settings[r.key.Name])
}

func (s *settingsList) render(w *world, width int) page {
	p := page{tight: w.small}
	if w.mistake != "" {
		for _, line := range wrap(w.theme.Glyph.Warning+" "+w.mistake, width) {
			p.fixed = append(p.fixed, w.theme.Bad.Render(line))
		}
		if !w.small {
			p.fixed = append(p.fixed, "")
		}
	}
	s.filter.draw(w, &p, width)
	rows := s.rows()
	if len(rows) == 0 {
		p.say(w.theme.Faint, "No setting is called like that. esc shows all.", width)
		return p
	}
	s.row()
	column := 0
	for _, row := range rows[min(1, len(rows)-1):] {
		column = max(column, ansi.StringWidth(row.words.label))
	}
	if width < 60 {
		column = min(column, 18)
	}
	group := settings.Group("")
	for i := range rows {
		from := len(p.lines)
		if rows[i].group != group && s.filter.field.value() == "" {
			group = rows[i].group
			p.gap()
			p.add(w.theme.Faint.Render(string(group)))
		}
		top := len(p.lines)
		s.drawRow(w, &p, rows[i], i == s.at, column, width)
		p.entry(i, top)
		if i == s.at {
			p.show(from, len(p.lines))
		}
	}
	return p
}

func (s *settingsList) drawRow(w *world, p *page, row settingRow, selected bool, column, width int) {
	glyph := w.theme.Glyph
	marker, label := "  ", plainStyle
	if selected {
		marker, label = w.theme.Accent.Render(glyph.Selected)+" ", w.theme.Accent
	}
	column = max(column, ansi.StringWidth(row.words.label))
	value := w.theme.Strong
	if row.words.fixed != "" || row.others() {
		value = w.theme.Faint
	}
	changed := " "
	if row.changed(w) {
		changed = w.theme.Accent.Render(glyph.Changed)
	}
	room := width - column - 5
	text := row.value(w)
	if row.others() && room < ansi.StringWidth(text) {
		p.add(marker + label.Render(row.words.label))
		p.add("  " + value.Render(cut(text, width-2, glyph.Ellipsis)))
		return
	}
	p.add(marker + label.Render(pad(row.words.label, column)) + " " + changed + " " + value.Render(cut(text, room, glyph.Ellipsis)))
	if !selected || row.others() {
		return
	}
	if ansi.StringWidth(text) > room {
		p.say(value, text, width)
	}
	row.explain(w, p, width)
	p.gap()
}

// explain says what a setting means: its one line and, where it concerns
// privacy, who can see what, what it costs and who overrules it.
func (r *settingRow) explain(w *world, p *page, width int) {
	paragraphs := r.paragraphs()
	if r.changed(w) {
		paragraphs = append(paragraphs, [2]string{"Changed", "A fresh profile has " + r.fresh() + "."})
	}
	indent, labels := 2, 0
	if width >= 60 {
		indent, labels = 4, len("Who overrules it")+2
	}
	for _, paragraph := range paragraphs {
		head, text := paragraph[0], paragraph[1]
		if text == "" {
			continue
		}
		if head != "" && labels == 0 {
			head, text = "", head+": "+text
		}
		room := labels
		if paragraph[0] == "" {
			room = 0
		}
		for i, line := range wrap(text, width-indent-room) {
			if i > 0 {
				head = ""
			}
			p.add(strings.Repeat(" ", indent) + w.theme.Faint.Render(pad(head, room)) + line)
		}
	}
}

func (r *settingRow) paragraphs() [][2]string {
	switch {
	case r.act != none:
		return [][2]string{{"", sentence(on(r.act).means)}}
	case r.place != nil:
		return r.place.says
	}
	all := [][2]string{{"Who sees what", r.key.Sees}, {"What it costs", r.key.Costs}, {"Who overrules it", r.key.Overrules}}
	if r.key.Sees == "" || r.words.fixed != "" {
		all = append([][2]string{{"", sentence(r.key.Doc)}}, all...)
	}
	if r.key.Name == "sound.noise" && !noiseIsBuiltIn() {
		all = append(all, [2]string{"Not here", "This Sotto was built without the part that does it, so the switch changes nothing. To get it, run make where npm is installed."})
	}
	return all
}

// noiseIsBuiltIn reports whether this build has what takes noise out.
func noiseIsBuiltIn() bool {
	for _, module := range dsp.Modules() {
		if module.Does == "noise suppression" && !module.Present {
			return false
		}
	}
	return true
}

// fresh is the value in a fresh profile, in words.
func (r *settingRow) fresh() string {
	if r.act != none {
		letter, _ := letterOf(table[r.act].keys)
		return letter
	}
	return r.words.valueWord(r.key.Default)
}

func (s *settingsList) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case up:
		s.at--
	case down:
		s.at++
	case search:
		s.filter.start()
		s.at = 0
	case reset:
		if row, ok := s.row(); ok && row.changed(&m.world) {
			return row.reset(m)
		}
	case back:
		if !s.filter.open {
			m.pop()
			return nil
		}
		s.leaveFilter()
	case accept:
		if s.filter.open {
			s.leaveFilter()
			return nil
		}
		return s.change(m)
	}
	s.row()
	return nil
}

// reset gives a setting the value of a fresh profile.
func (r *settingRow) reset(m *model) tea.Cmd {
	if r.act == none {
		return m.save(r.key.Name, r.key.Default)
	}
	letter, _ := letterOf(table[r.act].keys)
	if does, where := m.keymap.taken(r.act, letter); does != "" {
		m.tell(letter + " is now " + does + " in " + where + ": change that one first.")
		return nil
	}
	return m.save("look.keys", m.keymap.with(r.act, letter).String())
}

// leaveFilter shows all settings again, with the one that was found selected.
func (s *settingsList) leaveFilter() {
	found, ok := s.row()
	s.filter.close()
	for i, row := range s.rows() {
		if ok && row.key == found.key && row.act == found.act && row.place == found.place {
			s.at = i
		}
	}
}

// deviceSettings are the settings that name a device, and its kind.
var deviceSettings = map[string]string{"sound.mic": microphone, "sound.speaker": speaker, "sound.ring": speaker}

func (s *settingsList) change(m *model) tea.Cmd {
	row, ok := s.row()
	switch {
	case !ok || row.words.fixed != "":
		return nil
	case row.others():
		m.push(revealed{})
		return nil
	case row.place != nil:
		m.push(row.place.open(m))
		return nil
	case row.act != none:
		m.push(&keyCatch{row.act})
		return nil
	}
	stored, values := m.settings[row.key.Name], row.key.Values
	switch {
	case row.key.Name == "calls.enabled" && stored == "off":
		return m.withRelay("Calls go through a relay. You have none yet.", func(m *model) tea.Cmd { return m.save("calls.enabled", "on") })
	case len(values) == 2 && stored == values[0]:
		return m.save(row.key.Name, values[1])
	case len(values) == 2:
		return m.save(row.key.Name, values[0])
	case len(values) > 2:
		m.push(newSettingQuestion(row, stored))
	case deviceSettings[row.key.Name] != "":
		picker := newSettingDevices(&m.world, row, deviceSettings[row.key.Name])
		m.push(picker)
		return picker.ask(m.profile)
	default:
		m.push(newSettingForm(&m.world, row))
	}
	return nil
}

// newSettingQuestion offers every value of a setting with what it means; the
// one in force is preselected.
func newSettingQuestion(row settingRow, stored string) *question {
	q := &question{title: row.words.label, asks: row.words.label + "?"}
	for i, entry := range row.words.choices(row.key) {
		if entry.value == stored {
			entry.label += " (now)"
			q.answer.at = i
		}
		q.answer.options = append(q.answer.options, entry)
	}
	q.chosen = func(m *model, value string) tea.Cmd {
		return m.save(row.key.Name, value)
	}
	return q
}
