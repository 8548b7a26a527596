package cli

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"sotto/net/relay"
)

type relayFlags struct {
	listen, turnListen, publicIP, name string
	admission, forward, dir            string
	certificate, key                   string
	tokens, allowPeers, forwardTo      []string
}

func (p *program) relayCommand() *cobra.Command {
	var f relayFlags
	command := &cobra.Command{
		Use:   "relay",
		Short: "Run a relay for yourself and others",
		Long: "Runs a relay: the server that carries sealed messages and sound between people, so that they do not\n" +
			"learn each other's address. Prints its address when it is ready. It needs one TCP port, UDP port 3478\n" +
			"and UDP ports 49152 to 65535 on a public address.",
		Example: "  sotto relay --public-ip 203.0.113.7 --admission open\n" +
			"  sotto relay --listen 127.0.0.1:0 --turn-listen 127.0.0.1:0 --public-ip 127.0.0.1 --admission open --dir DIR --json",
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error { return p.relay(f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.listen, "listen", ":443", "TCP address of the gateway")
	flags.StringVar(&f.turnListen, "turn-listen", ":3478", "UDP address of TURN")
	flags.StringVar(&f.publicIP, "public-ip", "", "the IP address that people reach this relay at")
	flags.StringVar(&f.name, "name", "", "HOST[:PORT] that people know this relay by (default: the address it listens on)")
	flags.StringVar(&f.admission, "admission", "token", "who may call out through this relay: open, or token (see --token)")
	flags.StringSliceVar(&f.tokens, "token", nil, "admission token that this relay's people share")
	flags.StringVar(&f.forward, "forward", "open", "which other relays it passes messages on to: off, allow (see --forward-to) or open")
	flags.StringSliceVar(&f.forwardTo, "forward-to", nil, "HOST:PORT of a relay that --forward allow permits")
	flags.StringSliceVar(&f.allowPeers, "allow-peer", nil, "address range, such as 10.1.0.0/16, to reach besides public addresses")
	flags.StringVar(&f.dir, "dir", "", "folder that keeps the relay's key (default: in the user's data folder)")
	flags.StringVar(&f.certificate, "cert", "", "certificate file that browsers trust, in place of a pinned key")
	flags.StringVar(&f.key, "key", "", "the certificate's key file")
	return command
}

// config checks the flags.
func (f relayFlags) config(home string) (relay.Config, error) {
	config := relay.Config{
		Dir: f.dir, Listen: f.listen, TurnListen: f.turnListen, Name: f.name, CertFile: f.certificate, KeyFile: f.key,
		Tokens: f.tokens, ForwardTo: f.forwardTo, Version: Version,
	}
	if f.publicIP == "" {
		return config, usage("--public-ip is needed: the IP address that people reach this relay at (127.0.0.1 to try it on this machine)")
	}
	var err error
	if config.PublicIP, err = netip.ParseAddr(f.publicIP); err != nil || config.PublicIP.IsUnspecified() {
		return config, usage("--public-ip takes an IP address such as 203.0.113.7, not %q", f.publicIP)
	}
	switch f.admission {
	case "open":
		config.Open = true
	case "token":
		if len(f.tokens) == 0 {
			return config, usage("--admission token needs at least one --token; use --admission open to let anyone call out through this relay")
		}
	default:
		return config, usage("--admission takes open or token, not %q", f.admission)
	}
	switch f.forward {
	case "off", "allow", "open":
		config.Forward = relay.Forward(f.forward)
	default:
		return config, usage("--forward takes off, allow or open, not %q", f.forward)
	}
	for _, text := range f.allowPeers {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return config, usage("--allow-peer takes an address range such as 10.1.0.0/16, not %q", text)
		}
		config.AllowPeers = append(config.AllowPeers, prefix)
	}
	if (f.certificate == "") != (f.key == "") {
		return config, usage("--cert and --key go together")
	}
	if config.Dir == "" {
		config.Dir, err = relayFolder(home)
	}
	return config, err
}

// relayFolder is where a relay without --dir keeps its key.
func relayFolder(home string) (string, error) {
	if home != "" {
		return filepath.Join(home, "relay"), nil
	}
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		user, err := os.UserHomeDir()
		if err != nil {
			return "", usage("there is no home folder to keep the relay's key in; give one with --dir")
		}
		base = filepath.Join(user, ".local", "share")
	}
	return filepath.Join(base, "sotto", "relay"), nil
}

func (p *program) relay(f relayFlags) error {
	config, err := f.config(p.home)
	if err != nil {
		return err
	}
	interrupted, stop := interrupts()
	defer stop()
	server, err := relay.Start(context.Background(), config)
	if err != nil {
		return err
	}
	if p.json {
		p.emit(struct {
			header
			Address    string `json:"address"`
			Turn       string `json:"turn"`
			Laboratory bool   `json:"laboratory"`
			Admission  string `json:"admission"`
			Version    string `json:"version"`
			Remark     string `json:"remark,omitempty"`
		}{at(time.Now(), "relay.ready"), server.Address().String(), server.TurnAddress().String(), server.Laboratory(), f.admission, Version, server.Remark()})
	} else {
		p.say("Relay ready: %s", server.Address())
		if server.Laboratory() {
			p.say("It listens on this machine only: a laboratory for trying things out.")
		}
		if remark := server.Remark(); remark != "" {
			p.say("%s", remark)
		}
	}
	select {
	case <-interrupted:
	case <-server.Done():
	}
	return server.Close()
}
