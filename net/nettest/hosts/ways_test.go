//go:build linux

package hosts_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/armon/go-socks5"
	"github.com/pion/stun/v4"

	"sotto/net/nettest/hosts"
)

// proxyRole names in the environment where this binary, instead of testing, is a SOCKS5 server.
const (
	proxyRole = "SOTTO_PRIVACY_PROXY"
	proxyPort = 1080
	relayName = "relay-a.test" // known to the proxy, and to relay B by its hosts file
)

// playProxy serves SOCKS5 at an address, and knows one name.
func playProxy(at string) int {
	failed := func(err error) int { fmt.Fprintln(os.Stderr, err); return 1 }
	named, err := netip.ParseAddr(os.Getenv("SOTTO_PRIVACY_IP4"))
	if err != nil {
		return failed(err)
	}
	server, err := socks5.New(&socks5.Config{Resolver: oneName(named)})
	if err != nil {
		return failed(err)
	}
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return failed(err)
	}
	fmt.Println(`{"event":"proxy.ready"}`)
	return failed(server.Serve(listener))
}

// nameless is set where the lab cannot give relay B a hosts file.
var nameless bool

type oneName netip.Addr

func (n oneName) Resolve(ctx context.Context, name string) (context.Context, net.IP, error) {
	if name != relayName {
		return ctx, nil, fmt.Errorf("%s is no name here", name)
	}
	fmt.Printf("{\"event\":\"proxy.resolved\",\"name\":%q}\n", name)
	return ctx, netip.Addr(n).AsSlice(), nil
}

// aProxiedCall is a call of alice's, all of whose traffic goes through a proxy: she names her
// relay by a name that only the proxy and the other relay can resolve.
func (s *stage) aProxiedCall() {
	s.proxy = s.lab.Host("proxy")
	at := netip.AddrPortFrom(s.proxy.IP4, proxyPort).String()
	own, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	server := s.proxy.StartWith(s.t, []string{proxyRole + "=" + at, "SOTTO_PRIVACY_IP4=" + s.relayA.IP4.String()}, own)
	server.Await("proxy.ready")
	if !nameless { // a relay that is known by a name says so itself
		s.processA.Kill()
		s.processA, s.addressA = s.startRelay(s.relayA, "--name", fmt.Sprintf("%s:%d", relayName, gatewayPort))
	}
	s.must(s.alice, "--home", s.homeA, "settings", "set", "relay.proxy", "socks5://"+at)
	s.must(s.alice, "--home", s.homeA, "settings", "set", "relay.address", s.addressA)
	s.must(s.bob, "--home", s.homeB, "contacts", "remove", "alice")
	s.must(s.bob, "--home", s.homeB, "contacts", "add", s.must(s.alice, "--home", s.homeA, "card"), "--name", "alice", "--verified")
	heard := filepath.Join(s.t.TempDir(), "heard.wav")
	bob := s.listen("--auto-answer", "alice")
	s.answered = time.Now()
	call := s.call("--speaker", "file:"+heard)
	if connected := call.Await("call.connected"); connected.Text("route") != "relay" {
		s.t.Errorf("connected: %v", connected)
	}
	call.Await("call.audio")
	bob.Await("call.audio")
	if !nameless {
		server.Await("proxy.resolved")
	}
	time.Sleep(3 * time.Second) // of talking
	s.unheld("alice", call.ID(), s.his)
	s.unheld("bob", bob.ID(), s.hers)
	s.unheld("relay A", s.processA.ID(), s.hers)
	s.unheld("relay A", s.processA.ID(), s.his)
	s.unheld("relay B", s.processB.ID(), s.hers)
	s.held("relay A", s.processA.ID(), s.proxy.IP4)
	call.Signal(syscall.SIGINT)
	if status := call.Exit(); status != 0 {
		s.t.Errorf("alice's call: status %d\n%s", status, call.Said())
	}
	if loud := loudest(s.t, heard); loud < 1000 {
		s.t.Errorf("alice did not hear bob: the loudest sample is %d", loud)
	}
}

// loudest is the largest magnitude among the 16-bit samples of a WAV file.
func loudest(t *testing.T, path string) (most int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 44; at+1 < len(data); at += 2 { // after the header
		sample := int(int16(binary.LittleEndian.Uint16(data[at:])))
		most = max(most, sample, -sample)
	}
	return most
}

