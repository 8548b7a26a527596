package redundancy

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"
)

var zero = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func frameOf(n int) []byte { return []byte(fmt.Sprintf("frame %04d", n)) }

func TestEveryFrameIsInTheNextPacketsToo(t *testing.T) {
	silence := []byte("silence...")
	for depth := range Most + 1 {
		packer := NewPacker(silence)
		for n := range 50 {
			payload := packer.Pack(nil, frameOf(n), Periods, depth, Report{Loss: 0.25})
			if len(payload) != Size(len(silence), depth) || payload[0] != byte(depth) {
				t.Fatalf("depth %d: %d bytes, shape %x", depth, len(payload), payload[0])
			}
			packet, err := Parse(payload)
			if err != nil || packet.Depth != depth || packet.Periods != Periods || math.Abs(packet.Report.Loss-0.25) > 0.002 || packet.Report.Steady {
				t.Fatalf("depth %d: %+v, %v", depth, packet, err)
			}
			for age := range depth + 1 {
				want := silence
				if n >= age {
					want = frameOf(n - age)
				}
				position, frame := packet.Frame(age)
				if position != uint32((n-age)*Periods) || !bytes.Equal(frame, want) {
					t.Fatalf("depth %d, packet %d, age %d: %q at %d", depth, n, age, frame, position)
				}
			}
		}
	}
}

func TestDepthMovesSeldom(t *testing.T) {
	var d Depth
	now := zero
	for _, step := range []struct {
		loss float64
		wait time.Duration
		want int
	}{
		{0, time.Second, Default},
		{0.30, time.Second, Default},
		{0.45, time.Second, Most}, // at once
		{0.10, 10 * time.Second, Most},
		{0.30, 25 * time.Second, Most}, // not well yet: the half minute begins anew
		{0, 29 * time.Second, Most},
		{0, 2 * time.Second, Default},
		{0.35, time.Second, Default},
	} {
		now = now.Add(step.wait)
		if d.Reported(step.loss, now); d.Value() != step.want {
			t.Errorf("%+v: depth %d", step, d.Value())
		}
	}
}

func TestMeterCountsWhatIsMissing(t *testing.T) {
	var m Meter
	now, counter := zero, ^uint32(0)-100 // wraps around on the way
	run := func(seconds int, lost func(n int) bool) {
		for n := range seconds * 50 {
			now = now.Add(20 * time.Millisecond)
			if counter++; !lost(n) {
				m.Arrived(counter, now)
			}
		}
	}
	run(5, func(int) bool { return false })
	if m.Loss(now) != 0 || m.Report() != 0 {
		t.Errorf("nothing is lost and %v is reported", m.Report())
	}
	run(15, func(n int) bool { return n%5 == 2 })
	if math.Abs(m.Loss(now)-0.2) > 0.03 || math.Abs(m.Report()-0.2) > 0.03 {
		t.Errorf("a fifth is lost, %.2f and %.2f are said", m.Loss(now), m.Report())
	}
	run(3, func(int) bool { return false })
	if m.Loss(now) != 0 || m.Report() == 0 || m.Report() > 0.1 {
		t.Errorf("three seconds later %.2f and %.2f are said", m.Loss(now), m.Report())
	}
	if got := m.Loss(now.Add(2 * time.Second)); got != 1 {
		t.Errorf("with nothing coming for two seconds the loss is %v", got)
	}
	for range 100 { // pairs swapped
		now = now.Add(40 * time.Millisecond)
		m.Arrived(counter+2, now)
		m.Arrived(counter+1, now)
		counter += 2
	}
	if m.Loss(now) > 0.03 {
		t.Errorf("swapping is taken for %.2f of loss", m.Loss(now))
	}
}

