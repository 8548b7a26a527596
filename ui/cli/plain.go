package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sotto/audio/open"
	"sotto/ui/plain"
)

// plainly decides whether the interface comes in plain lines: by the flag, by
// ACCESSIBLE in the environment, or because the terminal can do no more.
func (p *program) plainly() (bool, error) {
	asked := p.plain
	switch os.Getenv("ACCESSIBLE") {
	case "", "0", "false", "no":
	default:
		asked = true
	}
	switch {
	case asked && p.mic == open.Pipe:
		return false, usage("standard input cannot be both the microphone and where you type; choose another --mic")
	case asked:
		return true, nil
	case !p.onTerminal():
		return false, usage("the interface needs a terminal; without one use sotto --plain, or commands such as sotto listen or sotto call (sotto --help lists them)")
	}
	return os.Getenv("TERM") == "dumb", nil
}

// runPlain shows the interface in plain lines until the person leaves or ctx ends.
func (p *program) runPlain(ctx context.Context, a *app) error {
	signal.Ignore(syscall.SIGPIPE) // whoever stops reading does not keep a call from being hung up
	return plain.Run(ctx, plain.Config{Calls: a.engine, Profile: screens{a}, Input: p.stdin, Output: p.stdout, Check: means})
}
