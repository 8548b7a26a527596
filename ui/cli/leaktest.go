package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/identity"
	"sotto/net/leaktest"
	"sotto/net/profile"
)

type leaktestReport struct {
	header
	Relay     string        `json:"relay"`
	Relays    []string      `json:"relays"`
	Connected bool          `json:"connected"`
	RelayOnly bool          `json:"relay_only"`
	Inventory bool          `json:"inventory"`
	Captured  bool          `json:"captured"`
	Packets   int           `json:"packets"`
	Strays    int           `json:"strays"`
	Refused   uint64        `json:"refused"`
	Sockets   []leaktestRow `json:"sockets"`
}

type leaktestRow struct {
	Socket  string `json:"socket"`
	Peer    string `json:"peer"`
	Packets int    `json:"packets"`
	Verdict string `json:"verdict"`
}

func (p *program) leaktestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "leaktest",
		Short: "Place a call to yourself and watch where packets go",
		Long: "Places a call between two made-up people inside this program, through your own relay, and watches which\n" +
			"sockets it opens and, where the system allows it (Linux, as root or with CAP_NET_RAW), each packet. Prints\n" +
			"where they went. Status 1 at the first that was not for the relay or, where relay.proxy is set, for the proxy.\n" +
			"While calling is off or no relay is chosen, two relays on this machine are started for the test, and nothing\n" +
			"leaves it.",
		Example: "  sotto leaktest\n  sotto leaktest --json",
		Args:    noArguments,
		RunE:    func(*cobra.Command, []string) error { return p.leaktest() },
	}
}

func (p *program) leaktest() error {
	own, why, err := p.ownRelay()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted, stop := interrupts()
	defer stop()
	go func() {
		select {
		case <-interrupted:
			cancel()
		case <-ctx.Done():
		}
	}()
	which, relays := "own", [2]leaktest.Relay{own, own}
	if why != "" {
		which = "laboratory"
		for i := range relays {
			started, end, err := laboratory(ctx)
			if err != nil {
				return err
			}
			defer end()
			relays[i] = started
		}
	}
	if !p.json {
		if why != "" {
			p.say("%s, so two relays on this machine are used; nothing leaves it.", why)
		} else {
			p.say("Calling through your own relay, %s.", own.Address.HostPort())
		}
		if own.Proxy != "" {
			p.say("Everything is to go through your proxy and nowhere else.")
		}
	}
	report, err := leaktest.Run(ctx, relays, nil)
	if ctx.Err() != nil {
		return errors.New("the test was interrupted")
	}
	if err != nil && !errors.Is(err, leaktest.ErrStray) {
		return err
	}
	p.showLeaks(which, report)
	if err == nil && !report.Holds() {
		err = errors.New("the test call did not keep to its relay; the table says how")
	}
	return err
}

// ownRelay is the person's relay, or why it cannot be used.
func (p *program) ownRelay() (relay leaktest.Relay, why string, err error) {
	opened, err := p.open()
	if err != nil {
		return relay, "", err
	}
	loaded, err := opened.Settings()
	switch {
	case err != nil:
		return relay, "", err
	case !opened.IsSetUp(), loaded.Relay.Address == "":
		return relay, "No relay is chosen", nil
	case !loaded.Calls.Enabled:
		return relay, "Calling is off", nil
	case loaded.Relay.Address == profile.LocalRelay:
		return relay, "Your relay runs inside Sotto itself", nil
	}
	relay.Admission, relay.Proxy = loaded.Relay.Admission, loaded.Relay.Proxy
	relay.Address, err = opened.Address()
	return relay, "", err
}

// laboratory starts a relay on loopback, in a process of its own, so that its sockets are not
// taken for the caller's.
func laboratory(ctx context.Context) (relay leaktest.Relay, end func(), err error) {
	failed := func(err error) (leaktest.Relay, func(), error) {
		return leaktest.Relay{}, nil, fmt.Errorf("the relays of the test did not start (%w); try again", err)
	}
	program, err := os.Executable()
	if err != nil {
		return failed(err)
	}
	folder, err := os.MkdirTemp("", "sotto-leaktest-")
	if err != nil {
		return failed(err)
	}
	command := exec.CommandContext(ctx, program, "relay", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0",
		"--public-ip", "127.0.0.1", "--admission", "open", "--dir", folder, "--json")
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		_ = os.RemoveAll(folder)
		return failed(err)
	}
	end = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = os.RemoveAll(folder)
	}
	late := time.AfterFunc(laboratoryWithin, func() { _ = command.Process.Kill() })
	defer late.Stop()
	var ready struct{ Address string }
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err == nil {
		relay.Address, err = identity.ParseAddress(ready.Address)
	}
	if err != nil {
		end()
		return failed(err)
	}
	return relay, end, nil
}

const laboratoryWithin = 10 * time.Second

func (p *program) showLeaks(which string, r leaktest.Report) {
	if p.json {
		object := leaktestReport{
			now("leaktest.report"), which, r.Relays, r.Connected, r.RelayOnly, r.Inventory, r.Captured, r.Packets, r.Strays, r.Refused, []leaktestRow{},
		}
		for _, row := range r.Rows {
			object.Sockets = append(object.Sockets, leaktestRow{row.Socket, row.Peer, row.Packets, row.Verdict})
		}
		p.emit(object)
		return
	}
	p.say("")
	p.say("%-15s %-28s %8s  %s", "socket", "went to", "packets", "which is")
	for _, row := range r.Rows {
		packets := "?"
		if r.Captured {
			packets = fmt.Sprint(row.Packets)
		}
		p.say("%-15s %-28s %8s  %s", row.Socket, row.Peer, packets, row.Verdict)
	}
	p.say("")
	if !r.Inventory {
		p.say("This system does not tell which sockets a program has, so only what the guard refused is known.")
	}
	if r.Inventory && !r.Captured {
		p.say("Sockets were watched, packets were not: that needs root or CAP_NET_RAW.")
	}
	p.say("connected %s, relays only %s, refused by the guard %d, strays %d", yesNo(r.Connected), yesNo(r.RelayOnly), r.Refused, r.Strays)
}
