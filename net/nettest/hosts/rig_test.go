//go:build linux

package hosts_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"sotto/net/nettest/hosts"
)

const patience = 60 * time.Second

// asked is the variable in which make test-privacy names the program under test: these tests
// need rights, minutes and namespaces, so they are not part of make test.
const asked = "SOTTO_TEST_PRIVACY"

func TestMain(m *testing.M) {
	if role := os.Getenv(hostileRole); role != "" {
		os.Exit(playHostile(role))
	}
	if at := os.Getenv(proxyRole); at != "" {
		os.Exit(playProxy(at))
	}
	os.Exit(m.Run())
}

// stage is where one scenario plays: four machines, two relays, two people with fresh profiles.
type stage struct {
	t                          *testing.T
	lab                        *hosts.Lab
	program                    string
	alice, bob, relayA, relayB *hosts.Host
	processA, processB         *hosts.Process // the relays
	addressA, addressB         string         // of the relays, as people write them
	one                        bool           // both people are on relay A
	homeA, homeB               string
	hers, his                  []netip.Addr // every address that alice and bob had

	capture          *hosts.Capture
	answered         time.Time // before it nobody has picked up; zero where nobody ever does
	printed          []func() string
	proxy            *hosts.Host     // all that alice sends goes through it; nil for none
	linesOnly        bool            // there is no call, so nobody needs TURN
	symmetric        bool            // alice is behind a NAT with a port for each whom she writes to
	direct, returned time.Time       // between them both agree to a direct call; zero for never
	liar             *hosts.Host     // who of the two is hostile, and looks after themselves; nil for nobody
	learnt           []func() string // what somebody hostile printed: all that they learnt
	findings         []string        // places where a person's address was found that must not have it
	places           int             // that were searched
}

const (
	gatewayPort = 443
	turnPort    = 3478
)

// newStage starts the relays and sets both people up as each other's verified contacts.
func newStage(t *testing.T, lab *hosts.Lab, name string, one bool) *stage {
	t.Helper()
	s := &stage{
		t: t, lab: lab, program: os.Getenv(asked), one: one,
		alice: lab.Host("alice"), bob: lab.Host("bob"), relayA: lab.Host("relay-a"), relayB: lab.Host("relay-b"),
		homeA: filepath.Join(t.TempDir(), "alice"), homeB: filepath.Join(t.TempDir(), "bob"),
	}
	s.hers, s.his = s.alice.Addresses(), s.bob.Addresses()
	s.capture = lab.Capture(name)
	s.processA, s.addressA = s.startRelay(s.relayA)
	s.processB, s.addressB = s.startRelay(s.relayB)
	s.meet(s.addressA, s.relayOfBob())
	return s
}

func (s *stage) relayOfBob() string {
	if s.one {
		return s.addressA
	}
	return s.addressB
}

func (s *stage) startRelay(on *hosts.Host, words ...string) (*hosts.Process, string) {
	s.t.Helper()
	words = append(words, "--listen", netip.AddrPortFrom(on.IP4, gatewayPort).String(),
		"--turn-listen", netip.AddrPortFrom(on.IP4, turnPort).String(), "--public-ip", on.IP4.String(),
		"--admission", "open", "--allow-peer", hosts.Everywhere, "--dir", s.t.TempDir(), "--json")
	p := s.start(on, append([]string{"relay"}, words...)...)
	return p, p.Await("relay.ready").Text("address")
}

// start runs sotto on a host; what it prints will be searched.
func (s *stage) start(on *hosts.Host, words ...string) *hosts.Process {
	s.t.Helper()
	p := on.Start(s.t, s.program, words...)
	if on == s.alice || on == s.bob {
		s.printed = append(s.printed, p.Said)
	}
	return p
}

// meet makes two profiles that hold each other as verified contacts.
func (s *stage) meet(relayOfAlice, relayOfBob string) {
	s.t.Helper()
	s.must(s.alice, "--home", s.homeA, "setup", "--name", "alice", "--relay", relayOfAlice, "--calls", "on", "--yes")
	s.must(s.bob, "--home", s.homeB, "setup", "--name", "bob", "--relay", relayOfBob, "--calls", "on", "--yes")
	s.must(s.alice, "--home", s.homeA, "contacts", "add", s.must(s.bob, "--home", s.homeB, "card"), "--name", "bob", "--verified")
	s.must(s.bob, "--home", s.homeB, "contacts", "add", s.must(s.alice, "--home", s.homeA, "card"), "--name", "alice", "--verified")
}

// must runs sotto on a host to its end.
func (s *stage) must(on *hosts.Host, words ...string) string {
	s.t.Helper()
	var errs bytes.Buffer
	command := on.Command(s.program, words...)
	command.Stderr = &errs
	out, err := command.Output()
	if err != nil {
		s.t.Fatalf("sotto %v: %v\n%s%s", words, err, out, &errs)
	}
	return strings.TrimSpace(string(out))
}

