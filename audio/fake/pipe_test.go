//go:build unix

package fake

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"sotto/audio"
)

// These run in real time: a pipe of the system knows no other.

func newPipe(t *testing.T) (in, out *os.File) {
	t.Helper()
	ignore := goleak.IgnoreCurrent()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_, _ = in.Close(), out.Close()
		goleak.VerifyNone(t, ignore)
	})
	return in, out
}

func TestPipeSourceGivesWhatIsWrittenAndSaysWhenItEnds(t *testing.T) {
	in, out := newPipe(t)
	const written = 10*audio.PeriodSamples + 100
	go func() {
		var raw []byte
		for i := range written {
			raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(i+1)))
		}
		_, _ = out.Write(append(raw, 0x7f)) // half a sample at the end
		_ = out.Close()
	}()
	source := NewPipeSource(in)
	var sound []float32 // the source's until it is closed
	if err := source.Start(func(period []float32) { sound = append(sound, period...) }); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-source.Lost():
		if !errors.Is(err, audio.ErrEnded) {
			t.Errorf("ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("does not say that it ended")
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
	next := 1
	for _, sample := range sound {
		if sample == 0 {
			continue
		}
		if got := int(sample * (1 << 15)); got != next {
			t.Fatalf("sample %d where %d follows", got, next)
		}
		next++
	}
	if next != written+1 {
		t.Errorf("%d of %d samples came through", next-1, written)
	}
}

func TestPipeSourceThatNobodyWritesToIsSilentAndCloses(t *testing.T) {
	in, _ := newPipe(t)
	source := NewPipeSource(in)
	silent := make(chan bool, 1000)
	if err := source.Start(func(period []float32) { silent <- audio.Level(period) == audio.Silence }); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if !<-silent {
			t.Error("is not silent")
		}
	}
	if err := source.Close(); err != nil {
		t.Error(err)
	}
}

func TestPipeSinkWritesAndNoticesThatTheReaderLeft(t *testing.T) {
	in, out := newPipe(t)
	sink, err := NewPipeSink(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Start(func(period []float32) {
		for i := range period {
			period[i] = 0.5
		}
	}); err != nil {
		t.Fatal(err)
	}
	raw := make([]byte, 5*periodBytes)
	if _, err := io.ReadFull(in, raw); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(raw); i += 2 {
		if got := int16(binary.LittleEndian.Uint16(raw[i:])); got != 16384 {
			t.Fatalf("sample %d is %d", i/2, got)
		}
	}
	_ = in.Close()
	select {
	case err := <-sink.Lost():
		if !errors.Is(err, audio.ErrDevice) {
			t.Errorf("lost with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("does not notice")
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
	if _, err := out.Stat(); err != nil {
		t.Errorf("closed a file that is not its own: %v", err)
	}
}

func TestPipeSinkDoesNotWaitForAReaderThatStopped(t *testing.T) {
	_, out := newPipe(t)
	sink, err := NewPipeSink(out)
	if err != nil {
		t.Fatal(err)
	}
	p := sink.(*pipeSink)
	asked := make(chan struct{}, 1000)
	if err := sink.Start(func([]float32) { asked <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	const capacity = 64 << 10 // of a pipe on Linux; elsewhere it is less
	for range capacity/periodBytes + 20 {
		<-asked
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
	if p.dropped == 0 {
		t.Error("nothing was dropped")
	}
}
