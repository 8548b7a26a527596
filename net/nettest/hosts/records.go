package hosts

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
)

// Stream is one direction of a TCP connection, put together from its segments.
type Stream struct {
	From, To netip.AddrPort
	segments []Packet
}

// Streams are both directions of every TCP connection to or from a port.
func (t Trace) Streams(port uint16) (all []*Stream) {
	by := make(map[[2]netip.AddrPort]*Stream)
	for _, p := range t {
		if p.Protocol != "tcp" || len(p.Payload) == 0 || p.From.Port() != port && p.To.Port() != port {
			continue
		}
		ends := [2]netip.AddrPort{p.From, p.To}
		if by[ends] == nil {
			by[ends] = &Stream{From: p.From, To: p.To}
			all = append(all, by[ends])
		}
		by[ends].segments = append(by[ends].segments, p)
	}
	return all
}

// Secrets are the sizes of what the stream's TLS records of application data hold, in bytes
// (RFC 8446 §5.2: without the tag and the byte of the type), in order. A record that the end of
// the capture cut short is left out.
func (s *Stream) Secrets() (sizes []int, err error) {
	slices.SortStableFunc(s.segments, func(a, b Packet) int { return int(int32(a.sequence - b.sequence)) })
	var all []byte
	next := s.segments[0].sequence
	for _, p := range s.segments {
		switch known := int32(next - p.sequence); {
		case known < 0:
			return nil, errors.New("a segment is missing in the capture")
		case int(known) < len(p.Payload): // what was sent again is there once
			all = append(all, p.Payload[known:]...)
			next = p.sequence + uint32(len(p.Payload))
		}
	}
	for len(all) >= 5 {
		size := 5 + int(binary.BigEndian.Uint16(all[3:]))
		if size > len(all) {
			break
		}
		if all[0] == 23 {
			sizes = append(sizes, size-5-17)
		}
		all = all[size:]
	}
	return sizes, nil
}

// Once is the trace of one link without the segments that only say again what had been sent
// before, as kernels do when an acknowledgement is late.
func (t Trace) Once() Trace {
	sent := make(map[[2]netip.AddrPort]uint32)
	return t.where(func(p Packet) bool {
		if p.Protocol != "tcp" || len(p.Payload) == 0 {
			return true
		}
		ends, next := [2]netip.AddrPort{p.From, p.To}, p.sequence+uint32(len(p.Payload))
		if before, known := sent[ends]; known && int32(next-before) <= 0 {
			return false
		}
		sent[ends] = next
		return true
	})
}
