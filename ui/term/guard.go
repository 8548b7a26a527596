// Package term gives the terminal back: whatever ends a program that drew on
// it, a panic in any of its goroutines included, the shell finds its screen,
// cursor, keys and line editing as they were.
package term

import (
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
	xterm "github.com/charmbracelet/x/term"
)

// undo takes back every mode a full-screen program may have set. Each sequence
// is harmless where the mode was never set.
const undo = ansi.ResetModeAltScreenSaveCursor +
	ansi.ShowCursor +
	ansi.ResetModeBracketedPaste +
	ansi.ResetModeFocusEvent +
	ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseExtSgr +
	ansi.ResetModeSynchronizedOutput +
	ansi.ResetModifyOtherKeys +
	ansi.ResetStyle

// Guard remembers how a terminal was before anything was drawn on it.
type Guard struct {
	output io.Writer
	crash  io.Writer // where a panic is told; standard error
	file   xterm.File
	state  *xterm.State
	also   string // what else is taken back; set before anything is drawn
	beyond func() // takes back what is shown beyond the terminal; nil: nothing
	once   sync.Once
}

// NewGuard remembers the state of the terminal behind input; output is where
// the screen is drawn. Either may be something else than a terminal: then there
// is nothing to give back there.
func NewGuard(input io.Reader, output io.Writer) *Guard {
	guard := &Guard{output: output, crash: os.Stderr}
	if file, ok := input.(xterm.File); ok && xterm.IsTerminal(file.Fd()) {
		if state, err := xterm.GetState(file.Fd()); err == nil {
			guard.file, guard.state = file, state
		}
	}
	return guard
}

// Restore gives the terminal back. Only the first call does anything.
func (g *Guard) Restore() { g.restore("") }

func (g *Guard) restore(first string) {
	g.once.Do(func() {
		if writer, ok := g.output.(*Writer); ok {
			writer.Finish(first + undo + g.also)
		} else if file, ok := g.output.(xterm.File); ok && xterm.IsTerminal(file.Fd()) {
			_, _ = io.WriteString(g.output, first+undo+g.also)
		}
		if g.state != nil {
			_ = xterm.Restore(g.file.Fd(), g.state)
		}
		if g.beyond != nil {
			g.beyond()
		}
	})
}

// Catch belongs in a defer at the head of a goroutine that draws or that runs
// while something else draws: it turns a panic into a restored terminal, the
// trace on standard error and a call to ended, which must end the program.
func (g *Guard) Catch(ended func(value any)) {
	value := recover()
	if value == nil {
		return
	}
	trace := string(debug.Stack())
	g.restore(ansi.PopKittyKeyboard(1)) // the alternate screen's own, before it is left
	fmt.Fprintf(g.crash, "panic: %v\r\n\r\n%s", value, strings.ReplaceAll(trace, "\n", "\r\n"))
	ended(value)
}

// Go runs work in a goroutine whose panic gives the terminal back before it
// ends the program with status 2, as Go's own panics do. The channel closes
// when work is done.
func (g *Guard) Go(work func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer g.Catch(func(any) { os.Exit(2) })
		work()
	}()
	return done
}
