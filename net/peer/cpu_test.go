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

// BenchmarkCall is 20 ms of a call: one frame each way, at its time. It reports what both
// people and both relays together take of one core.
func BenchmarkCall(b *testing.B) {
	one, two, _, _ := pair(b)
	frame := make([]byte, 101)
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	start, before := time.Now(), cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		for _, p := range []*Peer{one, two} {
			if err := p.Send(frame, 960); err != nil {
				b.Fatal(err)
			}
		}
		<-ticker.C
	}
	b.ReportMetric(100*float64(cpuTime(b)-before)/float64(time.Since(start)), "%core")
}
