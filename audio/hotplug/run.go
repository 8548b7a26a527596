package hotplug

import (
	"errors"
	"time"

	"sotto/audio/device"
	"sotto/audio/fake"
)

// open is a stream that was opened.
type openStream struct {
	stream  Stream
	number  uint64 // for sound.pass; 0 for the stand-in, and before it was started
	target  target
	device  device.Device // zero for a file, a tone, a pipe or nothing
	since   time.Time     // when it took over
	gaps    uint64        // seen so far
	stumble []time.Time   // when gaps were seen lately
	asked   bool          // a person has just chosen it
}

func (o *openStream) isDevice() bool { return o != nil && o.device.Kind != "" }

// lostOf is when a stream ends by itself; never for nil.
func lostOf(o *openStream) <-chan error {
	if o == nil {
		return nil
	}
	return o.stream.Lost()
}

// result is how opening or starting ended.
type result struct {
	stream *openStream
	err    error
	target target
	again  bool       // target was closed, to be opened anew with another period
	wish   *Wish      // it was opened for this wish of a person, which is answered with reply
	reply  chan error // nil: nobody asked
}

// keeping is what run owns.
type keeping struct {
	*Keeper
	handle func([]float32) // nil before Start

	wish  Wish
	names []string // of the device wished for: its id once known, and what the person called it

	live    *openStream // gives sound, or is about to as the first one; never a stand-in
	next    *openStream // started, and takes over with its first period
	standIn *openStream
	opening bool     // a goroutine of work is busy opening or starting
	waiting *request // what a person wishes, until opening is over

	list      *listing      // the newest since the last device was lost; nil: not known
	retry     time.Time     // not to be opened before
	namedAt   time.Time     // the same for the device wished for, which did not open though it is there
	backOff   time.Duration // until the next attempt
	why       error         // why the last one failed
	awayAt    time.Time     // since when there is no device; zero while there is one
	startedAt time.Time
	hurried   bool

	unwatch func() // leaves off being told of devices; nil: it is not told

	said notices
}

// watch asks to be told of devices, for as long as one is wished for.
func (s *keeping) watch(on bool) {
	switch {
	case on && s.unwatch == nil:
		s.unwatch = s.hardware.watch(s.Keeper)
	case !on && s.unwatch != nil:
		s.work.Go(s.unwatch)
		s.unwatch = nil
	}
}

func (k *Keeper) run(wish Wish) {
	defer close(k.done)
	s := &keeping{Keeper: k, wish: wish, backOff: backOffLeast, said: notices{kind: k.kind}}
	s.first(wish)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		out, first := s.said.first(k.notices)
		select {
		case <-k.stop:
			s.hurry(false)
			s.watch(false)
			s.letGo()
			return
		case out <- first:
			s.said.queue = s.said.queue[1:]
		case handle := <-k.starts:
			s.begin(handle)
		case r := <-k.wishes:
			s.use(r)
		case r := <-k.opened:
			s.arrived(r)
		case <-k.took:
			s.takeOver()
		case err := <-lostOf(s.live):
			s.lostLive(err)
		case err := <-lostOf(s.next):
			s.lostNext(err)
		case answer := <-k.devices:
			s.look(answer)
		case <-tick.C:
		}
		s.decide(time.Now())
		s.show()
	}
}

// show lets Device say what is live.
func (s *keeping) show() {
	var now device.Device
	if s.live.isDevice() {
		now = s.live.device
	}
	if shown := s.current.Load(); shown == nil || *shown != now {
		s.current.Store(&now)
	}
}

// first begins with the first wish.
func (s *keeping) first(wish Wish) {
	if wish.Stream != nil {
		s.live = &openStream{stream: wish.Stream}
		return
	}
	s.watch(true)
	s.awayAt = time.Now()
	if wish.Device != "" {
		s.names = []string{wish.Device}
	}
	s.open(target{name: wish.Device, id: wish.Device}, nil, nil)
}

