package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/settings"
)

// historyList shows the calls that are over, the latest first.
type historyList struct {
	at     int
	filter filter
}

// outcomes are the history's words as a person says them: of a call that came in,
// and of one that was placed. Both say what is known and no more.
var outcomes = map[string]struct{ in, out string }{
	"answered":      {"answered", "answered"},
	"missed":        {"missed", "not answered"},
	"declined":      {"declined", "declined by them"},
	"declined-here": {"declined by you", "declined by you"},
	"silenced":      {"silenced, not answered", "not answered"},
	"cancelled":     {"given up", "cancelled by you"},
	"no-answer":     {"not answered", "no answer"},
	"busy":          {"missed: you were in a call", "they were in a call"},
	"failed":        {"failed", "failed"},
	"mismatch":      {"ended: keys did not match", "ended: keys did not match"},
}

// outcomeOf is how a call went, in a few words.
func outcomeOf(entry settings.HistoryEntry) string {
	words, ok := outcomes[entry.Outcome]
	switch {
	case !ok:
		return entry.Outcome
	case entry.Incoming:
		return words.in
	}
	return words.out
}

func lengthOf(entry settings.HistoryEntry) time.Duration {
	return time.Duration(entry.Seconds * float64(time.Second))
}

// when is a moment as one remembers it: the time today, the day before that.
func (w *world) when(moment time.Time) string {
	now, moment := w.now.Local(), moment.Local()
	if now.Year() == moment.Year() && now.YearDay() == moment.YearDay() {
		return moment.Format("15:04")
	}
	if now.Sub(moment) < 6*24*time.Hour {
		return moment.Format("Mon 15:04")
	}
	return moment.Format("2 Jan 2006")
}

func (h *historyList) matching(w *world) []settings.HistoryEntry {
	texts := make([]string, len(w.history))
	for i, entry := range w.history {
		texts[i] = entry.Name + " " + outcomeOf(entry)
	}
	var kept []settings.HistoryEntry
	for _, i := range h.filter.keep(texts) {
		kept = append(kept, w.history[i])
	}
	h.at = min(max(h.at, 0), max(len(kept)-1, 0))
	return kept
}

func (h *historyList) typing() *field { return h.filter.typing() }

func (h *historyList) point(entry int) { h.at = entry }

func (h *historyList) heading(w *world) (title, status string) { return "History", w.status() }

func (h *historyList) keys(w *world) []bind {
	if h.filter.open {
		return []bind{as(accept, "select"), on(up), on(down), as(back, "show all")}
	}
	binds := []bind{on(up), on(down), on(back)}
	if len(w.history) > 0 {
		binds = []bind{as(accept, "more"), on(up), on(down), on(search), on(back), on(forget)}
	}
	return binds
}

func (h *historyList) render(w *world, width int) page {
	p := page{tight: w.small}
	h.filter.draw(w, &p, width)
	entries := h.matching(w)
	switch {
	case w.settings["calls.history"] == "off":
		p.say(plainStyle, "No calls are kept: the history is off. It can be switched on in the settings, under Privacy.", width)
	case len(w.history) == 0:
		p.say(plainStyle, "No call yet. Calls with echo are not kept.", width)
	case len(entries) == 0:
		p.say(w.theme.Faint, "No call is like that. esc shows all.", width)
	}
	column := 0
	for _, entry := range entries {
		column = max(column, ansi.StringWidth(w.shortName(entry.Name)))
	}
	column = min(column, max(width/3, 8))
	for i, entry := range entries {
		p.add(historyLine(w, entry, i == h.at, column, width))
		p.entry(i, len(p.lines)-1)
		if i == h.at {
			p.show(i, i+1)
		}
	}
	return p
}

func historyLine(w *world, entry settings.HistoryEntry, selected bool, column, width int) string {
	glyph := w.theme.Glyph
	marker, style := "  ", plainStyle
	if selected {
		marker, style = w.theme.Accent.Render(glyph.Selected)+" ", w.theme.Accent
	}
	way := w.theme.Faint.Render(glyph.Out)
	if entry.Incoming {
		way = w.theme.Faint.Render(glyph.In)
	}
	said, says := outcomeOf(entry), plainStyle
	switch {
	case entry.Missed():
		says = w.theme.Warn
	case entry.Outcome == "mismatch":
		says = w.theme.Bad
	}
	if entry.Seconds > 0 {
		said += ", " + clock(lengthOf(entry))
	}
	at := w.when(entry.Time)
	room := max(width-column-7-ansi.StringWidth(at), 1)
	name := pad(cut(w.shortName(entry.Name), column, glyph.Ellipsis), column)
	return marker + way + " " + style.Render(name) + "  " + says.Render(pad(cut(said, room, glyph.Ellipsis), room)) + " " + w.theme.Faint.Render(at)
}

func (h *historyList) do(m *model, chosen action) tea.Cmd {
	entries := h.matching(&m.world)
	switch chosen {
	case up:
		h.at--
	case down:
		h.at++
	case search:
		h.filter.start()
		h.at = 0
	case forget:
		m.push(newForgetting())
	case back:
		if !h.filter.open {
			m.pop()
			return m.lookAtHistory() // it shows calls that came while it was open, too
		}
		h.leaveFilter(&m.world)
	case accept:
		if h.filter.open {
			h.leaveFilter(&m.world)
		} else if len(entries) > 0 {
			m.push(&historyView{entry: entries[h.at]})
		}
	}
	h.matching(&m.world)
	return nil
}

