package tui

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"sotto/net/call"
)

// echoName is the built-in contact that says back what it hears.
const echoName = "echo"

// contactList is where one lands: who can be called, and whether one can be called.
type contactList struct {
	at     int // among those that the filter leaves
	filter filter
}

// listed is echo and then everybody stored.
func (w *world) listed() []Contact {
	all := []Contact{{Name: echoName}}
	for _, contact := range w.contacts {
		if contact.Name != echoName {
			all = append(all, contact)
		}
	}
	return all
}

// matching is what the filter leaves of the list.
func (c *contactList) matching(w *world) []Contact {
	all := w.listed()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	var kept []Contact
	for _, i := range c.filter.keep(names) {
		kept = append(kept, all[i])
	}
	c.at = min(max(c.at, 0), max(len(kept)-1, 0))
	return kept
}

// selected is the contact that keys are about; ok is false when the filter leaves none.
func (c *contactList) selected(w *world) (contact Contact, ok bool) {
	kept := c.matching(w)
	if len(kept) == 0 {
		return Contact{}, false
	}
	return kept[c.at], true
}

func (c *contactList) typing() *field { return c.filter.typing() }

// leaveFilter shows everybody again, with who was found selected.
func (c *contactList) leaveFilter(w *world) {
	found, ok := c.selected(w)
	c.filter.close()
	for i, contact := range w.listed() {
		if ok && contact.Name == found.Name {
			c.at = i
		}
	}
}

func (c *contactList) heading(w *world) (title, status string) {
	return "Contacts", w.status()
}

// status is how things stand, in a word or two, for the top of every screen.
func (w *world) status() string {
	info := w.snap.Call
	switch {
	case w.snap.Waiting != nil:
		return "in a call, and another rings"
	case w.live() && !info.Reconnecting.IsZero():
		return "reconnecting"
	case w.live() && info.Phase == call.Connected:
		return "in a call " + clock(w.now.Sub(info.ConnectedAt))
	case w.live():
		return "in a call"
	case w.snap.Line == call.LineReady:
		return "ready"
	case w.snap.Line == call.LineConnecting:
		return "connecting"
	}
	return "calls are off"
}

func (c *contactList) keys(w *world) []bind {
	if c.filter.open {
		return []bind{as(accept, "select"), on(up), on(down), as(back, "show all")}
	}
	binds := []bind{on(dial)}
	if w.live() {
		binds = []bind{as(switchView, "back to the call")}
	}
	binds = append(binds, on(up), on(down), on(addContact), on(openSettings), on(openHistory), on(showCard))
	if len(w.contacts) > 0 {
		binds = append(binds, on(search))
	}
	if who, ok := c.selected(w); ok && who.Name != echoName {
		binds = append(binds, on(openContact), on(renameContact), on(removeContact))
	}
	return binds
}

func (c *contactList) render(w *world, width int) page {
	p := page{tight: w.small}
	p.fixed = wrap(w.lineSentence(), width)
	if w.mistake != "" {
		for _, line := range wrap(w.theme.Glyph.Warning+" "+w.mistake, width) {
			p.fixed = append(p.fixed, w.theme.Bad.Render(line))
		}
	}
	if n := w.missedFrom(""); n > 0 {
		p.fixed = append(p.fixed, w.theme.Warn.Render(count(n, "missed call")+": "+w.keymap.key(openHistory)+" shows the history."))
	}
	if !w.small {
		p.fixed = append(p.fixed, "")
	}
	c.filter.draw(w, &p, width)
	all := c.matching(w)
	column := 0
	for _, contact := range all {
		column = max(column, ansi.StringWidth(w.shortName(contact.Name)))
	}
	column = min(column, max(width-18, 8))
	for i, contact := range all {
		if i == c.at {
			p.show(len(p.lines), len(p.lines)+1)
		}
		p.add(contactLine(w, contact, i == c.at, column, width))
		p.entry(i, len(p.lines)-1)
	}
	if len(all) == 0 {
		p.say(w.theme.Faint, "Nobody is called like that. esc shows all.", width)
	}
	if len(w.listed()) == 1 {
		p.gap()
		p.say(plainStyle, "Nobody else is here yet. To reach somebody, press "+w.keymap.key(addContact)+": one of you tells the other a code.", width)
	}
	return p
}

func contactLine(w *world, contact Contact, selected bool, column, width int) string {
	glyph := w.theme.Glyph
	marker, style := "  ", plainStyle
	if selected {
		marker, style = w.theme.Accent.Render(glyph.Selected)+" ", w.theme.Accent
	}
	name := pad(cut(w.shortName(contact.Name), column, glyph.Ellipsis), column)
	room := width - column - 5
	var mark string
	switch {
	case contact.Name == echoName:
		about := "for trying out"
		switch {
		case room > 50:
			about = "says back what it hears, all inside this program"
		case room > 23:
			about = "says back what it hears"
		}
		mark = w.theme.Faint.Render(cut(about, room, glyph.Ellipsis))
	case contact.Blocked:
		mark = w.theme.Bad.Render(glyph.Blocked) + " blocked"
	default:
		mark = w.markNarrow(contact, room)
	}
	gap := "   "
	if w.hereNow(contact) {
		gap = " " + w.theme.Good.Render(glyph.Here) + " "
	}
	for _, about := range w.aboutContact(contact) {
		if room > 18+ansi.StringWidth(about) {
			mark = pad(mark, 17) + about
			break
		}
	}
	return marker + style.Render(name) + gap + mark
}

