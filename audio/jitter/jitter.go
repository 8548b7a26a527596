// Package jitter is the playout buffer: frames go in as the network brings them,
// late, twice, out of order or not at all, and periods come out whenever the
// loudspeaker asks, without a gap and with as little delay as the network allows.
//
//	Put ──> slots (by counter) ──> decode or conceal ──> queue ──> stretch ──> Pull
//
// It keeps one measure of delay, lead: how much later a frame is needed than it
// would have come had it travelled like the fastest of the last two seconds. A
// frame comes in time exactly when its own lag behind the fastest is no more than
// lead. delay.go learns from arrivals what lead should be, the target; Pull
// shortens or lengthens the sound a pitch period at a time (stretch.go) to get
// there. The ideas are those of NetEq, WebRTC's playout buffer; the measures are ours.
//
// A frame that is missing while later ones are here is lost: it is concealed and
// passed over. While nothing later is here either, it may only be late: concealment
// then holds the place, and what was played meanwhile is credited should the frame
// turn out lost after all. A single loss therefore adds no delay, and a stall of
// the network loses no words: the delay it leaves behind is caught up with.
package jitter

import (
	"errors"
	"time"
)

const (
	sampleRate    = 48000
	periodSamples = 480
	frameSamples  = 960
	frameTime     = 20 * time.Millisecond

	// Slots bounds the frames that wait: 2.56 s. The oldest make room.
	Slots = 128
	// MaxPayload bounds one frame's bytes.
	MaxPayload = 512

	concealFrames = 3 // a longer gap fades to silence over one more frame
	fadeInSamples = 120
	// skipOver is how far beyond the target the delay must be for whole frames to
	// be dropped: more than stretching makes up for in a few seconds.
	skipOver = 400 * time.Millisecond
	// skipSpare is what a skip leaves above the target, for stretching to finish.
	skipSpare = 20 * time.Millisecond
	// shortenOver and lengthenUnder bound the dead zone around the target.
	shortenOver   = 10 * time.Millisecond
	lengthenUnder = 5 * time.Millisecond
)

// ErrPayload: a payload is empty or longer than MaxPayload.
var ErrPayload = errors.New("a frame of that size cannot be played")

// Decoder is what the buffer needs of a codec; see audio.Decoder.
type Decoder interface {
	Decode(payload []byte, frame []float32) error
	Conceal(pcm []float32) error
}

// Outcome is what became of a frame that was put in.
type Outcome int

const (
	Kept      Outcome = iota // waits for its turn
	Duplicate                // is here already
	Late                     // its turn is over
	Refused                  // empty or too long
)

// Sound is what a period is made of.
type Sound int

const (
	Nothing   Sound = iota // silence: nothing has come yet
	Real                   // at least in part what was sent
	Concealed              // made up, or the silence a long gap fades to
)

// Stats counts what happened since New.
type Stats struct {
	Target time.Duration // lead aimed at
	Lead   time.Duration // lead as it is
	Delay  time.Duration // how long sound of the fastest frame waits here
	Jitter time.Duration // RFC 3550, section 6.4.1

	Received   uint64 // frames put in, with duplicates and late ones
	Duplicates uint64
	Late       uint64
	Lost       uint64 // passed over without having come in time; some come late after all
	Dropped    uint64 // came, but were skipped to catch up or to make room
	Undecoded  uint64 // came, but were no frames of this codec

	RecentLoss       float64 // share of the last 50 frames that did not come in time
	ConcealedSamples uint64
	PlayedSamples    uint64 // real and concealed, from the first real one
	Shortened        uint64 // samples taken out to catch up
	Lengthened       uint64 // samples put in to fall back
}

type slot struct {
	full    bool
	counter uint32
	size    int
	payload [MaxPayload]byte
}

