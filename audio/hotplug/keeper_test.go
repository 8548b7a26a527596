package hotplug

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/device"
	"sotto/audio/fake"
)

// bench are devices whose fate a test decides.
type bench struct {
	mu      sync.Mutex // guards the following
	there   []device.Device
	busy    map[string]bool // listed, and does not open
	open    []*plugged
	periods []time.Duration // of what was opened
}

// plugged is an open device of a bench.
type plugged struct {
	Stream
	bench *bench
	is    device.Device
	lost  chan error
	mu    sync.Mutex // guards dead and gaps
	dead  bool
	gaps  uint64
}

func microphone(id string, isDefault bool) device.Device {
	return device.Device{ID: id, Name: "The " + id, Kind: device.Capture, Default: isDefault}
}

func (b *bench) list() ([]device.Device, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.there) == 0 {
		return nil, audio.ErrNoDevices
	}
	return slices.Clone(b.there), nil
}

func (b *bench) openDevice(kind, name string, period time.Duration) (device.Stream, error) {
	time.Sleep(30 * time.Millisecond)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, d := range b.there {
		if d.Kind != kind || name != d.ID && (name != "" || !d.Default) {
			continue
		}
		if b.busy[d.ID] {
			return nil, fmt.Errorf("%w: %s is busy", audio.ErrDevice, d.ID)
		}
		tone, err := fake.NewTone(500)
		if err != nil {
			return nil, err
		}
		p := &plugged{Stream: tone, bench: b, is: d, lost: make(chan error, 1)}
		b.open, b.periods = append(b.open, p), append(b.periods, period)
		return p, nil
	}
	return nil, fmt.Errorf("%w: no %q", audio.ErrDevice, name)
}

func (p *plugged) Device() device.Device { return p.is }
func (p *plugged) Lost() <-chan error    { return p.lost }

func (p *plugged) Gaps() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gaps
}

func (p *plugged) Start(handle func([]float32)) error {
	return p.Stream.Start(func(period []float32) {
		p.mu.Lock()
		dead := p.dead
		p.mu.Unlock()
		if !dead {
			handle(period)
		}
	})
}

func (p *plugged) Close() error {
	p.bench.mu.Lock()
	p.bench.open = slices.DeleteFunc(p.bench.open, func(o *plugged) bool { return o == p })
	p.bench.mu.Unlock()
	return p.Stream.Close()
}

// set makes these the devices there are; open ones that are not among them die as a
// real one does: quietly, and 300 ms later it is noticed.
func (b *bench) set(there ...device.Device) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.there = there
	for _, p := range b.open {
		if slices.ContainsFunc(there, func(d device.Device) bool { return d.ID == p.is.ID }) {
			continue
		}
		p.mu.Lock()
		p.dead = true
		p.mu.Unlock()
		time.AfterFunc(300*time.Millisecond, func() { p.lost <- audio.ErrDevice })
	}
}

func (b *bench) stumble(gaps uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.open {
		p.mu.Lock()
		p.gaps += gaps
		p.mu.Unlock()
	}
}

// steps are the periods of what was opened.
func (b *bench) steps() []time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.periods)
}

// inUse are the ids of what is open.
func (b *bench) inUse() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	ids := ""
	for _, p := range b.open {
		ids += p.is.ID + " "
	}
	return ids
}

// sentences collects what is said; ended by the keeper's test.
type sentences struct {
	in  chan audio.Notice
	all []string
}

func (s *sentences) read(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case n := <-s.in:
			mark := "+ "
			if n.Over {
				mark = "- "
			}
			s.all = append(s.all, mark+n.Text.Error())
		}
	}
}

