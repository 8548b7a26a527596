package cli

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"sotto/audio"
)

// examine runs the doctor and returns its checks by name, its report, and its status.
func examine(t *testing.T, words ...string) (checks map[string]object, report object, status int) {
	t.Helper()
	return readExamination(t, start(t, append([]string{"doctor", "--json"}, words...)...))
}

func readExamination(t *testing.T, p *process) (checks map[string]object, report object, status int) {
	t.Helper()
	checks = map[string]object{}
	for one := range p.events {
		switch one.text("event") {
		case "doctor.check":
			if report != nil {
				t.Error("a check came after the report")
			}
			checks[one.text("name")] = one
			if ok, _ := one["ok"].(bool); ok == (one.text("mend") != "") {
				t.Errorf("a failure and its mend go together: %v", one)
			}
		case "doctor.report":
			report = one
		default:
			t.Errorf("the doctor said %v", one)
		}
	}
	return checks, report, p.exit()
}

func allWell(t *testing.T, checks map[string]object, names ...string) {
	t.Helper()
	for _, name := range names {
		if checks[name]["ok"] != true {
			t.Errorf("%s: %v", name, checks[name])
		}
	}
}

func TestDoctorOnAFreshProfile(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "fresh")
	checks, report, status := examine(t, "--home", home, "--mic", "null", "--speaker", "null")
	if status != 1 || report["ok"] != false || report["failed"] != 1.0 {
		t.Errorf("status %d, %v", status, report)
	}
	allWell(t, checks, "settings", "microphone", "speaker", "delay")
	if one := checks["relay"]; one["ok"] != false || !strings.Contains(one.text("mend"), "sotto setup --relay") {
		t.Errorf("relay: %v", one)
	}
}

func TestDoctorOnARealRelay(t *testing.T) {
	t.Parallel()
	relay, address := startRelay(t, t.TempDir())
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", address, "--calls", "off", "--yes")
	checks, report, status := examine(t, "--home", home, "--mic", "tone", "--speaker", "null")
	if status != 0 || report["ok"] != true {
		t.Errorf("status %d, %v", status, report)
	}
	allWell(t, checks, "settings", "relay", "clock", "udp", "delay")
	for name, figures := range map[string][]string{"udp": {"loss"}, "delay": {"mouth_to_ear_ms", "connect_ms", "answer_to_audio_ms"}, "relay": {"answers_after_ms"}, "clock": {"ahead_s"}} {
		measured, _ := checks[name]["figures"].(map[string]any)
		for _, figure := range figures {
			if _, there := measured[figure].(float64); !there {
				t.Errorf("%s has no figure %s: %v", name, figure, checks[name])
			}
		}
	}

	_ = relay.command.Process.Kill()
	relay.exit()
	checks, _, status = examine(t, "--home", home, "--mic", "tone", "--speaker", "null")
	if status != 1 || checks["relay"]["ok"] != false || checks["udp"] != nil {
		t.Errorf("without the relay: status %d, %v", status, checks)
	}
}

func TestDoctorTakesTheRelayOfThisMachine(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "setup", "--name", "alice", "--relay", "local", "--calls", "off", "--yes")
	checks, _, status := examine(t, "--home", home, "--mic", "null", "--speaker", "null")
	if status != 0 {
		t.Errorf("status %d: %v", status, checks)
	}
	allWell(t, checks, "relay", "clock", "udp")
}

// TestDoctorAsksASoundServerThatHangsOnce, says it once, and looks at all else.
func TestDoctorAsksASoundServerThatHangsOnce(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "hangs") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "socket")
	server, err := net.Listen("unix", socket) // answers nothing
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan net.Conn, 100)
	t.Cleanup(func() {
		_ = server.Close()
		for conn := range asked {
			_ = conn.Close()
		}
	})
	go func() {
		defer close(asked)
		for {
			conn, err := server.Accept()
			if err != nil {
				return
			}
			asked <- conn
		}
	}()
	hung := []string{"PULSE_SERVER=unix:" + socket}
	home := filepath.Join(t.TempDir(), "alice")
	must(t, "--home", home, "settings", "set", "sound.ring", "device:bell")
	questions := 0
	for _, audio := range []bool{false, true} {
		words := []string{"doctor", "--json", "--home", home}
		names := []string{"settings", "voice", "delay"}
		if audio {
			words, names = append(words, "--audio"), names[:2]
		}
		checks, report, status := readExamination(t, startWith(t, hung, words...))
		if one := checks["devices"]; !strings.Contains(one.text("mend"), "restart the sound server") || !strings.Contains(one.text("detail"), "sound server does not answer") {
			if len(asked) == 0 {
				t.Skip("SKIPPED: this machine or this build does not know PulseAudio, so one that hangs is not tested")
			}
			t.Errorf("devices: %v", one)
		}
		allWell(t, checks, names...)
		for _, name := range []string{"microphone", "speaker", "ring", "audio"} {
			if checks[name] != nil {
				t.Errorf("said of a server that hangs: %v", checks[name])
			}
		}
		failed := 1.0 // and without --audio the relay that is not chosen
		if !audio {
			failed++
		}
		if questions++; status != 1 || report["failed"] != failed || len(asked) != questions {
			t.Errorf("status %d, %v; the server was asked %d times", status, report, len(asked))
		}
	}
}

