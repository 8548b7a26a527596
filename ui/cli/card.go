package cli

import "github.com/spf13/cobra"

func (p *program) cardCommand() *cobra.Command {
	var renew, square bool
	command := &cobra.Command{
		Use:     "card",
		Short:   "Print your card: what a person needs to reach you",
		Long:    "Prints your card on one line: your public key, your relay's address and your name, signed. Whoever has it\ncan add you; whether they may call is your setting (calls.who). --new makes a card with a new secret, so that\nunder \"anyone with my card\" the old one no longer rings.",
		Example: "  sotto card\n  sotto card --new",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			opened, err := p.open()
			if err != nil {
				return err
			}
			show := opened.Card
			if renew {
				owned, err := p.own()
				if err != nil {
					return err
				}
				defer owned.release()
				show = opened.RenewCard
			}
			uri, err := show()
			if err != nil {
				return err
			}
			if p.json {
				p.emit(struct {
					header
					Card string `json:"card"`
				}{now("card"), uri})
				return nil
			}
			p.say("%s", uri)
			if square {
				p.sayAsSquare(uri)
			}
			return nil
		},
	}
	command.Flags().BoolVar(&square, "qr", false, "also show it as a square to photograph")
	command.Flags().BoolVar(&renew, "new", false, "replace the card's secret first")
	return command
}