// Buffer is one direction's playout buffer. It is not safe for concurrent use, and
// allocates nothing after New.
type Buffer struct {
	decoder Decoder
	slots   [Slots]slot
	delay   delay

	some    bool   // a frame has come
	started bool   // playing has begun
	next    uint32 // the frame that is decoded next
	highest uint32 // newest frame that has come

	queue     []float32 // decoded, not yet pulled
	leftover  Sound     // what the end of queue is made of
	held      int       // samples of concealment played in place of next without passing it
	gap       int       // samples of concealment since the last real frame
	recent    uint64    // one bit a frame, newest lowest: 1 is lost
	stretcher stretcher
	stats     Stats
}

// New returns an empty buffer that plays through decoder, which is then its own.
func New(decoder Decoder) *Buffer {
	b := &Buffer{decoder: decoder, queue: make([]float32, 0, 6*frameSamples)}
	b.delay.init()
	return b
}

// Put takes a frame that came at the instant at. The payload is copied.
func (b *Buffer) Put(counter uint32, payload []byte, at time.Time) Outcome {
	if len(payload) == 0 || len(payload) > MaxPayload {
		return Refused
	}
	b.stats.Received++
	if !b.some {
		b.some, b.next, b.highest = true, counter, counter
	}
	place := &b.slots[counter%Slots]
	if place.full && place.counter == counter {
		b.stats.Duplicates++
		return Duplicate
	}
	b.delay.arrived(counter, at)
	ahead := int32(counter - b.next)
	if ahead < 0 && !b.started && int32(b.highest-counter) < Slots {
		b.next, ahead = counter, 0 // overtaken before anything was played
	}
	if ahead < 0 {
		b.stats.Late++
		return Late
	}
	if ahead >= Slots {
		b.passTo(counter - Slots + 1)
	}
	place.full, place.counter, place.size = true, counter, copy(place.payload[:], payload)
	if int32(counter-b.highest) > 0 {
		b.highest = counter
	}
	return Kept
}

// passTo gives up everything before counter.
func (b *Buffer) passTo(counter uint32) {
	if counter-b.next > Slots { // nothing that waits is that new
		b.stats.Lost += uint64(counter - b.next - Slots)
		for i := range b.slots {
			b.empty(&b.slots[i])
		}
		b.next, b.recent = counter, ^uint64(0)
		return
	}
	for b.next != counter {
		place := &b.slots[b.next%Slots]
		b.passed(!place.full)
		b.empty(place)
	}
}

func (b *Buffer) empty(place *slot) {
	if place.full {
		place.full = false
		b.stats.Dropped++
		return
	}
	b.stats.Lost++
}

// Pull fills period (480 samples) with what is to be heard at the instant now.
func (b *Buffer) Pull(period []float32, now time.Time) Sound {
	if !b.started {
		if !b.some || b.delay.lead(b.next, now) < b.delay.target() {
			clear(period)
			return Nothing
		}
		b.started = true
	}
	made := Concealed
	if len(b.queue) > 0 {
		made = b.leftover
	}
	if len(b.queue) < len(period) {
		b.skip()
	}
	for len(b.queue) < len(period) {
		if b.refill(now) == Real {
			made = Real
		}
	}
	copy(period, b.queue)
	b.queue = b.queue[:copy(b.queue, b.queue[len(period):])]
	b.stats.PlayedSamples += uint64(len(period))
	b.stats.Delay = b.delay.lead(b.next, now) + time.Duration(len(b.queue)+len(period))*time.Second/sampleRate
	return made
}

// refill adds the next piece of sound to the queue.
func (b *Buffer) refill(now time.Time) Sound {
	place := &b.slots[b.next%Slots]
	if place.full {
		b.delay.needed(b.next, now)
		b.leftover = b.decode(place)
		b.stretch(now)
		return b.leftover
	}
	b.leftover = Concealed
	if int32(b.highest-b.next) < 0 { // nothing newer: perhaps only late
		b.conceal(periodSamples)
		b.held += periodSamples
		return Concealed
	}
	b.delay.needed(b.next, now)
	credit := min(b.held, frameSamples)
	b.held -= credit
	if credit < frameSamples {
		b.conceal(frameSamples - credit)
	}
	b.passed(true)
	b.stats.Lost++
	return Concealed
}