// proxyRules are what the links on alice's side may carry when she goes through the proxy.
func (s *stage) proxyRules(rules hosts.Rules) {
	for _, flow := range []hosts.Flow{
		{Protocol: "tcp", Client: s.alice.IP4, Server: s.proxy.IP4, First: proxyPort, Last: proxyPort},
		{Protocol: "tcp", Client: s.proxy.IP4, Server: s.relayA.IP4, First: gatewayPort, Last: gatewayPort},
	} {
		for _, end := range []*hosts.Host{s.alice, s.proxy, s.relayA} {
			if flow.Client == end.IP4 || flow.Server == end.IP4 {
				rules[end.Name] = append(rules[end.Name], flow)
			}
		}
	}
}

// addedByCode lets two strangers on two relays add each other by a code, with calling off.
func (s *stage) addedByCode() {
	s.linesOnly = true
	s.homeA, s.homeB = filepath.Join(s.t.TempDir(), "alice"), filepath.Join(s.t.TempDir(), "bob")
	s.must(s.alice, "--home", s.homeA, "setup", "--name", "alice", "--relay", s.addressA, "--calls", "off", "--yes")
	s.must(s.bob, "--home", s.homeB, "setup", "--name", "bob", "--relay", s.addressB, "--calls", "off", "--yes")
	invite := s.start(s.alice, "--home", s.homeA, "invite", "--json")
	code := invite.Await("invite.code").Text("code")
	s.unheld("alice", invite.ID(), s.his)
	join := s.start(s.bob, append([]string{"--home", s.homeB, "join", "--json"}, strings.Fields(code)...)...)
	for who, added := range map[string]hosts.Object{"alice": join.Await("contact.added"), "bob": invite.Await("contact.added")} {
		if added.Text("name") != who || added["verified"] != true {
			s.t.Errorf("%s was added as %v", who, added)
		}
	}
	if a, b := invite.Exit(), join.Exit(); a != 0 || b != 0 {
		s.t.Errorf("statuses %d and %d\n%s\n%s", a, b, invite.Said(), join.Said())
	}
	s.unheld("relay A", s.processA.ID(), s.his)
	s.unheld("relay B", s.processB.ID(), s.hers)
}

// consent is one person's agreement to direct calls, as a whole and with the other.
func (s *stage) consent(on *hosts.Host, home, with, direct string) {
	s.t.Helper()
	s.must(on, "--home", home, "settings", "set", "calls.direct", "on", "--json")
	s.must(on, "--home", home, "contacts", "direct", with, direct, "--json")
}

// aOneSidedConsent: alice would talk directly, bob would not with her.
func (s *stage) aOneSidedConsent() {
	s.consent(s.alice, s.homeA, "bob", "on")
	s.consent(s.bob, s.homeB, "alice", "off")
	call, bob := s.talking()
	time.Sleep(6 * time.Second) // in which a direct way would have come about
	s.peopleAreApart(call.ID(), bob.ID())
	call.Signal(syscall.SIGINT)
	if status := call.Exit(); status != 0 {
		s.t.Errorf("alice's call: status %d\n%s", status, call.Said())
	}
}

// aDirectCall talks over relays, then directly by the consent of both, then over relays again
// because alice takes hers back.
func (s *stage) aDirectCall() {
	s.consent(s.alice, s.homeA, "bob", "on")
	s.consent(s.bob, s.homeB, "alice", "off")
	call, bob := s.talking()
	time.Sleep(3 * time.Second)
	s.peopleAreApart(call.ID(), bob.ID())
	for i, said := range s.printed { // from here on each may print their own address
		until := said()
		s.printed[i] = func() string { return until }
	}
	s.direct = time.Now()
	s.must(s.bob, "--home", s.homeB, "contacts", "direct", "alice", "on")
	becomes(call, "direct")
	becomes(bob, "direct")
	time.Sleep(3 * time.Second)
	s.held("alice", call.ID(), s.bob.IP4)
	s.must(s.alice, "--home", s.homeA, "contacts", "direct", "bob", "off")
	becomes(call, "relay")
	becomes(bob, "relay")
	time.Sleep(time.Second) // for the last packets
	s.returned = time.Now()
	time.Sleep(3 * time.Second)
	call.Signal(syscall.SIGINT)
	if status := call.Exit(); status != 0 {
		s.t.Errorf("alice's call: status %d\n%s", status, call.Said())
	}
	for _, one := range []struct {
		who    *hosts.Host
		said   string
		others []netip.Addr
	}{{s.alice, call.Said(), s.his}, {s.bob, bob.Said(), s.hers}} {
		for _, address := range one.others {
			s.places++
			if forms := hosts.FormsIn([]byte(one.said), address); len(forms) > 0 {
				s.findings = append(s.findings, fmt.Sprintf("what %s's program printed holds %s", one.who.Name, address))
			}
		}
	}
}

