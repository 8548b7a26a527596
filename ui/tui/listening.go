package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"
)

// listening is a microphone that is tried out: opened when the screen shows, closed
// when it is left. What it hears is measured and goes nowhere.
type listening struct {
	ctx    context.Context
	cancel context.CancelFunc
	levels <-chan float64 // nil until it is open
	level  float64        // dBFS
	loud   bool           // something was heard
	failed string         // why it is not open; "": it is, or will be
}

type (
	listens struct {
		mic    *listening
		levels <-chan float64
		err    error
	}
	heard struct {
		mic   *listening
		level float64
		open  bool
	}
)

// hearable is the level above which somebody, or something, is heard.
const hearable = -45.0 // dBFS

// listen opens the microphone that is set; "" is what a call would use.
func (m *model) listen() (*listening, tea.Cmd) {
	ctx, cancel := context.WithCancel(m.ctx)
	l, profile := &listening{ctx: ctx, cancel: cancel, level: quietest}, m.profile
	return l, func() tea.Msg {
		levels, err := profile.Microphone(ctx, "")
		return listens{l, levels, err}
	}
}

func (l *listening) next() tea.Cmd {
	levels := l.levels
	return func() tea.Msg {
		level, open := <-levels
		return heard{l, level, open}
	}
}

// began and hears run in Update.
func (l *listening) began(result listens) tea.Cmd {
	if result.err != nil {
		l.failed = sentence(OnScreens(result.err))
		return nil
	}
	l.levels = result.levels
	return l.next()
}

func (l *listening) hears(result heard) tea.Cmd {
	if !result.open {
		if l.ctx.Err() == nil {
			l.failed = "The microphone went away."
		}
		return nil
	}
	l.level = result.level
	l.loud = l.loud || Hears(result.level)
	return l.next()
}

func (l *listening) draw(w *world, p *page, width int) {
	if l.failed != "" {
		p.say(w.theme.Warn, w.theme.Glyph.Warning+" "+l.failed, width)
		p.say(plainStyle, "Go on: you can hear others without it, and choose a microphone in the settings later.", width)
		return
	}
	p.add(w.meter("you", l.level, "", 3, width))
	p.gap()
	switch {
	case l.levels == nil:
		p.say(w.theme.Faint, "Opening the microphone.", width)
	case l.loud:
		p.say(w.theme.Good, "It hears you.", width)
	default:
		p.say(plainStyle, "Say something: the bar should move.", width)
	}
}