// TestWhatTheDoctorSaysFits in 80 columns, word by word, and nothing of it is lost.
func TestWhatTheDoctorSaysFits(t *testing.T) {
	const head = "ok  microphone  "
	path := strings.Repeat("/folder", 12) // longer than a line, and to be copied whole
	text := "read from " + path + " and  then \"Schreibtisch-Mikrofon für Überstunden\" hears something, at most -15 dBFS, where 0 is the loudest there is"
	said := folded(head, text)
	for line := range strings.SplitSeq(said, "\n") {
		if ansi.StringWidth(line) > 80 && strings.TrimSpace(line) != path {
			t.Errorf("too long: %q", line)
		}
	}
	if got := strings.ReplaceAll(said, "\n"+strings.Repeat(" ", len(head)), " "); got != head+text {
		t.Errorf("said %q", got)
	}
	if short := folded(head, "null is used in place of one"); short != head+"null is used in place of one" {
		t.Errorf("a short one: %q", short)
	}
}

func TestDoctorRecordsAndPlaysBack(t *testing.T) {
	t.Parallel()
	heard := filepath.Join(t.TempDir(), "heard.wav")
	checks, report, status := examine(t, "--home", t.TempDir(), "--audio", "--mic", "tone:500", "--speaker", "file:"+heard)
	if status != 0 || report["ok"] != true {
		t.Errorf("status %d, %v", status, report)
	}
	allWell(t, checks, "microphone", "audio")
	loud := 0
	for _, sample := range readWAV(t, heard).samples {
		if sample > 0.1 || sample < -0.1 {
			loud++
		}
	}
	if loud < 2*audio.SampleRate || loud > 3*audio.SampleRate { // a sine is below a tenth for a while in each period
		t.Errorf("of three seconds, %d samples are played back loud", loud)
	}
	checks, report, status = examine(t, "--home", t.TempDir(), "--audio", "--mic", "null", "--speaker", "null")
	if status != 1 || checks["microphone"]["ok"] != false || checks["audio"] != nil || report["failed"] != 1.0 {
		t.Errorf("silence: status %d, %v", status, checks)
	}
}

// soundServer runs a PulseAudio of the test's own, whose only microphone hears nothing, and
// returns what to put into the environment to find it.
func soundServer(t *testing.T) (environment []string) {
	t.Helper()
	binary, err := exec.LookPath("pulseaudio")
	if err != nil {
		t.Skip("SKIPPED: no pulseaudio here, so a muted microphone is not tested; install pulseaudio")
	}
	folder, err := os.MkdirTemp("", "pulse") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	socket := filepath.Join(folder, "socket")
	environment = []string{"PULSE_SERVER=unix:" + socket}
	for _, name := range []string{"HOME", "XDG_RUNTIME_DIR", "PULSE_RUNTIME_PATH", "PULSE_STATE_PATH"} {
		environment = append(environment, name+"="+folder)
	}
	daemon := exec.Command(binary, "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--high-priority=no",
		"--disable-shm=yes", "--log-target=stderr", "--log-level=error",
		"--load=module-native-protocol-unix auth-anonymous=1 socket="+socket, "--load=module-null-sink sink_name=room rate=48000")
	daemon.Env, daemon.Stderr = append(os.Environ(), environment...), os.Stderr
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		found := 0
		p := startWith(t, environment, "devices", "--json")
		for range p.events {
			found++
		}
		if p.exit() == 0 && found == 2 {
			return environment
		}
	}
	t.Skip("SKIPPED: this build finds no sound server, so a muted microphone is not tested")
	return nil
}

func TestDoctorCountsAMutedMicrophoneOnce(t *testing.T) {
	t.Parallel()
	environment := soundServer(t)
	checks, report, status := readExamination(t, startWith(t, environment, "doctor", "--json", "--audio", "--home", t.TempDir()))
	if one := checks["microphone"]; !strings.Contains(one.text("detail"), "nothing but silence") || !strings.Contains(one.text("mend"), "--mic") {
		t.Errorf("microphone: %v", one)
	}
	allWell(t, checks, "devices", "speaker", "voice")
	if status != 1 || report["failed"] != 1.0 || checks["audio"] != nil {
		t.Errorf("status %d, %v, %v", status, report, checks["audio"])
	}
}

func TestDoctorCountsAMachineWithoutDevicesOnce(t *testing.T) {
	t.Parallel()
	if cards, _ := filepath.Glob("/dev/snd/pcm*"); len(cards) > 0 || runtime.GOOS != "linux" {
		t.Skip("SKIPPED: the sound devices of this machine cannot be hidden from a test")
	}
	folder := t.TempDir()
	nowhere := []string{"PULSE_SERVER=unix:" + filepath.Join(folder, "none"), "XDG_RUNTIME_DIR=" + folder}
	checks, report, status := readExamination(t, startWith(t, nowhere, "doctor", "--json", "--audio", "--home", folder))
	if status != 1 || report["failed"] != 1.0 || checks["devices"]["ok"] != false || checks["microphone"] != nil || checks["audio"] != nil {
		t.Errorf("status %d, %v", status, checks)
	}
}

func TestTheMicrophoneThatIsTriedIsTheOneACallUses(t *testing.T) {
	p := &program{home: t.TempDir(), mic: "tone"}
	owned, err := p.own()
	if err != nil {
		t.Fatal(err)
	}
	a := p.start(owned, nil)
	defer a.close()
	ctx, cancel := context.WithCancel(context.Background())
	levels, err := screens{a}.Microphone(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if level := <-levels; level < -30 {
		t.Errorf("a tone is heard at %.0f dBFS", level)
	}
	cancel()
	for range levels { // ends
	}
}
