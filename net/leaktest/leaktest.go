// Package leaktest places a call of this process with itself, through real relays over the
// real network, and watches which sockets the process has and what crosses them. Any socket
// or packet that is not for the relays is a stray.
//
//	person A ── relay A ══ relay B ── person B        both people in this process, the relays elsewhere
//
// watch.go looks at the process's own sockets many times a second (inventory_linux.go) and,
// where the system allows it, counts the packets on every interface of the machine
// (tap_linux.go, packet.go); a packet belongs to this process if its socket did.
package leaktest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"sotto/audio/fake"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/proxy"
	"sotto/net/world"
	"sotto/settings"
)

const (
	talkFor  = 4 * time.Second
	idleFor  = time.Second // on the line only, before the call
	wholeRun = 18 * time.Second
)

// ErrStray is why a run stopped early.
var ErrStray = errors.New("a packet or a socket that was not for the relay was found; the table says where it went")

// Relay is one that takes part.
type Relay struct {
	Address   identity.Address
	Admission string
	Proxy     string // as in the settings, socks5://…: the only place that packets may go to then; "" for none
}

// Report is what a run showed.
type Report struct {
	Relays    []string // their addresses, each once
	Connected bool
	RelayOnly bool // the route of both live connections
	Inventory bool // the process's own sockets were watched
	Captured  bool // packets were counted
	Packets   int  // that belonged to this process; 0 unless Captured
	Strays    int  // packets, and sockets without any, that were not for the relays
	Refused   uint64
	Rows      []Row
}

// Row is one of the process's conversations.
type Row struct {
	Socket  string // protocol and local port
	Peer    string
	Packets int
	Stray   bool
	Verdict string // what the peer is to us
}

// Holds reports whether a run showed what it is to show.
func (r Report) Holds() bool { return r.Connected && r.RelayOnly && r.Strays == 0 && r.Refused == 0 }

// Run places the call from a person on relays[0] to one on relays[1]. It ends early, with
// ErrStray, when something goes astray; the report is good then too.
func Run(ctx context.Context, relays [2]Relay, tell func(call.Event)) (Report, error) {
	ctx, cancel := context.WithTimeout(ctx, wholeRun)
	defer cancel()
	allowed := make(map[endpoint]string)
	var report Report
	var ways [2]way
	for i, relay := range relays {
		find := find
		if relay.Proxy != "" {
			find = findProxy
		}
		found, err := find(ctx, relay, allowed)
		if err != nil {
			return report, err
		}
		ways[i] = found
		if i == 0 || relay.Address != relays[0].Address {
			report.Relays = append(report.Relays, relay.Address.HostPort())
		}
	}
	w := watchFor(allowed)
	err := converse(ctx, relays, ways, w, &report, tell)
	w.stop(&report)
	if report.Strays > 0 {
		err = ErrStray
	}
	return report, err
}

// way is how a person of the test reaches their relay: dial for the account behind a proxy,
// network for everybody.
type way struct {
	network call.Network
	proxy   string
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// findProxy allows the proxy and nothing else: names are resolved there, and sound goes through
// it as well.
func findProxy(_ context.Context, relay Relay, allowed map[endpoint]string) (way, error) {
	through, err := proxy.Parse(relay.Proxy)
	if err != nil {
		return way{}, err
	}
	allowed[endpoint{"tcp", through.Endpoint()}] = "proxy"
	return way{proxy: through.String(), dial: through.Dial}, nil
}

// find looks the relay's name up once, so that no lookup happens while the sockets are
// watched, and asks where it serves TURN.
func find(ctx context.Context, relay Relay, allowed map[endpoint]string) (way, error) {
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", relay.Address.Host)
	if err != nil || len(addresses) == 0 {
		return way{}, fmt.Errorf("%w (%s has no address)", line.ErrUnreachable, relay.Address.Host)
	}
	var network call.Network
	network.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
		var tried []error
		for _, address := range addresses {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", netip.AddrPortFrom(address.Unmap(), relay.Address.Port).String())
			if err == nil {
				return conn, nil
			}
			tried = append(tried, err)
		}
		return nil, errors.Join(tried...)
	}
	asking, err := line.Open(ctx, line.Config{Relay: relay.Address, Admission: relay.Admission, Dial: network.Dial})
	if err != nil {
		return way{}, err
	}
	defer asking.Close()
	credential, err := asking.Credential(ctx)
	if err != nil {
		return way{}, err
	}
	for _, address := range addresses {
		allowed[endpoint{"tcp", netip.AddrPortFrom(address.Unmap(), relay.Address.Port)}] = "relay's gateway"
	}
	allowed[endpoint{"udp", credential.Turn}] = "relay's turn"
	return way{network: network}, nil
}

