//go:build linux

package cli

import (
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// BenchmarkAnswerToAudio places b.N calls between four processes and prints the
// median time from bob's answer to the first frame he hears, and from alice's
// hearing of the answer to hers. `make bench` runs 20.
func BenchmarkAnswerToAudio(b *testing.B) {
	_, addressA := startRelay(b, b.TempDir())
	_, addressB := startRelay(b, b.TempDir())
	alice, bob := pair(b, addressA, addressB)
	listen := start(b, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "tone", "--speaker", "null", "--json")
	listen.await("listen.ready")
	var hers, his []float64
	for b.Loop() {
		call := start(b, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--for", "500ms", "--json")
		hers = append(hers, call.await("call.audio")["answer_to_audio_ms"].(float64))
		his = append(his, listen.await("call.audio")["answer_to_audio_ms"].(float64))
		listen.await("call.ended")
		if status := call.exit(); status != 0 {
			b.Fatalf("status %d\n%s", status, call.stderr)
		}
	}
	b.ReportMetric(median(his), "callee-median-ms")
	b.ReportMetric(slices.Max(his), "callee-max-ms")
	b.ReportMetric(median(hers), "caller-median-ms")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCallCost measures what a call of 20 s costs the process that makes it.
func BenchmarkCallCost(b *testing.B) {
	_, addressA := startRelay(b, b.TempDir())
	_, addressB := startRelay(b, b.TempDir())
	alice, bob := pair(b, addressA, addressB)
	listen := start(b, "--home", bob, "listen", "--auto-answer", "alice", "--mic", "file:testdata/sentence.wav", "--speaker", "null", "--json")
	listen.await("listen.ready")
	const length = 20 * time.Second
	for range 1 {
		call := start(b, "--home", alice, "call", "bob", "--mic", "file:testdata/sentence.wav", "--speaker", "null", "--for", length.String(), "--json")
		call.await("call.ended")
		if status := call.exit(); status != 0 {
			b.Fatalf("status %d\n%s", status, call.stderr)
		}
		usage := call.command.ProcessState.SysUsage().(*syscall.Rusage)
		spent := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
		b.ReportMetric(100*spent.Seconds()/length.Seconds(), "%core")
		b.ReportMetric(float64(usage.Maxrss)/1024, "MB")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkIdleInterface counts what the interface writes while nothing happens.
func BenchmarkIdleInterface(b *testing.B) {
	home := filepath.Join(b.TempDir(), "alice")
	must(b, "--home", home, "setup", "--name", "alice", "--calls", "off", "--yes")
	command := exec.Command(sotto(b), "--home", home)
	command.Env = append(command.Environ(), "TERM=xterm-256color")
	terminal, err := pty.StartWithSize(command, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		b.Fatal(err)
	}
	defer terminal.Close()
	defer func() { _ = command.Process.Kill(); _ = command.Wait() }()
	written := make(chan int, 4096)
	go func() {
		defer close(written)
		buffer := make([]byte, 65536)
		for {
			n, err := terminal.Read(buffer)
			if n > 0 {
				written <- n
			}
			if err == io.EOF || err != nil {
				return
			}
		}
	}()
	count := func(during time.Duration) (bytes int) {
		over := time.After(during)
		for {
			select {
			case n := <-written:
				bytes += n
			case <-over:
				return bytes
			}
		}
	}
	if count(3*time.Second) == 0 {
		b.Fatal("the interface showed nothing")
	}
	b.ReportMetric(float64(count(10*time.Second))/10, "bytes/s")
	b.ReportMetric(0, "ns/op")
}
