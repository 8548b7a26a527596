package cli

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/call"
	"sotto/net/world"
)

const demoWithin = 20 * time.Second

type demoReport struct {
	header
	Connected     bool             `json:"connected"`
	RelayOnly     bool             `json:"relay_only"`
	Encrypted     bool             `json:"encrypted"`
	Verified      bool             `json:"verified"`
	Connect       float64          `json:"connect_ms"`
	AnswerToAudio float64          `json:"answer_to_audio_ms"`
	MouthToEar    float64          `json:"mouth_to_ear_ms"`
	Concealed     float64          `json:"concealed_ratio"`
	PeerSaw       []string         `json:"peer_saw"`
	RelaySaw      []world.RelaySaw `json:"relay_saw"`
}

func (p *program) demoCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "demo",
		Short: "Make a real call between two people inside this program",
		Long: "Makes a real call between two people on two relays, all inside this program: no profile, no device, no\n" +
			"network. Ends with what the call showed; status 0 only if it connected, went through relays only, was\n" +
			"encrypted from end to end and both sides were verified.",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return p.demo() },
	}
	command.Flags().Bool("headless", false, "without the interface (the demo has none yet, so this changes nothing)")
	return command
}

func (p *program) demo() error {
	ctx, cancel := context.WithTimeout(context.Background(), demoWithin)
	defer cancel()
	report, err := world.Demo(ctx, func(event call.Event) {
		if event.Kind != call.EventStats || p.json {
			p.tell(event)
		}
	})
	if err != nil {
		return err
	}
	p.showReport(report)
	if !report.Holds() {
		return fail(statusFailed, errors.New("the demo call did not keep every promise; the report above says which"))
	}
	return nil
}

func (p *program) showReport(r world.Report) {
	if p.json {
		p.emit(demoReport{
			now("demo.report"), r.Connected, r.RelayOnly, r.Encrypted, r.Verified, milliseconds(r.Connect),
			milliseconds(r.AnswerToAudio), milliseconds(r.MouthToEar), rounded(r.Concealed), r.PeerSaw, r.RelaySaw,
		})
		return
	}
	p.say("")
	p.say("connected          %s in %.0f ms", yesNo(r.Connected), milliseconds(r.Connect))
	p.say("relays only        %s", yesNo(r.RelayOnly))
	p.say("encrypted          %s", yesNo(r.Encrypted))
	p.say("verified           %s", yesNo(r.Verified))
	p.say("answer to audio    %.0f ms", milliseconds(r.AnswerToAudio))
	p.say("mouth to ear       %.0f ms", milliseconds(r.MouthToEar))
	p.say("made-up sound      %.1f %%", 100*r.Concealed)
	p.say("the other saw      %s", strings.Join(r.PeerSaw, ", "))
	for _, relay := range r.RelaySaw {
		p.say("relay %-12s saw %s", relay.Relay, strings.Join(relay.Saw, ", "))
	}
}

func yesNo(value bool) string {
	if value {
		return "yes"
	}
	return "no"
}