// begin is Start.
func (s *keeping) begin(handle func([]float32)) {
	if s.handle != nil {
		return
	}
	s.handle, s.startedAt = handle, time.Now()
	s.sound.mu.Lock()
	s.sound.handle = handle
	s.sound.mu.Unlock()
	if opened := s.live; opened != nil { // opened before Start
		s.live = nil
		s.start(opened, result{target: opened.target})
	}
}

// open opens a device, and starts it when sound flows already.
func (s *keeping) open(t target, wish *Wish, reply chan error) {
	s.opening = true
	flows, replaces := s.handle != nil, s.live != nil || s.standIn != nil
	period := s.hardware.period(s.kind, t.name)
	r := result{target: t, wish: wish, reply: reply}
	k := s.Keeper
	k.work.Go(func() {
		stream, err := k.hardware.open(k.kind, t.name, period)
		if err != nil {
			r.err = err
			k.report(r)
			return
		}
		r.stream = &openStream{stream: stream, target: t, device: stream.Device(), asked: wish != nil}
		r.stream.device.Kind = k.kind // also where the system does not say which it is
		if flows {
			r.err = k.let(r.stream, replaces)
		}
		k.report(r)
	})
}

// start starts what was opened before.
func (s *keeping) start(o *openStream, r result) {
	s.opening = true
	r.stream = o
	k := s.Keeper
	k.work.Go(func() {
		r.err = k.let(o, false)
		k.report(r)
	})
}

// let lets a stream's sound flow; one that does not start is closed. A speaker that
// replaces another way for the sound to go does so once it runs evenly.
func (k *Keeper) let(o *openStream, replaces bool) error {
	number := k.numbers.Add(1)
	o.number = number
	handle := func(period []float32) { k.sound.pass(number, period) }
	if replaces && k.kind == device.Playback {
		var begin settling
		settled := false
		handle = func(period []float32) {
			if settled = settled || begin.over(time.Now()); !settled {
				clear(period)
				return
			}
			k.sound.pass(number, period)
		}
	}
	err := o.stream.Start(handle)
	if err != nil {
		_ = o.stream.Close()
	}
	return err
}

// report hands a result to run, or undoes it when there is no run any more.
func (k *Keeper) report(r result) {
	select {
	case k.opened <- r:
	case <-k.done:
		if r.stream != nil && r.err == nil {
			_ = r.stream.stream.Close()
		}
	}
}

// drop lets go of a stream without waiting.
func (s *keeping) drop(o *openStream) {
	if o != nil && o.stream != nil {
		s.work.Go(func() { _ = o.stream.Close() })
	}
}

func (s *keeping) letGo() {
	for _, o := range []*openStream{s.live, s.next, s.standIn} {
		s.drop(o)
	}
}

// use is Use.
func (s *keeping) use(r request) {
	wish := r.wish
	switch {
	case s.opening && s.waiting == nil:
		s.waiting = &r
	case s.opening:
		r.reply <- errors.New("the sound devices are being changed already; try again in a moment")
		s.drop(&openStream{stream: wish.Stream})
	case wish.Stream != nil && s.handle == nil:
		s.drop(s.live)
		s.live = &openStream{stream: wish.Stream}
		s.granted(wish)
		r.reply <- nil
	case wish.Stream != nil:
		s.start(&openStream{stream: wish.Stream}, result{wish: &wish, reply: r.reply})
	case s.live.isDevice() && !s.live.target.fallback && wish.Device != "" && s.live.device.ID == wish.Device:
		s.granted(wish) // it is open already
		r.reply <- nil
	default:
		s.open(target{name: wish.Device, id: wish.Device}, &wish, r.reply)
	}
}

// granted makes a wish the one in force.
func (s *keeping) granted(wish Wish) {
	s.wish, s.names = wish, nil
	s.watch(wish.Stream == nil)
	if wish.Device != "" {
		s.names = []string{wish.Device}
	}
	s.backOff, s.namedAt, s.retry, s.why = backOffLeast, time.Time{}, time.Time{}, nil
	if wish.Stream != nil {
		s.awayAt = time.Time{}
		s.hurry(false)
	}
}

