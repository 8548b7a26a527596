package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/identity"
	"sotto/settings"
)

type historyEvent struct {
	header
	Call    string  `json:"call"`
	Peer    string  `json:"peer"`
	Key     string  `json:"key"`
	From    string  `json:"direction"`
	Outcome string  `json:"outcome"`
	Why     string  `json:"why,omitempty"`
	Seconds float64 `json:"seconds"`
	Route   string  `json:"route,omitempty"`
	Receipt string  `json:"receipt,omitempty"`
}

func (p *program) historyCommand() *cobra.Command {
	command := &cobra.Command{
		Use:     "history",
		Short:   "Show the calls that are over, newest first",
		Long:    "Shows the calls that are over, newest first: with whom, how they went, how long they took, and what the\nconnection showed. How long they are kept is your setting (calls.history). Callers who were refused or are\nblocked leave nothing here.",
		Example: "  sotto history\n  sotto history --json\n  sotto history clear",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.history() },
	}
	command.AddCommand(&cobra.Command{
		Use: "clear", Short: "Delete the history", Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			opened, err := p.open()
			if err != nil {
				return err
			}
			return opened.ForgetHistory()
		},
	})
	return command
}

func (p *program) history() error {
	opened, err := p.open()
	if err != nil {
		return err
	}
	calls, _, err := opened.History()
	if err != nil {
		return err
	}
	for _, entry := range calls {
		if p.json {
			p.emit(historyEvent{
				at(entry.Time, "history"), entry.ID, identity.CleanName(entry.Name), entry.Key, direction(entry), entry.Outcome,
				entry.Why, rounded(entry.Seconds), entry.Route, entry.Receipt,
			})
			continue
		}
		p.say("%s", historyLine(entry))
	}
	if len(calls) == 0 && !p.json {
		p.say("No calls yet, or none kept; sotto settings get calls.history says for how long they are.")
	}
	return nil
}

func direction(entry settings.HistoryEntry) string {
	if entry.Incoming {
		return "in"
	}
	return "out"
}

// outcomes are the history's words for a person: of a call that came in, and of one
// that was placed.
var outcomes = map[string][2]string{
	"answered": {"answered", "answered"}, "missed": {"missed", "missed"}, "silenced": {"silenced", "silenced"},
	"declined": {"declined", "they declined"}, "declined-here": {"you declined", "you declined"},
	"cancelled": {"cancelled", "you gave up"}, "no-answer": {"no answer", "no answer"},
	"busy": {"you were in another call", "they were in another call"}, "failed": {"failed", "failed"},
	"mismatch": {"ended: it could not be proved who it was", "ended: it could not be proved who it was"},
}

func historyLine(entry settings.HistoryEntry) string {
	words, known := outcomes[entry.Outcome]
	if !known {
		words = [2]string{entry.Outcome, entry.Outcome}
	}
	way, outcome := "to  ", words[1]
	if entry.Incoming {
		way, outcome = "from", words[0]
	}
	line := fmt.Sprintf("%s  %s %-20s %s", entry.Time.Local().Format("2006-01-02 15:04"), way, identity.CleanName(entry.Name), outcome)
	if entry.Seconds > 0 {
		talked := time.Duration(entry.Seconds * float64(time.Second)).Round(time.Second)
		line += fmt.Sprintf(", %d:%02d, %s", int(talked.Minutes()), int(talked.Seconds())%60, routeWord(entry.Route))
	}
	if entry.Why != "" {
		line += " (" + entry.Why + ")"
	}
	return line
}

func routeWord(route string) string {
	switch route {
	case "relay":
		return "through relays"
	case "direct":
		return "directly"
	}
	return "way unknown"
}
