package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"sotto/net/pair"
	"sotto/ui/qr"
)

// newAddQuestion asks how somebody is to be added.
func newAddQuestion() *question {
	return &question{
		title: "Add a contact", asks: "How do you want to add them?",
		answer: choice{options: []option{
			{value: "invite", label: "I tell them a code", means: "A number and four words, which you say to them. It works once, for ten minutes, and verifies both of you."},
			{value: "join", label: "They tell me a code", means: "Type the number and the four words that they say to you."},
			{value: "card", label: "I have their card", means: "Paste it. They need yours too. Not verified until you compare safety words in a call."},
		}},
		chosen: func(m *model, value string) tea.Cmd {
			switch value {
			case "invite":
				return m.withRelay("A code is kept at a relay until it is used. You have none yet.", func(m *model) tea.Cmd {
					screen := newInvitation(m.ctx)
					m.push(screen)
					return screen.run(m.profile)
				})
			case "join":
				return m.withRelay("They reach you through a relay of yours. You have none yet. It may be theirs, too.", func(m *model) tea.Cmd {
					m.push(newJoinForm(m.ctx, ""))
					return nil
				})
			case "card":
				m.push(newAddForm())
			}
			return nil
		},
	}
}

// invitation shows a code and waits for the other person to use it.
type invitation struct {
	ctx     context.Context
	cancel  context.CancelFunc
	codes   chan string // capacity 1; written once, by the command that waits
	code    string      // "" until the relay has given a number
	picture bool
	over    bool
}

type (
	inviteCode struct {
		screen *invitation
		code   string
	}
	invited struct {
		screen *invitation
		name   string
		err    error
	}
)

func newInvitation(ctx context.Context) *invitation {
	x := &invitation{codes: make(chan string, 1)}
	x.ctx, x.cancel = context.WithCancel(ctx)
	return x
}

// run asks for a code and waits until it was used or given up.
func (x *invitation) run(profile Profile) tea.Cmd {
	return tea.Batch(
		func() tea.Msg {
			defer x.cancel()
			name, err := profile.Invite(x.ctx, func(code string) { x.codes <- code })
			return invited{x, name, err}
		},
		func() tea.Msg {
			select {
			case code := <-x.codes:
				return inviteCode{x, code}
			case <-x.ctx.Done():
				return nil
			}
		},
	)
}

func (x *invitation) heading(w *world) (title, status string) { return "Tell them a code", w.status() }

func (x *invitation) keys(*world) []bind {
	switch {
	case x.over:
		return []bind{on(back)}
	case x.code == "":
		return []bind{as(back, "cancel")}
	case x.picture:
		return []bind{as(back, "cancel"), as(showPicture, "words"), on(copyCode)}
	}
	return []bind{as(back, "cancel"), on(copyCode), on(showPicture)}
}

func (x *invitation) render(w *world, width int) page {
	p := page{tight: w.small}
	switch {
	case x.over && x.code == "":
		p.say(plainStyle, "No code was made. Go back and try again when it can be.", width)
		return p
	case x.over:
		p.say(plainStyle, "This code is used up. Go back and start again for a new one.", width)
		return p
	case x.code == "":
		p.say(plainStyle, "Asking "+w.ownRelay()+" for a number.", width)
		return p
	case x.picture:
		w.drawSquare(&p, x.code, width)
		return p
	}
	relay, short := splitCode(x.code)
	p.say(plainStyle, "Say this to the person you want to add:", width)
	p.gap()
	p.say(w.theme.Title, short, width)
	p.gap()
	p.say(plainStyle, "They choose \"They tell me a code\" and type it. If their relay is another than yours, they type its name in front:", width)
	p.gap()
	p.say(w.theme.Strong, relay+" "+short, width)
	p.gap()
	p.say(w.theme.Faint, "It works once, right or wrong, for ten minutes. Leave this screen open. Whoever hears the code could take their place, so say it to them alone.", width)
	return p
}

// splitCode takes the relay's name off a code.
func splitCode(code string) (relay, short string) {
	if parts := strings.Fields(code); len(parts) == 6 {
		return parts[0], strings.Join(parts[1:], " ")
	}
	return "", code
}

func (w *world) ownRelay() string {
	if w.settings["relay.address"] == "local" {
		return "the relay on this machine"
	}
	return "your relay"
}

// drawSquare shows a text as a picture for a camera, or says how much room it needs.
func (w *world) drawSquare(p *page, text string, width int) {
	lines, err := qr.Lines(text, w.theme.Unicode)
	if err != nil {
		p.say(plainStyle, "This is too long for a picture.", width)
		return
	}
	if needs := len([]rune(lines[0])); needs > width || len(lines) > w.room {
		p.say(plainStyle, fmt.Sprintf("The picture needs a window of at least %d by %d. This one is too small.", needs+4, len(lines)+6), width)
		return
	}
	p.add(lines...)
}

func (x *invitation) do(m *model, chosen action) tea.Cmd {
	switch chosen {
	case back:
		x.cancel()
		m.pop()
	case showPicture:
		x.picture = !x.picture
	case copyCode:
		m.tell("Copied, if your terminal lets programs copy.")
		return tea.SetClipboard(x.code)
	}
	return nil
}

// finishInvite tells how an invitation ended.
func (m *model) finishInvite(result invited) tea.Cmd {
	result.screen.over = true
	switch {
	case result.err == nil:
		m.close(result.screen)
		m.tell(m.shortName(result.name) + " is in your contacts, verified.")
		return m.load()
	case m.isOpen(result.screen):
		m.complain(result.err)
	}
	return nil
}

// newJoinForm takes a code that the other person says.
func newJoinForm(ctx context.Context, code string) *form {
	ctx, cancel := context.WithCancel(ctx)
	f := &form{
		title: "They tell you a code", done: "add", busy: "Connecting to them. This takes a few seconds.", cancel: cancel,
		about: "A number and four words, with the name of their relay in front if it is another than yours. Tab completes a word. A wrong word uses the code up.",
		fields: []labelled{
			{
				label: "Code", hint: "42 apple river stone cloud", must: "Type the number and the four words that they say to you.",
				field: newField(code, 512), complete: pair.Complete,
			},
			{label: "Name", hint: "leave empty to use the name they chose", field: newField("", nameLimit)},
		},
	}
	f.send = func(m *model, values []string) tea.Cmd {
		profile, short := m.profile, m.shortName
		return func() tea.Msg {
			name, err := profile.Join(ctx, values[0], values[1])
			return sent{form: f, err: err, said: short(name) + " is in your contacts, verified."}
		}
	}
	return f
}

// completeWord fills in the word before the cursor from those that begin like it:
// whole if there is one, else as far as they agree. It gives the words to choose from.
func completeWord(f *field, words func(prefix string) []string) []string {
	start := f.wordStart()
	begun := strings.Join(f.letters[start:f.at], "")
	if strings.TrimSpace(begun) == "" {
		return nil
	}
	found := words(begun)
	if len(found) == 0 {
		return nil
	}
	common := found[0]
	for _, word := range found[1:] {
		for !strings.HasPrefix(word, common) {
			common = common[:len(common)-1]
		}
	}
	f.remove(start, f.at)
	f.insert(common)
	if len(found) == 1 {
		f.insert(" ")
		return nil
	}
	return found
}
