package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/line"
	spoken "sotto/net/pair"
	"sotto/net/profile"
	"sotto/ui/qr"
	"sotto/ui/theme"
)

type inviteEvent struct {
	header
	Code    string   `json:"code"`
	Relay   string   `json:"relay"`
	Number  uint32   `json:"number"`
	Words   []string `json:"words"`
	Expires string   `json:"expires"`
}

func (p *program) inviteCommand() *cobra.Command {
	var name string
	var square bool
	command := &cobra.Command{
		Use:   "invite",
		Short: "Add a person by a code that you say to them",
		Long: "Shows a number and four words. Say them to the other person, who types them after sotto join: then each of you\n" +
			"has the other as a verified contact. The code works once, whether it is typed right or wrong, for ten minutes.\n" +
			"It connects to your relay for that, also while calling is off; nothing rings.",
		Example: "  sotto invite\n  sotto invite --name bob --qr",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.invite(name, square) },
	}
	command.Flags().StringVar(&name, "name", "", "the name to keep them under (default: the card's)")
	command.Flags().BoolVar(&square, "qr", false, "also show the code as a square to photograph")
	return command
}

func (p *program) joinCommand() *cobra.Command {
	var name string
	command := &cobra.Command{
		Use:   "join [RELAY] NUMBER WORD WORD WORD WORD",
		Short: "Add the person who tells you a code",
		Long: "Takes the code that sotto invite shows the other person: the number and the four words, and in front the name of\n" +
			"their relay if it is another than yours. Then each of you has the other as a verified contact. The code works\n" +
			"once, so a wrong word uses it up. It connects to your own relay, also while calling is off; nothing rings.",
		Example: "  sotto join 42 apple river stone cloud\n  sotto join relay.example.org 42 apple river stone cloud --name bob",
		Args: func(command *cobra.Command, words []string) error {
			if len(words) == 0 {
				return usage("sotto join takes a code, as the other person's sotto invite shows it; %s --help shows how it is used", command.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: completeCode,
		RunE: func(_ *cobra.Command, words []string) error {
			return p.join(strings.Join(words, " "), name)
		},
	}
	command.Flags().StringVar(&name, "name", "", "the name to keep them under (default: the card's)")
	return command
}

// completeCode offers the words of a code to the shell.
func completeCode(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	if begun == "" {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return spoken.Complete(begun), cobra.ShellCompDirectiveNoFileComp
}

func (p *program) invite(name string, square bool) error {
	return p.pairing(name, func(ctx context.Context, b pairing) error {
		return spoken.Invite(ctx, b.config, func(code spoken.Code, expires time.Time) {
			if p.json {
				p.emit(inviteEvent{
					now("invite.code"), code.String(), code.Relay.String(), code.Number, code.Words[:],
					expires.UTC().Format(time.RFC3339),
				})
				return
			}
			p.say("Say this to the person you want to add; it works once, for ten minutes:\n\n    %s\n", code.Short())
			p.say("They type: sotto join %s\nIf their relay is not %s: sotto join %s", code.Short(), code.Relay.String(), code.String())
			if square {
				p.sayAsSquare(code.String())
			}
		})
	})
}

// sayAsSquare prints a text for a camera. A text too long for it is printed anyway
// above.
func (p *program) sayAsSquare(text string) {
	if lines, err := qr.Lines(text, theme.New(os.Environ()).Unicode); err == nil {
		p.say("\n%s", strings.Join(lines, "\n"))
	}
}

func (p *program) join(text, name string) error {
	code, err := spoken.ParseCode(text)
	if err != nil {
		return err
	}
	return p.pairing(name, func(ctx context.Context, b pairing) error {
		return b.join(ctx, code)
	})
}

// pairing is a profile that is about to add somebody.
type pairing struct {
	owned   *owned
	account call.Account
	config  spoken.Config
	name    string
	kept    *string
}

// errOtherRelay is what a relay's key is not.
var errOtherRelay = fmt.Errorf("the relay shows another key than the card of whoever told you the code says, so nobody was added; %w", line.ErrPinMismatch)

// join uses a code. Where the joiner has only the name of the relay, as whoever chose
// "I have a code" in the first run, and no browser would trust its certificate, the
// pairing goes on under the key that the relay shows, and the inviter's card, which
// the words prove to be theirs, must name that key: then the relay is kept with its pin.
func (b pairing) join(ctx context.Context, code spoken.Code) error {
	err := spoken.Join(ctx, b.config, code)
	own := b.account.Relay
	if !errors.Is(err, line.ErrUntrusted) || own.Pinned || code.Relay.Host != "" && code.Relay != own {
		return err
	}
	shown, unknown := line.Presented(ctx, line.Config{Relay: own, Dial: b.account.Dial})
	if unknown != nil {
		return err
	}
	account, unknown := b.owned.profile.AccountAt(shown)
	if unknown != nil {
		return unknown
	}
	under := b.owned.pairing(account, b.name)
	under.config.Check = func(signed []byte) error {
		card, err := identity.ParseCardBytes(signed)
		if err == nil && card.Relay != shown {
			err = errOtherRelay
		}
		if err != nil {
			return err
		}
		return b.config.Check(signed)
	}
	under.config.Keep = func(signed []byte) error {
		if err := b.owned.profile.Set("relay.address", shown.String()); err != nil {
			return err
		}
		return b.config.Keep(signed)
	}
	return spoken.Join(ctx, under.config, code)
}

// pairing owns the profile, runs its relay if that is on this machine, and tells
// who was added.
func (p *program) pairing(name string, add func(context.Context, pairing) error) error {
	if err := profile.CheckName(name); err != nil {
		return err
	}
	owned, err := p.own()
	if err != nil {
		return err
	}
	defer owned.release()
	account, err := owned.profile.Account()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), leaving()...)
	defer stop()
	if account.Host != nil {
		host, err := account.Host(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = host.Close() }()
	}
	prepared := owned.pairing(account, name)
	if err := add(ctx, prepared); err != nil {
		return err
	}
	added, err := owned.profile.Find(*prepared.kept)
	if err != nil {
		return err
	}
	if p.json {
		p.emit(contactObject("contact.added", added))
		return nil
	}
	p.say("%s is in your contacts, verified. Call them with: sotto call %s", added.Name, added.Name)
	return nil
}

func (o *owned) pairing(account call.Account, name string) pairing {
	kept := new(string)
	return pairing{owned: o, account: account, name: name, kept: kept, config: spoken.Config{
		Self: account.Self, Card: account.Card, Relay: account.Relay, Admission: account.Admission, Dial: account.Dial,
		Check: func(signed []byte) error { return o.profile.CheckPaired(signed, name) },
		Keep: func(signed []byte) (err error) {
			*kept, err = o.profile.KeepPaired(signed, name)
			return err
		},
		KnowsOther: profile.IsOtherKey,
	}}
}
