//go:build linux

package hosts_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"sotto/net/nettest/hosts"
	"sotto/net/wire"
)

// handshakeRecords is how many TLS records a side may send before its first frame: what is
// left of the handshake, session tickets, and HTTP's request or answer.
const handshakeRecords = 8

// What may be left at the end of a line: WebSocket's goodbye and TLS's, or a frame of which only
// the first record came before somebody hung up.
const (
	goodbye     = 64
	firstRecord = 4096
)

// TestPrivacySizes: what a call writes on a line before an answer has the same sizes whatever
// people are called and whatever a decline says. Each line is read back from the captures as
// TLS records: all that follow its handshake are frames of one size, there and back.
func TestPrivacySizes(t *testing.T) {
	if os.Getenv(asked) == "" {
		t.Skip("NOT TESTED HERE: that signalling has one size on the wire; make test-privacy does it")
	}
	lab := hosts.New(t, "alice", "bob", "relay-a", "relay-b")
	long := strings.Repeat("m", 32)
	var seen []map[string]bool
	for _, c := range []struct{ alice, bob, decline string }{
		{"a", "b", "decline"},
		{long + "1", long + "2", "decline"},
		{"a", "b", "decline " + strings.Repeat("not now ", 25)},
		{"a", "b", "answer"},
	} {
		sizes := declinedBetween(t, lab, c.alice, c.bob, c.decline)
		t.Logf("%.20s, %.20s, %.20s: %v", c.alice, c.bob, c.decline, slices.Sorted(maps.Keys(sizes)))
		seen = append(seen, sizes)
	}
	for _, sizes := range seen {
		if len(sizes) != 4 {
			t.Errorf("the sizes are %v: not one there and one back on each line", sizes)
		}
	}
}

// frames adds the records of a line's stream up to frames and gives all sizes there are, in
// bytes: of the frames, and of what is left at the end, which is a goodbye. It is nil for a
// stream that begins like no line.
func frames(records []int, frame int) (sizes []int) {
	for begin := range min(handshakeRecords, len(records)) {
		sum := 0
		for _, size := range records[begin:] {
			if sum += size; sum >= frame {
				sizes, sum = append(sizes, sum), 0
			}
			if len(sizes) > 0 && sizes[0] != frame {
				break // not the first frame's beginning
			}
		}
		if len(sizes) > 0 && sizes[0] == frame {
			if sum > 0 {
				sizes = append(sizes, sum)
			}
			return sizes
		}
		sizes = nil
	}
	return nil
}

func TestFrames(t *testing.T) {
	if got := frames([]int{52, 300, 70, 30, 60, 40, 100, 8}, 100); !slices.Equal(got, []int{100, 100, 100, 8}) {
		t.Errorf("a line with a goodbye: %v", got)
	}
	if got := frames([]int{52, 300, 70, 30, 60, 41, 100}, 100); !slices.Equal(got, []int{100, 101, 100}) {
		t.Errorf("a frame that is too long: %v", got)
	}
	if got := frames([]int{52, 300, 20, 20}, 100); got != nil {
		t.Errorf("no line: %v", got)
	}
}

// declinedBetween plays one call and gives the sizes of the frames on both people's lines.
func declinedBetween(t *testing.T, lab *hosts.Lab, alice, bob, word string) map[string]bool {
	t.Helper()
	s := newStage(t, lab, fmt.Sprintf("sizes %d %s", len(alice), word[:6]), false)
	s.homeA, s.homeB = filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	s.must(s.alice, "--home", s.homeA, "setup", "--name", alice, "--relay", s.addressA, "--calls", "on", "--yes")
	s.must(s.bob, "--home", s.homeB, "setup", "--name", bob, "--relay", s.addressB, "--calls", "on", "--yes")
	s.must(s.alice, "--home", s.homeA, "contacts", "add", s.must(s.bob, "--home", s.homeB, "card"), "--name", "bob", "--verified")
	s.must(s.bob, "--home", s.homeB, "contacts", "add", s.must(s.alice, "--home", s.homeA, "card"), "--name", "alice", "--verified")
	screen := s.openWith("tone", "--plain")
	screen.await("Your line is open")
	call := s.call("--for", "2s")
	screen.await("Type answer")
	if word == "answer" {
		time.Sleep(time.Second) // an answer that comes at once is taken for a line meant for something else
	}
	screen.press(word + "\n")
	if status := call.Exit(); (word == "answer") != (status == 0) || word != "answer" && status != 3 {
		t.Errorf("%.20s: status %d\n%s", word, status, call.Said())
	}
	screen.press("quit\n")
	screen.await("Call ended")
	s.processA.Kill()
	s.processB.Kill()
	trace := s.capture.Stop().Programs()
	sizes := make(map[string]bool)
	for _, person := range []*hosts.Host{s.alice, s.bob} {
		for _, stream := range trace.On(person.Name).Streams(gatewayPort) {
			way, frame := person.Name+" down", wire.FrameSize+4 // with WebSocket's header (RFC 6455 §5.2)
			if stream.From.Addr() == person.IP4 {
				way, frame = person.Name+" up", wire.FrameSize+8 // and mask
			}
			records, err := stream.Secrets()
			if err != nil {
				t.Errorf("%s: %v", way, err)
				continue
			}
			all := frames(records, frame)
			if all == nil { // TURN over TLS, where UDP was slow
				t.Logf("%s: no line: %v", way, records)
			}
			for at, size := range all {
				if last := at == len(all)-1; size != frame && !(last && (size <= goodbye || size == firstRecord)) {
					t.Errorf("%s: %d bytes among frames of %d", way, size, frame)
				} else if size == frame {
					sizes[fmt.Sprintf("%s %d", way, size)] = true
				}
			}
		}
	}
	return sizes
}
