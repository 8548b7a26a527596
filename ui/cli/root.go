// Package cli is the command line: every command, its help, its exit status, and
// the one place that prints an error.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"charm.land/fang/v2"
	"github.com/spf13/cobra"
)

// Version is what --version and a relay's ready line say; set by the linker.
var Version = "0.1.0"

// program holds what every command shares: where to print, and the global flags.
type program struct {
	stdin          *os.File
	stdout, stderr io.Writer

	home         string
	json, plain  bool
	mic, speaker string
	voice        string // auto or off
	frame        string // auto, or how long frames are, in ms

	unprinted atomic.Pointer[error] // the first time that standard output took nothing more
}

// Main runs the command line and returns the exit status.
func Main(arguments []string) int {
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	root := p.root()
	root.SetArgs(arguments)
	err := fang.Execute(context.Background(), root,
		fang.WithVersion(Version),
		fang.WithColorSchemeFunc(fang.AnsiColorScheme),
		fang.WithErrorHandler(func(io.Writer, fang.Styles, error) {}))
	if lost := p.unprinted.Load(); err == nil && lost != nil {
		err = fmt.Errorf("not everything could be printed: %w; give standard output a place to go", *lost)
	}
	if err != nil {
		p.report(err)
	}
	return statusOf(err)
}

// report prints an error: one sentence of what happened and what to do.
func (p *program) report(err error) {
	sentence := strings.TrimSpace(told(err))
	if known := (*failure)(nil); p.json && !(errors.As(err, &known) && known.said) {
		p.emit(struct {
			header
			Message string `json:"message"`
			Status  int    `json:"status"`
		}{now("error"), sentence, statusOf(err)})
	}
	fmt.Fprintln(p.stderr, "sotto: "+sentence)
}

// emit prints one JSON object on a line of its own.
func (p *program) emit(object any) {
	line, err := json.Marshal(object)
	if err != nil {
		panic("cli: an event cannot be put as JSON: " + err.Error()) // a fault in a struct of this package
	}
	p.print(append(line, '\n'))
}

func (p *program) say(format string, arguments ...any) {
	p.print(fmt.Appendf(nil, format+"\n", arguments...))
}

// print writes to standard output and keeps the first failure for the exit status:
// a card that was lost on a full disk is not done.
func (p *program) print(text []byte) {
	if _, err := p.stdout.Write(text); err != nil {
		p.unprinted.CompareAndSwap(nil, &err)
	}
}

func (p *program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "sotto",
		Short: "Private voice calls from a terminal",
		Long: "Private voice calls from a terminal: off until you turn it on, through relays so that\n" +
			"nobody you talk to learns your address, encrypted from end to end.\n\n" +
			"Alone, sotto opens the interface. Exit status: 0 done, 1 failed, 2 usage, 3 declined,\n" +
			"4 no such contact, 5 no answer, 6 relay unreachable, 7 audio device, 8 mismatch.",
		Example: "  sotto\n  sotto setup --name alice --relay local --calls on --yes\n  sotto call echo\n  sotto call bob --for 10s --json",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.openInterface() },
	}
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usage("%w; %s --help shows how it is used", err, command.CommandPath())
	})
	flags := root.PersistentFlags()
	flags.StringVar(&p.home, "home", os.Getenv("SOTTO_HOME"), "folder that holds the whole profile (or SOTTO_HOME)")
	flags.BoolVar(&p.json, "json", false, "print one JSON object a line")
	flags.StringVar(&p.mic, "mic", "", "default, device:NAME, null, tone[:HZ], file:PATH.wav or - (s16le, 48 kHz, mono)")
	flags.StringVar(&p.speaker, "speaker", "", "default, device:NAME, null, file:PATH.wav or - (s16le, 48 kHz, mono; messages then go to standard error)")
	flags.StringVar(&p.voice, "voice", voiceAuto, "auto: echo, noise and level of a microphone are seen to as the settings say; off: nothing is")
	// For measuring: what a person would choose between is what auto chooses better.
	flags.StringVar(&p.frame, "frame", frameAuto, "20 or 10: send sound in frames of that many milliseconds in every network; auto: as the network is")
	_ = flags.MarkHidden("frame")
	root.Flags().BoolVar(&p.plain, "plain", false, "the interface in plain lines, for screen readers and pipes (or ACCESSIBLE=1)")
	root.AddCommand(
		p.setupCommand(), p.callCommand(), p.listenCommand(), p.cardCommand(), p.contactsCommand(), p.historyCommand(),
		p.inviteCommand(), p.joinCommand(),
		p.settingsCommand(), p.devicesCommand(), p.doctorCommand(), p.demoCommand(), p.leaktestCommand(), p.relayCommand(),
	)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, command := range root.Commands() {
		switch command.Name() {
		case "help":
			command.Run, command.RunE = nil, helpOn
		case "completion":
			command.RunE = func(command *cobra.Command, words []string) error {
				if len(words) > 0 {
					return usage("there is no completion for %q; it is made for bash, zsh, fish and powershell", words[0])
				}
				return command.Help()
			}
			command.Args = cobra.ArbitraryArgs
			for _, shell := range command.Commands() {
				shell.Args = noArguments
			}
		}
	}
	return root
}

// helpOn shows the help of a command; one that does not exist is a usage error.
func helpOn(command *cobra.Command, words []string) error {
	found, rest, err := command.Root().Find(words)
	if err != nil || found == nil || len(rest) > 0 {
		return usage("there is no command %q; sotto --help lists the commands", strings.Join(words, " "))
	}
	found.InitDefaultHelpFlag()
	return found.Help()
}

// noArguments and exactArguments make a wrong number of words a usage error.
func noArguments(command *cobra.Command, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	if command.HasSubCommands() {
		return usage("there is no command %q here; %s --help lists the commands", arguments[0], command.CommandPath())
	}
	return usage("%s takes no words after it; %s --help shows how it is used", command.CommandPath(), command.CommandPath())
}

func exactArguments(names ...string) cobra.PositionalArgs {
	return func(command *cobra.Command, arguments []string) error {
		if len(arguments) == len(names) {
			return nil
		}
		return usage("%s takes %s; %s --help shows how it is used", command.CommandPath(), strings.Join(names, " and "), command.CommandPath())
	}
}
