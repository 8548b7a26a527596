//go:build linux

package hosts_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"sotto/net/handshake"
	"sotto/net/line"
	"sotto/net/nettest/hosts"
	"sotto/net/wire"
)

const (
	knocksEach  = 60
	knocksALine = 16 // a relay takes 20 at once from one line

	refusalBegins = "<!-- refusal: written by make test-privacy -->"
	refusalEnds   = "<!-- end of refusal -->"
)

// refusers are the people who do not take alice's calls, each for another reason. The first
// is not there at all; the others must look like that one.
var refusers = []string{"absent", "blocked", "nobody", "stranger"}

// counted counts the bytes of a connection.
type counted struct {
	net.Conn
	read, wrote atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	c.wrote.Add(int64(len(p))) // before the answer can be here
	return c.Conn.Write(p)
}

// refused knocks at everybody who refuses, in turns, and prints what it could measure.
func (m *mallory) refused() error {
	knocks := make(map[string]*handshake.Outgoing)
	var drops []wire.DropID
	for _, contact := range m.contacts {
		m.victim = contact.Card
		knock, err := m.knock(m.account.Card)
		if err != nil {
			return err
		}
		knocks[contact.Name] = knock
		drops = append(drops, wire.DropOf(knock.AnswerDrop().Public().(ed25519.PublicKey)))
	}
	if err := m.line.Register(context.Background(), drops); err != nil {
		return err
	}
	tell("hostile.begins", nil)
	for round := 0; round < knocksEach; round += knocksALine / len(refusers) {
		if err := m.knockInTurns(knocks, knocksALine/len(refusers)); err != nil {
			return err
		}
	}
	time.Sleep(2 * time.Second) // for whatever may still come
	tell("hostile.measured", map[string]any{"heard": len(m.line.Deliveries())})
	for _, contact := range m.contacts { // whoever may be called is told apart at once
		if contact.Name == "bob" {
			m.victim = contact.Card
		}
	}
	if err := m.post(m.pairDrop(m.account.Self.Key(), m.victim.Key), knocks["bob"].Knock()); err != nil {
		return err
	}
	body, err := m.next()
	if err != nil {
		return err
	}
	if word, ok := knocks["bob"].OpenControl(body); !ok || word.Kind != wire.ControlRinging {
		return fmt.Errorf("bob said %v", word)
	}
	return nil
}

// knockInTurns knocks some times at each over one line.
func (m *mallory) knockInTurns(knocks map[string]*handshake.Outgoing, rounds int) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var conn *counted
	sending, err := line.Open(ctx, line.Config{Relay: m.account.Relay, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled, err := new(net.Dialer).DialContext(ctx, network, address)
		conn = &counted{Conn: dialled}
		return conn, err
	}})
	if err != nil {
		return err
	}
	defer sending.Close()
	for round := range rounds {
		for i := range refusers {
			name := refusers[(i+round)%len(refusers)] // nobody always follows the same
			for _, contact := range m.contacts {
				if contact.Name != name {
					continue
				}
				drop := m.pairDrop(m.account.Self.Key(), contact.Card.Key)
				envelope, err := wire.NewEnvelope(drop, contact.Card.Relay.HostPort(), sending.Now().Add(time.Minute), knocks[name].Knock())
				if err != nil {
					return err
				}
				read, wrote, start := conn.read.Load(), conn.wrote.Load(), time.Now()
				if err := sending.Send(ctx, contact.Card.Relay, envelope); err != nil {
					return err
				}
				took := time.Since(start)
				tell("hostile.knocked", map[string]any{"who": name, "ms": took.Seconds() * 1000, "read": conn.read.Load() - read, "wrote": conn.wrote.Load() - wrote, "begins": start.UnixMicro()})
			}
		}
	}
	return nil
}

