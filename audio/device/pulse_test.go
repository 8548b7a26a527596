//go:build cgo && !noaudio && linux

package device_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sotto/audio"
	"sotto/audio/device"
)

// pulseScript makes a daemon with three null sinks, of which two share a description.
const pulseScript = `
load-module module-native-protocol-unix auth-anonymous=1 socket=SOCKET
load-module module-null-sink sink_name=first rate=48000 sink_properties=device.description=Room
load-module module-null-sink sink_name=second rate=48000 sink_properties=device.description=Twin
load-module module-null-sink sink_name=second_one rate=48000 sink_properties=device.description=Twin
set-default-sink first
set-default-source first.monitor
`

// startPulse runs a PulseAudio of the test's own, which malgo then finds.
func startPulse(t testing.TB) *exec.Cmd {
	t.Helper()
	binary, err := exec.LookPath("pulseaudio")
	if err != nil {
		t.Skip("SKIPPED: no pulseaudio binary, so real sound devices are not tested here; install pulseaudio")
	}
	dir, err := os.MkdirTemp("", "pulse") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket, script := filepath.Join(dir, "socket"), filepath.Join(dir, "script")
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(pulseScript, "SOCKET", socket)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	t.Setenv("PULSE_RUNTIME_PATH", dir)
	t.Setenv("PULSE_STATE_PATH", dir)
	t.Setenv("PULSE_SERVER", "unix:"+socket)
	daemon := exec.Command(binary, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
		"--high-priority=no", "--disable-shm=yes", "--log-target=stderr", "--log-level=error", "-F", script)
	daemon.Stderr = os.Stderr
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		if devices, err := device.List(); err == nil && len(devices) >= 6 {
			return daemon
		}
		time.Sleep(50 * time.Millisecond)
	}
	devices, err := device.List()
	t.Fatalf("the daemon did not come up: %v %v", devices, err)
	return nil
}

func leaks(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, ignore) })
}

// recorder keeps what a source delivers.
type recorder struct {
	mu    sync.Mutex // guards sound
	sound []float32
}

func (r *recorder) deliver(period []float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sound = append(r.sound, period...)
}

func (r *recorder) take() []float32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	sound := r.sound
	r.sound = nil
	return sound
}

// pitch counts upward zero crossings.
func pitch(sound []float32) float64 {
	crossings := 0
	for i := 1; i < len(sound); i++ {
		if sound[i-1] < 0 && sound[i] >= 0 {
			crossings++
		}
	}
	return float64(crossings) * audio.SampleRate / float64(len(sound))
}

func TestRealDevices(t *testing.T) {
	leaks(t)
	daemon := startPulse(t)
	t.Run("listed by the server's names", testListed)
	t.Run("a tone reaches the monitor of its own sink only", testTone)
	t.Run("names that cannot be used", testBadNames)
	t.Run("close before start and twice", testCloseTwice)
	t.Run("the server dies", func(t *testing.T) { testServerDies(t, daemon) })
}

func testListed(t *testing.T) {
	devices, err := device.List()
	if err != nil {
		t.Fatal(err)
	}
	want := map[device.Device]bool{
		{ID: "first", Name: "Room", Kind: device.Playback, Default: true}:                   true,
		{ID: "second", Name: "Twin", Kind: device.Playback}:                                 true,
		{ID: "second_one", Name: "Twin", Kind: device.Playback}:                             true,
		{ID: "first.monitor", Name: "Monitor of Room", Kind: device.Capture, Default: true}: true,
		{ID: "second.monitor", Name: "Monitor of Twin", Kind: device.Capture}:               true,
		{ID: "second_one.monitor", Name: "Monitor of Twin", Kind: device.Capture}:           true,
	}
	for _, d := range devices {
		if !want[d] {
			t.Errorf("listed %+v", d)
		}
		delete(want, d)
	}
	for d := range want {
		t.Errorf("did not list %+v", d)
	}
}

