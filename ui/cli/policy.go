package cli

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/call"
	"sotto/net/profile"
	"sotto/settings"
)

// contactPolicy are the commands for what a single contact may do.
func (p *program) contactPolicy() []*cobra.Command {
	yes, no := true, false
	return []*cobra.Command{
		p.onContact("verify", "Note that you have compared keys with a contact", "",
			func(o *profile.Profile, name string) error { return o.Mark(name, &yes, nil) }),
		p.onContact("unverify", "Take the verified mark from a contact", "",
			func(o *profile.Profile, name string) error { return o.Mark(name, &no, nil) }),
		p.onContact("block", "Refuse a contact's calls; they see no difference from nobody answering",
			"Refuses a contact's calls, whatever calls.who says; they see no difference from nobody answering. A caller who\nis no contact is blocked by the key that sotto history --json shows.",
			func(o *profile.Profile, name string) error { return block(o, name, true) }),
		p.onContact("unblock", "Let a contact call again", "",
			func(o *profile.Profile, name string) error { return block(o, name, false) }),
		p.onContact("silence", "Let a contact's calls ring without a sound",
			"Lets a contact's calls ring without a sound: they show, and they are in the history as silenced. The caller\nsees no difference.",
			func(o *profile.Profile, name string) error { return o.SetRing(name, settings.RingSilence) }),
		p.onContact("always", "Let a contact ring also where calls.who would not",
			"Lets a contact ring also where calls.who says verified and they are not. With calls.who nobody they do not ring\neither.",
			func(o *profile.Profile, name string) error { return o.SetRing(name, settings.RingAlways) }),
		p.onContact("default", "Let a contact ring as calls.who says, with a sound", "",
			func(o *profile.Profile, name string) error { return o.SetRing(name, settings.RingDefault) }),
		p.directCommand(),
		p.presenceCommand(),
	}
}

func (p *program) directCommand() *cobra.Command {
	return &cobra.Command{
		Use: "direct NAME on|off", Short: "Agree to direct calls with a verified contact, or take that back",
		Long:    "Agrees to direct calls with a verified contact, or takes that back. A direct call leaves the relays: each of you\nsees the other's network address, and so roughly where the other is. It takes calls.direct on both sides, and\nthat both have chosen the other. Either can return to relays in the call.",
		Example: "  sotto contacts direct bob on\n  sotto settings set calls.direct on",
		Args:    exactArguments("a contact's name", "on or off"),
		RunE: func(_ *cobra.Command, words []string) error {
			if words[1] != "on" && words[1] != "off" {
				return usage("direct calls with a contact are on or off, not %q", words[1])
			}
			opened, err := p.open()
			if err != nil {
				return err
			}
			if err := opened.SetDirect(words[0], words[1] == "on"); err != nil || p.json || words[1] == "off" {
				return err
			}
			p.say("In a direct call %s sees your network address, and you see theirs, once they have chosen the same.", words[0])
			if value, err := opened.Get("calls.direct"); err == nil && value == "off" {
				p.say("Direct calls are off as a whole; sotto settings set calls.direct on turns them on, and says which address that is.")
			}
			return nil
		},
	}
}

// sayAddress tells which address a direct call would show, as the own relay sees it.
func (p *program) sayAddress(opened *profile.Profile) {
	loaded, err := opened.Settings()
	if err != nil || !loaded.Calls.Enabled {
		p.say("While calling is off, your relay cannot be asked which address a direct call would show.")
		return
	}
	if err = p.unlock(opened); err != nil {
		p.say("Which address a direct call would show could not be found out: %s.", told(err))
		return
	}
	account, err := opened.Account()
	if err != nil {
		p.say("Which address a direct call would show could not be found out: %s.", told(err))
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	address, err := call.AddressSeen(ctx, account, call.Network{})
	if err != nil {
		p.say("Which address a direct call would show could not be found out: %s.", told(err))
		return
	}
	p.say("A direct call would show the other side this address, as your relay sees it: %s", address)
}

func (p *program) onContact(name, short, long string, do func(*profile.Profile, string) error) *cobra.Command {
	return &cobra.Command{
		Use: name + " NAME", Short: short, Long: long, Args: exactArguments("a contact's name"),
		RunE: func(_ *cobra.Command, words []string) error {
			opened, err := p.open()
			if err != nil {
				return err
			}
			return do(opened, words[0])
		},
	}
}

// block blocks or unblocks a contact by name, or a caller by key.
func block(opened *profile.Profile, who string, blocked bool) error {
	err := opened.Mark(who, nil, &blocked)
	if !errors.Is(err, profile.ErrNoContact) {
		return err
	}
	name := ""
	calls, _, _ := opened.History() // only for a name
	for _, entry := range calls {
		if entry.Key == who {
			name = entry.Name
		}
	}
	if byKey := opened.BlockCaller(who, name, blocked); !errors.Is(byKey, profile.ErrBadKey) {
		return byKey
	}
	return err
}

// listBlocked are the strangers who called and were blocked.
func (p *program) listBlocked(opened *profile.Profile) error {
	callers, err := opened.BlockedCallers()
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(callers)) {
		if p.json {
			p.emit(struct {
				header
				Name string `json:"name"`
				Key  string `json:"key"`
			}{now("blocked"), callers[key], key})
			continue
		}
		p.say("%-20s a blocked caller, key %s", callers[key], key)
	}
	return nil
}
