//go:build linux

package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"sotto/audio"
)

// near is the channel of what the callee says in the recordings of BenchmarkEcho.
const near = 4

// BenchmarkEcho is a call to somebody whose loudspeaker is heard by their microphone,
// 6 dB lower and some tens of milliseconds later, without voice processing and with it:
// what does the caller hear of themselves, and how clear is the callee?
func BenchmarkEcho(b *testing.B) {
	if os.Getenv("SOTTO_BENCH_ECHO") == "" {
		b.Skip("a call with an echo: run it with make bench-echo")
	}
	r := newRig(b, "front-center", "lfe")
	speech := loadSpeech(b)
	r.must("pactl", "load-module", "module-remap-sink", "sink_name=calleemouth", "master=room", "channels=1", "channel_map=mono", "master_channel_map=rear-left", "remix=no")
	// What the callee says goes into their microphone and, on its own, onto the recording.
	r.must("pactl", "load-module", "module-remap-sink", "sink_name=near", "master=room", "channels=2", "channel_map=front-left,front-right",
		"master_channel_map=front-center,rear-left", "remix=no")
	r.must("pactl", "load-module", "module-remap-source", "source_name=echo", "master=room.monitor", "channels=1", "channel_map=mono", "master_channel_map=front-right", "remix=no")
	r.must("pactl", "set-source-volume", "echo", "-6dB")
	r.leak("echo", "calleemouth")
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, %s.\n\n", machine(), time.Now().UTC().Format("2006-01-02"))
	out.WriteString("| the callee's voice processing | echo the caller hears | of that in the callee's microphone | callee alone: ESTOI, delay | both talk: ESTOI | CPU, callee's end |\n|---|---|---|---|---|---|\n")
	for _, voice := range []string{"off", "auto"} {
		fmt.Fprintln(&out, r.withEcho(voice, speech))
	}
	fmt.Println(out.String())
	if path := os.Getenv("SOTTO_BENCH_TABLE"); path != "" {
		if err := writeSection(path, "bench-echo", out.String()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

func (r *rig) withEcho(voice string, speech []float32) string {
	p := newPair(r)
	defer p.stop()
	for _, key := range []string{"sound.echo", "sound.noise", "sound.gain", "sound.highpass"} {
		r.sotto("--home", p.homes["bob"], "settings", "set", key, voice)
	}
	bob := p.listen(nil, "--voice", voice, "--frame", "20")
	p.call("--voice", "off", "--frame", "20")
	time.Sleep(warmUp)
	half := len(speech) / 2
	before, at := usageOf([]int{bob}), time.Now()
	far := r.record(func() { r.play("mouth", speech) })
	after, took := usageOf([]int{bob}), time.Since(at)
	alone := r.record(func() { r.play("near", speech[half:]) })
	both := r.record(func() {
		var players sync.WaitGroup
		players.Go(func() { r.play("mouth", speech[:half]) })
		players.Go(func() { r.play("near", speech[half:]) })
		players.Wait()
	})
	const settled = 6 * audio.SampleRate // a second of silence, then five of speech
	late := delays(alone[near], alone[callerEar])
	return fmt.Sprintf("| %s | %.0f dBFS | %.0f dBFS | %.3f, %.0f ms | %.3f | %.1f %% |", voice,
		audio.Level(far[callerEar][settled:]), audio.Level(far[calleeMic][settled:]),
		estoi(r.b, alone[near], alone[callerEar]), quantile(late, 0.5), estoi(r.b, both[near], both[callerEar]),
		100*(after.cpu-before.cpu).Seconds()/took.Seconds())
}

// leak plays what a source gives in a sink, some tens of milliseconds later. (The sound
// server's own module-loopback brings it down where both belong to one device.)
func (r *rig) leak(source, sink string) {
	r.b.Helper()
	format := []string{"--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=20"}
	from, to := exec.Command("parec", append(format, "--device="+source)...), exec.Command("pacat", append(format, "--device="+sink)...)
	recorded, err := from.StdoutPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	played, err := to.StdinPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	r.start(from)
	r.start(to)
	go func() { // ends with either
		raw, live := make([]byte, 960), time.Now().Add(2*time.Second) // what comes while they start would only be delay
		for {
			if _, err := io.ReadFull(recorded, raw); err != nil {
				return
			}
			if time.Now().Before(live) {
				continue
			}
			if _, err := played.Write(raw); err != nil {
				return
			}
		}
	}()
}