func testTone(t *testing.T) {
	speaker, err := device.OpenSink("second_one")
	if err != nil {
		t.Fatal(err)
	}
	defer speaker.Close()
	microphones := map[string]*recorder{}
	for _, id := range []string{"first.monitor", "second.monitor", "second_one.monitor"} {
		source, err := device.OpenSource(id)
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		microphones[id] = &recorder{}
		if err := source.Start(microphones[id].deliver); err != nil {
			t.Fatal(err)
		}
	}
	var phase float64
	if err := speaker.Start(func(period []float32) {
		if len(period) == 0 || len(period) > audio.PeriodSamples {
			t.Errorf("asked for %d samples", len(period))
		}
		for i := range period {
			period[i] = float32(0.25 * math.Sin(phase))
			phase += 2 * math.Pi * 1000 / audio.SampleRate
		}
	}); err != nil {
		t.Fatal(err)
	}
	heard := ""
	for range 200 { // an idle null sink takes its time, a busy machine leaves gaps
		time.Sleep(200 * time.Millisecond)
		sound := microphones["second_one.monitor"].take()
		if len(sound)%audio.PeriodSamples != 0 {
			t.Fatalf("%d samples are no whole periods", len(sound))
		}
		if len(sound) < 5*audio.PeriodSamples {
			continue
		}
		level, hertz := audio.Level(sound), pitch(sound)
		heard = fmt.Sprintf("%.1f dBFS and %.0f Hz", level, hertz)
		if math.Abs(level+15) < 0.5 && math.Abs(hertz-1000) < 20 {
			heard = ""
			break
		}
	}
	if heard != "" {
		t.Errorf("a tone of -15 dBFS and 1000 Hz is heard as %s", heard)
	}
	for _, id := range []string{"first.monitor", "second.monitor"} {
		sound := microphones[id].take()
		if len(sound) == 0 || audio.Level(sound) != audio.Silence {
			t.Errorf("%s heard %.1f dBFS of another sink's sound in %d samples", id, audio.Level(sound), len(sound))
		}
	}
}

func testBadNames(t *testing.T) {
	for _, name := range []string{"third", "secon", "second_on", "second_one.monitor", "Twin", "room"} {
		sink, err := device.OpenSink(name)
		if !errors.Is(err, audio.ErrDevice) {
			t.Errorf("opening the speaker %q: %v", name, err)
		}
		if err == nil {
			_ = sink.Close()
		}
	}
	_, err := device.OpenSink("Twin")
	if err == nil || !strings.Contains(err.Error(), "device:second, device:second_one") {
		t.Errorf("a shared description: %v", err)
	}
	sink, err := device.OpenSink("Room")
	if err != nil {
		t.Fatalf("by description: %v", err)
	}
	_ = sink.Close()
}

func testCloseTwice(t *testing.T) {
	source, err := device.OpenSource("")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := source.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := source.Start(func([]float32) {}); err == nil {
		t.Error("started after it was closed")
	}
}

func testServerDies(t *testing.T, daemon *exec.Cmd) {
	source, err := device.OpenSource("")
	if err != nil {
		t.Fatal(err)
	}
	sink, err := device.OpenSink("")
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{}
	if err := source.Start(r.deliver); err != nil {
		t.Fatal(err)
	}
	if err := sink.Start(func(period []float32) { clear(period) }); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if len(r.take()) > 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := daemon.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for name, lost := range map[string]<-chan error{"source": source.Lost(), "sink": sink.Lost()} {
		select {
		case err := <-lost:
			if !errors.Is(err, audio.ErrDevice) {
				t.Errorf("%s: %v", name, err)
			}
		case <-time.After(30 * time.Second):
			t.Errorf("%s does not notice that the server is gone", name)
		}
	}
	_ = source.Close()
	_ = sink.Close()
	if devices, err := device.List(); !errors.Is(err, audio.ErrNoDevices) {
		t.Errorf("with no server: %v, %v", devices, err)
	}
	if _, err := device.OpenSource(""); !errors.Is(err, audio.ErrNoDevices) {
		t.Errorf("the default without a server: %v", err)
	}
	if _, err := device.OpenSource("first.monitor"); !errors.Is(err, audio.ErrDevice) {
		t.Errorf("a named device without a server: %v", err)
	}
}
