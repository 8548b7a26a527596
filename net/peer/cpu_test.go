//go:build unix

package peer

import (
	"syscall"
	"testing"
	"time"
)

func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkCall is one frame each way, at its time, of 20 ms and of 10. It reports what both
// people and both relays together take of one core for getting packets across.
func BenchmarkCall(b *testing.B) {
	b.Run("20 ms", func(b *testing.B) { benchmarkCall(b, 20*time.Millisecond, 327) })
	b.Run("10 ms", func(b *testing.B) { benchmarkCall(b, 10*time.Millisecond, 177) })
}

func benchmarkCall(b *testing.B, every time.Duration, sealed int) {
	one, two, _, _ := pair(b)
	frame := make([]byte, sealed)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	start, before := time.Now(), cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range []*Peer{one, two} {
			if err := p.Send(frame, int(every*48000/time.Second)); err != nil {
				b.Fatal(err)
			}
		}
		<-ticker.C
	}
	b.ReportMetric(100*float64(cpuTime(b)-before)/float64(time.Since(start)), "%core")
}
