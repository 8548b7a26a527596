// Package nettest holds what network tests share: the leak check, and virtual
// worlds of relays with loss and delay in which no socket exists.
package nettest

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// settle is how long a goroutine that is already on its way out may take on a busy machine.
const settle = 5 * time.Second

// Leaks fails t if, after the test and all of its other cleanups, a goroutine runs that
// did not run when Leaks was called. It is the first line of a network test, and not for
// tests that run in parallel, which would see each other's goroutines.
func Leaks(t testing.TB, options ...goleak.Option) {
	t.Helper()
	check(t, settle, append(options, goleak.IgnoreCurrent()))
}

func check(t testing.TB, settle time.Duration, options []goleak.Option) {
	t.Cleanup(func() {
		if t.Failed() {
			return // a test that stopped half-way has left its goroutines for that reason
		}
		var err error
		for start := time.Now(); err == nil || time.Since(start) < settle; {
			if err = goleak.Find(options...); err == nil {
				return
			}
		}
		t.Errorf("goroutines outlived the test: %v", err)
	})
}
