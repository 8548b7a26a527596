package tui

import tea "charm.land/bubbletea/v2"

// card shows what others need to reach this profile.
type card struct {
	text    string
	picture bool
}

type cardRead struct {
	text string
	err  error
}

func (m *model) readCard() tea.Cmd {
	profile := m.profile
	return func() tea.Msg {
		text, err := profile.Card()
		return cardRead{text, err}
	}
}

func (m *model) keepCard(result cardRead) {
	if result.err != nil {
		m.complain(result.err)
		return
	}
	if shown, ok := m.stack[len(m.stack)-1].(*card); ok {
		shown.text = result.text
	}
}

func (c *card) heading(w *world) (title, status string) { return "My card", w.status() }

func (c *card) keys(*world) []bind {
	if c.text == "" {
		return []bind{on(back)}
	}
	picture := on(showPicture)
	if c.picture {
		picture.does = "letters"
	}
	return []bind{on(copyCard), picture, on(back)}
}

func (c *card) render(w *world, width int) page {
	p := page{tight: w.small}
	if c.text == "" {
		return p
	}
	if c.picture {
		w.drawSquare(&p, c.text, width)
		return p
	}
	p.say(plainStyle, "Give this line to the people who may reach you, and add theirs.", width)
	p.gap()
	p.say(w.theme.Strong, c.text, width)
	p.gap()
	says := "It names your key, your relay and the name you chose. Send it in a way that shows it comes from you, and only to those who may have it."
	if w.settings["relay.address"] == "local" {
		says += " Your relay runs on this machine, so the card is of use only on this computer."
	}
	p.say(plainStyle, says, width)
	return p
}

func (c *card) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case back:
		m.pop()
	case showPicture:
		c.picture = !c.picture
	case copyCard:
		m.tell("Copied, if your terminal lets programs copy. Else select the line with the mouse: line breaks in it do no harm.")
		return tea.SetClipboard(c.text)
	}
	return nil
}
