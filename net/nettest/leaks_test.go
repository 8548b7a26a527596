package nettest

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// recorder is a testing.TB that keeps cleanups and failures for the test to look at.
type recorder struct {
	testing.TB
	cleanups []func()
	failures []string
}

func (r *recorder) Helper()                        {}
func (r *recorder) Failed() bool                   { return false }
func (r *recorder) Cleanup(f func())               { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, _ ...any) { r.failures = append(r.failures, format) }

func TestLeaksFindsWhatWasLeft(t *testing.T) {
	r := &recorder{TB: t}
	check(r, 0, []goleak.Option{goleak.IgnoreCurrent()})
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { defer close(stopped); <-stop }()
	r.cleanups[0]()
	close(stop)
	<-stopped
	if len(r.failures) != 1 || !strings.Contains(r.failures[0], "outlived") {
		t.Fatalf("a goroutine was left and the check said %q", r.failures)
	}
}

func TestLeaksIsQuietWhenAllIsWell(t *testing.T) {
	r := &recorder{TB: t}
	Leaks(r)
	stopped := make(chan struct{})
	go close(stopped)
	<-stopped
	r.cleanups[0]()
	if len(r.failures) != 0 {
		t.Fatalf("nothing was left and the check said %q", r.failures)
	}
}
