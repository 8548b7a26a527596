//go:build linux

package bench

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"sotto/audio"
)

// near is the channel of what the callee says in the recordings of BenchmarkEcho.
const near = 4

// BenchmarkEcho is a call to somebody whose loudspeaker is heard by their microphone,
// 6 dB lower, without voice processing and with it:
// what does the caller hear of themselves, and how clear is the callee?
func BenchmarkEcho(b *testing.B) {
	if os.Getenv("SOTTO_BENCH_ECHO") == "" {
		b.Skip("a call with an echo: run it with make bench-echo")
	}
	r := newRig(b, "front-center", "lfe")
	speech := loadSpeech(b)
	// What the callee's loudspeaker plays, their microphone hears, 6 dB lower; what they say
	// goes there too and, on its own, onto the recording.
	for name, channels := range map[string]string{"loud": "front-right,rear-left", "near": "front-center,rear-left"} {
		r.must("pactl", "load-module", "module-remap-sink", "sink_name="+name, "master=room", "channels=2", "channel_map=front-left,front-right",
			"master_channel_map="+channels, "remix=no", "sink_properties=device.description="+name)
	}
	r.must("pactl", "set-sink-volume", "loud", "65536", "52057")
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, %s.\n\n", machine(), time.Now().UTC().Format("2006-01-02"))
	out.WriteString("| the callee's voice processing | echo in the callee's microphone | the caller hears of it | 95 of 100 seconds below | loudest second | callee alone: ESTOI, delay | both talk: ESTOI | CPU, callee's end |\n|---|---|---|---|---|---|---|---|\n")
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
	r.processVoice(p.homes["bob"], voice)
	bob := p.listenOn("loud", nil, "--voice", voice, "--frame", "20")
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
	mic, heard := seconds(far[calleeMic][settled:]), seconds(far[callerEar][settled:])
	r.b.Logf("voice %s: in the callee's microphone, second by second: %.0f", voice, mic)
	r.b.Logf("voice %s: what the caller hears of it: %.0f", voice, heard)
	return fmt.Sprintf("| %s | %.0f dBFS | %.0f dBFS | %.0f dBFS | %.0f dBFS | %.3f, %.0f ms | %.3f | %.1f %% |", voice,
		audio.Level(far[calleeMic][settled:]), audio.Level(far[callerEar][settled:]), quantile(heard, 0.95), quantile(heard, 1),
		estoi(r.b, alone[near], alone[callerEar]), quantile(late, 0.5), estoi(r.b, both[near], both[callerEar]),
		100*(after.cpu-before.cpu).Seconds()/took.Seconds())
}

// seconds is the level of each whole second.
func seconds(sound []float32) (levels []float64) {
	for ; len(sound) >= audio.SampleRate; sound = sound[audio.SampleRate:] {
		levels = append(levels, audio.Level(sound[:audio.SampleRate]))
	}
	return levels
}