func TestNothingShowsOnTheWireWhenAMicrophoneDiesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mic := microphone("mic", true)
		b := &bench{there: []device.Device{mic}}
		hardware := newHardware(b.openDevice, b.list)
		said := &sentences{in: make(chan audio.Notice)}
		stop := make(chan struct{})
		var reading sync.WaitGroup
		reading.Go(func() { said.read(stop) })

		var mu sync.Mutex // guards sent
		var sent []time.Time
		sizes := map[int]bool{}
		encoder, err := codec.NewEncoder()
		if err != nil {
			t.Fatal(err)
		}
		decoder, err := codec.NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		keeper := hardware.Keep(device.Capture, Wish{Device: "mic"}, said.in)
		session, err := audio.NewSession(audio.SessionConfig{
			Source: keeper, Sink: fake.NewNullSink(), Encoder: encoder, Decoder: decoder,
			Send: func(payload []byte, _ int) {
				mu.Lock()
				defer mu.Unlock()
				sent, sizes[len(payload)] = append(sent, time.Now()), true
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Start(); err != nil {
			t.Fatal(err)
		}
		level := func(want bool, when string) {
			t.Helper()
			if loud := session.Stats().LevelIn > -30; loud != want {
				t.Errorf("%s: sent at %.0f dBFS", when, session.Stats().LevelIn)
			}
		}
		time.Sleep(5 * time.Second)
		level(true, "with a microphone")
		b.set()
		time.Sleep(10 * time.Second)
		level(false, "without")
		b.set(mic)
		time.Sleep(10 * time.Second)
		level(true, "with it again")
		if err := session.Close(); err != nil {
			t.Error(err)
		}
		close(stop)
		reading.Wait()

		odd := map[time.Duration]int{}
		for i := 1; i < len(sent); i++ {
			if gap := sent[i].Sub(sent[i-1]); gap != audio.FrameDuration {
				odd[gap]++
			}
		}
		count := 0
		for gap, n := range odd {
			if count += n; gap > 60*time.Millisecond {
				t.Errorf("a gap of %v", gap)
			}
		}
		if count > 4 || len(sizes) != 1 { // the beginning, the death, the return
			t.Errorf("gaps other than 20 ms: %v; sizes %v", odd, sizes)
		}
		t.Logf("%d frames, gaps other than 20 ms: %v", len(sent), odd)
		want := []string{
			`+ The microphone "The mic" has stopped, so the other side hears silence; it is used again as soon as it is back`,
			`- The microphone "The mic" has stopped, so the other side hears silence; it is used again as soon as it is back`,
			`+ The microphone "The mic" is back`,
			`- The microphone "The mic" is back`,
		}
		if !slices.Equal(said.all, want) {
			t.Errorf("said %q", said.all)
		}
		if b.inUse() != "" {
			t.Errorf("still open: %s", b.inUse())
		}
	})
}

// keep starts a keeper on a bench and closes it when the test ends.
func keep(t *testing.T, b *bench, wish Wish) (*Keeper, *Hardware) {
	t.Helper()
	hardware := newHardware(b.openDevice, b.list)
	k := hardware.Keep(device.Capture, wish, nil)
	if err := k.Start(func([]float32) {}); err != nil {
		t.Fatal(err)
	}
	return k, hardware
}

func TestADeviceThatIsBusyIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{there: []device.Device{microphone("built-in", true), microphone("headset", false)}, busy: map[string]bool{"headset": true}}
		k, _ := keep(t, b, Wish{Device: "headset"})
		time.Sleep(5 * time.Second)
		if b.inUse() != "built-in " {
			t.Errorf("in place of a busy one, %q is used", b.inUse())
		}
		b.mu.Lock()
		delete(b.busy, "headset")
		b.mu.Unlock()
		time.Sleep(2 * backOffMost)
		if b.inUse() != "headset " {
			t.Errorf("when it is free again, %q is used", b.inUse())
		}
		_ = k.Close()
	})
}

func TestTheLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{there: []device.Device{microphone("mic", true)}}
		k, hardware := keep(t, b, Wish{})
		time.Sleep(10 * time.Second)
		for range stumbles / 2 { // two bad moments
			b.stumble(2)
			time.Sleep(100 * time.Millisecond)
		}
		b.stumble(100)
		time.Sleep(20 * time.Second)
		b.stumble(100)
		time.Sleep(20 * time.Second)
		if len(b.steps()) != 1 {
			t.Errorf("bad moments led to periods of %v", b.steps())
		}
		for range 4 * 2 * stumbles { // enough for one more step than there are
			b.stumble(1)
			time.Sleep(1100 * time.Millisecond)
		}
		if !slices.Equal(b.steps(), device.Periods) || b.inUse() != "mic " {
			t.Errorf("gaps led to periods of %v, and %q is in use", b.steps(), b.inUse())
		}
		_ = k.Close()

		again := hardware.Keep(device.Capture, Wish{}, nil)
		time.Sleep(time.Second)
		if last := b.steps()[len(b.steps())-1]; last != device.Periods[len(device.Periods)-1] {
			t.Errorf("the next call begins at %v", last)
		}
		_ = again.Close()
	})
}

func TestAWishThatFailsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &bench{there: []device.Device{microphone("mic", true)}}
		k, _ := keep(t, b, Wish{})
		time.Sleep(time.Second)
		if err := k.Use(Wish{Device: "nowhere"}); err == nil || b.inUse() != "mic " {
			t.Errorf("%v, and %q is in use", err, b.inUse())
		}
		if err := k.Use(Wish{Stream: fake.NewNullSource()}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if b.inUse() != "" {
			t.Errorf("after a change to null, %q is in use", b.inUse())
		}
		b.set() // whatever becomes of devices now is nothing to it
		time.Sleep(5 * time.Second)
		b.set(microphone("mic", true))
		if err := k.Use(Wish{}); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		if b.inUse() != "mic " {
			t.Errorf("after a change back, %q is in use", b.inUse())
		}
		_ = k.Close()
		if err := k.Use(Wish{}); err == nil || b.inUse() != "" {
			t.Errorf("after the end: %v, %q", err, b.inUse())
		}
	})
}