// listen puts bob on his relay without a screen.
func (s *stage) listen(words ...string) *hosts.Process {
	s.t.Helper()
	p := s.start(s.bob, append([]string{"--home", s.homeB, "listen", "--mic", "tone", "--speaker", "null", "--json"}, words...)...)
	p.Await("listen.ready")
	return p
}

// call lets alice call bob.
func (s *stage) call(words ...string) *hosts.Process {
	s.t.Helper()
	return s.start(s.alice, append([]string{"--home", s.homeA, "call", "bob", "--mic", "tone:300", "--speaker", "null", "--json"}, words...)...)
}

// screen is the interface on a pseudo-terminal.
type screen struct {
	t    *testing.T
	keys *os.File
	id   int
	read int // of drawn, by awaitNew

	mu    sync.Mutex // guards the following
	drawn bytes.Buffer
}

// open opens bob's interface.
func (s *stage) open() *screen {
	s.t.Helper()
	return s.openWith("tone")
}

func (s *stage) openWith(microphone string, words ...string) *screen {
	s.t.Helper()
	command := s.bob.Command(s.program, append([]string{"--home", s.homeB, "--mic", microphone, "--speaker", "null"}, words...)...)
	command.Env = append(os.Environ(), "TERM=xterm-256color")
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		s.t.Fatal(err)
	}
	v := &screen{t: s.t, keys: terminal, id: command.Process.Pid}
	var reading sync.WaitGroup
	reading.Go(func() {
		piece := make([]byte, 4096)
		for {
			n, err := terminal.Read(piece)
			v.mu.Lock()
			v.drawn.Write(piece[:n])
			v.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	s.t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
		_ = terminal.Close()
		reading.Wait()
	})
	s.printed = append(s.printed, v.all)
	return v
}

func (v *screen) all() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.drawn.String()
}

// awaitNew is await for words that may have been drawn before; it looks at what is drawn from
// the last awaitNew on.
func (v *screen) awaitNew(words string) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		all := v.all()
		if at := strings.LastIndex(all, words); at >= v.read {
			v.read = len(all)
			return
		}
		if time.Now().After(deadline) {
			v.t.Fatalf("the screen did not show %q again:\n%q", words, all[v.read:])
		}
	}
}

// await waits until some words have been drawn.
func (v *screen) await(words string) {
	v.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(v.all(), words); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.t.Fatalf("the screen did not show %q:\n%q", words, v.all())
		}
	}
}

func (v *screen) press(key string) {
	v.t.Helper()
	if _, err := v.keys.WriteString(key); err != nil {
		v.t.Fatal(err)
	}
}

