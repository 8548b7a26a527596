package gateway

import "sync/atomic"

// counters say why messages and lines were lost. Nothing in them names anybody.
type counters struct {
	Limited, Untimely, Forged, Replayed, Undeliverable, Overflowed, Cut atomic.Uint64
}

// Snapshot is what happened since the start, and what is there now.
type Snapshot struct {
	Lines, Drops  int
	Boxes         int
	Limited       uint64 // envelopes over a line's, a prefix's or a drop's rate
	Untimely      uint64 // expired, or dated too far ahead
	Forged        uint64 // signatures that do not hold, or not for this host
	Replayed      uint64
	Undeliverable uint64 // envelopes for relays that could not be reached
	Overflowed    uint64 // envelopes lost to a line that did not read
	Cut           uint64 // lines ended for abuse of the protocol
	Refused       uint64 // connections over a prefix's share
}

// Snapshot counts.
func (g *Gateway) Snapshot() Snapshot {
	return Snapshot{
		Lines: g.lines.count(), Drops: g.drops.count(), Boxes: g.boxes.count(),
		Limited:  g.counts.Limited.Load() + g.drops.limited.Load(),
		Untimely: g.counts.Untimely.Load(), Forged: g.counts.Forged.Load(),
		Replayed: g.counts.Replayed.Load(), Undeliverable: g.counts.Undeliverable.Load(),
		Overflowed: g.counts.Overflowed.Load() + g.bus.Lost(), Cut: g.counts.Cut.Load(),
		Refused: g.front.refused.Load(),
	}
}
