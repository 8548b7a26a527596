// Package redundancy lets each packet carry the frames before its own once more, so
// that a lost packet loses no sound: the next ones bring it (the idea of RFC 2198,
// without its headers). The copies are the same bytes as the first time; they need
// no second encoder and cost no quality.
//
// A packet's payload, inside the frame seal:
//
//	1  shape: version 0 in bits 7 to 6, bits 5 to 2 zero, depth (copies) in bits 1 to 0
//	1  report: share of the other side's packets that were lost here lately, in 1/255
//	4  position of the newest frame's first period, in periods of 10 ms, big endian
//	…  depth + 1 frames of one size, the newest first
//
// Each frame is one packet, 20 ms, older than the one before it. All packets of a
// depth have one size, whatever was said. The depth follows only what the other side
// reports of the network (Depth), never the sound, and it moves seldom.
package redundancy

import (
	"encoding/binary"
	"errors"
)

const (
	// Periods of 10 ms in a frame.
	Periods = 2
	// Most is the greatest depth.
	Most = 3
	// Default is the depth that a call begins with: one packet in ten may be lost
	// and next to nothing is missing.
	Default = 2

	header    = 1 + 1 + 4
	depthMask = 1<<2 - 1
)

// ErrPayload: the payload has another layout.
var ErrPayload = errors.New("the payload is not laid out as sound")

// Size is the length of a payload, in bytes, with frames of frame bytes.
func Size(frame, depth int) int { return header + (depth+1)*frame }

// Packer makes payloads. It belongs to one goroutine.
type Packer struct {
	frame    int      // bytes of each
	history  [][]byte // a ring; before its first frame a call has silence
	newest   int
	position uint32 // of the next frame
}

// NewPacker returns a Packer whose past is filled with silence, an encoded frame of
// the size that all frames of the call have.
func NewPacker(silence []byte) *Packer {
	p := &Packer{frame: len(silence), history: make([][]byte, Most+1)}
	for i := range p.history {
		p.history[i] = append([]byte(nil), silence...)
	}
	return p
}

// Pack appends the payload that carries frame and depth older ones to dst and
// returns it. loss, from 0 to 1, is what is reported to the other side.
func (p *Packer) Pack(dst, frame []byte, depth int, loss float64) []byte {
	depth = max(0, min(Most, depth))
	p.newest = (p.newest + 1) % len(p.history)
	copy(p.history[p.newest], frame)
	dst = append(dst, byte(depth), byte(255*max(0, min(1, loss))+0.5))
	dst = binary.BigEndian.AppendUint32(dst, p.position)
	p.position += Periods
	for age := range depth + 1 {
		dst = append(dst, p.history[(p.newest-age+len(p.history))%len(p.history)]...)
	}
	return dst
}

// Packet is a payload that was read. Its frames lie in the payload.
type Packet struct {
	Depth    int
	Loss     float64 // reported by its sender
	Position uint32  // of the newest frame
	frames   []byte
}

// Parse reads a payload.
func Parse(payload []byte) (Packet, error) {
	if len(payload) <= header || payload[0]&^depthMask != 0 {
		return Packet{}, ErrPayload
	}
	p := Packet{
		Depth:    int(payload[0] & depthMask),
		Loss:     float64(payload[1]) / 255,
		Position: binary.BigEndian.Uint32(payload[2:]),
		frames:   payload[header:],
	}
	if len(p.frames)%(p.Depth+1) != 0 {
		return Packet{}, ErrPayload
	}
	return p, nil
}

// Frame is the frame that was new age packets ago, from 0 to Depth, and its position.
func (p Packet) Frame(age int) (position uint32, frame []byte) {
	size := len(p.frames) / (p.Depth + 1)
	return p.Position - uint32(age*Periods), p.frames[age*size : (age+1)*size]
}
