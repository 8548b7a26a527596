package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"sotto/net/call"
	"sotto/settings"
	"sotto/ui/theme"
)

const (
	// grace is how long an incoming call ignores keys: one that was already on
	// its way to another screen must not answer.
	grace = 400 * time.Millisecond
	// burst keeps ignoring keys that follow an ignored one this closely: the
	// rest of a word being typed, or a key held down.
	burst = 200 * time.Millisecond

	levelsEvery       = 100 * time.Millisecond
	levelsEveryRemote = 200 * time.Millisecond // over SSH
	timerEvery        = time.Second
)

// screen draws itself from the world and turns actions into commands.
type screen interface {
	// heading is what the screen is about, and a word or two on how things stand.
	heading(w *world) (title, status string)
	keys(w *world) []bind
	render(w *world, width int) page
	do(m *model, chosen action) tea.Cmd
}

// typist is a screen with a text field that may have the focus.
type typist interface {
	typing() *field // nil: no field has the focus
}

// world is what screens may look at. Only the model writes to it.
type world struct {
	theme       theme.Theme
	now         time.Time
	snap        call.Snapshot
	contacts    []Contact
	history     []settings.HistoryEntry // the newest first
	sealed      bool                    // a passphrase is set
	seenHistory time.Time               // when the person last looked at it
	settings    map[string]string
	keymap      keymap    // the person's own keys
	mistake     string    // what is wrong in the settings file; "": nothing
	room        int       // lines for what scrolls
	small       bool      // few lines: nothing is spent on air
	waitsSince  time.Time // when a second call came on the screen
	guarded     bool      // the screen came by itself: keys are ignored for the grace
	shownAt     time.Time // when it came
	ignored     time.Time // when a key was last ignored because of it
	talk        talk
}

// model is the one tea.Model. Bubble Tea's event loop owns it.
type model struct {
	world
	ctx     context.Context
	calls   Calls
	profile Profile
	clock   func() time.Time
	after   func(time.Duration, func(time.Time) tea.Msg) tea.Cmd
	events  <-chan call.Event
	look    theme.Theme     // what the environment says; the settings are put over it
	remote  bool            // the terminal is at the other end of an SSH connection
	redraw  <-chan struct{} // the terminal has lost frames and reads again; nil: it never does

	width, height int
	stack         []screen // what lies under the call; the last one shows
	helping       bool
	palette       *commandPalette // nil: closed
	scroll        int
	notice        string
	noticeBad     bool

	dialling  bool   // a Dial is on its way and no snapshot has shown it yet
	settled   int    // pulls up to this one may not know of it
	dismissed string // the ended call whose screen was closed
	peeking   bool   // looking at the contacts while a call goes on
	over      screen // what lies over the connected call; nil: nothing

	asking, answered int           // pulls sent; the newest one that came back
	every            time.Duration // between ticks; 0: nothing moves
	beat             int           // the current series of ticks

	notices notices
	gate    *gate // of the microphone, with push to talk

	asked, gone bool // asked to leave; on the way out
}

func newModel(ctx context.Context, cfg Config, look theme.Theme, events <-chan call.Event) *model {
	m := &model{
		ctx: ctx, calls: cfg.Calls, profile: cfg.Profile, clock: cfg.Now, after: cfg.after, events: events,
		look: look, gate: &gate{}, world: world{theme: look, settings: map[string]string{}}, width: 80, height: 24,
	}
	for _, entry := range cfg.Environ {
		m.remote = m.remote || strings.HasPrefix(entry, "SSH_TTY=") && entry != "SSH_TTY="
	}
	m.keep(load(cfg.Profile))
	m.snap = cfg.Calls.Snapshot()
	if info := m.snap.Call; info != nil && info.Phase == call.Ended {
		m.dismissed = info.ID
	}
	m.stack = []screen{&contactList{}}
	if !cfg.Profile.IsSetUp() {
		m.notice = "" // a profile that is not there yet has nothing to complain about
		m.stack = []screen{newSetup(cfg.Profile.DefaultName())}
	}
	m.now = m.clock()
	return m
}

