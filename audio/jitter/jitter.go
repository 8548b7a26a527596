// Package jitter is the playout buffer: frames go in as the network brings them,
// late, twice, out of order or not at all, and periods come out whenever the
// loudspeaker asks, without a gap and with as little delay as the network allows.
//
//	Put ──> slots (by position) ──> decode or conceal ──> queue ──> stretch, resample ──> Pull
//
// Time is counted in positions of one period, 10 ms; a frame covers one or two. The
// loudspeaker asks for as little as it likes, a period at most: the less at a time,
// the closer to its turn a frame may come.
// The buffer keeps one measure of delay, lead: how much later a frame is needed than
// it would have come had it travelled like the fastest of the last two seconds. A
// frame comes in time exactly when its own lag behind the fastest is no more than
// lead. delay.go learns from arrivals what lead should be, the target: frames that
// are only saved by a later packet's copy of them arrive a packet later, and as
// unevenly as packets do, so loss raises the target as jitter does, and only as far as
// copies help.
//
// Three things move the delay. Concealment holds the place of a frame that may only
// be late. Stretching (stretch.go) takes out or doubles a pitch period when the lead
// is far from the target. A resampler (resample.go) turns the speed by up to 500 parts
// in a million, which nobody hears: it absorbs the drift between two sound cards and
// uses up the part of a period that stretching left over. The ideas are those of
// NetEq, WebRTC's playout buffer; the measures are ours.
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
	periodTime    = 10 * time.Millisecond
	mostPeriods   = 2 // of one frame
	frameSamples  = mostPeriods * periodSamples

	// Slots bounds the frames that wait, and how far back a copy is known to be
	// one: 2.56 s. The oldest make room.
	Slots = 256
	// MaxPayload bounds one frame's bytes.
	MaxPayload = 512

	concealSamples = 60 * sampleRate / 1000 // a longer gap fades to comfort noise over one more frame
	fadeInSamples  = 120
	// concealStep is the least a codec makes up at once, 2.5 ms. A frame that may only
	// be late is waited for in as few of these as the loudspeaker asks for, because what
	// is made up beyond its coming is delay; then in ever longer pieces, because libopus
	// turns to noise after five.
	concealStep = 120
	// skipOver is how far beyond the target the delay must be for whole frames to
	// be dropped: more than stretching makes up for in two seconds.
	skipOver = 400 * time.Millisecond
	// skipSpare is what a skip leaves above the target, for stretching to finish.
	skipSpare = 20 * time.Millisecond
	// lengthenUnder is how far below the target the lead must be for sound to be
	// stretched at once; the resampler deals with less.
	lengthenUnder = 8 * time.Millisecond
	// shortenOver is the slack from which sound is shortened, shortenSpare what is left
	// of it then. Little slack is no hurry: only sound that repeats itself is cut.
	shortenOver  = 4 * time.Millisecond
	shortenSpare = time.Millisecond
	hurry        = 15 * time.Millisecond
	patience     = 0.93
	// calmSamples is how long after the delay had to grow it is not made smaller again,
	// unless there is much to gain: hiccups come in company, and each change is heard.
	calmSamples = 20 * sampleRate
	calmSlack   = 12 * time.Millisecond
)

// ErrPayload: a payload is empty or longer than MaxPayload.
var ErrPayload = errors.New("a frame of that size cannot be played")

// Decoder is what the buffer needs of a codec; see audio.Decoder.
type Decoder interface {
	Decode(payload []byte, frame []float32) error
	Conceal(pcm []float32) error
}

// Frame is one encoded frame as a packet brought it.
type Frame struct {
	Position uint32 // of its first period, counted in periods of 10 ms
	Periods  int    // 1 or 2
	Behind   int    // how many steps of 20 ms after its own packet brought it: 0, or it is a copy
	Payload  []byte
}

// Outcome is what became of a frame that was put in.
type Outcome int

const (
	Kept      Outcome = iota // waits for its turn
	Duplicate                // came already
	Late                     // its turn is over
	Refused                  // empty, too long or of no length
)

// Sound is what a period is made of.
type Sound int

const (
	Nothing   Sound = iota // silence: nothing has come yet
	Real                   // at least in part what was sent
	Concealed              // made up, or the comfort noise a long gap fades to
)

