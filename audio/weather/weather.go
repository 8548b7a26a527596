// Package weather plays speech from one audio.Session to another while the network
// between them loses and delays packets, and says what was heard. All of it runs in
// virtual time (testing/synctest), and everything that is done to packets repeats
// exactly. It is for tests: those of audio have nothing but a schedule in between, that
// of net/call the real connection.
//
// Sound is mono float32 in [-1, 1] at audio.SampleRate.
package weather

import (
	"math/rand/v2"
	"time"

	"sotto/audio"
)

// Conditions is what a network does to the packets of one direction.
type Conditions struct {
	Name   string
	Loss   float64       // share of packets
	From   time.Duration // when loss begins
	Burst  int           // packets lost in a row; 0 and 1: each by itself
	Jitter time.Duration // each packet is late by 0 to this much, evenly spread, and may overtake
	Stall  time.Duration // all packets are held for this long, once, at StallAt
	Drift  float64       // by which the listener's clock is slow, parts per million
	Frames audio.Frames  // that are sent; the zero value lets the sessions choose
}

// Instants and times of every conversation, from when the sessions start.
const (
	WayTime = time.Millisecond // what each packet takes under any conditions
	WarmUp  = 4 * time.Second  // until then the listener is still learning, and nothing is judged
	StallAt = 7 * time.Second
)

// Schedule returns what to ask once for each packet, in the order of their sending, with
// the time since the sessions started. It says how long that one is under way; a packet
// with a negative time is lost.
func (c Conditions) Schedule() func(sent time.Duration) time.Duration {
	random := rand.New(rand.NewPCG(20, 26))
	losing := 0
	return func(sent time.Duration) time.Duration {
		late := time.Duration(random.Float64() * float64(c.Jitter))
		burst := max(1, c.Burst)
		// so that on the whole the share is lost: a burst begins only where none is
		if losing == 0 && sent >= c.From && random.Float64() < c.Loss/(float64(burst)*(1-c.Loss)+c.Loss) {
			losing = burst
		}
		if losing > 0 {
			losing--
			return -1
		}
		if c.Stall > 0 && sent >= StallAt && sent < StallAt+c.Stall {
			late += StallAt + c.Stall - sent
			late += time.Microsecond + (sent-StallAt)/1000 // in order, but for one that was sent at the end
		}
		return WayTime + late
	}
}