func (m *model) Init() tea.Cmd {
	return tea.Batch(m.waitForEvent(), m.waitForChange(), m.waitForRedraw(), m.waitForDesktop(), m.pull())
}

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.now = m.clock()
	before := m.snap.Call
	command, taken := m.hearTalk(msg)
	if !taken {
		command = m.update(msg)
	}
	m.settleDesktop()
	return m, tea.Batch(command, m.settleTalk(before))
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		m.notices.missed = ""
		return m.press(msg)
	case tea.MouseMsg:
		return m.mouse(msg)
	case tea.PasteMsg:
		if typing := m.typing(); typing != nil && (!m.helping || m.palette != nil) && !m.asked {
			typing.insert(msg.Content)
		}
	case eventHappened:
		if msg.kind == call.EventStats && m.every == m.levels() {
			return m.waitForEvent() // the ticks bring the figures
		}
		if msg.kind == call.EventRecorded {
			return tea.Batch(m.waitForEvent(), m.load())
		}
		return tea.Batch(m.waitForEvent(), m.pull())
	case pulled:
		return m.took(msg)
	case framesLost:
		return tea.Batch(tea.ClearScreen, m.waitForRedraw())
	case loaded:
		m.keep(msg)
	case changed:
		return tea.Batch(m.waitForChange(), m.load())
	case saved:
		m.keepSetting(msg)
	case did:
		if msg.err != nil {
			m.complain(msg.err)
			return m.pull()
		}
		return msg.after(m)
	case setUp:
		return m.finishSetUp(msg)
	case sent:
		return m.finishForm(msg)
	case inviteCode:
		msg.screen.code = msg.code
	case invited:
		return m.finishInvite(msg)
	case devicesFound:
		m.keepDevices(msg)
	case listens:
		return msg.mic.began(msg)
	case heard:
		return msg.mic.hears(msg)
	case cardRead:
		m.keepCard(msg)
	case dialled:
		m.settled = m.asking
		if msg.err != nil {
			m.dialling = false
			m.complain(msg.err)
		}
		return m.pull()
	case askedToLeave:
		return m.leave()
	case deskTold:
		return tea.Batch(m.waitForDesktop(), m.heardDesktop(msg.Event))
	case letGo:
		m.gone = true
		return tea.Quit
	}
	return nil
}

// took puts a snapshot on the screen and keeps the ticks going while something moves.
func (m *model) took(answer pulled) tea.Cmd {
	var commands []tea.Cmd
	if answer.sequence > m.answered {
		m.answered = answer.sequence
		before := m.snap
		commands = append(commands, m.keepCalls(answer.snapshot), m.noteCalls(&before))
		if answer.sequence > m.settled {
			m.dialling = false
		}
	}
	if every := m.pace(); every != m.every {
		m.every = every
		m.beat++
		if every > 0 {
			commands = append(commands, m.tick())
		}
	} else if every > 0 && answer.beat == m.beat {
		commands = append(commands, m.tick())
	}
	return tea.Batch(commands...)
}

// keepCalls takes over a snapshot and notices what changed hands.
func (m *model) keepCalls(next call.Snapshot) tea.Cmd {
	before, after := m.snap.Call, next.Call
	if next.Waiting != nil && (m.snap.Waiting == nil || m.snap.Waiting.ID != next.Waiting.ID) {
		m.waitsSince = m.now
	}
	typing := m.typing() != nil
	m.snap = next
	if after == nil || before != nil && before.ID == after.ID && before.Phase == after.Phase {
		return nil
	}
	m.scroll, m.guarded = 0, false
	if before == nil || before.ID != after.ID || after.Phase != call.Incoming && before.Phase == call.Incoming {
		m.peeking, m.over, m.notice = false, nil, ""
	}
	switch after.Phase {
	case call.Incoming:
		m.guard()
		m.helping, m.palette = false, nil
		return m.after(grace, func(time.Time) tea.Msg { return redraw{} })
	case call.Ended:
		if typing {
			m.guard() // the rest of a line must not become commands
		}
		m.peeking, m.over, m.palette = false, nil, nil
		return m.load() // whom we have reached may have changed
	}
	return nil
}

// guard makes a screen that came by itself ignore the keys that were meant for the last one.
func (m *model) guard() { m.guarded, m.shownAt, m.ignored = true, m.now, time.Time{} }

// pace is how often something on the screen can change by itself.
func (m *model) pace() time.Duration {
	info := m.snap.Call
	switch {
	case info == nil:
		return 0
	case info.Phase == call.Connected && !m.peeking:
		return m.levels()
	case info.Phase == call.Ended:
		return 0
	}
	return timerEvery
}

