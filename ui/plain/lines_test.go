package plain

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"sotto/net/nettest"
)

// stalled takes nothing until it is let go.
type stalled struct {
	taken       bytes.Buffer // not embedded: its WriteString would be found
	begun, goOn chan struct{}
}

func (s *stalled) Write(text []byte) (int, error) {
	select {
	case s.begun <- struct{}{}:
	default:
	}
	<-s.goOn
	return s.taken.Write(text)
}

func TestASlowReaderHoldsUpNobody(t *testing.T) {
	nettest.Leaks(t)
	output := &stalled{begun: make(chan struct{}, 1), goOn: make(chan struct{})}
	p := newPrinter(output)
	p.line("first")
	<-output.begun
	for range 3 * queueLimit { // would never end if it waited
		p.line("middle")
	}
	p.line("last\x1b[2J\u202e")
	close(output.goOn)
	p.finish()
	<-p.done
	got := output.taken.String()
	if !strings.HasPrefix(got, "first\n401 lines were left out here") || !strings.HasSuffix(got, "\nlast[2J\n") {
		t.Errorf("what arrived is %q", got)
	}
	if lines := strings.Count(got, "\n"); lines != queueLimit+2 {
		t.Errorf("%d lines arrived", lines)
	}
}

func TestLeavingDoesNotWaitForAReader(t *testing.T) {
	output := &stalled{begun: make(chan struct{}, 1), goOn: make(chan struct{})}
	p := newPrinter(output)
	p.line("first")
	<-output.begun
	left := make(chan struct{})
	go func() { defer close(left); p.finish() }()
	select {
	case <-left:
	case <-time.After(30 * time.Second):
		t.Error("finishing waits for an output that takes nothing")
	}
	close(output.goOn)
	<-p.done
}

func TestAnOutputThatIsGoneEndsThePrinting(t *testing.T) {
	nettest.Leaks(t)
	reader, writer := io.Pipe()
	_ = reader.Close()
	p := newPrinter(writer)
	p.line("nobody hears this")
	<-p.done
	p.line("nor this")
	p.finish()
}