// converse is the call: a second on the line, some seconds of talk, a goodbye.
func converse(ctx context.Context, relays [2]Relay, ways [2]way, w *watch, report *Report, tell func(call.Event)) error {
	var people [2]*world.Person
	var contacts [2]call.Contact
	for i, name := range []string{"a", "b"} {
		self, err := identity.New()
		if err != nil {
			return err
		}
		var secret [32]byte
		_, _ = rand.Read(secret[:]) // never fails (crypto/rand)
		card := self.Card(relays[i].Address, name, secret, 1)
		people[i] = &world.Person{
			Account: call.Account{Self: self, Card: self.Sign(card), Relay: relays[i].Address, Admission: relays[i].Admission, Proxy: ways[i].proxy, Dial: ways[i].dial},
			Network: ways[i].network,
		}
		contacts[i] = call.Contact{Name: name, Card: card, Verified: true, Reached: true}
	}
	var engines [2]*call.Engine
	for i, person := range people {
		engine, err := person.Engine(ctx, call.Config{
			Book:       world.NewBook(settings.Verified, contacts[1-i]),
			AutoAnswer: func(identity.Key) bool { return true },
			OpenSound: func() (call.Sound, error) {
				tone, err := fake.NewTone(440)
				return call.Sound{Source: tone, Sink: fake.NewNullSink()}, err
			},
		})
		if err != nil {
			return err
		}
		defer engine.Close()
		engines[i] = engine
	}
	if err := w.wait(ctx, idleFor); err != nil {
		return err
	}
	return talk(ctx, engines, w, report, tell)
}

func talk(ctx context.Context, engines [2]*call.Engine, w *watch, report *Report, tell func(call.Event)) error {
	events, unsubscribe := engines[0].Subscribe()
	defer unsubscribe()
	if err := engines[0].Dial("b"); err != nil {
		return err
	}
	var over <-chan time.Time
	for {
		select {
		case event := <-events:
			if tell != nil && event.Call != nil {
				tell(event)
			}
			switch event.Kind {
			case call.EventConnected:
				report.Connected = true
				over = time.After(talkFor)
			case call.EventEnded:
				if event.Call.Reason != call.HungUp {
					return fmt.Errorf("%s. %w", event.Call.Reason.Sentence("the other end of the test call"), event.Call.Detail)
				}
				return nil
			}
		case <-over:
			report.read(engines)
			_ = engines[0].HangUp() // its end arrives as an event
		case <-w.strayed:
			return ErrStray
		case <-ctx.Done():
			return fmt.Errorf("the test call did not come about within %v; check the relay with sotto doctor, then try again", wholeRun)
		}
	}
}

// read takes what both live connections show.
func (r *Report) read(engines [2]*call.Engine) {
	r.RelayOnly = true
	for _, engine := range engines {
		shown := engine.Snapshot().Call
		if shown == nil {
			r.RelayOnly = false
			continue
		}
		r.RelayOnly = r.RelayOnly && shown.Proof.Route == "relay"
		r.Refused += shown.Proof.Refused
	}
}
