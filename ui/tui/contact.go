package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"sotto/settings"
)

// contactView is everything about one contact, and what can be done about it.
type contactView struct {
	name string
}

// find is the contact as it is stored now; gone is true once it was removed.
func (c *contactView) find(w *world) (contact Contact, gone bool) {
	for _, one := range w.contacts {
		if one.Name == c.name {
			return one, false
		}
	}
	return Contact{Name: c.name}, true
}

func (c *contactView) heading(w *world) (title, status string) {
	return w.shortName(c.name), w.status()
}

func (c *contactView) keys(w *world) []bind {
	contact, gone := c.find(w)
	if gone {
		return []bind{on(back)}
	}
	verifying, blocking := on(verify), on(block)
	if contact.Verified {
		verifying.does = "not verified"
	}
	if contact.Blocked {
		blocking.does = "unblock"
	}
	binds := []bind{on(dial), verifying, blocking, on(setRing), on(renameContact), on(removeContact), on(back)}
	if contact.Direct {
		binds = append(binds, as(setDirect, "no direct calls"))
	} else if contact.Verified {
		binds = append(binds, on(setDirect))
	}
	presence := on(setPresence)
	if contact.Presence.Agreed {
		presence = as(setPresence, "no presence")
	}
	binds = append(binds, presence)
	if w.live() {
		return binds[1:]
	}
	return binds
}

func (c *contactView) render(w *world, width int) page {
	p := page{tight: w.small}
	contact, gone := c.find(w)
	if gone {
		p.say(plainStyle, w.shortName(c.name)+" is not in your contacts any more.", width)
		return p
	}
	name := w.shortName(contact.Name)
	title := w.theme.Title.Render(name) + "  " + w.verifiedMark(contact.Verified)
	if w.hereNow(contact) {
		title += "  " + w.hereMark()
	}
	p.add(title)
	p.gap()
	if contact.Verified {
		p.row(w, "Who it is", "You have compared keys with "+name+": a call with somebody else in between would be noticed.", plainStyle, width)
	} else {
		p.row(w, "Who it is", "Not sure yet. Compare the safety words in a call, reading them to each other, then press v.", w.theme.Warn, width)
	}
	if contact.Blocked {
		p.row(w, "Blocked", "Calls from "+name+" do not ring here, and look as if you were away. You can still call.", w.theme.Bad, width)
	} else {
		p.row(w, "May call you", w.mayCall(contact), plainStyle, width)
		p.row(w, "Rings", ringWords[contact.Ring].label+".", plainStyle, width)
	}
	p.row(w, "Direct calls", w.directWith(contact), plainStyle, width)
	p.row(w, "Presence", w.presenceWith(contact), plainStyle, width)
	if last, ok := w.lastCall(contact); ok {
		p.row(w, "Last call", w.when(last.Time)+", "+outcomeOf(last)+".", plainStyle, width)
	}
	return p
}

// mayCall says whether this contact's call would ring now, and why.
func (w *world) mayCall(contact Contact) string {
	switch who := w.settings["calls.who"]; {
	case w.settings["calls.enabled"] != "on":
		return "Not now: calling is off."
	case contact.Ring == settings.RingAlways:
		return "Yes, whoever else may: you chose so."
	case who == "nobody":
		return "No: nobody may call you, says the setting."
	case who == "verified" && !contact.Verified:
		return "No: only verified contacts may call you, says the setting."
	}
	return "Yes, if they have added you too."
}

func (c *contactView) do(m *model, chosen action) tea.Cmd {
	contact, _ := c.find(&m.world)
	profile, name, short := m.profile, c.name, m.shortName(c.name)
	switch chosen {
	case back:
		m.pop()
	case dial:
		m.tell("Calling " + short + ".")
		return m.dialWho(name)
	case verify:
		if !contact.Verified {
			m.push(newVerification(&m.world, name))
			return nil
		}
		return act(func() error { return profile.VerifyContact(name, false) }, said(short+" is not verified any more."))
	case block:
		if contact.Blocked {
			return act(func() error { return profile.BlockContact(name, false) }, said(short+" is not blocked any more."))
		}
		return act(func() error { return profile.BlockContact(name, true) }, said(short+" is blocked: their calls do not ring here. They are not told."))
	case setRing:
		m.push(newRingQuestion(&m.world, contact))
	case setDirect:
		return m.askDirect(contact)
	case setPresence:
		return m.askPresence(contact)
	case renameContact:
		m.push(newRenameForm(&m.world, name))
	case removeContact:
		m.push(newRemoval(&m.world, name))
	}
	return nil
}

// renamed makes an open contact follow its new name.
func (m *model) renamed(old, name string) {
	for _, open := range m.stack {
		if view, ok := open.(*contactView); ok && view.name == old {
			view.name = name
		}
	}
}

// said tells the person that something was done, and reads the profile again.
func said(text string) func(*model) tea.Cmd {
	return func(m *model) tea.Cmd {
		m.tell(text)
		return m.load()
	}
}

// newVerification asks before a contact is marked as verified.
func newVerification(w *world, name string) *question {
	short := w.shortName(name)
	asks := "Have you made sure that this is " + short + "?"
	no := "Nothing changes. In a call, read the four safety words to each other; they must be the same on both sides."
	yes := "You have compared the safety words in a call, or were given the card in person."
	if info := w.snap.Call; w.live() && info.Peer.Name == name && len(info.Proof.Words) > 0 {
		asks = "Are these the words that " + short + " reads to you?  " + strings.Join(info.Proof.Words, " ")
		no = "Nothing changes. If the words differ, hang up: somebody may be in between."
		yes = "You know the voice, and all four words are the same on both sides. " + short + " is marked as verified."
	}
	return &question{
		title: "Verify a contact",
		asks:  asks,
		answer: choice{full: true, options: []option{
			{value: "no", label: "Not yet", means: no},
			{value: "yes", label: "Yes", means: yes},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			if value != "yes" {
				return nil
			}
			profile := m.profile
			return act(func() error { return profile.VerifyContact(name, true) }, said(short+" is verified."))
		},
	}
}

// ringWords say what a contact's call does here, by what is stored.
var ringWords = map[string]option{
	"":                   {value: settings.RingDefault, label: "As the settings say", means: "What the settings say of who may call holds for them too."},
	settings.RingSilence: {value: settings.RingSilence, label: "In silence", means: "Their call shows on the screen and makes no sound. They are told nothing of it."},
	settings.RingAlways:  {value: settings.RingAlways, label: "Always", means: "Their call rings even when the settings say that nobody, or only verified contacts, may call."},
}

// newRingQuestion asks how a contact's calls ring here.
func newRingQuestion(w *world, contact Contact) *question {
	short := w.shortName(contact.Name)
	q := &question{title: "Ringing", asks: "How do calls from " + short + " ring here?"}
	for i, ring := range []string{"", settings.RingSilence, settings.RingAlways} {
		entry := ringWords[ring]
		if ring == contact.Ring {
			entry.label += " (now)"
			q.answer.at = i
		}
		q.answer.options = append(q.answer.options, entry)
	}
	q.chosen = func(m *model, value string) tea.Cmd {
		profile := m.profile
		return act(func() error { return profile.SetContactRing(contact.Name, value) }, said("Saved."))
	}
	return q
}
