// Package redundancy lets each packet carry the frames before its own once more, so
// that a lost packet loses no sound: the next ones bring it (the idea of RFC 2198,
// without its headers). The copies are the same bytes as the first time; they need
// no second encoder and cost no quality.
//
// A packet's payload, inside the frame seal:
//
//	1  shape: version 0 in bits 7 to 6, empty in bits 5 to 4, steady in bit 3, short in
//	   bit 2, depth (copies) in bits 1 to 0
//	1  report: share of the other side's packets that were lost here lately, in 1/255
//	4  position of the newest frame's first period, in periods of 10 ms, big endian
//	…  depth + 1 frames of one size, the newest first
//
// A frame has 20 ms, or 10 where short is set. Each copy is 20 ms older than the one
// before it, in both cases: of short frames the second and the fourth before the newest
// are sent once more. Where the length has just changed there are no older frames of the
// new one yet: empty is how many of the oldest copies are zeros and stand for nothing.
// Steady tells the other side that its packets come evenly enough for short frames.
//
// All packets of a depth and a length have one size, whatever was said. Both follow only
// what the other side reports of the network (Depth, Pace), never the sound, and they
// move seldom. Bits 5 to 2 are set only towards somebody who is known to read them.
package redundancy

import (
	"bytes"
	"encoding/binary"
	"errors"
)

const (
	// Periods of 10 ms in a frame, and in a short one.
	Periods      = 2
	ShortPeriods = 1
	// Most is the greatest depth.
	Most = 3
	// Default is the depth that a call begins with: one packet in ten may be lost
	// and next to nothing is missing.
	Default = 2

	header     = 1 + 1 + 4
	depthMask  = 1<<2 - 1
	shortBit   = 1 << 2
	steadyBit  = 1 << 3
	emptyShift = 4

	maxFrame = 512            // bytes that a history has room for
	apart    = 2              // periods between a frame and its next copy
	kept     = apart*Most + 1 // short frames, the newest among them
)

// ErrPayload: the payload has another layout.
var ErrPayload = errors.New("the payload is not laid out as sound")

// Size is the length of a payload, in bytes, with frames of frame bytes.
func Size(frame, depth int) int { return header + (depth+1)*frame }

// Report is what a packet tells the other side of its packets.
type Report struct {
	Loss   float64 // share that was lost lately, 0 to 1
	Steady bool    // they come evenly enough for short frames
}

// Packer makes payloads. It belongs to one goroutine.
type Packer struct {
	periods  int          // of each frame in history
	history  [kept][]byte // a ring; before its first frame a call has silence
	count    int          // frames in it, at most kept
	newest   int
	position uint32 // of the next frame
}

// NewPacker returns a Packer whose past is filled with silence, an encoded frame of
// 20 ms.
func NewPacker(silence []byte) *Packer {
	p := &Packer{periods: Periods, count: kept}
	for i := range p.history {
		p.history[i] = append(make([]byte, 0, max(maxFrame, len(silence))), silence...)
	}
	return p
}

// Pack appends the payload that carries frame, of Periods or ShortPeriods, and depth
// older ones to dst and returns it.
func (p *Packer) Pack(dst, frame []byte, periods, depth int, report Report) []byte {
	depth = max(0, min(Most, depth))
	if periods != p.periods {
		p.periods, p.count = periods, 0
	}
	p.newest = (p.newest + 1) % kept
	p.history[p.newest] = append(p.history[p.newest][:0], frame...)
	p.count = min(kept, p.count+1)
	filled := min(depth, (p.count-1)*periods/apart)
	shape := depth | (depth-filled)<<emptyShift
	if periods == ShortPeriods {
		shape |= shortBit
	}
	if report.Steady {
		shape |= steadyBit
	}
	dst = append(dst, byte(shape), byte(255*max(0, min(1, report.Loss))+0.5))
	dst = binary.BigEndian.AppendUint32(dst, p.position)
	p.position += uint32(periods)
	for age := range filled + 1 {
		dst = append(dst, p.history[(p.newest-age*apart/periods+kept)%kept]...)
	}
	for range (depth - filled) * len(frame) {
		dst = append(dst, 0)
	}
	return dst
}

// Packet is a payload that was read. Its frames lie in the payload.
type Packet struct {
	Depth    int // copies that there are
	Periods  int // of each frame
	Report   Report
	Position uint32 // of the newest frame
	frames   []byte
	size     int // of each frame
}

// Parse reads a payload.
func Parse(payload []byte) (Packet, error) {
	if len(payload) <= header || payload[0]>>6 != 0 {
		return Packet{}, ErrPayload
	}
	depth, empty := int(payload[0]&depthMask), int(payload[0]>>emptyShift)
	p := Packet{
		Depth:    depth - empty,
		Periods:  Periods,
		Report:   Report{Loss: float64(payload[1]) / 255, Steady: payload[0]&steadyBit != 0},
		Position: binary.BigEndian.Uint32(payload[2:]),
		frames:   payload[header:],
	}
	if payload[0]&shortBit != 0 {
		p.Periods = ShortPeriods
	}
	if empty > depth || len(p.frames)%(depth+1) != 0 {
		return Packet{}, ErrPayload
	}
	p.size = len(p.frames) / (depth + 1)
	if len(bytes.TrimLeft(p.frames[(p.Depth+1)*p.size:], "\x00")) > 0 {
		return Packet{}, ErrPayload
	}
	return p, nil
}

// Frame is the frame that was new age times 20 ms ago, from 0 to Depth, and its position.
func (p Packet) Frame(age int) (position uint32, frame []byte) {
	return p.Position - uint32(age*apart), p.frames[age*p.size : (age+1)*p.size]
}
