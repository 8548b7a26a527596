//go:build unix

package audio_test

import (
	"syscall"
	"testing"
	"time"

	"sotto/audio/fake"
)

// BenchmarkCall runs one direction of a call from a probe to a probe in real time
// and reports the share of one core that both of its ends took together (which is
// what one call costs: it sends and it plays), and how long sound was on its way.
func BenchmarkCall(b *testing.B) {
	const length = 10 * time.Second
	for b.Loop() {
		probe := fake.NewProbe()
		began := processTime(b)
		speaker, listener, _ := talk(b, probe.Source(), probe.Sink())
		time.Sleep(length)
		spent := processTime(b) - began
		hangUp(b, speaker, listener)
		median, _ := probe.Median()
		b.ReportMetric(100*spent.Seconds()/length.Seconds()/2, "%core/call")
		b.ReportMetric(median.Seconds()*1000, "ms-mouth-to-ear")
	}
}

func processTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
