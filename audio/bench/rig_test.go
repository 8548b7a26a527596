//go:build linux

// Package bench compares whole programs by ear: Sotto through two relays, and
// beside it Chromium and baresip where they are installed, on one rig in one run.
//
//	speech ─> mouth ─┐                        ┌─> ear
//	                 room: one null sink, four channels, one clock
//	caller's mic <───┘                        └─── callee's loudspeaker
//
// One recording of the room holds what was said and what was heard, sample-exact:
// the players' and the recorder's own latency does not count. Everything runs in a
// network namespace without a way out (see `make bench-sound`); loss is made there
// by the packet filter, on one leg in one direction.
package bench

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	address  = "10.77.0.1" // in the namespace: programs that pass over loopback need another
	patience = 60 * time.Second
)

// rig is a room with a sound server of its own.
type rig struct {
	b      *testing.B
	folder string
	lossy  bool     // the packet filter can be used
	voices []string // channels of the room, in the order of a recording
}

// The room's channels; extra ones may follow.
var fourVoices = []string{"front-left", "front-right", "rear-left", "rear-right"}

const said, ear, calleeMic, callerEar = 0, 1, 2, 3 // in a recording

// newRig starts the sound server, or skips where something it needs is missing.
func newRig(b *testing.B, extra ...string) *rig {
	b.Helper()
	for _, tool := range []string{"pulseaudio", "pactl", "pacat", "parec", "ffmpeg", "ip"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Skip("SKIPPED: needs " + tool)
		}
	}
	if os.Getenv("SOTTO_BENCH_NAMESPACE") == "" {
		b.Skip("SKIPPED: run it with make bench-sound, which makes the network it needs")
	}
	folder := b.TempDir()
	r := &rig{b: b, folder: folder, voices: append(slices.Clone(fourVoices), extra...)}
	for _, words := range [][]string{
		{"link", "set", "lo", "up"},
		{"link", "add", "room0", "type", "veth", "peer", "name", "room1"},
		{"addr", "add", address + "/24", "dev", "room0"},
		{"link", "set", "room0", "up"},
		{"link", "set", "room1", "up"},
	} {
		r.must("ip", words...)
	}
	r.lossy = exec.Command("iptables", "-S").Run() == nil
	socket := filepath.Join(folder, "pulse.socket")
	b.Setenv("HOME", folder)
	b.Setenv("XDG_RUNTIME_DIR", folder)
	b.Setenv("PULSE_RUNTIME_PATH", filepath.Join(folder, "pulse"))
	b.Setenv("PULSE_SERVER", "unix:"+socket)
	r.start(exec.Command("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--log-level=error",
		"-L", "module-native-protocol-unix socket="+socket))
	r.await("the sound server", func() bool { return exec.Command("pactl", "info").Run() == nil })
	r.furnish()
	return r
}

// furnish puts up the room: channel by channel what the caller hears with and
// speaks into, and the same for the callee, whose microphone hears silence.
func (r *rig) furnish() {
	r.must("pactl", "load-module", "module-null-sink", "sink_name=room", "rate=48000", fmt.Sprintf("channels=%d", len(r.voices)),
		"channel_map="+strings.Join(r.voices, ","))
	for name, channel := range map[string]string{"mouth": "front-left", "ear": "front-right", "callerear": "rear-right"} {
		r.must("pactl", "load-module", "module-remap-sink", "sink_name="+name, "master=room", "channels=1", "channel_map=mono",
			"master_channel_map="+channel, "remix=no", "sink_properties=device.description="+name)
	}
	for name, channel := range map[string]string{"callermic": "front-left", "calleemic": "rear-left"} {
		r.must("pactl", "load-module", "module-remap-source", "source_name="+name, "master=room.monitor", "channels=1", "channel_map=mono",
			"master_channel_map="+channel, "remix=no", "source_properties=device.description="+name)
	}
}

// say plays the speech and returns what the mouth said and what the ear heard
// meanwhile, both at 48 kHz, in step.
func (r *rig) say(speech []float32) (spoken, heard []float32) {
	r.b.Helper()
	all := r.record(func() { r.play("mouth", speech) })
	return all[said], all[ear]
}

// play returns when the sound has been handed over.
func (r *rig) play(sink string, sound []float32) {
	player := exec.Command("pacat", "--device="+sink, "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=50")
	player.Stdin = bytes.NewReader(pcm(sound))
	if out, err := player.CombinedOutput(); err != nil {
		r.b.Errorf("pacat: %v\n%s", err, out)
	}
}

// record returns the room's channels, in step, from a second before what happens to after it.
func (r *rig) record(happens func()) [][]float32 {
	r.b.Helper()
	var recorded bytes.Buffer
	recorder := exec.Command("parec", "--device=room.monitor", "--rate=48000", fmt.Sprintf("--channels=%d", len(r.voices)), "--format=s16le",
		"--channel-map="+strings.Join(r.voices, ","), "--latency-msec=50")
	recorder.Stdout = &recorded
	stop := r.start(recorder)
	time.Sleep(time.Second)
	happens()
	time.Sleep(1500 * time.Millisecond)
	stop()
	raw, all := recorded.Bytes(), make([][]float32, len(r.voices))
	for step := 2 * len(all); len(raw) >= step; raw = raw[step:] {
		for i := range all {
			all[i] = append(all[i], sample(raw[2*i:]))
		}
	}
	return all
}

// lose drops a share of the packets to these UDP ports until it is called with 0.
func (r *rig) lose(share float64, ports []int) {
	r.must("iptables", "-F", "INPUT")
	if share == 0 {
		return
	}
	for _, port := range ports {
		r.must("iptables", "-A", "INPUT", "-p", "udp", "--dport", fmt.Sprint(port),
			"-m", "statistic", "--mode", "random", "--probability", fmt.Sprint(share), "-j", "DROP")
	}
}

// start runs a command until stop is called or the benchmark ends.
func (r *rig) start(command *exec.Cmd) (stop func()) {
	r.b.Helper()
	if command.Stdout == nil {
		command.Stdout = r.log(command.Path)
	}
	if command.Stderr == nil {
		command.Stderr = r.log(command.Path)
	}
	if err := command.Start(); err != nil {
		r.b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = command.Wait() }()
	stop = func() {
		_ = command.Process.Signal(os.Interrupt)
		select {
		case <-done:
		case <-time.After(3 * time.Second):
			_ = command.Process.Kill()
			<-done
		}
	}
	r.b.Cleanup(stop)
	return stop
}

func (r *rig) log(path string) io.Writer {
	file, err := os.CreateTemp(r.folder, filepath.Base(path)+"-*.log")
	if err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(func() { _ = file.Close() })
	return file
}

func (r *rig) must(name string, words ...string) {
	r.b.Helper()
	if out, err := exec.Command(name, words...).CombinedOutput(); err != nil {
		r.b.Fatalf("%s %v: %v\n%s", name, words, err, out)
	}
}

func (r *rig) await(what string, ready func() bool) {
	r.b.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ready() {
			return
		}
	}
	r.b.Fatalf("%s did not come up within %v", what, patience)
}

func sample(raw []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(raw))) / 32768 }

func pcm(samples []float32) []byte {
	raw := make([]byte, 0, 2*len(samples))
	for _, x := range samples {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(max(-1, min(1, x))*32767)))
	}
	return raw
}