func (m *model) levels() time.Duration {
	if m.remote {
		return levelsEveryRemote
	}
	return levelsEvery
}

func (m *model) keep(fresh loaded) {
	if fresh.err != nil {
		m.complain(fresh.err)
	}
	if fresh.contacts != nil || fresh.err == nil {
		m.contacts = fresh.contacts
	}
	m.history, m.sealed = fresh.history, fresh.sealed
	if fresh.looked.After(m.seenHistory) {
		m.seenHistory = fresh.looked
	}
	if fresh.settings != nil {
		m.settings = fresh.settings
	}
	m.mistake = ""
	if fresh.mistake != nil {
		m.mistake = sentence(shortPath(fresh.mistake.Error())) + " Until it is mended, the settings from before hold."
	}
	m.putInForce()
}

func (m *model) keepSetting(result saved) {
	if result.err != nil {
		m.complain(result.err)
		return
	}
	m.settings[result.key] = result.value
	m.putInForce()
	m.tell("Saved.")
}

// putInForce makes the screens look and listen as the settings say.
func (m *model) putInForce() {
	m.theme = m.look.With(m.settings["look.colour"], m.settings["look.glyphs"])
	var err error
	if m.keymap, err = parseKeys(m.settings["look.keys"]); err != nil {
		m.mistake = join(m.mistake, sentence(err.Error()))
	}
}

func (m *model) tell(text string) { m.notice, m.noticeBad = text, false }

func (m *model) complain(err error) { m.notice, m.noticeBad = sentence(OnScreens(err)), true }

// live reports whether there is a call that has not ended.
func (w *world) live() bool { return w.snap.Call != nil && w.snap.Call.Phase != call.Ended }

// current is the screen that shows: the call's, unless it is over and done with
// or the person looks elsewhere.
func (m *model) current() screen {
	top := m.stack[len(m.stack)-1]
	info := m.snap.Call
	if info == nil || info.ID == m.dismissed {
		return top
	}
	switch info.Phase {
	case call.Incoming:
		if m.over != nil {
			return m.over
		}
		return incoming{}
	case call.Ended:
		return ended{}
	}
	if m.peeking {
		return top
	}
	switch {
	case info.Phase == call.Dialling || info.Phase == call.Ringing:
		return dialling{}
	case m.over != nil && info.Phase == call.Connected:
		return m.over
	}
	return inCall{}
}

// inFront reports whether a call that things can lie over is what shows.
func (m *model) inFront() bool {
	info := m.snap.Call
	if info == nil || info.ID == m.dismissed {
		return false
	}
	return info.Phase == call.Incoming || info.Phase == call.Connected && !m.peeking
}

// push opens a screen over the call that shows, or over the others.
func (m *model) push(next screen) {
	if m.inFront() {
		m.over = next
	} else {
		m.stack = append(m.stack, next)
	}
	m.scroll = 0
}

// pop closes the screen that shows.
func (m *model) pop() {
	if m.inFront() {
		m.over = nil
	} else if len(m.stack) > 1 {
		m.stack = m.stack[:len(m.stack)-1]
	}
	m.scroll = 0
}

// close takes a screen away wherever it lies.
func (m *model) close(gone screen) {
	if m.over == gone {
		m.over = nil
	}
	for i, one := range m.stack {
		if one == gone && i > 0 {
			m.stack = append(m.stack[:i:i], m.stack[i+1:]...)
			m.scroll = 0
			return
		}
	}
}

// isOpen reports whether a screen was not closed yet.
func (m *model) isOpen(one screen) bool {
	return m.over == one || slices.Contains(m.stack, one)
}

func (m *model) typing() *field {
	if m.palette != nil {
		return m.palette.filter.typing()
	}
	if screen, ok := m.current().(typist); ok {
		return screen.typing()
	}
	return nil
}

// leave hangs up, waits a moment for the other side to be told, and goes. Asked
// a second time, it goes at once.
func (m *model) leave() tea.Cmd {
	if m.asked || !(m.live() || m.dialling) {
		m.asked, m.gone = true, true
		return tea.Quit
	}
	m.asked = true
	m.tell("Leaving.")
	calls := m.calls
	return tea.Batch(
		func() tea.Msg { hangUpIfCalling(calls); return letGo{} },
		m.after(leaveWithin, func(time.Time) tea.Msg { return letGo{} }),
	)
}