// aboutContact is what more there is to say of a contact, the fullest first.
func (w *world) aboutContact(contact Contact) []string {
	calls, here := w.callsWith(contact), ""
	if w.hereNow(contact) {
		here = w.theme.Good.Render("here now")
	}
	switch {
	case calls == "" && here == "":
		return nil
	case calls == "":
		return []string{here}
	case here == "":
		return []string{calls}
	case w.missedFrom(contact.Key) > 0:
		return []string{pad(here, 10) + calls, calls}
	}
	return []string{pad(here, 10) + calls, here}
}

// callsWith is what the history says of a contact: calls that were missed, else the last one.
func (w *world) callsWith(contact Contact) string {
	if n := w.missedFrom(contact.Key); n > 0 && contact.Key != "" {
		return w.theme.Warn.Render(w.theme.Glyph.In + " " + count(n, "missed call"))
	}
	if last, ok := w.lastCall(contact); ok {
		return w.theme.Faint.Render("last call " + w.when(last.Time))
	}
	return ""
}

// markNarrow is the verified mark, and where there is no room for missed calls in words
// beside it, as much of both as there is room for.
func (w *world) markNarrow(contact Contact, room int) string {
	mark, n := w.verifiedMark(contact.Verified), w.missedFrom(contact.Key)
	if n == 0 || contact.Key == "" || room > 18+ansi.StringWidth(w.callsWith(contact)) {
		return mark
	}
	few := w.theme.Warn.Render(fmt.Sprintf("%s %d", w.theme.Glyph.In, n))
	missed := few + w.theme.Warn.Render(" missed")
	sign, _, _ := strings.Cut(mark, " ")
	for _, shown := range []string{mark + "  " + missed, mark + "  " + few, sign + "  " + missed} {
		if ansi.StringWidth(shown) <= room {
			return shown
		}
	}
	return sign + "  " + few
}

// verifiedMark says in a glyph and in words whether keys were compared.
func (w *world) verifiedMark(verified bool) string {
	if verified {
		return w.theme.Good.Render(w.theme.Glyph.Verified) + " verified"
	}
	return w.theme.Warn.Render(w.theme.Glyph.Unverified) + " not verified"
}

// lineSentence says whether calls can come in, and why not.
func (w *world) lineSentence() string {
	snap := w.snap
	switch {
	case snap.Line == call.LineConnecting:
		return join("Connecting to "+w.relayName()+".", sentence(OnScreens(snap.LineError)))
	case snap.Line == call.LineReady && w.relayHere():
		return "Calls are on, over the relay on this machine: it reaches only people on this computer. " + w.whoMayCall()
	case snap.Line == call.LineReady:
		return "Ready on relay " + snap.Relay + ". " + w.whoMayCall()
	case w.settings["calls.enabled"] == "on" && w.settings["relay.address"] == "":
		return "Calls are on, but there is no relay yet: choose one in the settings (s)."
	case w.settings["calls.enabled"] == "on":
		return join("Calls are on, but the line to the relay is not open.", sentence(OnScreens(snap.LineError)))
	}
	return "Calls are off: no connection is open, and nobody can call you."
}

// relayHere reports whether the own relay is this machine, in this process or beside it.
func (w *world) relayHere() bool {
	return w.snap.RelayHere || loopback(hostOf(w.snap.Relay))
}

func (w *world) relayName() string {
	switch {
	case w.relayHere():
		return "the relay on this machine"
	case w.snap.Relay != "":
		return "relay " + w.snap.Relay
	}
	return "the relay"
}

func (w *world) whoMayCall() string {
	switch w.settings["calls.who"] {
	case "nobody":
		return "Nobody may call you."
	case "verified":
		return "Verified contacts may call you."
	case "contacts":
		return "Your contacts may call you."
	case "anyone":
		return "Anyone who has your card may call you."
	}
	return ""
}

func (c *contactList) do(m *model, chosen action) tea.Cmd {
	who, ok := c.selected(&m.world)
	switch chosen {
	case search:
		c.filter.start()
		c.at = 0
	case accept, back:
		c.leaveFilter(&m.world)
	case up, down:
		if c.at++; chosen == up {
			c.at -= 2
		}
		c.selected(&m.world)
	case dial:
		if m.dialling || m.live() || !ok {
			return nil
		}
		m.tell("Calling " + m.shortName(who.Name) + ".")
		return m.dialWho(who.Name)
	case switchView:
		m.peeking, m.scroll = false, 0
		return m.pull()
	case addContact:
		m.push(newAddQuestion())
	case openHistory:
		m.push(&historyList{})
		return m.lookAtHistory()
	case openContact:
		m.push(&contactView{who.Name})
	case renameContact:
		m.push(newRenameForm(&m.world, who.Name))
	case removeContact:
		m.push(newRemoval(&m.world, who.Name))
	case showCard:
		return m.withRelay("Your card says through which relay you are reached. You have none yet.", func(m *model) tea.Cmd {
			m.push(&card{})
			return m.readCard()
		})
	case openSettings:
		m.push(&settingsList{})
		return m.load()
	}
	return nil
}
