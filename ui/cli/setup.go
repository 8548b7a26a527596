package cli

import (
	"bufio"
	"fmt"
	"os/user"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"sotto/net/identity"
	"sotto/net/profile"
)

func (p *program) setupCommand() *cobra.Command {
	var name, relay, calls string
	var yes bool
	command := &cobra.Command{
		Use:     "setup",
		Short:   "Make your profile: a name, a relay, calls on or off",
		Long:    "Makes your profile: a name, a relay, calls on or off. Nothing is sent anywhere. An identity that\nexists is kept. With --yes no questions are asked.",
		Example: "  sotto setup\n  sotto setup --name alice --relay local --calls on --yes\n  sotto setup --name alice --relay relay.example.org:443 --calls off --yes",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("name") && identity.CleanName(name) == "" {
				return profile.ErrNoName
			}
			choices := profile.Choices{Name: name, Relay: relay}
			switch calls {
			case "on", "off", "":
				choices.Calls = calls == "on"
			default:
				return usage("--calls takes on or off, not %q", calls)
			}
			return p.setup(choices, calls != "", yes)
		},
	}
	flags := command.Flags()
	flags.StringVar(&name, "name", "", "the name on your card")
	flags.StringVar(&relay, "relay", "", "HOST[:PORT][#PIN], or local for a relay inside this program that reaches only people on this computer")
	flags.StringVar(&calls, "calls", "", "on or off")
	flags.BoolVar(&yes, "yes", false, "ask nothing")
	return command
}

func (p *program) setup(choices profile.Choices, callsGiven, yes bool) error {
	if err := p.keep(&choices, callsGiven); err != nil {
		return err
	}
	if !yes {
		if !isatty.IsTerminal(p.stdin.Fd()) {
			return usage("setup asks questions and there is no terminal to ask them on; give --name, --relay, --calls and --yes")
		}
		if err := p.ask(&choices); err != nil {
			return err
		}
	}
	if choices.Name == "" {
		choices.Name = accountName()
	}
	choices.Name = identity.CleanName(choices.Name)
	if choices.Relay != "" && choices.Relay != profile.LocalRelay {
		if _, err := identity.ParseAddress(choices.Relay); err != nil {
			return err
		}
	}
	owned, err := p.own()
	if err != nil {
		return err
	}
	defer owned.release()
	if err := owned.profile.SetUp(choices); err != nil {
		return err
	}
	if p.json {
		p.emit(struct {
			header
			Name  string `json:"name"`
			Relay string `json:"relay"`
			Calls bool   `json:"calls"`
		}{now("setup.done"), choices.Name, choices.Relay, choices.Calls})
		return nil
	}
	p.say("This profile is set up for %s. Show your card with: sotto card", choices.Name)
	return nil
}

// keep fills what was not given from a profile that is set up already, so that
// running setup again changes only what it names.
func (p *program) keep(choices *profile.Choices, callsGiven bool) error {
	opened, err := p.open()
	if err != nil || !opened.IsSetUp() {
		return err
	}
	now, err := opened.Settings()
	if err != nil {
		return err
	}
	if choices.Name == "" {
		choices.Name = now.Name
	}
	if choices.Relay == "" {
		choices.Relay = now.Relay.Address
	}
	if !callsGiven {
		choices.Calls = now.Calls.Enabled
	}
	return nil
}

// ask puts the questions of the first run on plain lines; an empty line takes what is in brackets.
func (p *program) ask(choices *profile.Choices) error {
	lines := bufio.NewScanner(p.stdin)
	question := func(text, preset string) (string, error) {
		fmt.Fprintf(p.stdout, "%s [%s]: ", text, preset)
		if !lines.Scan() {
			return "", fail(statusFailed, fmt.Errorf("the questions were not answered, so nothing was set up; run sotto setup again"))
		}
		if answer := strings.TrimSpace(lines.Text()); answer != "" {
			return answer, nil
		}
		return preset, nil
	}
	var err error
	if choices.Name == "" {
		if choices.Name, err = question("Your name, as others will see it", accountName()); err != nil {
			return err
		}
	}
	if choices.Relay == "" {
		if choices.Relay, err = question("Your relay: an address, or local for one on this machine (reaches only people on this computer)", profile.LocalRelay); err != nil {
			return err
		}
	}
	if !choices.Calls {
		answer, err := question("Turn calling on? on or off", "off")
		if err != nil {
			return err
		}
		choices.Calls = answer == "on" || answer == "yes" || answer == "y"
	}
	return nil
}

// accountName is the name of the system account, the preset of the first question.
func accountName() string {
	account, err := user.Current()
	if err != nil {
		return "me"
	}
	name := account.Username
	if i := strings.LastIndexByte(name, '\\'); i >= 0 { // DOMAIN\name on Windows
		name = name[i+1:]
	}
	if name = identity.CleanName(name); name == "" {
		return "me"
	}
	return name
}
