package cli

import (
	"github.com/spf13/cobra"

	"sotto/net/call"
)

type presenceEvent struct {
	header
	Contact string `json:"contact"`
	Key     string `json:"key"`
	Here    bool   `json:"here"`
}

func presenceObject(head header, mark *call.Mark) presenceEvent {
	return presenceEvent{head, mark.Name, mark.Key, mark.Here}
}

func (p *program) presenceCommand() *cobra.Command {
	return &cobra.Command{
		Use: "presence NAME on|off", Short: "Let a contact see when you are here, if they let you, or take that back",
		Long:    "Lets a contact see when you are here, if they let you see the same, or takes that back. It takes calls.presence on\nboth sides, that both have chosen the other, and one call in which Sotto says so to each. A contact who may not\ncall you, or is blocked, sees nothing.",
		Example: "  sotto contacts presence bob on\n  sotto settings set calls.presence on",
		Args:    exactArguments("a contact's name", "on or off"),
		RunE: func(_ *cobra.Command, words []string) error {
			if words[1] != "on" && words[1] != "off" {
				return usage("presence for a contact is on or off, not %q", words[1])
			}
			opened, err := p.open()
			if err != nil {
				return err
			}
			if err := opened.SetPresence(words[0], words[1] == "on"); err != nil || p.json || words[1] == "off" {
				return err
			}
			contact, err := opened.Find(words[0])
			if err != nil {
				return err
			}
			if contact.Presence.Theirs {
				p.say("%s and you see of each other when you are here.", words[0])
			} else {
				p.say("%s sees when you are here, and you when they are, once they have chosen the same and a call has said so.", words[0])
			}
			if !contact.Verified {
				p.say("You have not compared keys with them: it may be somebody else who sees it.")
			}
			if value, err := opened.Get("calls.presence"); err == nil && value == "off" {
				p.say("Presence is off as a whole; sotto settings set calls.presence on turns it on.")
			}
			return nil
		},
	}
}
