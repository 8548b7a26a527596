//go:build cgo && !noaudio && linux

package hotplug_test

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sotto/audio"
	"sotto/audio/device"
)

// pulse is a PulseAudio of a test's own, which may die and come back.
type pulse struct {
	t      *testing.T
	dir    string
	daemon *exec.Cmd
}

const rooms = `
load-module module-native-protocol-unix auth-anonymous=1 socket=SOCKET
load-module module-null-sink sink_name=first rate=48000 sink_properties=device.description=First
load-module module-null-sink sink_name=second rate=48000 sink_properties=device.description=Second
set-default-sink first
set-default-source first.monitor
`

func startPulse(t *testing.T) *pulse {
	t.Helper()
	for _, tool := range []string{"pulseaudio", "pactl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("SKIPPED: no " + tool + " here, so devices that come and go are not tested; install pulseaudio")
		}
	}
	ignore := goleak.IgnoreCurrent()
	dir, err := os.MkdirTemp("", "pulse") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.RemoveAll(dir)
		goleak.VerifyNone(t, ignore)
	})
	p := &pulse{t: t, dir: dir}
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"} {
		t.Setenv(name, dir)
	}
	t.Setenv("PULSE_SERVER", "unix:"+filepath.Join(dir, "socket"))
	p.start()
	t.Cleanup(func() {
		if p.daemon != nil {
			p.kill()
		}
	})
	return p
}

func (p *pulse) start() {
	p.t.Helper()
	script := filepath.Join(p.dir, "script")
	if err := os.WriteFile(script, []byte(strings.ReplaceAll(rooms, "SOCKET", filepath.Join(p.dir, "socket"))), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.daemon = exec.Command("pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
		"--high-priority=no", "--disable-shm=yes", "--log-target=stderr", "--log-level=error", "-F", script)
	p.daemon.Stderr = os.Stderr
	if err := p.daemon.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.until("the server answers", func() bool {
		devices, err := device.List()
		return err == nil && len(devices) >= 4
	})
}

// kill is SIGKILL: no goodbye to anybody.
func (p *pulse) kill() {
	_ = p.daemon.Process.Kill()
	_ = p.daemon.Wait()
	p.daemon = nil
}

func (p *pulse) pactl(words ...string) string {
	p.t.Helper()
	out, err := exec.Command("pactl", words...).CombinedOutput()
	if err != nil {
		p.t.Fatalf("pactl %v: %s", words, out)
	}
	return strings.TrimSpace(string(out))
}

// unplug takes a sink and its monitor away; plug brings them back.
func (p *pulse) unplug(sink string) {
	p.t.Helper()
	for line := range strings.SplitSeq(p.pactl("list", "short", "modules"), "\n") {
		if fields := strings.Fields(line); len(fields) > 2 && strings.Contains(line, "sink_name="+sink+" ") {
			p.pactl("unload-module", fields[0])
			return
		}
	}
	p.t.Fatalf("no sink %s", sink)
}

func (p *pulse) plug(sink, description string) {
	p.t.Helper()
	p.pactl("load-module", "module-null-sink", "sink_name="+sink, "rate=48000", "sink_properties=device.description="+description)
}

func (p *pulse) until(what string, holds func() bool) {
	p.t.Helper()
	began := time.Now()
	for end := began.Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			p.t.Logf("%.2f s until %s", time.Since(began).Seconds(), what)
			return
		}
	}
	p.t.Fatalf("waited 40 s, and it is still not so that %s", what)
}

// ear keeps the last half second of what a source delivers, and counts periods.
type ear struct {
	mu      sync.Mutex // guards the following
	sound   []float32
	periods int
}

func (e *ear) deliver(period []float32) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.periods++
	e.sound = append(e.sound, period...)
	if extra := len(e.sound) - audio.SampleRate/2; extra > 0 {
		e.sound = e.sound[extra:]
	}
}

func (e *ear) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.periods
}

// hears tells whether the last half second is a tone of about hertz.
func (e *ear) hears(hertz float64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.sound) < audio.SampleRate/2 || audio.Level(e.sound) < -30 {
		return false
	}
	crossings := 0
	for i := 1; i < len(e.sound); i++ {
		if e.sound[i-1] < 0 && e.sound[i] >= 0 {
			crossings++
		}
	}
	heard := float64(crossings) * audio.SampleRate / float64(len(e.sound))
	return math.Abs(heard-hertz) < 0.06*hertz
}

func (e *ear) silent() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.sound) >= audio.SampleRate/2 && audio.Level(e.sound) == audio.Silence
}

// mouth makes a tone for a sink, and counts periods.
type mouth struct {
	mu      sync.Mutex // guards the following
	hertz   float64
	phase   float64
	periods int
}

func (m *mouth) fill(period []float32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.periods++
	for i := range period {
		period[i] = float32(0.25 * math.Sin(m.phase))
		m.phase += 2 * math.Pi * m.hertz / audio.SampleRate
	}
}

func (m *mouth) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.periods
}

// freeze makes the server hang; thaw lets it go on.
func (p *pulse) freeze() { _ = p.daemon.Process.Signal(syscall.SIGSTOP) }
func (p *pulse) thaw()   { _ = p.daemon.Process.Signal(syscall.SIGCONT) }
