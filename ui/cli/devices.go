package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"sotto/audio"
	"sotto/audio/device"
)

func (p *program) devicesCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "devices",
		Short:   "List microphones and speakers",
		Example: "  sotto devices\n  sotto call bob --mic device:alsa_input.pci-0000_00_1f.3.analog-stereo",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			found, err := device.List()
			if err != nil && !errors.Is(err, audio.ErrNoDevices) {
				return err
			}
			for _, each := range found {
				if p.json {
					p.emit(struct {
						header
						ID      string `json:"id"`
						Name    string `json:"name"`
						Kind    string `json:"kind"`
						Default bool   `json:"default"`
					}{now("device"), each.ID, each.Name, each.Kind, each.Default})
					continue
				}
				mark := ""
				if each.Default {
					mark = ", the default"
				}
				p.say("%-8s  %s%s\n          device:%s", each.Kind, each.Name, mark, each.ID)
			}
			if len(found) == 0 && !p.json {
				p.say("No sound devices were found. Calls go on without: the other side hears silence.")
			}
			return nil
		},
	}
}
