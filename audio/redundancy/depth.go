package redundancy

import "time"

const (
	deeperOver   = 0.40 // reported loss from which more than Default copies are sent
	shallowBelow = 0.25 // and below which, for shallowAfter, no longer
	shallowAfter = 30 * time.Second
)

// Depth decides how many copies to send: Default, or Most while the other side
// reports that two packets in five are lost. It goes up at once and comes down only after half a
// minute, so that packets have one size for long. The zero value begins at Default.
type Depth struct {
	deeper   bool
	badUntil time.Time
}

// Reported takes what a packet reported.
func (d *Depth) Reported(loss float64, now time.Time) {
	switch {
	case loss >= deeperOver:
		d.deeper = true
		d.badUntil = now.Add(shallowAfter)
	case loss >= shallowBelow:
		if d.deeper {
			d.badUntil = now.Add(shallowAfter)
		}
	case d.deeper && now.After(d.badUntil):
		d.deeper = false
	}
}

// Value is the number of copies to send.
func (d *Depth) Value() int {
	if d.deeper {
		return Most
	}
	return Default
}

const (
	meterWindow = time.Second
	meterWeight = 0.3  // of the newest window in a report
	meterLeast  = 10   // packets in a window that say anything
	meterJump   = 1000 // counters apart that are no loss but a stall: 10 or 20 s
)

// Meter measures which share of the other side's packets does not come, by their
// counters, a second at a time. The zero value has seen none.
type Meter struct {
	some     bool
	began    time.Time
	first    uint32 // counter that the window begins with
	highest  uint32
	received uint32 // in the window
	latest   time.Time
	last     float64
	report   float64
}

// Arrived takes a packet's counter. Each comes once; the frame seal sees to that.
func (m *Meter) Arrived(counter uint32, now time.Time) {
	if !m.some {
		m.some, m.began, m.first, m.highest = true, now, counter, counter-1
	}
	if int32(counter-m.first) < 0 {
		return // of a window before
	}
	m.received++
	m.latest = now
	if int32(counter-m.highest) > 0 {
		m.highest = counter
	}
	expected := m.highest - m.first + 1
	if now.Sub(m.began) < meterWindow || expected < meterLeast {
		return
	}
	m.last = 0
	if expected < meterJump && m.received < expected {
		m.last = 1 - float64(m.received)/float64(expected)
	}
	m.report += meterWeight * (m.last - m.report)
	m.began, m.first, m.received = now, m.highest+1, 0
}

// Loss is the share that was lost in the last whole window; all, when nothing has
// come for as long.
func (m *Meter) Loss(now time.Time) float64 {
	if m.some && now.Sub(m.latest) > meterWindow {
		return 1
	}
	return m.last
}

// Report is what to tell the other side: the loss of the last windows, older ones
// counting less.
func (m *Meter) Report() float64 { return m.report }
