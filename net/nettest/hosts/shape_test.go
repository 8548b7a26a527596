//go:build linux

package hosts_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/pion/stun/v4"

	"sotto/net/nettest/hosts"
)

const (
	slot   = 3 * time.Second // of one state
	rounds = 5
	window = 500 * time.Millisecond

	shapeBegins = "<!-- shape: written by make test-privacy -->"
	shapeEnds   = "<!-- end of shape -->"
)

// states follow one another in every round, a slot each; bob speaks in all but the second.
var states = []string{"speech", "silence", "mute", "hold"}

// spoken writes bob's microphone: the sentence said over and over, with a slot of silence in
// each round.
func spoken(t *testing.T) string {
	t.Helper()
	sentence, err := os.ReadFile("../../../ui/cli/testdata/sentence.wav")
	if err != nil {
		t.Fatal(err)
	}
	const header, rate = 44, 16000
	said, samples := sentence[header:], make([]byte, 0, 2*rate*rounds*len(states)*int(slot/time.Second))
	for second := range rounds * len(states) * int(slot/time.Second) {
		for i := range 2 * rate {
			sample := said[(second*2*rate+i)%(len(said)&^1)]
			if second/int(slot/time.Second)%len(states) == 1 {
				sample = 0
			}
			samples = append(samples, sample)
		}
	}
	whole := append(slices.Clone(sentence[:header]), samples...)
	binary.LittleEndian.PutUint32(whole[4:], uint32(len(whole)-8))
	binary.LittleEndian.PutUint32(whole[40:], uint32(len(samples)))
	path := filepath.Join(t.TempDir(), "spoken.wav")
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// sample is half a second of packets as an observer sees them.
type sample struct {
	state, round int
	features     []float64
}

var spacings = []float64{5, 7, 9, 10, 11, 13, 15, 17, 19, 21, 23, 26, 30, 40} // upper ends of bins, ms

// features are the shares of packets of each size and of each spacing.
func features(trace hosts.Trace, sizes []int) []float64 {
	counts := make([]float64, len(sizes)+len(spacings)+1)
	for i, p := range trace {
		counts[slices.Index(sizes, p.Size)]++
		if i > 0 {
			bin, _ := slices.BinarySearch(spacings, p.At.Sub(trace[i-1].At).Seconds()*1000)
			counts[len(sizes)+bin]++
		}
	}
	for i := range counts {
		counts[i] /= float64(max(1, len(trace)))
	}
	return counts
}

// accuracy is how often the nearest mean of the other rounds' samples is the right state.
func accuracy(samples []sample) float64 {
	right := 0
	for _, one := range samples {
		best, nearest := -1, math.Inf(1)
		for state := range states {
			var mean []float64
			n := 0.0
			for _, other := range samples {
				if other.state != state || other.round == one.round {
					continue
				}
				if mean == nil {
					mean = make([]float64, len(other.features))
				}
				for i, v := range other.features {
					mean[i] += v
				}
				n++
			}
			away := 0.0
			for i := range mean {
				away += math.Pow(mean[i]/n-one.features[i], 2)
			}
			if mean != nil && away < nearest {
				best, nearest = state, away
			}
		}
		if best == one.state {
			right++
		}
	}
	return float64(right) / float64(len(samples))
}

// cut makes samples of a minute's packets, away from the moments in which states change, and
// gathers each state's spacings in ms.
func cut(trace hosts.Trace, began time.Time, sizes []int) (samples []sample, spacing [][]float64) {
	spacing = make([][]float64, len(states))
	within := func(from, to time.Time) (some hosts.Trace) {
		for _, p := range trace {
			if !p.At.Before(from) && p.At.Before(to) {
				some = append(some, p)
			}
		}
		return some
	}
	for round := range rounds {
		for state := range states {
			start := began.Add(time.Duration(round*len(states)+state) * slot)
			for at := start.Add(window); at.Before(start.Add(slot - window)); at = at.Add(window) {
				packets := within(at, at.Add(window))
				samples = append(samples, sample{state, round, features(packets, sizes)})
				for i := 1; i < len(packets); i++ {
					spacing[state] = append(spacing[state], packets[i].At.Sub(packets[i-1].At).Seconds()*1000)
				}
			}
		}
	}
	return samples, spacing
}

// TestTheClassifierLearns: where sizes follow the voice, as with a variable bit rate, or
// packets stop in silence, it is nearly always right.
func TestTheClassifierLearns(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var samples []sample
	for round := range rounds {
		for state := range states {
			for range 4 {
				var trace hosts.Trace
				at := time.Unix(0, 0)
				for range 25 {
					size := 150
					if state == 0 {
						size = []int{120, 150, 180, 210}[random.IntN(4)]
					}
					step := 20 * time.Millisecond
					if state > 0 {
						step *= time.Duration(state)
					}
					at = at.Add(step)
					trace = append(trace, hosts.Packet{At: at, Size: size})
				}
				samples = append(samples, sample{state, round, features(trace, []int{120, 150, 180, 210})})
			}
		}
	}
	if right := accuracy(samples); right < 0.9 {
		t.Errorf("the classifier is right %.2f of the time where it is easy", right)
	}
}

// TestPrivacyShape: from the packets of the real program nobody tells speech from silence,
// mute and hold, nor one call's sender from the next one's.
func TestPrivacyShape(t *testing.T) {
	if os.Getenv(asked) == "" {
		t.Skip("NOT TESTED HERE: that the shape of traffic says nothing; make test-privacy does it")
	}
	report := ""
	for _, frame := range []string{"20", "10"} {
		t.Run("frames of "+frame+" ms", func(t *testing.T) { report += shapeOf(t, frame) })
	}
	if !t.Failed() {
		write(t, shapeBegins, shapeEnds, report)
	}
}

// shapeOf captures two calls with frames of that many ms, and reports of the first.
func shapeOf(t *testing.T, frame string) string {
	lab := hosts.New(t, "alice", "bob", "relay-a", "relay-b")
	s := newStage(t, lab, "shape "+frame, false)
	screen := s.openWith("file:"+spoken(t), "--frame", frame)
	screen.await("eady")
	var calls [2]hosts.Trace
	var began time.Time
	for i := range calls {
		call := s.call()
		screen.awaitNew("is calling")
		time.Sleep(time.Second) // the screen ignores keys for a moment
		screen.press("a")
		call.Await("call.connected")
		if i == 0 {
			began = time.Now()
			s.throughStates(screen, began)
		} else {
			time.Sleep(2 * time.Second)
		}
		call.Signal(syscall.SIGINT)
		call.Exit()
		screen.press("\x1b") // away from how it ended
		time.Sleep(time.Second)
	}
	trace := s.capture.Stop().Programs().On("bob").Sent(s.bob.IP4, s.relayB.IP4, turnPort)
	ports := inOrder(trace)
	if len(ports) != len(calls) {
		t.Fatalf("two calls used the ports %v", ports)
	}
	for i, port := range ports {
		for _, p := range trace {
			if p.From.Port() == port {
				calls[i] = append(calls[i], p)
			}
		}
	}
	nothingLinks(t, calls)
	report := fmt.Sprintf("Frames of %s ms: %s\n", frame, nothingShows(t, calls[0], began))
	t.Log("\n" + report)
	return report
}

// inOrder are the local ports of a trace as they appear.
func inOrder(trace hosts.Trace) (ports []uint16) {
	for _, p := range trace {
		if !slices.Contains(ports, p.From.Port()) {
			ports = append(ports, p.From.Port())
		}
	}
	return ports
}

// throughStates mutes and holds on bob's screen, slot by slot.
func (s *stage) throughStates(screen *screen, began time.Time) {
	s.t.Helper()
	for round := range rounds {
		for _, change := range []struct {
			at   int
			keys string
		}{{2, "m"}, {3, "mo"}, {4, "o"}} {
			time.Sleep(time.Until(began.Add(time.Duration(round*len(states)+change.at) * slot)))
			for _, key := range change.keys {
				screen.press(string(key))
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
}

// nothingShows holds the states of a call against each other.
func nothingShows(t *testing.T, call hosts.Trace, began time.Time) string {
	t.Helper()
	sizesOf := make(map[int]int)
	for _, p := range call {
		sizesOf[p.Size]++
	}
	sizes := slices.Sorted(maps.Keys(sizesOf))
	samples, spacing := cut(call, began, sizes)
	media := 0
	for _, size := range sizes {
		if sizesOf[size] > sizesOf[media] {
			media = size
		}
	}
	right := accuracy(samples)
	if right > 0.5 {
		t.Errorf("speech, silence, mute and hold are told apart %.2f of the time", right)
	}
	report := fmt.Sprintf("%d packets of media, %d bytes each; %d windows of %v, four states, nearest mean of size and spacing histograms: right %.0f %% of the time (chance 25 %%).\n\n",
		sizesOf[media], media, len(samples), window, 100*right)
	report += "| state | packets | median spacing | KS distance from speech |\n| --- | ---: | ---: | ---: |\n"
	for state, name := range states {
		far := distance(spacing[0], spacing[state])
		if len(spacing[state]) < 200 || far > 0.25 {
			t.Errorf("%s: %d packets, %.2f from speech", name, len(spacing[state]), far)
		}
		report += fmt.Sprintf("| %s | %d | %.1f ms | %.2f |\n", name, len(spacing[state]), slices.Sorted(slices.Values(spacing[state]))[len(spacing[state])/2], far)
	}
	return report
}

// marks are what an observer could recognise a sender by, as they stand in clear on the wire.
func marks(t *testing.T, call hosts.Trace) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	note := func(kind string, value []byte) {
		if text := fmt.Sprintf("%x", value); !slices.Contains(found[kind], text) {
			found[kind] = append(found[kind], text)
		}
	}
	var look func(data []byte, depth int)
	look = func(data []byte, depth int) {
		switch {
		case len(data) > 4 && data[0] >= 0x40 && data[0] < 0x50:
			look(data[4:4+min(len(data)-4, int(binary.BigEndian.Uint16(data[2:])))], depth+1)
		case stun.IsMessage(data):
			message := &stun.Message{Raw: data}
			if message.Decode() != nil {
				return
			}
			for _, attribute := range message.Attributes {
				switch attribute.Type {
				case stun.AttrUsername, stun.AttrNonce, stun.AttrSoftware:
					note(attribute.Type.String(), attribute.Value)
				case stun.AttrData:
					look(attribute.Value, depth+1)
				}
			}
		case len(data) > 25 && data[0] == 22: // DTLS handshake records (RFC 6347 §4.1)
			for len(data) > 25 {
				length := int(binary.BigEndian.Uint16(data[11:]))
				if data[0] == 22 && data[13] == 11 && length+13 <= len(data) {
					note("certificate", data[25:13+length])
				}
				data = data[min(len(data), 13+length):]
			}
		case len(data) > 12 && data[0]>>6 == 2: // RTP (RFC 3550 §5.1)
			if data[0] != 0x80 {
				t.Errorf("an RTP packet begins with %x: an extension, padding or another source", data[0])
			}
			if data[1]&0x7f != 111 {
				t.Errorf("a packet that is not sound, perhaps RTCP: %x", data[1])
			}
			note("SSRC", data[8:12])
		}
	}
	for _, p := range call {
		look(p.Payload, 0)
	}
	return found
}

// nothingLinks fails if anything that stands in clear in one call stands in the next.
func nothingLinks(t *testing.T, calls [2]hosts.Trace) {
	t.Helper()
	first, second := marks(t, calls[0]), marks(t, calls[1])
	for _, kind := range []string{"certificate", "SSRC", "USERNAME", "NONCE"} {
		if len(first[kind]) == 0 || len(second[kind]) == 0 {
			t.Errorf("no %s was found, so nothing was compared", kind)
		}
	}
	for kind, values := range first {
		for _, value := range values {
			if slices.Contains(second[kind], value) {
				t.Errorf("two calls have the same %s, %s", kind, value)
			}
		}
	}
}
