package turn

import (
	"encoding/binary"
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// A sender that has not shown a credential yet gets this many answers a second, all of one
	// prefix together. An answer is larger than the question (20 bytes become 72): without a limit
	// a forged source address turns the relay on somebody else.
	answersPerSecond = 20
	answersAtOnce    = 100

	// buckets bounds the memory that forged sources can take. Prefixes that fall into one bucket
	// share its limit; the hash is seeded, so nobody can aim at somebody's bucket.
	buckets = 1024

	// faults is how many reads may fail in a row before the socket counts as broken.
	faults = 100

	readBuffer = 1 << 20 // bytes of queue in the system for a burst from many calls
)

// door is the public socket as pion/turn sees it.
type door struct {
	net.PacketConn
	now     func() time.Time
	counts  *counts
	seed    maphash.Seed
	answers [buckets]*rate.Limiter
	closed  atomic.Bool
	ended   chan struct{} // closed once pion/turn's reading goroutine reads no more
	end     sync.Once
}

func newDoor(conn net.PacketConn, now func() time.Time, counts *counts) *door {
	if buffered, ok := conn.(interface{ SetReadBuffer(int) error }); ok {
		_ = buffered.SetReadBuffer(readBuffer) // the system's own limit may be lower
	}
	d := &door{PacketConn: conn, now: now, counts: counts, seed: maphash.MakeSeed(), ended: make(chan struct{})}
	for i := range d.answers {
		d.answers[i] = rate.NewLimiter(answersPerSecond, answersAtOnce)
	}
	return d
}

// ReadFrom passes over the errors that a system reports for single packets (such as an ICMP
// answer to an earlier one), because pion/turn stops for good at the first error.
func (d *door) ReadFrom(p []byte) (int, net.Addr, error) {
	for failed := 0; ; failed++ {
		n, from, err := d.PacketConn.ReadFrom(p)
		if err == nil {
			return n, from, nil
		}
		if d.closed.Load() || failed == faults {
			d.end.Do(func() { close(d.ended) })
			return 0, nil, err
		}
	}
}

// WriteTo sends, unless it is an answer to a sender that has shown no credential and whose
// prefix had its share.
func (d *door) WriteTo(p []byte, to net.Addr) (int, error) {
	if unauthenticated(p) && !d.answers[d.bucket(addrPort(to).Addr())].AllowN(d.now(), 1) {
		d.counts.unanswered.Add(1)
		return len(p), nil
	}
	return d.PacketConn.WriteTo(p, to)
}

// bucket is the place of an address's prefix: /24 for IPv4, /56 for IPv6.
func (d *door) bucket(address netip.Addr) uint64 {
	bits := 56
	if address.Is4() {
		bits = 24
	}
	prefix, _ := address.Prefix(bits)
	return maphash.Comparable(d.seed, prefix) % buckets
}

// Close ends reading and lets pion/turn close its allocations.
func (d *door) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	return d.PacketConn.Close()
}

// unauthenticated reports whether p is a STUN response without MESSAGE-INTEGRITY, which every
// answer to an authenticated request ends with (RFC 8489 §14.5). Binding answers never have it.
func unauthenticated(p []byte) bool {
	const (
		header, attribute = 20, 4
		response          = 0x0100 // class bit of success and error responses
		method            = 0x3eef
		binding           = 0x0001
		integrity         = 0x0008
	)
	if len(p) < header || p[0]&0xc0 != 0 {
		return false // ChannelData
	}
	kind := binary.BigEndian.Uint16(p)
	if kind&response == 0 {
		return false // a Data indication
	}
	if kind&method == binding {
		return true
	}
	for at := header; at+attribute <= len(p); {
		if binary.BigEndian.Uint16(p[at:]) == integrity {
			return false
		}
		length := int(binary.BigEndian.Uint16(p[at+2:]))
		at += attribute + (length+3)&^3
	}
	return true
}
