package plain

import (
	"io"
	"strings"
	"testing"
	"time"

	"sotto/net/nettest"
)

// TestUrgentVerbsPassWhatHangs: a hang-up does not wait for a device that does.
func TestUrgentVerbsPassWhatHangs(t *testing.T) {
	nettest.Leaks(t)
	p := &plain{ctx: t.Context(), print: newPrinter(io.Discard), ordered: newWorker(), urgent: newWorker(), last: make(chan struct{})}
	close(p.last)
	var order []string
	letGo, passed := make(chan struct{}), make(chan struct{})
	note := func(name string) func(*plain, string) error {
		return func(*plain, string) error { order = append(order, name); return nil }
	}
	p.dispatch(&verb{run: note("call")}, "")
	p.dispatch(&verb{run: note("mute"), urgent: true}, "")
	p.dispatch(&verb{run: note("status")}, "")
	p.dispatch(&verb{run: func(*plain, string) error { <-letGo; return nil }}, "")
	p.dispatch(&verb{run: func(*plain, string) error { close(passed); return nil }, urgent: true}, "")
	select {
	case <-passed:
	case <-time.After(30 * time.Second):
		t.Error("an urgent verb waits for one that hangs")
	}
	close(letGo)
	<-p.last
	p.ordered.close()
	p.urgent.close()
	p.ordered.wait()
	p.urgent.wait()
	p.print.finish()
	if got := strings.Join(order, " "); got != "call mute status" {
		t.Errorf("done in the order %q", got)
	}
}
