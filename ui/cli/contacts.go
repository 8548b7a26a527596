package cli

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"sotto/net/call"
	"sotto/settings"
)

type contactEvent struct {
	header
	Name     string `json:"name"`
	Key      string `json:"key"`
	Relay    string `json:"relay"`
	Verified bool   `json:"verified"`
	Blocked  bool   `json:"blocked"`
	Ring     string `json:"ring"`
	Direct   bool   `json:"direct"`
	Presence bool   `json:"presence"`
	Theirs   bool   `json:"presence_theirs"`
}

func contactObject(event string, contact call.Contact) contactEvent {
	return contactEvent{now(event), contact.Name, contact.Card.Key.String(), contact.Card.Relay.String(), contact.Verified, contact.Blocked, cmp.Or(contact.Ring, settings.RingDefault), contact.Direct, contact.Presence.Agreed, contact.Presence.Theirs}
}

func (p *program) contactsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "contacts",
		Short:   "List, add, rename, verify, block or remove contacts",
		Example: "  sotto contacts\n  sotto contacts add sotto:… --name bob\n  sotto contacts rename bob robert",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.listContacts() },
	}
	command.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List the contacts", Args: noArguments,
			RunE: func(*cobra.Command, []string) error { return p.listContacts() },
		},
		p.addContactCommand(),
		&cobra.Command{
			Use: "rename NAME NEW", Short: "Give a contact another name", Args: exactArguments("a contact's name", "the new name"),
			RunE: func(_ *cobra.Command, words []string) error {
				opened, err := p.open()
				if err != nil {
					return err
				}
				return opened.RenameContact(words[0], words[1])
			},
		},
		&cobra.Command{
			Use: "remove NAME", Short: "Forget a contact", Args: exactArguments("a contact's name"),
			RunE: func(_ *cobra.Command, words []string) error {
				opened, err := p.open()
				if err != nil {
					return err
				}
				return opened.RemoveContact(words[0])
			},
		},
	)
	command.AddCommand(p.contactPolicy()...)
	return command
}

func (p *program) addContactCommand() *cobra.Command {
	var name string
	var verified bool
	command := &cobra.Command{
		Use:   "add CARD",
		Short: "Add a person by their card",
		Long:  "Adds a person by their card. They count as unverified until the safety words in a call are compared, or you\nsay with --verified that you have compared the keys.",
		Args:  exactArguments("a card"),
		RunE: func(_ *cobra.Command, words []string) error {
			opened, err := p.open()
			if err != nil {
				return err
			}
			added, err := opened.AddContact(words[0], name, verified)
			if err != nil {
				return err
			}
			if p.json {
				p.emit(contactObject("contact.added", added))
				return nil
			}
			p.say("%s is in your contacts, %s.", added.Name, verifiedWord(added.Verified))
			if added.Card.Relay.IsLoopback() {
				p.say("Their relay is on one machine only (%s): you reach them only from that machine.", added.Card.Relay.HostPort())
			}
			return nil
		},
	}
	command.Flags().StringVar(&name, "name", "", "the name to keep them under (default: the card's)")
	command.Flags().BoolVar(&verified, "verified", false, "I have compared the keys")
	return command
}

func verifiedWord(verified bool) string {
	if verified {
		return "verified"
	}
	return "not verified"
}

func (p *program) listContacts() error {
	opened, err := p.open()
	if err != nil {
		return err
	}
	contacts, err := opened.LoadContacts()
	if err != nil {
		return err
	}
	for _, contact := range contacts {
		if p.json {
			p.emit(contactObject("contact", contact))
			continue
		}
		line := fmt.Sprintf("%-20s %s", contact.Name, verifiedWord(contact.Verified))
		if contact.Blocked {
			line += ", blocked"
		}
		switch contact.Ring {
		case settings.RingSilence:
			line += ", rings in silence"
		case settings.RingAlways:
			line += ", rings always"
		}
		if contact.Direct {
			line += ", direct calls agreed to"
		}
		switch said := contact.Presence; {
		case said.Agreed && said.Theirs:
			line += ", each may see when the other is here"
		case said.Agreed:
			line += ", may see when you are here once they choose the same"
		}
		p.say("%s", line)
	}
	if err := p.listBlocked(opened); err != nil {
		return err
	}
	if len(contacts) == 0 && !p.json {
		p.say("No contacts yet. Add one with: sotto contacts add CARD --name NAME. The echo is always there: sotto call echo")
	}
	return nil
}