// Stats counts what happened since New. Frames are those put in; periods are 10 ms.
type Stats struct {
	Target time.Duration // lead aimed at
	Lead   time.Duration // lead as it is
	Delay  time.Duration // how long sound of the fastest frame waits here
	Jitter time.Duration // RFC 3550, section 6.4.1

	Received   uint64 // frames put in, with duplicates and late ones
	Duplicates uint64
	Late       uint64
	Recovered  uint64 // periods played that only a copy brought in time
	Lost       uint64 // periods passed over without having come in time; some come late after all
	Dropped    uint64 // frames that came, but were skipped to catch up or to make room
	Undecoded  uint64 // frames that came, but were none of this codec

	RecentLoss       float64 // share of the last second that did not come in time
	ConcealedSamples uint64
	PlayedSamples    uint64 // real and concealed, from the first real one
	Shortened        uint64 // samples taken out to catch up
	Lengthened       uint64 // samples put in to fall back
}

type slot struct {
	full     bool // it waits
	came     bool // position came, whatever became of it
	position uint32
	periods  int
	behind   int
	transit  time.Duration // of the packet that brought it; see delay
	size     int
	payload  [MaxPayload]byte
}

// Buffer is one direction's playout buffer. It is not safe for concurrent use, and
// allocates nothing after New.
type Buffer struct {
	decoder Decoder
	slots   [Slots]slot
	delay   delay

	some    bool   // a frame has come
	started bool   // playing has begun
	first   uint32 // position that listening began with; far behind it is forgotten
	next    uint32 // the position that is decoded next
	highest uint32 // newest position that has come
	periods int    // of the newest frame

	queue     []float32 // behind samples that were pulled, then those that were not; see resample.go
	leftover  Sound     // what the end of queue is made of
	held      int       // samples of concealment played in place of next without passing it
	gap       int       // samples of concealment since the last real frame
	calm      int       // samples pulled since the delay grew
	asked     int       // samples that the loudspeaker asked for last: the step in which a frame's turn can move
	recent    recent
	resampler resampler
	stretcher stretcher
	noise     comfort
	stats     Stats
}

// New returns an empty buffer that plays through decoder, which is then its own.
func New(decoder Decoder) *Buffer {
	b := &Buffer{decoder: decoder, periods: mostPeriods, calm: calmSamples, asked: periodSamples, queue: make([]float32, behind+ahead, behind+ahead+6*frameSamples)}
	b.delay.init()
	b.noise.init()
	return b
}

// Put takes a frame that came at the instant at. The payload is copied. Of one
// packet's frames the newest is put first.
func (b *Buffer) Put(f Frame, at time.Time) Outcome {
	if len(f.Payload) == 0 || len(f.Payload) > MaxPayload || f.Periods < 1 || f.Periods > mostPeriods {
		return Refused
	}
	if !b.some {
		b.some, b.first, b.next, b.highest = true, f.Position, f.Position, f.Position
	}
	ahead := int32(f.Position - b.next)
	if f.Behind > 0 && int32(f.Position-b.first) < 0 {
		return Late // a copy from before we began to listen: nothing to learn
	}
	if ahead < 0 && !b.started {
		if int32(b.highest-f.Position) >= Slots {
			return Late
		}
		b.first, b.next, ahead = f.Position, f.Position, 0 // overtaken before anything was played
	}
	b.stats.Received++
	place := &b.slots[f.Position%Slots]
	if place.came && place.position == f.Position {
		b.stats.Duplicates++
		if f.Behind == 0 && place.behind > 0 {
			b.delay.overtaken(f, place.behind, place.transit, at)
			place.behind = 0
		}
		return Duplicate
	}
	transit := b.delay.arrived(f, at)
	if ahead < 0 {
		if !place.full && (!place.came || int32(f.Position-place.position) > 0) {
			place.came, place.position, place.behind, place.transit = true, f.Position, f.Behind, transit
		}
		b.stats.Late++
		return Late
	}
	if ahead >= Slots {
		b.passTo(f.Position - Slots + 1)
	}
	place.full, place.came, place.position = true, true, f.Position
	place.periods, place.behind, place.transit = f.Periods, f.Behind, transit
	place.size = copy(place.payload[:], f.Payload)
	if int32(f.Position-b.highest) >= 0 {
		b.highest, b.periods = f.Position, f.Periods
	}
	return Kept
}