func (h *historyList) leaveFilter(w *world) {
	kept := h.matching(w)
	at := h.at
	h.filter.close()
	if len(kept) > 0 {
		h.at = slices.IndexFunc(w.history, func(entry settings.HistoryEntry) bool { return entry == kept[at] })
	}
}

// lookAtHistory notes that nothing in the history is news any more.
func (m *model) lookAtHistory() tea.Cmd {
	m.seenHistory = m.now
	return act(m.profile.LookAtHistory, (*model).load)
}

// newForgetting asks before the history is deleted.
func newForgetting() *question {
	return &question{
		title: "Delete the history", asks: "Delete all calls from the history?",
		answer: choice{options: []option{
			{value: "keep", label: "Keep", means: "Nothing changes."},
			{value: "delete", label: "Delete", means: "All of it is gone from this computer, and cannot be brought back. Contacts stay."},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			if value != "delete" {
				return nil
			}
			return act(m.profile.ForgetHistory, said("The history was deleted."))
		},
	}
}

// historyView is one call that is over, and what can be done about who was in it.
type historyView struct {
	entry   settings.HistoryEntry
	blocked bool // a stranger who was blocked from here
}

// contact is who it was, if they are a contact still.
func (v *historyView) contact(w *world) (Contact, bool) {
	for _, one := range w.contacts {
		if one.Key == v.entry.Key && one.Key != "" {
			return one, true
		}
	}
	return Contact{}, false
}

func (v *historyView) heading(w *world) (title, status string) {
	return w.shortName(v.entry.Name), w.status()
}

func (v *historyView) keys(w *world) []bind {
	contact, known := v.contact(w)
	blocking := on(block)
	if contact.Blocked || !known && v.blocked {
		blocking.does = "unblock"
	}
	switch {
	case !known && v.entry.Key == "":
		return []bind{on(back)}
	case !known:
		return []bind{blocking, on(back)}
	}
	binds := []bind{as(callAgain, "call"), blocking, on(openContact), on(back)}
	if w.live() {
		return binds[1:]
	}
	return binds
}

func (v *historyView) render(w *world, width int) page {
	p := page{tight: w.small}
	entry := v.entry
	name := w.shortName(entry.Name)
	direction := "You called " + name
	if entry.Incoming {
		direction = name + " called you"
	}
	p.say(w.theme.Strong, direction+": "+outcomeOf(entry)+".", width)
	p.gap()
	p.row(w, "When", entry.Time.Local().Format("Monday 2 January 2006, 15:04"), plainStyle, width)
	if entry.Seconds > 0 {
		p.row(w, "How long", clock(lengthOf(entry)), plainStyle, width)
	}
	p.row(w, "Why", sentence(entry.Why), plainStyle, width)
	switch entry.Route {
	case "relay":
		p.row(w, "Route", "Over relays.", plainStyle, width)
	case "direct":
		p.row(w, "Route", "Directly: they saw your own address.", w.theme.Warn, width)
	}
	p.row(w, "Receipt", entry.Receipt, plainStyle, width)
	if contact, known := v.contact(w); known && contact.Blocked {
		p.row(w, "Blocked", "Calls from "+w.shortName(contact.Name)+" do not ring here.", w.theme.Bad, width)
	} else if !known && v.blocked {
		p.row(w, "Blocked", "Whoever called does not ring here any more, under whatever name.", w.theme.Bad, width)
	} else if !known {
		p.row(w, "Who it was", "Not in your contacts.", plainStyle, width)
	}
	return p
}

func (v *historyView) do(m *model, chosen action) tea.Cmd {
	contact, known := v.contact(&m.world)
	profile, short := m.profile, m.shortName(contact.Name)
	switch chosen {
	case back:
		m.pop()
	case callAgain:
		m.tell("Calling " + short + ".")
		return m.dialWho(contact.Name)
	case openContact:
		m.push(&contactView{contact.Name})
	case block:
		if !known {
			return v.blockStranger(m)
		}
		blocked := !contact.Blocked
		text := short + " is not blocked any more."
		if blocked {
			text = short + " is blocked: their calls do not ring here. They are not told."
		}
		return act(func() error { return profile.BlockContact(contact.Name, blocked) }, said(text))
	}
	return nil
}

// blockStranger blocks, or lets go, who is in the history only.
func (v *historyView) blockStranger(m *model) tea.Cmd {
	profile, entry, blocked := m.profile, v.entry, !v.blocked
	short := m.shortName(entry.Name)
	return act(func() error { return profile.BlockCaller(entry.Key, entry.Name, blocked) }, func(m *model) tea.Cmd {
		v.blocked = blocked
		m.tell(short + " is not blocked any more.")
		if blocked {
			m.tell(short + " is blocked. They are not told.")
		}
		return m.load()
	})
}

// lastCall is the latest call with a contact.
func (w *world) lastCall(contact Contact) (settings.HistoryEntry, bool) {
	for _, entry := range w.history {
		if entry.Key == contact.Key && contact.Key != "" {
			return entry, true
		}
	}
	return settings.HistoryEntry{}, false
}

// missedFrom counts the calls of a contact that were missed since the history was
// last looked at; of everybody, when nobody is named.
func (w *world) missedFrom(key string) int {
	count := 0
	for _, entry := range w.history {
		if entry.Missed() && entry.Time.After(w.seenHistory) && (key == "" || entry.Key == key) {
			count++
		}
	}
	return count
}
