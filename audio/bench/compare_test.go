//go:build linux

package bench

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/measure"
)

// prompts are long sentences of one human voice, from Debian's
// asterisk-core-sounds-en-g722 (CC-BY-SA 3.0).
var prompts = []string{"basic-pbx-ivr-main", "demo-congrats", "demo-instruct", "demo-abouttotry", "vm-review", "vm-options"}

// loadSpeech reads the prompts at 48 kHz, each with a pause behind it.
func loadSpeech(b *testing.B) (spoken []float32) {
	b.Helper()
	for _, name := range prompts {
		if len(spoken) > 25*audio.SampleRate {
			break
		}
		found, _ := filepath.Glob("/usr/share/asterisk/sounds/*/" + name + ".g722")
		if len(found) == 0 {
			continue
		}
		raw, err := exec.Command("ffmpeg", "-v", "error", "-i", found[0], "-ar", "48000", "-ac", "1", "-t", "9", "-f", "s16le", "-").Output()
		if err != nil {
			b.Fatalf("ffmpeg: %v", err)
		}
		for at := 0; at+2 <= len(raw); at += 2 {
			spoken = append(spoken, sample(raw[at:]))
		}
		spoken = append(spoken, make([]float32, audio.SampleRate/2)...)
	}
	if len(spoken) < 20*audio.SampleRate {
		b.Skip("SKIPPED: needs the speech of asterisk-core-sounds-en-g722")
	}
	return spoken
}

const (
	window       = audio.SampleRate // the delay is read once each second of speech
	longestDelay = time.Second / 2  // that is looked for
	longest      = audio.SampleRate / 2
	quiet        = -45.0 // dBFS, below which a piece is a pause
)

// delays are, for each second of speech, how much later it is heard, in milliseconds, in order.
func delays(said, heard []float32) (found []float64) {
	gently(func() { found = measureDelays(said, heard) })
	return found
}

func measureDelays(said, heard []float32) (found []float64) {
	for at := 0; at+window+longest <= len(said); at += window {
		piece := said[at : at+window]
		if audio.Level(piece) < quiet {
			continue
		}
		if lag, alike := measure.Delay(piece, heard[at:at+window+longest], audio.SampleRate, longestDelay); alike > 0.4 {
			found = append(found, lag.Seconds()*1000)
		}
	}
	return found
}

// estoi is the intelligibility of what was heard, each four seconds set against
// what was said at the delay they had, so that a slow change of delay does not count.
func estoi(b *testing.B, said, heard []float32) (score float64) {
	gently(func() { score = measureESTOI(b, said, heard) })
	return score
}

// gently works on a thread of the lowest priority, because the calls go on meanwhile.
func gently(work func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // for good: the thread ends with this goroutine
		_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19)
		work()
	}()
	<-done
}

func measureESTOI(b *testing.B, said, heard []float32) float64 {
	const stretch = 4 * audio.SampleRate
	var sum, weight float64
	for at := 0; at+stretch+longest <= len(said); at += stretch {
		piece := said[at : at+stretch]
		if audio.Level(piece) < quiet {
			continue
		}
		around := heard[at : at+stretch+longest]
		lag, _ := measure.Delay(piece, around, audio.SampleRate, longestDelay)
		score, err := measure.ESTOI(piece, measure.Align(piece, around, audio.SampleRate, lag), audio.SampleRate)
		if err != nil {
			b.Error(err)
			return 0
		}
		sum, weight = sum+score, weight+1
	}
	return sum / max(weight, 1)
}

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}