func (b *Buffer) passed(lost bool) {
	b.next++
	b.recent <<= 1
	if lost {
		b.recent |= 1
	}
}

// decode plays the frame in place, which is next's.
func (b *Buffer) decode(place *slot) Sound {
	start := len(b.queue)
	b.queue = b.queue[:start+frameSamples]
	frame := b.queue[start:]
	place.full = false
	err := b.decoder.Decode(place.payload[:place.size], frame)
	if err != nil {
		b.queue = b.queue[:start]
		b.conceal(frameSamples)
		b.stats.Undecoded++
		b.passed(true)
		return Concealed
	}
	if b.gap > concealFrames*frameSamples {
		for i := range fadeInSamples {
			frame[i] *= float32(i) / fadeInSamples
		}
	}
	b.gap, b.held = 0, 0
	b.passed(false)
	return Real
}

// conceal adds n samples (whole periods) of made-up sound, silence when the gap is long.
func (b *Buffer) conceal(n int) {
	start := len(b.queue)
	b.queue = b.queue[:start+n]
	sound := b.queue[start:]
	const fadeFrom, fadeTo = concealFrames * frameSamples, (concealFrames + 1) * frameSamples
	if b.gap >= fadeTo || b.decoder.Conceal(sound) != nil {
		clear(sound)
	}
	for i := range sound {
		if at := b.gap + i; at > fadeFrom {
			sound[i] *= max(0, float32(fadeTo-at)/frameSamples)
		}
	}
	b.gap += n
	b.stats.ConcealedSamples += uint64(n)
}

// skip drops whole frames when the delay is beyond what stretching can make up for.
func (b *Buffer) skip() {
	excess := b.delay.excess()
	if excess < skipOver {
		return
	}
	frames := min(int32((excess-skipSpare)/frameTime), int32(b.highest-b.next))
	if frames <= 0 {
		return
	}
	b.passTo(b.next + uint32(frames))
	b.delay.shift(-time.Duration(frames) * frameTime)
	b.held = 0
}

// stretch moves the delay towards the target. The queue ends with a real frame.
func (b *Buffer) stretch(now time.Time) {
	excess := b.delay.excess()
	switch {
	case excess > shortenOver:
		// A longer stretch of sound shows longer pitch periods.
		if place := &b.slots[b.next%Slots]; place.full && len(b.queue) < 2*frameSamples {
			b.delay.needed(b.next, now.Add(frameTime)) // it is decoded a frame early
			b.leftover = b.decode(place)
		}
		n := b.stretcher.shorten(b.queue, samplesIn(excess), strictness(excess))
		b.queue = b.queue[:len(b.queue)-n]
		b.stats.Shortened += uint64(n)
		b.delay.shift(-timeOf(n))
	case excess < -lengthenUnder:
		n := b.stretcher.lengthen(b.queue[:cap(b.queue)], len(b.queue), samplesIn(-excess)+minLag, strictness(-excess))
		b.queue = b.queue[:len(b.queue)+n]
		b.stats.Lengthened += uint64(n)
		b.delay.shift(timeOf(n))
	}
}

// strictness is how alike two neighbouring pitch periods must be for one of them
// to go or to be doubled: the more there is to make up for, the less.
func strictness(excess time.Duration) float64 {
	return max(0.3, 0.9-float64(excess)/float64(200*time.Millisecond))
}

func samplesIn(d time.Duration) int    { return int(d * sampleRate / time.Second) }
func timeOf(samples int) time.Duration { return time.Duration(samples) * time.Second / sampleRate }

// Stats returns the figures as they stand.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Target, s.Lead, s.Jitter = b.delay.target(), b.delay.excess()+b.delay.target(), b.delay.jitter
	s.RecentLoss = b.recentLoss()
	return s
}