// distance is the two-sample Kolmogorov-Smirnov statistic: the largest difference between two
// empirical distributions, 0 for the same and 1 for ones that do not overlap.
func distance(a, b []float64) float64 {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	largest := 0.0
	for _, at := range append(slices.Clone(a), b...) {
		below := func(of []float64) float64 {
			n, _ := slices.BinarySearchFunc(of, at, func(x, y float64) int {
				if x <= y {
					return -1
				}
				return 1
			})
			return float64(n) / float64(len(of))
		}
		largest = math.Max(largest, math.Abs(below(a)-below(b)))
	}
	return largest
}

func TestDistance(t *testing.T) {
	a, b := []float64{1, 2, 3, 4}, []float64{1, 2, 3, 4, 1, 2, 3, 4}
	if d := distance(a, b); d != 0 {
		t.Errorf("the same distribution is %v away", d)
	}
	if d := distance(a, []float64{5, 6}); d != 1 {
		t.Errorf("another is %v away", d)
	}
	if d := distance(a, []float64{3, 4, 5, 6}); d != 0.5 {
		t.Errorf("half of another is %v away", d)
	}
}

// TestPrivacyRefusal: who is refused measures the same bytes and the same times as who calls
// somebody absent, and the machine of who refuses hears nothing.
func TestPrivacyRefusal(t *testing.T) {
	if os.Getenv(asked) == "" {
		t.Skip("NOT TESTED HERE: that refusal looks like absence; make test-privacy does it")
	}
	lab := hosts.New(t, "alice", "bob", "relay-a", "relay-b")
	s := newStage(t, lab, "refusal", false)
	s.liar = s.alice
	for _, name := range refusers {
		home := filepath.Join(t.TempDir(), name)
		s.must(s.bob, "--home", home, "setup", "--name", name, "--relay", s.addressB, "--calls", "on", "--yes")
		s.must(s.alice, "--home", s.homeA, "contacts", "add", s.must(s.bob, "--home", home, "card"), "--name", name, "--verified")
		if name != "stranger" {
			s.must(s.bob, "--home", home, "contacts", "add", s.must(s.alice, "--home", s.homeA, "card"), "--name", "alice", "--verified")
		}
		switch name {
		case "absent":
			continue
		case "blocked":
			s.must(s.bob, "--home", home, "contacts", "block", "alice")
		case "nobody":
			s.must(s.bob, "--home", home, "settings", "set", "calls.who", "nobody")
		}
		s.start(s.bob, "--home", home, "listen", "--mic", "tone", "--speaker", "null", "--json").Await("listen.ready")
	}
	bob := s.listen()
	mallory := s.hostile(s.alice, s.homeA, "refused")
	mallory.Await("hostile.begins")
	begins := time.Now()
	if heard := mallory.Await("hostile.measured")["heard"]; heard != 0.0 {
		t.Errorf("who was refused heard %v messages", heard)
	}
	ends := time.Now()
	bob.Await("call.incoming")
	s.succeeds(mallory)
	times, bytes := measured(t, mallory.Said())
	captured := s.capture.Stop().Programs()
	shapes, spacing := onTheLink(t, mallory.Said(), captured.On("alice").Once())
	trace := captured.On("bob")
	woken, control := 0, 0
	for _, p := range trace {
		switch {
		case len(p.Payload) < 1000 || p.To.Addr() != s.bob.IP4 || p.At.Before(begins):
		case p.At.Before(ends):
			woken++
		default:
			control++
		}
	}
	if woken != 0 || control == 0 {
		t.Errorf("%d packets brought a message to those who refuse, %d to bob, who does not", woken, control)
	}
	report := "| who is called | knocks | bytes sent and answered, each | median time to the answer | KS distance from absent | on her link, each | KS distance of spacing |\n| --- | ---: | --- | ---: | ---: | --- | ---: |\n"
	for _, name := range refusers {
		far := distance(times["absent"], times[name])
		if !slices.Equal(bytes[name], bytes["absent"]) || len(bytes[name]) != 1 {
			t.Errorf("%s: %v bytes, absent: %v", name, bytes[name], bytes["absent"])
		}
		if far > 0.45 { // by chance once in a hundred thousand runs
			t.Errorf("%s is told from absent by its times: %v and %v", name, times[name], times["absent"])
		}
		if !slices.Equal(shapes[name], shapes["absent"]) || len(shapes[name]) != 1 {
			t.Errorf("%s: on alice's link a knock is %v, absent: %v", name, shapes[name], shapes["absent"])
		}
		apart := distance(spacing["absent"], spacing[name])
		if apart > 0.45 {
			t.Errorf("%s is told from absent on alice's link: %v and %v", name, spacing[name], spacing["absent"])
		}
		middle := slices.Sorted(slices.Values(times[name]))[len(times[name])/2]
		report += fmt.Sprintf("| %s | %d | %s | %.2f ms | %.2f | %s | %.2f |\n",
			name, len(times[name]), strings.Join(bytes[name], ", "), middle, far, strings.Join(shapes[name], "; "), apart)
	}
	t.Log("\n" + report)
	if !t.Failed() {
		write(t, refusalBegins, refusalEnds, report)
	}
}