// aSymmetricNAT: both agree to a direct call, but alice is behind a NAT that gives her another
// port for each whom she writes to, so that what her relay sees is of no use to bob. The call
// stays on the relays, is never interrupted, and its receipt says so.
func (s *stage) aSymmetricNAT() {
	if err := s.lab.Translate(s.alice); err != nil {
		s.capture.Stop()
		s.t.Skipf("NOT TESTED HERE: a direct call from behind a symmetric NAT (%v)", err)
	}
	s.symmetric = true
	s.consent(s.alice, s.homeA, "bob", "on")
	s.consent(s.bob, s.homeB, "alice", "on")
	s.direct = time.Now()
	call, bob := s.talking()
	time.Sleep(20 * time.Second) // in which a direct way is sought, and given up
	s.returned = time.Now()
	time.Sleep(2 * time.Second)
	call.Signal(syscall.SIGINT)
	if ended := call.Await("call.ended"); !strings.Contains(ended.Text("receipt"), "It went through two relays") || ended.Text("route") != "relay" {
		s.t.Errorf("the call ended: %v", ended)
	}
	if status := call.Exit(); status != 0 {
		s.t.Errorf("alice's call: status %d\n%s", status, call.Said())
	}
	for _, said := range []string{call.Said(), bob.Said()} {
		if strings.Contains(said, `"route":"direct"`) || strings.Contains(said, `"reconnecting":true`) {
			s.t.Errorf("the call did not stay on the relays as it was:\n%s", said)
		}
	}
}

// becomes waits for the call to change its route.
func becomes(p *hosts.Process, route string) {
	for p.Await("call.changed").Text("route") != route {
	}
}

// agreed splits what crossed between alice and bob into what both agreed to and the rest:
// UDP between exactly the two addresses that their relays told them while the call was to be
// direct.
func (s *stage) agreed(trace hosts.Trace) (agreed, rest hosts.Trace) {
	s.t.Helper()
	if s.direct.IsZero() {
		return nil, trace
	}
	hers, his := s.announced(trace, s.alice, s.relayA), s.announced(trace, s.bob, s.relayB)
	if !hers.IsValid() || !his.IsValid() {
		s.t.Errorf("alice announced %s and bob %s", hers, his)
	}
	for _, p := range trace {
		ends := p.Protocol == "udp" && (p.From == hers && p.To == his || p.From == his && p.To == hers)
		if s.symmetric { // she comes from a port of the NAT's choice
			ends = p.Protocol == "udp" && (p.From.Addr() == hers.Addr() && p.To == his || p.From == his && p.To.Addr() == hers.Addr())
		}
		// Where one side has gone back already, its kernel refuses the other's last packets.
		refused := p.Failed() && (p.From.Addr() == hers.Addr() && p.To.Addr() == his.Addr() || p.From.Addr() == his.Addr() && p.To.Addr() == hers.Addr())
		if (ends || refused) && p.At.After(s.direct) && p.At.Before(s.returned) {
			agreed = append(agreed, p)
		} else {
			rest = append(rest, p)
		}
	}
	if s.symmetric {
		if len(agreed.On("alice")) == 0 {
			s.t.Error("no direct way was tried")
		}
		return agreed, rest
	}
	if len(agreed.On("alice")) < 100 || len(agreed.On("bob")) < 100 {
		s.t.Errorf("only %d packets went directly", len(agreed))
	}
	return agreed, rest
}

// announced is the one address as which the relay saw somebody who asked for it: what the
// offer of a direct connection names.
func (s *stage) announced(trace hosts.Trace, person, relay *hosts.Host) (seen netip.AddrPort) {
	s.t.Helper()
	for _, p := range trace.On(person.Name) {
		message := &stun.Message{Raw: p.Payload}
		if p.Protocol != "udp" || p.From != netip.AddrPortFrom(relay.IP4, turnPort) || !stun.IsMessage(p.Payload) ||
			message.Decode() != nil || message.Type != stun.BindingSuccess {
			continue
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(message); err != nil {
			s.t.Fatal(err)
		}
		address, _ := netip.AddrFromSlice(mapped.IP)
		at := netip.AddrPortFrom(address.Unmap(), uint16(mapped.Port))
		if seen.IsValid() && seen != at {
			s.t.Errorf("%s was told of two addresses, %s and %s", person.Name, seen, at)
		}
		seen = at
	}
	return seen
}
