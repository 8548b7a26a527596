//go:build linux

package hosts_test

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"sotto/net/nettest/hosts"
)

// scenarios is the table: a name, whether both are on one relay, and what happens. To add a
// scenario, add a line. What must hold is in stage.finish, the same for all.
var scenarios = []struct {
	name string
	one  bool
	play func(*stage)
}{
	{"a call over two relays", false, (*stage).aCall},
	{"a call over one relay", true, (*stage).aCall},
	{"a declined call", false, (*stage).aDeclinedCall},
	{"an ignored call", false, (*stage).anIgnoredCall},
	{"a call that the policy refuses", false, (*stage).aRefusedCall},
	{"a blocked caller", false, (*stage).aBlockedCaller},
	{"a hostile caller", false, (*stage).aHostileCaller},
	{"somebody hostile is called", false, (*stage).aHostileCallee},
	{"the network changes in a call", false, (*stage).aChangeOfNetwork},
	{"the program crashes in a call", false, (*stage).aCrash},
	{"a call through a SOCKS5 proxy", false, (*stage).aProxiedCall},
	{"two people add each other by a code", false, (*stage).addedByCode},
	{"only one side agrees to a direct call", false, (*stage).aOneSidedConsent},
	{"a direct call, agreed to and taken back", false, (*stage).aDirectCall},
	{"a direct call that a symmetric NAT prevents", false, (*stage).aSymmetricNAT},
}

// TestPrivacy plays every scenario with the real program on machines of its own.
func TestPrivacy(t *testing.T) {
	if os.Getenv(asked) == "" {
		t.Skip("NOT TESTED HERE: that no packet goes astray between real machines; make test-privacy does it")
	}
	lab := hosts.New(t, "alice", "bob", "relay-a", "relay-b", "proxy")
	theyCouldMeet(t, lab)
	if err := lab.Name(lab.Host("relay-b"), relayName, lab.Host("relay-a").IP4); err != nil {
		t.Logf("NOT TESTED HERE: that the proxy resolves the relay's name (%v); it is named by its address", err)
		nameless = true
	}
	var rows []row
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			s := newStage(t, lab, scenario.name, scenario.one)
			scenario.play(s)
			r := s.finish()
			r.name = scenario.name
			rows = append(rows, r)
			t.Logf("%+v", r)
		})
	}
	if !t.Failed() && len(rows) == len(scenarios) {
		write(t, tableBegins, tableEnds, table(rows))
	}
}

// theyCouldMeet proves that alice and bob can reach each other, and that the checks say so.
func theyCouldMeet(t *testing.T, lab *hosts.Lab) {
	t.Helper()
	alice, bob := lab.Host("alice"), lab.Host("bob")
	capture := lab.Capture("they could meet")
	reach(t, alice, bob, bob.IP4)
	reach(t, bob, alice, alice.IP6)
	trace := capture.Stop().Programs()
	between := hosts.Between(trace, alice.Addresses(), bob.Addresses())
	s := &stage{alice: alice, bob: bob, relayA: lab.Host("relay-a"), relayB: lab.Host("relay-b"), hers: alice.Addresses(), his: bob.Addresses()}
	strays := s.rules(false).Strays(trace)
	told := hosts.Mentions(trace.On("bob"), alice.Addresses())
	if len(between) < 12 || len(strays) != len(between) || len(told) == 0 {
		t.Fatalf("alice and bob met, and of %d packets the checks found %d between them, %d astray, %d that tell an address",
			len(trace), len(between), len(strays), len(told))
	}
}

// aCall rings for a while before bob answers at his screen.
func (s *stage) aCall() {
	screen := s.open()
	screen.await("eady") // on his relay
	call := s.call()
	screen.await("is calling")
	time.Sleep(3 * time.Second) // of ringing, in which nothing may happen
	s.answered = time.Now()
	screen.press("a")
	connected := call.Await("call.connected")
	if connected.Text("route") != "relay" {
		s.t.Errorf("connected: %v", connected)
	}
	call.Await("call.audio")
	time.Sleep(3 * time.Second) // of talking
	s.peopleAreApart(call.ID(), screen.id)
	call.Signal(syscall.SIGINT)
	if ended := call.Await("call.ended"); ended.Text("reason") != "hung-up" {
		s.t.Errorf("the call ended: %v", ended)
	}
	if status := call.Exit(); status != 0 {
		s.t.Errorf("alice's call: status %d\n%s", status, call.Said())
	}
}

func (s *stage) aDeclinedCall() {
	screen := s.open()
	screen.await("eady")
	call := s.call()
	screen.await("is calling")
	time.Sleep(2 * time.Second)
	s.unheld("alice", call.ID(), s.his)
	s.unheld("bob", screen.id, s.hers)
	screen.press("d")
	if status := call.Exit(); status != 3 {
		s.t.Errorf("a declined call: status %d\n%s", status, call.Said())
	}
}

func (s *stage) anIgnoredCall() {
	bob := s.listen()
	call := s.call()
	bob.Await("call.incoming")
	time.Sleep(2 * time.Second)
	s.unheld("alice", call.ID(), s.his)
	s.unheld("bob", bob.ID(), s.hers)
	if status := call.Exit(); status != 5 {
		s.t.Errorf("an ignored call: status %d\n%s", status, call.Said())
	}
}

// unheard lets alice call for a while; bob's machine must not notice.
func (s *stage) unheard() {
	bob := s.listen()
	call := s.call()
	call.Await("call.dialling")
	time.Sleep(6 * time.Second)
	s.unheld("alice", call.ID(), s.his)
	s.unheld("bob", bob.ID(), s.hers)
	call.Signal(syscall.SIGINT)
	if status := call.Exit(); status != 1 {
		s.t.Errorf("a call given up: status %d\n%s", status, call.Said())
	}
	if said := bob.Said(); strings.Contains(said, "call.") {
		s.t.Errorf("bob was told of a call that he refuses:\n%s", said)
	}
}

func (s *stage) aRefusedCall() {
	s.must(s.bob, "--home", s.homeB, "settings", "set", "calls.who", "nobody")
	s.unheard()
}

func (s *stage) aBlockedCaller() {
	s.must(s.bob, "--home", s.homeB, "contacts", "block", "alice")
	s.unheard()
}
