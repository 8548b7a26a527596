//go:build linux

package bench

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/measure"
)

// BenchmarkEar records what a person hears who calls the echo: where does it click, and how
// clear is it? The recording is kept, for ears.
func BenchmarkEar(b *testing.B) {
	keep := os.Getenv("SOTTO_BENCH_EAR")
	if keep == "" {
		b.Skip("a recording of the echo: run it with make bench-ear")
	}
	r := newRig(b)
	speech := loadSpeech(b)
	p := newPair(r)
	defer p.stop()
	_, _ = p.follow("call.connected", nil, "--home", p.homes["alice"], "call", "echo", "--json", "--voice", "off",
		"--mic", "device:callermic", "--speaker", "device:callerear")
	time.Sleep(warmUp)
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s, %s.\n\n", machine(), time.Now().UTC().Format("2006-01-02"))
	out.WriteString("| time | speech | later by, median | 95 % | ESTOI | clicks as said | as heard |\n|---|---|---|---|---|---|---|\n")
	for minute := range 3 {
		all := r.record(func() { r.play("mouth", speech) })
		if minute == 0 {
			if err := os.WriteFile(keep, wav(all[said], all[callerEar]), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		var before, after, kept int // kept is how long the echo keeps what it hears before it says it back
		gently(func() {
			before, after = len(measure.Clicks(all[said], audio.SampleRate)), len(measure.Clicks(all[callerEar], audio.SampleRate))
			lag, _ := measure.Delay(all[said], all[callerEar], audio.SampleRate, 2*time.Second)
			kept = max(0, int(lag*audio.SampleRate/time.Second)-longest/2)
		})
		heard := all[callerEar][kept:]
		spoken := all[said][:len(heard)]
		late := delays(spoken, heard)
		fmt.Fprintf(&out, "| %d | %d s | %.0f ms | %.0f ms | %.3f | %d | %d |\n", minute+1, len(speech)/audio.SampleRate,
			1000*float64(kept)/audio.SampleRate+quantile(late, 0.5), 1000*float64(kept)/audio.SampleRate+quantile(late, 0.95), estoi(b, spoken, heard), before, after)
	}
	fmt.Println(out.String())
	if path := os.Getenv("SOTTO_BENCH_TABLE"); path != "" {
		if err := writeSection(path, "bench-ear", out.String()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// wav is a file of two channels at 48 kHz.
func wav(left, right []float32) []byte {
	both := make([]float32, 0, 2*len(left))
	for i := range left {
		both = append(both, left[i], right[i])
	}
	data := pcm(both)
	const channels, bytesPerSample = 2, 2
	raw := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(36+len(data)))
	raw = append(raw, "WAVEfmt "...)
	for _, field := range []any{
		uint32(16), uint16(1), uint16(channels), uint32(audio.SampleRate), uint32(audio.SampleRate * channels * bytesPerSample),
		uint16(channels * bytesPerSample), uint16(8 * bytesPerSample),
	} {
		raw, _ = binary.Append(raw, binary.LittleEndian, field)
	}
	raw = append(raw, "data"...)
	return append(binary.LittleEndian.AppendUint32(raw, uint32(len(data))), data...)
}
