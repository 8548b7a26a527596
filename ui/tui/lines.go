package tui

import (
	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
)

// textLimit is the most bytes of a line of text in a call.
const textLimit = 200

// writing is a line of text in a call: what was written so far, and a field.
type writing struct {
	field field
}

func newWriting() *writing { return &writing{field: newField("", textLimit)} }

func (*writing) heading(w *world) (title, status string) { return inCall{}.heading(w) }

func (x *writing) typing() *field { return &x.field }

func (*writing) keys(*world) []bind { return []bind{as(accept, "send"), as(back, "done")} }

func (x *writing) render(w *world, width int) page {
	p := page{tight: w.small}
	info := w.snap.Call
	name := w.shortName(info.Peer.Name)
	stay := page{tight: w.small}
	stay.add(w.theme.Title.Render(name) + "  " + w.peerMark(info))
	if !w.small {
		w.drawMeters(&stay, info, name, width)
		stay.gap()
	}
	p.fixed = stay.lines
	w.drawTexts(&p, info, name, width, len(info.Texts))
	if len(info.Texts) == 0 {
		p.say(w.theme.Faint, "A line that you write goes to "+name+" alone, sealed like the sound. It is kept nowhere after the call.", width)
		p.gap()
	}
	p.input(w, &x.field, "write a line", 0, width)
	return p
}

// drawTexts shows the latest lines of text, the oldest of them first.
func (w *world) drawTexts(p *page, info *call.Info, name string, width, most int) {
	texts := info.Texts[max(len(info.Texts)-most, 0):]
	for _, text := range texts {
		who, style := name, w.theme.Strong
		if text.Mine {
			who, style = "you", plainStyle
		}
		p.row(w, who+" "+text.At.Local().Format("15:04"), text.Body, style, width)
	}
	if len(texts) > 0 {
		p.gap()
	}
}

func (x *writing) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case back:
		m.pop()
	case accept:
		text := x.field.value()
		if text == "" {
			m.pop()
			return nil
		}
		x.field = newField("", textLimit)
		calls := m.calls
		return act(func() error { return calls.SendText(text) }, (*model).pull)
	}
	return nil
}

// refusal declines an incoming call with a line of text.
type refusal struct {
	field field
}

func (*refusal) heading(w *world) (title, status string) { return incoming{}.heading(w) }

func (r *refusal) typing() *field { return &r.field }

func (*refusal) keys(*world) []bind {
	return []bind{as(accept, "decline and send"), as(back, "back to the call")}
}

func (r *refusal) render(w *world, width int) page {
	p := page{tight: w.small}
	name := w.shortName(w.snap.Call.Peer.Name)
	p.say(plainStyle, name+" is told that you decline, and sees this line.", width)
	p.gap()
	p.input(w, &r.field, "I will call you back", 0, width)
	return p
}

func (r *refusal) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case back:
		m.pop()
	case accept:
		text := r.field.value()
		if text == "" {
			m.tell("Write a line, or go back with esc and decline without one.")
			return nil
		}
		calls := m.calls
		return act(func() error { return calls.DeclineWith(text) }, (*model).pull)
	}
	return nil
}