// passTo gives up everything before position.
func (b *Buffer) passTo(position uint32) {
	if position-b.next > Slots { // nothing that waits is that new
		b.stats.Lost += uint64(position - b.next - Slots)
		for i := range b.slots {
			b.empty(&b.slots[i])
		}
		b.recent.fill()
		b.next = position
		return
	}
	for int32(position-b.next) > 0 {
		place := &b.slots[b.next%Slots]
		periods := 1
		if place.full {
			periods = place.periods
		}
		b.passed(periods, !place.full)
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

// Pull fills sound, 480 samples at most, with what is to be heard from the instant now on.
func (b *Buffer) Pull(sound []float32, now time.Time) Sound {
	b.asked = max(1, len(sound))
	if !b.started {
		if !b.some || b.delay.lead(b.next, b.periods, now) < b.delay.target {
			clear(sound)
			return Nothing
		}
		b.start(now)
	}
	made := Concealed
	wanted := b.resampler.begin(len(sound))
	if b.waiting() > 0 {
		made = b.leftover
	}
	if b.waiting() < wanted {
		b.skip()
	}
	for b.waiting() < wanted {
		if b.refill(now) == Real {
			made = Real
		}
	}
	b.resampler.resample(sound, b.queue)
	b.queue = b.queue[:copy(b.queue, b.queue[wanted:])]
	b.stats.PlayedSamples += uint64(len(sound))
	b.calm += len(sound)
	if b.next-b.first > 2*Slots && int32(b.next-b.first) > 0 {
		b.first = b.next - 2*Slots // so that it never seems to lie ahead
	}
	b.stats.Delay = b.delay.lead(b.next, b.periods, now) + timeOf(b.waiting()+len(sound)+ahead)
	return made
}

// start begins to play, with the frame whose time it is: what came earlier, while
// nobody asked, would only be delay.
func (b *Buffer) start(now time.Time) {
	b.started = true
	for b.delay.lead(b.next, b.periods, now) >= b.delay.target+time.Duration(b.periods)*periodTime && int32(b.highest-b.next) > 0 {
		if place := &b.slots[b.next%Slots]; place.full && place.position == b.next {
			place.full = false
			b.stats.Dropped++
		}
		b.next++
	}
}

// waiting is the number of samples that can be pulled without another frame.
func (b *Buffer) waiting() int { return len(b.queue) - behind - ahead }

// refill adds the next piece of sound to the queue.
func (b *Buffer) refill(now time.Time) Sound {
	place := &b.slots[b.next%Slots]
	if place.full && place.position == b.next {
		b.delay.needed(b.next, place.periods, now)
		left := b.waiting()
		b.leftover = b.decode(place)
		b.steer(left)
		b.stretch(left, now)
		return b.leftover
	}
	b.leftover = Concealed
	if int32(b.highest-b.next) < 0 { // nothing newer: perhaps only late
		n := min(periodSamples, max(b.held, (b.asked+concealStep-1)/concealStep*concealStep))
		b.conceal(n)
		b.held += n
		b.calm = 0
		return Concealed
	}
	b.delay.needed(b.next, b.periods, now)
	credit := min(b.held, periodSamples)
	b.held -= credit
	if credit < periodSamples {
		b.conceal(periodSamples - credit)
	}
	b.passed(1, true)
	b.stats.Lost++
	return Concealed
}

func (b *Buffer) passed(periods int, lost bool) {
	b.next += uint32(periods)
	for range periods {
		b.recent.add(lost)
	}
}

// decode plays the frame in place, which is next's.
func (b *Buffer) decode(place *slot) Sound {
	start, samples := len(b.queue), place.periods*periodSamples
	b.queue = b.queue[:start+samples]
	frame := b.queue[start:]
	place.full = false
	err := b.decoder.Decode(place.payload[:place.size], frame)
	if err != nil {
		b.queue = b.queue[:start]
		b.conceal(samples)
		b.stats.Undecoded++
		b.passed(place.periods, true)
		return Concealed
	}
	if b.gap > concealSamples {
		b.noise.fadeOut(frame[:fadeInSamples])
	}
	if place.behind > 0 {
		b.stats.Recovered += uint64(place.periods)
	}
	b.noise.learn(frame)
	b.gap, b.held = 0, 0
	b.passed(place.periods, false)
	return Real
}

// conceal adds n samples (whole steps) of made-up sound, comfort noise when the gap is long.
func (b *Buffer) conceal(n int) {
	start := len(b.queue)
	b.queue = b.queue[:start+n]
	sound := b.queue[start:]
	const fadeFrom, fadeTo = concealSamples, concealSamples + frameSamples
	if b.gap >= fadeTo || b.decoder.Conceal(sound) != nil {
		clear(sound)
	}
	if b.gap+n > fadeFrom {
		for i := range sound {
			faded := min(1, max(0, float32(b.gap+i-fadeFrom)/(fadeTo-fadeFrom)))
			sound[i] = sound[i]*(1-faded) + b.noise.next()*faded
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
	periods := min(int32((excess-skipSpare)/periodTime), int32(b.highest-b.next))
	if periods <= 0 {
		return
	}
	from := b.next
	b.passTo(b.next + uint32(periods))
	b.delay.shift(-time.Duration(b.next-from) * periodTime)
	b.held = 0
}

// steer sets the resampler's speed. left is how many samples were still waiting when
// the last frame had to be decoded: delay that makes no frame come in time.
func (b *Buffer) steer(left int) {
	excess := b.delay.excess()
	switch {
	case excess < spareLow: // soon too little: build up a step
		b.resampler.turn(-driftMost)
	case excess > spareLow+timeOf(b.asked)+spareHigh: // a whole step too much: use it up
		b.resampler.turn(driftMost)
	default:
		b.resampler.turn(min(driftMost, max(-driftMost, float64(left-leftWanted)*driftSlope)))
	}
}

// stretch moves the delay towards the target. The queue ends with a real frame; left
// samples were waiting before it. The lead moves by as much as is asked for at a
// time, when what is left over goes below none or above that.
func (b *Buffer) stretch(left int, now time.Time) {
	excess := b.delay.excess()
	slack := timeOf(left) + (excess - spareLow).Truncate(timeOf(b.asked))
	switch {
	case excess < -lengthenUnder:
		want := samplesIn(-excess) + b.asked - left
		unplayed := b.queue[behind:cap(b.queue)]
		n := b.stretcher.lengthen(unplayed, len(b.queue)-behind, max(want, minLag), strictness(-excess))
		b.queue = b.queue[:len(b.queue)+n]
		b.stats.Lengthened += uint64(n)
		b.moved(left, n)
		b.calm = 0
	case excess >= 0 && slack > shortenOver && (b.calm >= calmSamples || slack > calmSlack):
		// A longer stretch of sound shows longer pitch periods.
		if place := &b.slots[b.next%Slots]; place.full && place.position == b.next && b.waiting() < 2*frameSamples {
			b.delay.needed(b.next, place.periods, now.Add(time.Duration(b.periods)*periodTime)) // it is decoded a frame early
			b.leftover = b.decode(place)
		}
		n := b.stretcher.shorten(b.queue[behind:], samplesIn(slack-shortenSpare), strictness(slack))
		b.queue = b.queue[:len(b.queue)-n]
		b.stats.Shortened += uint64(n)
		b.moved(left, -n)
	}
}

// moved accounts for samples that were put in or taken out, with left over before.
func (b *Buffer) moved(left, samples int) {
	b.delay.shift(timeOf(floorDivide(left+samples, b.asked) * b.asked))
}

func floorDivide(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// strictness is how alike two neighbouring pitch periods must be for one of them
// to go or to be doubled: the more there is to make up for, the less.
func strictness(excess time.Duration) float64 {
	if excess < hurry {
		return patience
	}
	return max(0, 0.9-float64(excess)/float64(150*time.Millisecond))
}

func samplesIn(d time.Duration) int    { return int(d * sampleRate / time.Second) }
func timeOf(samples int) time.Duration { return time.Duration(samples) * time.Second / sampleRate }

// Stats returns the figures as they stand.
func (b *Buffer) Stats() Stats {
	s := b.stats
	s.Target, s.Lead, s.Jitter = b.delay.target, b.delay.excess()+b.delay.target, b.delay.jitter
	s.RecentLoss = b.recent.share(b.held / periodSamples)
	return s
}
