package cli

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// clearly is how alike what was said and heard are at least over one codec, and attempts how many
// calls may be placed until it is: on a machine that is busy with other things sound has gaps,
// and one that arrives wrong arrives wrong each time.
const (
	clearly  = 0.8
	attempts = 3
)

// TestTwoPeopleTalk runs four processes: two relays, bob who listens and alice
// who calls, and finds what alice said in what bob heard.
func TestTwoPeopleTalk(t *testing.T) {
	relayA, addressA := startRelay(t, t.TempDir())
	relayB, addressB := startRelay(t, t.TempDir())
	alice, bob := pair(t, addressA, addressB)
	said, heardByBob := readWAV(t, "testdata/sentence.wav"), filepath.Join(t.TempDir(), "bob.wav")
	listen := start(t, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "file:testdata/sentence.wav", "--speaker", "file:"+heardByBob, "--json")
	listen.await("listen.ready")
	for try := 1; ; try++ {
		heardByAlice := filepath.Join(t.TempDir(), "alice.wav")
		talk(t, listen, alice, heardByAlice)
		his, hers := readWAV(t, heardByBob), readWAV(t, heardByAlice)
		if his.rate != 48000 || hers.rate != 48000 {
			t.Errorf("they heard at %d and %d Hz", his.rate, hers.rate)
		}
		byBob, byAlice := heard(said, his), heard(said, hers)
		if byBob >= clearly && byAlice >= clearly {
			break
		}
		t.Logf("call %d: what bob heard is only %.2f like what was said, what alice heard %.2f", try, byBob, byAlice)
		if try == attempts {
			t.Error("they did not understand each other in any call")
			break
		}
	}
	listen.signal(syscall.SIGTERM)
	if status := listen.exit(); status != 0 {
		t.Errorf("bob's listen: status %d\n%s", status, listen.stderr)
	}
	for _, relay := range []*process{relayA, relayB} {
		relay.signal(syscall.SIGTERM)
		if status := relay.exit(); status != 0 {
			t.Errorf("relay: status %d\n%s", status, relay.stderr)
		}
	}
}

// talk is one call of alice's, from the first word to the last.
func talk(t *testing.T, listen *process, alice, heardByAlice string) {
	t.Helper()
	call := start(t, "--home", alice, "call", "bob", "--mic", "file:testdata/sentence.wav", "--speaker", "file:"+heardByAlice, "--for", "6s", "--json")
	connected := call.await("call.connected")
	if connected.text("route") != "relay" || connected["post_quantum"] != true || connected["verified"] != true {
		t.Errorf("connected: %v", connected)
	}
	theirs := listen.await("call.connected")
	if !sameWords(connected["words"], theirs["words"]) {
		t.Errorf("the safety words differ: %v and %v", connected["words"], theirs["words"])
	}
	if ended := call.await("call.ended"); ended.text("reason") != "hung-up" {
		t.Errorf("alice's call ended with %v", ended)
	}
	if ended := listen.await("call.ended"); ended.text("reason") != "peer-hung-up" {
		t.Errorf("bob's call ended with %v", ended)
	}
	if status := call.exit(); status != 0 {
		t.Errorf("alice's call: status %d\n%s", status, call.stderr)
	}
}

func sameWords(a, b any) bool {
	first, ok := a.([]any)
	second, alsoOK := b.([]any)
	if !ok || !alsoOK || len(first) != 4 || len(second) != 4 {
		return false
	}
	for i := range first {
		if first[i] != second[i] {
			return false
		}
	}
	return true
}

// TestPipes speaks and hears through standard input and output: the echo says back
// what went in, and nothing but sound is on standard output.
func TestPipes(t *testing.T) {
	said := readWAV(t, "testdata/sentence.wav")
	var in bytes.Buffer
	for _, sample := range said.samples {
		for range 3 { // 16 kHz to 48 kHz, without a filter: the likeness is judged at 8 kHz
			_ = binary.Write(&in, binary.LittleEndian, int16(sample*32767))
		}
	}
	var score float64
	for try := 0; try < attempts && score < 0.6; try++ { // twice through the codec, at 24 kbit/s
		score = heard(said, saidBack(t, in.Bytes()))
	}
	if score < 0.6 {
		t.Errorf("the echo is only %.2f like what was said", score)
	}
}

// saidBack is what the echo makes of sound that comes and goes through pipes.
func saidBack(t *testing.T, sound []byte) recording {
	t.Helper()
	command := exec.Command(sotto(t), "--home", t.TempDir(), "call", "echo", "--mic", "-", "--speaker", "-", "--for", "7s", "--json")
	command.Stdin = bytes.NewReader(sound)
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	if err := command.Run(); err != nil {
		t.Fatalf("%v\n%s", err, &errs)
	}
	if !strings.Contains(errs.String(), `"event":"call.connected"`) || strings.Contains(out.String(), `"event"`) {
		t.Error("messages are not on standard error alone")
	}
	back := recording{rate: 48000, samples: make([]float64, out.Len()/2)}
	for i := range back.samples {
		back.samples[i] = float64(int16(binary.LittleEndian.Uint16(out.Bytes()[2*i:]))) / 32768
	}
	return back
}