// arrived takes what was opened or started.
func (s *keeping) arrived(r result) {
	s.opening = false
	switch {
	case r.again:
		s.open(r.target, nil, nil)
		return
	case r.err != nil:
		s.failed(r)
	default:
		s.have(r)
	}
	if waiting := s.waiting; waiting != nil && !s.opening {
		s.waiting = nil
		s.use(*waiting)
	}
}

func (s *keeping) have(r result) {
	if r.wish != nil {
		s.granted(*r.wish)
	}
	if r.reply != nil {
		r.reply <- nil
	}
	o := r.stream
	if o.isDevice() && !r.target.fallback && len(s.names) == 1 && o.device.ID != "" && o.device.ID != s.names[0] {
		s.names = []string{o.device.ID, s.names[0]}
	}
	s.drop(s.next)
	s.next = nil
	switch {
	case o.number > 0:
		s.next = o
		s.takeOver() // its first period may be here already
	case s.handle != nil: // Start came while it opened
		s.start(o, result{target: r.target})
	default:
		s.drop(s.live)
		s.live = o
	}
}

// failed notes an attempt that came to nothing.
func (s *keeping) failed(r result) {
	if r.reply != nil {
		r.reply <- r.err // and everything stays as it was
		return
	}
	if s.wish.Stream != nil { // a file that does not start
		s.tellLost(r.err)
		return
	}
	now := time.Now()
	s.why = r.err
	if r.target.name != "" {
		s.namedAt = now.Add(s.backOff)
	} else {
		s.retry = now.Add(s.backOff)
	}
	s.backOff = min(2*s.backOff, backOffMost)
	s.hurry(true)
}

// takeOver makes the newest stream that gives sound the one that counts.
func (s *keeping) takeOver() {
	if s.next == nil || s.sound.counts() != s.next.number {
		return
	}
	now := time.Now()
	s.drop(s.live)
	s.drop(s.standIn)
	s.live, s.next, s.standIn = s.next, nil, nil
	s.live.since = now
	if !s.live.target.fallback {
		s.backOff = backOffLeast
	}
	s.why, s.awayAt = nil, time.Time{}
	s.hurry(false)
	s.said.have(s.live)
}

// lostNext is a stream that ended before it took over.
func (s *keeping) lostNext(err error) {
	if s.takeOver(); s.next == nil {
		s.lostLive(err) // it had, just now
		return
	}
	lost := s.next
	s.drop(lost)
	s.next = nil
	s.sound.retire(lost.number)
	s.failed(result{err: err, target: lost.target})
}

// lostLive is a stream that ended by itself.
func (s *keeping) lostLive(err error) {
	if !s.live.isDevice() {
		s.tellLost(err) // a file or pipe goes on with silence
		return
	}
	s.why = err
	s.leave()
	s.list = nil
	s.hurry(true)
}

// leave lets go of the device, and the stand-in takes its place.
func (s *keeping) leave() {
	s.sound.retire(s.live.number)
	s.drop(s.live)
	s.live = nil
	s.awayAt = time.Now()
	s.stand()
}

func (s *keeping) tellLost(err error) {
	select {
	case s.lost <- err:
	default:
	}
}

// stand puts the stand-in in a speaker's place.
func (s *keeping) stand() {
	if s.handle == nil || s.standIn != nil || s.kind == device.Capture {
		return
	}
	stream := fake.NewNullSink()
	if stream.Start(func(period []float32) { s.sound.pass(0, period) }) == nil {
		s.standIn = &openStream{stream: stream}
	}
}

func (s *keeping) hurry(on bool) {
	if s.hurried == on {
		return
	}
	s.hurried = on
	if on {
		s.hardware.hurry(1)
	} else {
		s.hardware.hurry(-1)
	}
}

// look notes which devices there are.
func (s *keeping) look(answer listing) {
	if !s.awayAt.IsZero() && s.live == nil && answer.asked.Before(s.awayAt) {
		return // from before the device went away
	}
	if answer.err != nil {
		s.list = nil
		if s.live == nil {
			s.why = answer.err
		}
		return
	}
	s.list = &answer
}
