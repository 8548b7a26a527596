//go:build cgo && !noaudio && linux

package device_test

import (
	"encoding/binary"
	"io"
	"math"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/device"
)

// BenchmarkMouthToEar measures a session looped to itself over PulseAudio: one
// stereo null sink whose left channel is the room of the mouth and whose right is
// that of the ear. A click track is played into the left one; the session listens
// to the left one's monitor and plays into the right one; one recording of both
// shows how far they are apart, so that the players' and the recorder's own
// latency does not count.
func BenchmarkMouthToEar(b *testing.B) {
	startPulse(b)
	for _, tool := range []string{"pactl", "parec", "pacat"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Skip("SKIPPED: needs " + tool)
		}
	}
	for _, module := range [][]string{
		{"module-null-sink", "sink_name=rooms", "rate=48000", "channels=2", "channel_map=front-left,front-right"},
		{"module-remap-sink", "sink_name=mouth", "master=rooms", "channels=1", "channel_map=mono", "master_channel_map=front-left", "remix=no"},
		{"module-remap-sink", "sink_name=speaker", "master=rooms", "channels=1", "channel_map=mono", "master_channel_map=front-right", "remix=no"},
		{"module-remap-source", "source_name=mic", "master=rooms.monitor", "channels=1", "channel_map=mono", "master_channel_map=front-left", "remix=no"},
	} {
		if out, err := exec.Command("pactl", append([]string{"load-module"}, module...)...).CombinedOutput(); err != nil {
			b.Fatalf("%v: %s", module, out)
		}
	}
	for b.Loop() {
		delays, stats := measure(b)
		slices.Sort(delays)
		if len(delays) == 0 {
			b.Fatal("nothing was heard")
		}
		b.ReportMetric(delays[len(delays)/2], "ms-median")
		b.ReportMetric(delays[0], "ms-least")
		b.ReportMetric(delays[len(delays)-1], "ms-most")
		b.ReportMetric(stats.PlayoutMilliseconds, "ms-playout")
	}
}

// measure runs the loop for 15 s and returns the delay of each click after the first 5.
func measure(b *testing.B) ([]float64, audio.Stats) {
	b.Helper()
	session := loopedSession(b)
	defer session.Close()
	player := exec.Command("pacat", "--device=mouth", "--rate=48000", "--channels=1", "--format=s16le", "--latency-msec=50")
	clicks, err := player.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	recorder := exec.Command("parec", "--device=rooms.monitor", "--rate=48000", "--channels=2", "--format=s16le", "--latency-msec=50")
	recorded, err := recorder.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	for _, command := range []*exec.Cmd{recorder, player} {
		if err := command.Start(); err != nil {
			b.Fatal(err)
		}
	}
	var writing sync.WaitGroup
	writing.Go(func() { _, _ = clicks.Write(clickTrack(16)) })
	raw := make([]byte, 15*audio.SampleRate*4)
	if _, err := io.ReadFull(recorded, raw); err != nil {
		b.Fatal(err)
	}
	for _, command := range []*exec.Cmd{player, recorder} {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	writing.Wait()
	return clickDelays(raw, 5*audio.SampleRate), session.Stats()
}

func loopedSession(b *testing.B) *audio.Session {
	b.Helper()
	source, err := device.OpenSource("mic")
	if err != nil {
		b.Fatal(err)
	}
	sink, err := device.OpenSink("speaker")
	if err != nil {
		b.Fatal(err)
	}
	encoder, err := codec.NewEncoder()
	if err != nil {
		b.Fatal(err)
	}
	decoder, err := codec.NewDecoder()
	if err != nil {
		b.Fatal(err)
	}
	var session *audio.Session
	counter := uint32(0)
	ready := make(chan struct{})
	session, err = audio.NewSession(audio.SessionConfig{
		Source: source, Sink: sink, Encoder: encoder, Decoder: decoder,
		Send: func(payload []byte, _ int) {
			<-ready
			session.Receive(counter, payload, time.Now())
			counter++
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	close(ready)
	if err := session.Start(); err != nil {
		b.Fatal(err)
	}
	return session
}

// clickTrack has a burst of 1 kHz, 30 ms long, every 500 ms.
func clickTrack(seconds int) []byte {
	var raw []byte
	for i := range seconds * audio.SampleRate {
		x := 0.0
		if at := i % (audio.SampleRate / 2); at < audio.SampleRate*30/1000 {
			x = 0.5 * math.Cos(2*math.Pi*1000*float64(at)/audio.SampleRate)
		}
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(x*32767)))
	}
	return raw
}

// clickDelays finds the clicks of both channels and returns, in milliseconds, how
// long after each on the left the next on the right begins.
func clickDelays(raw []byte, from int) []float64 {
	begins := func(channel int) []int {
		var found []int
		quiet := 0
		for i := from; i < len(raw)/4; i++ {
			sample := int16(binary.LittleEndian.Uint16(raw[4*i+2*channel:]))
			if quiet++; sample < 3200 && sample > -3200 {
				continue
			}
			if quiet > audio.SampleRate/5 {
				found = append(found, i)
			}
			quiet = 0
		}
		return found
	}
	var delays []float64
	right := begins(1)
	for _, spoken := range begins(0) {
		for _, heard := range right {
			if heard > spoken {
				delays = append(delays, float64(heard-spoken)*1000/audio.SampleRate)
				break
			}
		}
	}
	return delays
}