// onTheLink reads from the capture what a knock is for somebody who watches alice's cable: the
// kinds of what goes there and back, and for each knock the milliseconds from the first packet
// to the last.
func onTheLink(t *testing.T, said string, link hosts.Trace) (shapes map[string][]string, spacing map[string][]float64) {
	t.Helper()
	shapes, spacing = make(map[string][]string), make(map[string][]float64)
	for text := range strings.Lines(said) {
		var one struct {
			Event, Who string
			MS         float64
			Begins     int64
		}
		if json.Unmarshal([]byte(text), &one) != nil || one.Event != "hostile.knocked" {
			continue
		}
		begins := time.UnixMicro(one.Begins)
		ends := begins.Add(time.Duration(one.MS*1e6) + time.Microsecond)
		var during hosts.Trace
		for _, p := range link {
			if p.Protocol == "tcp" && len(p.Payload) > 0 && !p.At.Before(begins) && p.At.Before(ends) {
				during = append(during, p)
			}
		}
		if len(during) < 2 {
			t.Fatalf("%d packets were captured of a knock", len(during))
		}
		var shape []string
		bytes := 0
		for i, p := range during { // how a kernel cuts a message into packets is its own affair
			bytes += len(p.Payload)
			if i+1 < len(during) && during[i+1].From == p.From {
				continue
			}
			way := "back"
			if p.To.Port() == gatewayPort {
				way = "there"
			}
			shape, bytes = append(shape, fmt.Sprintf("%d %s", bytes, way)), 0
		}
		if kind := strings.Join(shape, ", "); !slices.Contains(shapes[one.Who], kind) {
			shapes[one.Who] = append(shapes[one.Who], kind)
			slices.Sort(shapes[one.Who])
		}
		spacing[one.Who] = append(spacing[one.Who], during[len(during)-1].At.Sub(during[0].At).Seconds()*1000)
	}
	return shapes, spacing
}

// measured reads what somebody refused printed: times, and the sorted kinds of bytes there and back.
func measured(t *testing.T, said string) (times map[string][]float64, bytes map[string][]string) {
	t.Helper()
	times, bytes = make(map[string][]float64), make(map[string][]string)
	for text := range strings.Lines(said) {
		var one struct {
			Event, Who  string
			MS          float64
			Read, Wrote int
		}
		if json.Unmarshal([]byte(text), &one) != nil || one.Event != "hostile.knocked" {
			continue
		}
		times[one.Who] = append(times[one.Who], one.MS)
		if kind := fmt.Sprintf("%d, %d", one.Wrote, one.Read); !slices.Contains(bytes[one.Who], kind) {
			bytes[one.Who] = append(bytes[one.Who], kind)
			slices.Sort(bytes[one.Who])
		}
	}
	for _, name := range refusers {
		if len(times[name]) < knocksEach {
			t.Fatalf("%s was knocked at %d times", name, len(times[name]))
		}
	}
	return times, bytes
}
