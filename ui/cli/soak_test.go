//go:build linux

package cli

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sotto/audio/measure"
)

// TestSoakSound is a long call between two processes over two relays: speech from a
// file, recorded on the other side. It prints how much later sound is heard at the end
// than at the beginning, and what memory both processes have, minute by minute.
// SOTTO_SOAK says how long; without it the test is skipped (make soak-sound).
func TestSoakSound(t *testing.T) {
	length, err := time.ParseDuration(os.Getenv("SOTTO_SOAK"))
	if err != nil || length < time.Minute {
		t.Skip("a long call: run it with make soak-sound")
	}
	_, addressA := startRelay(t, t.TempDir())
	_, addressB := startRelay(t, t.TempDir())
	alice, bob := pair(t, addressA, addressB)
	said, heard := filepath.Join(t.TempDir(), "said.wav"), filepath.Join(t.TempDir(), "heard.wav")
	speech := repeated(t, said, length)
	listen := start(t, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "tone", "--speaker", "file:"+heard, "--json")
	listen.await("listen.ready")
	call := start(t, "--home", alice, "call", "bob", "--mic", "file:"+said, "--speaker", "null", "--for", length.String(), "--json")
	listen.await("call.connected")

	var first, last []int // resident kilobytes of caller and listener
	var concealed, playout []float64
	for second := 1; ; second++ {
		got := listen.await("call.stats")
		playout = append(playout, got["playout_ms"].(float64))
		concealed = append(concealed, got["concealed_ratio"].(float64))
		if second%60 == 30 {
			last = []int{resident(t, call.command.Process.Pid), resident(t, listen.command.Process.Pid)}
			if first == nil {
				first = last
			}
			t.Logf("%4d s: playout %.1f ms, concealed %.2f %% so far, caller %.1f MB, listener %.1f MB",
				second, playout[second-1], 100*concealed[second-1], float64(last[0])/1024, float64(last[1])/1024)
		}
		if time.Duration(second+3)*time.Second > length {
			break
		}
	}
	if status := call.exit(); status != 0 {
		t.Fatalf("status %d\n%s", status, call.stderr)
	}
	listen.await("call.ended")
	offsets := offsetsOf(t, speech, readWAV(t, heard), length)
	early, late := median(offsets[:len(offsets)/4]), median(offsets[len(offsets)*3/4:])
	before, after := median(playout[:min(60, len(playout))]), median(playout[max(0, len(playout)-60):])
	t.Logf("playout %.1f ms in the first minute, %.1f ms in the last; %.2f %% concealed", before, after, 100*concealed[len(concealed)-1])
	// The files' own clocks stop when the machine stands still for more than 50 ms.
	t.Logf("heard %.1f ms later in the last quarter than in the first, pauses of the files' clocks with it", late-early)
	if after-before > 20 {
		t.Errorf("the delay grew by %.1f ms", after-before)
	}
	for i, who := range []string{"caller", "listener"} {
		if grown := last[i] - first[i]; grown > 8<<10 {
			t.Errorf("the %s's memory grew by %d KB", who, grown)
		}
	}
}

// repeated writes a sentence again and again into a WAV file and returns it, at 16 kHz.
func repeated(t testing.TB, path string, length time.Duration) []float32 {
	t.Helper()
	once := readWAV(t, "testdata/sentence.wav")
	n := int(length.Seconds() * float64(once.rate))
	out := make([]float32, n)
	body := make([]byte, 44, 44+2*n)
	for i := range out {
		sample := once.samples[i%len(once.samples)]
		out[i] = float32(sample)
		body = binary.LittleEndian.AppendUint16(body, uint16(int16(sample*32767)))
	}
	copy(body, "RIFF____WAVEfmt ")
	binary.LittleEndian.PutUint32(body[4:], uint32(36+2*n))
	binary.LittleEndian.PutUint32(body[16:], 16)
	binary.LittleEndian.PutUint16(body[20:], 1)
	binary.LittleEndian.PutUint16(body[22:], 1)
	binary.LittleEndian.PutUint32(body[24:], uint32(once.rate))
	binary.LittleEndian.PutUint32(body[28:], uint32(2*once.rate))
	binary.LittleEndian.PutUint16(body[32:], 2)
	binary.LittleEndian.PutUint16(body[34:], 16)
	copy(body[36:], "data")
	binary.LittleEndian.PutUint32(body[40:], uint32(2*n))
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	return out
}

// offsetsOf is, every ten seconds, how many milliseconds later the recording has what
// was said, counted from wherever the two files begin.
func offsetsOf(t *testing.T, said []float32, recorded recording, length time.Duration) []float64 {
	t.Helper()
	const rate, piece, before, within = 16000, 3 * 16000, 3 * 16000 / 2, 3 * time.Second
	heard := make([]float32, len(recorded.samples)/3) // from 48 kHz
	for i := range heard {
		heard[i] = float32(recorded.samples[3*i]+recorded.samples[3*i+1]+recorded.samples[3*i+2]) / 3
	}
	var offsets []float64
	for at := 10 * rate; at < int(length.Seconds()-8)*rate; at += 10 * rate {
		if at+piece > len(said) || at-before+2*piece > len(heard) {
			break
		}
		delay, alike := measure.Delay(said[at:at+piece], heard[at-before:at-before+2*piece], rate, within)
		if alike > 0.3 {
			offsets = append(offsets, delay.Seconds()*1000-1000*float64(before)/rate)
		}
	}
	if len(offsets) < 4 {
		t.Fatalf("the recording of %v has what was said in %d places only", time.Duration(len(heard))*time.Second/rate, len(offsets))
	}
	return offsets
}

// resident is the memory a process has in use, in kilobytes.
func resident(t testing.TB, process int) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}
