// Package tui is Sotto on a terminal: one Bubble Tea model and plain screens.
//
// Who does what:
//
//	model      owns everything; the only one that changes it (Update)
//	screens    plain structs: draw themselves into a page, say which keys they
//	           know (keys.go), and turn an action into a command
//	commands   the only place where something outside is asked (commands.go):
//	           the calls, the profile, the clock's ticks
//
// Calls push events; each one only makes the model pull a snapshot, so a lost
// or late event can never leave an old state on the screen. Levels are pulled
// ten times a second while there is a call to show, and never otherwise: a
// screen on which nothing moves writes nothing.
package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	xterm "github.com/charmbracelet/x/term"

	"sotto/audio/open"
	"sotto/net/call"
	"sotto/settings"
	"sotto/ui/notify"
	"sotto/ui/term"
	"sotto/ui/theme"
)

// Calls is what the screens ask of whatever runs the calls. Every method may be
// called from any goroutine. HangUp with no call is not an error worth showing.
type Calls interface {
	Snapshot() call.Snapshot
	Subscribe() (events <-chan call.Event, cancel func())
	Dial(who string) error
	Answer() error
	Decline() error
	HangUp() error
	SetMuted(bool) error
	SetHeld(bool) error
	SetDeafened(bool) error
	Silence() error
	DeclineWith(text string) error
	SendText(text string) error
	AnswerWaiting() error
	DeclineWaiting() error
	AnswerCall(id string) error // that call and no other; call.ErrNoCall when it rings no more
	DeclineCall(id string) error
	ReturnToRelays() error                // a direct call, for the rest of it
	UseDevices(mic, speaker string) error // "" leaves one as it is
}

// Contact is one line of the list. Name is already safe to print.
type Contact struct {
	Name              string
	Key               string // as the history has it
	Ring              string // settings.RingSilence, settings.RingAlways, or "" for what the settings say
	Verified, Blocked bool
	Direct            bool // direct calls with them are agreed to, on this side
	Presence          settings.Presence
}

// Choices are the answers of the first run.
type Choices struct {
	Name  string
	Relay string // "local", or an address host[:port][#pin]
	Calls bool
}

// Profile is what the screens read and write. Errors are sentences for a person.
type Profile interface {
	IsSetUp() bool
	SetUp(Choices) error
	DefaultName() string
	Get(key string) (string, error)
	// Settings are all that hold, by name. With the mistake in the settings file as
	// the error they are the last good ones.
	Settings() (map[string]string, error)
	Changes() <-chan struct{} // something was changed by another program or by hand
	Set(key, value string) error
	Contacts() ([]Contact, error)
	AddContact(card, name string) (string, error) // an empty name takes the card's; returns the name kept
	RenameContact(old, new string) error
	RemoveContact(name string) error
	VerifyContact(name string, verified bool) error
	BlockContact(name string, blocked bool) error
	Card() (string, error)
	// History are the calls that are over, newest first, and when the person last looked.
	History() (calls []settings.HistoryEntry, looked time.Time, err error)
	LookAtHistory() error // they look now
	ForgetHistory() error
	Sealed() bool // a passphrase is set
	SetPassphrase(old, new string) error
	SetContactRing(name, ring string) error
	SetContactDirect(name string, direct bool) error
	SetContactPresence(name string, agreed bool) error
	AddressSeen(ctx context.Context) (string, error)  // what a direct call would show, as the relay sees it
	BlockCaller(key, name string, blocked bool) error // somebody who is in the history only
	Devices() ([]open.Described, error)
	// Microphone gives the level of a microphone in dBFS, ten times a second until ctx
	// ends; "" is the one that a call would use.
	Microphone(ctx context.Context, words string) (<-chan float64, error)
	// Invite calls onCode once, with the code to say, and returns the name of who used it.
	Invite(ctx context.Context, onCode func(code string)) (name string, err error)
	Join(ctx context.Context, code, name string) (kept string, err error)
}

// Config is what Run needs. Calls and Profile must be there.
type Config struct {
	Calls   Calls
	Profile Profile
	Input   io.Reader        // nil: standard input
	Output  io.Writer        // nil: standard output
	Environ []string         // nil: the process's own
	Now     func() time.Time // nil: time.Now

	after func(time.Duration, func(time.Time) tea.Msg) tea.Cmd // nil: tea.Tick
}

// leaveWithin bounds how long leaving waits for the other side to be told.
const leaveWithin = 600 * time.Millisecond

// Run shows the screens until the person leaves or ctx ends; either way a call
// is hung up first and the result is nil. An error means that the terminal
// could not be used, or that the screens themselves failed.
func Run(ctx context.Context, cfg Config) error {
	cfg = cfg.withDefaults()
	guard := term.NewGuard(cfg.Input, cfg.Output)
	var redraw <-chan struct{}
	var told notices
	if file, ok := cfg.Output.(*os.File); ok && xterm.IsTerminal(file.Fd()) {
		writer := term.NewWriter(file, guard)
		told = notices{on: true, kind: term.NoticesFor(cfg.Environ)}
		guard.TakeBack(told.kind)
		told.desktop = notify.Start(notify.Address(cfg.Environ), guard.Go)
		guard.TakeBackBeyond(told.desktop.End)
		defer told.desktop.End()
		_, _ = writer.WriteString(term.KeepTitle)
		defer func() { writer.Finish(guard.Also()) }()
		cfg.Output, redraw = writer, writer.Redraw()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	events, unsubscribe := cfg.Calls.Subscribe()
	defer unsubscribe()

	look := theme.New(cfg.Environ)
	model := newModel(ctx, cfg, look, events)
	model.redraw, model.notices = redraw, told
	program := tea.NewProgram(model,
		tea.WithContext(ctx),
		tea.WithInput(cfg.Input),
		tea.WithOutput(cfg.Output),
		tea.WithEnvironment(cfg.Environ),
		tea.WithColorProfile(look.Profile()),
		tea.WithFilter(leaveProperly),
		tea.WithFPS(60), // the first frame waits for the first tick; an idle tick writes nothing
	)
	_, err := program.Run()
	if err == nil {
		return nil
	}
	// The program ended in the middle: the terminal may be half drawn on, and a
	// call may still be going. Not waiting longer than leaveWithin is on purpose.
	select {
	case <-guard.Go(func() { hangUpIfCalling(cfg.Calls) }):
	case <-time.After(leaveWithin):
	}
	if ctx.Err() != nil && !errors.Is(err, tea.ErrProgramPanic) {
		return nil
	}
	guard.Restore()
	return fmt.Errorf("the screen stopped working: %w; the terminal was given back, so start sotto again", err)
}

func (cfg Config) withDefaults() Config {
	if cfg.Input == nil {
		cfg.Input = os.Stdin
	}
	if cfg.Output == nil {
		cfg.Output = os.Stdout
	}
	if cfg.Environ == nil {
		cfg.Environ = os.Environ()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.after == nil {
		cfg.after = tea.Tick
	}
	return cfg
}

// leaveProperly makes a signal take the same way out as ctrl+c: hang up, then go.
func leaveProperly(current tea.Model, msg tea.Msg) tea.Msg {
	switch msg.(type) {
	case tea.InterruptMsg:
		return askedToLeave{}
	case tea.QuitMsg:
		if m, ok := current.(*model); ok && !m.gone {
			return askedToLeave{}
		}
	}
	return msg
}