// unheld fails the scenario where a running process holds an address in its memory.
func (s *stage) unheld(who string, pid int, addresses []netip.Addr) {
	s.t.Helper()
	held, err := hosts.Holds(pid, addresses...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.places++
	for _, address := range held {
		s.findings = append(s.findings, fmt.Sprintf("%s's memory holds %s", who, address))
	}
}

// held fails the test where a process does not hold an address that it must: a search that
// finds nothing would be worth nothing.
func (s *stage) held(who string, pid int, address netip.Addr) {
	s.t.Helper()
	forms, err := hosts.Holds(pid, address)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(forms) == 0 {
		s.t.Errorf("the search is blind: %s's memory does not hold %s", who, address)
	}
}

// peopleAreApart searches the memory of both people's processes and of the relays, in a call.
func (s *stage) peopleAreApart(alice, bob int) {
	s.t.Helper()
	s.unheld("alice", alice, s.his)
	s.unheld("bob", bob, s.hers)
	s.held("alice", alice, s.relayA.IP4)
	if s.one {
		return
	}
	s.held("bob", bob, s.relayB.IP4)
	s.held("relay A", s.processA.ID(), s.alice.IP4)
	s.held("relay B", s.processB.ID(), s.bob.IP4)
	s.unheld("relay A", s.processA.ID(), s.his)
	s.unheld("relay B", s.processB.ID(), s.hers)
}

// readWhatWasWritten searches everything that people's programs printed and left on disk for
// anybody's address: neither the other's nor one's own has any business there.
func (s *stage) readWhatWasWritten() {
	s.t.Helper()
	people := append(append([]netip.Addr(nil), s.hers...), s.his...)
	switch s.liar {
	case s.alice:
		people = s.his
	case s.bob:
		people = s.hers
	}
	look := func(where string, data []byte) {
		s.places++
		for _, address := range people {
			if forms := hosts.FormsIn(data, address); len(forms) > 0 {
				s.findings = append(s.findings, fmt.Sprintf("%s holds %s as %v", where, address, forms))
			}
		}
	}
	for i, said := range append(s.printed, s.learnt...) {
		look(fmt.Sprintf("what process %d printed", i), []byte(said()))
	}
	for _, home := range []string{s.homeA, s.homeB} {
		err := filepath.WalkDir(home, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			look(path, data)
			return err
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// rules are what the links may carry; early ones hold until somebody answers.
func (s *stage) rules(early bool) hosts.Rules {
	rules := hosts.Rules{}
	person := func(link string, addresses []netip.Addr, relay *hosts.Host) {
		for _, address := range addresses {
			flows := []hosts.Flow{{Protocol: "tcp", Client: address, Server: relay.IP4, First: gatewayPort, Last: gatewayPort}}
			// Who calls may prepare their own relay for the answer. Who is called may not.
			if !s.linesOnly && (!early || link == "alice") {
				flows = append(flows, hosts.Flow{Protocol: "udp", Client: address, Server: relay.IP4, First: turnPort, Last: turnPort})
			}
			rules[link] = append(rules[link], flows...)
			rules[relay.Name] = append(rules[relay.Name], flows...)
		}
	}
	ofBob := s.relayB
	if s.one {
		ofBob = s.relayA
	}
	if s.proxy == nil {
		person("alice", s.hers, s.relayA)
	} else {
		s.proxyRules(rules)
	}
	person("bob", s.his, ofBob)
	if s.one {
		return rules
	}
	if s.liar != nil { // whose own address the victim's relay may be sent to, by the lies
		for _, relay := range []*hosts.Host{s.relayA, s.relayB} {
			for _, address := range s.liar.Addresses() {
				for _, protocol := range []string{"udp", "tcp"} {
					flow := hosts.Flow{Protocol: protocol, Client: relay.IP4, Server: address, First: 1, Last: 65535}
					rules[relay.Name], rules[s.liar.Name] = append(rules[relay.Name], flow), append(rules[s.liar.Name], flow)
				}
			}
		}
	}
	for _, ends := range [][2]*hosts.Host{{s.relayA, s.relayB}, {s.relayB, s.relayA}} {
		flows := []hosts.Flow{{Protocol: "tcp", Client: ends[0].IP4, Server: ends[1].IP4, First: gatewayPort, Last: gatewayPort}}
		if !early {
			flows = append(flows, hosts.Flow{Protocol: "udp", Client: ends[0].IP4, Server: ends[1].IP4, First: 49152, Last: 65535})
		}
		for _, end := range ends {
			rules[end.Name] = append(rules[end.Name], flows...)
		}
	}
	return rules
}

// telling are the packets with one honest person's address where the other, or the other's
// relay, would see it.
func (s *stage) telling(trace hosts.Trace) (told hosts.Trace) {
	if s.liar != s.bob {
		told = append(told, hosts.Mentions(trace.On("alice"), s.his)...)
	}
	if s.liar != s.alice {
		told = append(told, hosts.Mentions(trace.On("bob"), s.hers)...)
	}
	if !s.one && s.liar != s.bob {
		told = append(told, hosts.Mentions(trace.On("relay-a"), s.his)...)
	}
	if !s.one && s.liar != s.alice {
		told = append(told, hosts.Mentions(trace.On("relay-b"), s.hers)...)
	}
	if s.proxy != nil {
		told = append(told, hosts.Mentions(trace.On("relay-a"), s.hers)...)
	}
	return told
}

// finish ends the scenario's capture and holds everything against the promises.
func (s *stage) finish() row {
	s.t.Helper()
	s.readWhatWasWritten()
	s.processA.Kill()
	s.processB.Kill()
	trace := s.capture.Stop().Programs()
	agreed, rest := s.agreed(trace)
	between := hosts.Between(rest, s.hers, s.his)
	early := trace
	if !s.answered.IsZero() {
		early = trace.Before(s.answered)
	}
	r := row{
		alice: len(trace.On("alice")), bob: len(trace.On("bob")), relayA: len(trace.On("relay-a")), relayB: len(trace.On("relay-b")),
		early: len(early.On("alice")) + len(early.On("bob")), places: s.places, direct: len(agreed) + len(between), found: len(s.findings),
	}
	strays := append(s.rules(false).Strays(rest), s.rules(true).Strays(early)...)
	told := s.telling(rest)
	r.strays, r.told = len(strays), len(told)
	for what, some := range map[string]hosts.Trace{"between alice and bob": between, "astray": strays, "with an address of the other side": told} {
		for i, p := range some {
			if i == 10 {
				s.t.Errorf("… %d packets %s in all", len(some), what)
				break
			}
			s.t.Errorf("%s: %s", what, p)
		}
	}
	for _, finding := range s.findings {
		s.t.Error(finding)
	}
	if r.alice == 0 || r.bob == 0 || r.early == 0 {
		s.t.Errorf("the capture is blind: %+v", r)
	}
	return r
}

// reach connects from one host to another, so that the capture has something to find.
func reach(t *testing.T, from, to *hosts.Host, address netip.Addr) {
	t.Helper()
	var listener net.Listener
	err := to.Inside(func() (err error) {
		listener, err = net.Listen("tcp", netip.AddrPortFrom(address, 5000).String())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	err = from.Inside(func() error {
		conn, err := net.DialTimeout("tcp", netip.AddrPortFrom(address, 5000).String(), patience)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		t.Fatalf("%s cannot reach %s at %s, so a test would show nothing: %v", from.Name, to.Name, address, err)
	}
}