func TestNothingIsAllocated(t *testing.T) {
	packer, frame := NewPacker(frameOf(0)), frameOf(1)
	dst := make([]byte, 0, Size(len(frame), Most))
	var m Meter
	n := uint32(0)
	if allocations := testing.AllocsPerRun(1000, func() {
		n++
		m.Arrived(n, zero.Add(time.Duration(n)*20*time.Millisecond))
		packet, err := Parse(packer.Pack(dst, frame, 1+int(n/8)%2, Most, Report{Loss: m.Report()}))
		if err != nil {
			t.Fatal(err)
		}
		packet.Frame(packet.Depth)
	}); allocations != 0 {
		t.Errorf("%v allocations a packet", allocations)
	}
}

// FuzzParse: what is read is what Pack would have written, and nothing else is read.
func FuzzParse(f *testing.F) {
	f.Add(NewPacker(frameOf(0)).Pack(nil, frameOf(1), Periods, 2, Report{Loss: 0.1}))
	f.Add([]byte{3, 0, 0, 0, 0, 0, 1, 2, 3, 4})
	f.Add([]byte{2 | steadyBit | shortBit, 0, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6})
	f.Add([]byte{2 | shortBit | 1<<emptyShift, 0, 0, 0, 0, 1, 1, 2, 3, 4, 0, 0})
	f.Add([]byte{1 | 2<<emptyShift, 0, 0, 0, 0, 1, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, payload []byte) {
		packet, err := Parse(payload)
		if err != nil {
			return
		}
		// Packed again from its frames, the oldest first, it is the same.
		_, oldest := packet.Frame(packet.Depth)
		size := len(oldest)
		packer := NewPacker(oldest)
		depth := (len(payload)-header)/size - 1
		if depth > packet.Depth {
			packer.periods = 0 // as if the length had just changed
		}
		var again []byte
		for age := packet.Depth; age >= 0; age-- {
			position, frame := packet.Frame(age)
			if len(frame) != size || size == 0 || position != packet.Position-uint32(2*age) {
				t.Fatalf("frames of %d and %d bytes, %d at %d", size, len(frame), age, position)
			}
			packer.position = position
			again = packer.Pack(nil, frame, packet.Periods, depth, packet.Report)
			for range apart/packet.Periods - 1 { // what lies between two copies
				if age > 0 {
					packer.Pack(nil, oldest, packet.Periods, depth, packet.Report)
				}
			}
		}
		if !bytes.Equal(again, payload) {
			t.Fatalf("%x was read as %x", payload, again)
		}
	})
}

// TestCopiesOfShortFramesCoverTheSameTime, also across changes of length: each frame is
// in two later packets, 20 and 40 ms after it, unless the length changed before they were sent.
func TestCopiesOfShortFramesCoverTheSameTime(t *testing.T) {
	const short, long = 4, 6
	packer := NewPacker(make([]byte, long))
	type frame struct{ periods, copies int }
	sent := map[uint32]frame{} // by position
	position := uint32(0)
	for n := range 300 {
		periods, size := Periods, long
		if n/30%2 == 1 {
			periods, size = ShortPeriods, short
		}
		payload := packer.Pack(nil, bytes.Repeat([]byte{byte(n)}, size), periods, Default, Report{Steady: true})
		packet, err := Parse(payload)
		if err != nil || packet.Periods != periods || packet.Position != position || !packet.Report.Steady || len(payload) != Size(size, Default) {
			t.Fatalf("packet %d: %+v, %v", n, packet, err)
		}
		for age := range packet.Depth + 1 {
			at, bytes := packet.Frame(age)
			if len(bytes) != size {
				t.Fatalf("packet %d: frames of %d bytes", n, len(bytes))
			}
			if int32(at) < 0 {
				continue // silence from before the call
			}
			if age == 0 {
				sent[at] = frame{periods: periods}
				continue
			}
			of := sent[at]
			of.copies++
			if sent[at] = of; of.periods != periods || at != position-uint32(2*age) {
				t.Fatalf("packet %d brings a copy of %+v at %d", n, of, at)
			}
		}
		position += uint32(periods)
	}
	full := 0
	for _, f := range sent {
		if f.copies == Default {
			full++
		}
	}
	if len(sent) != 300 || full < 300-10*4 {
		t.Errorf("of %d frames %d were sent three times", len(sent), full)
	}
}
