package jitter

// recentPeriods are one second.
const recentPeriods = 100

// recent remembers which of the last second's periods did not come in time.
type recent struct {
	lost  [recentPeriods]bool
	at    int
	count int // of lost
}

func (r *recent) add(lost bool) {
	if r.lost[r.at] {
		r.count--
	}
	if lost {
		r.count++
	}
	r.lost[r.at] = lost
	r.at = (r.at + 1) % recentPeriods
}

func (r *recent) fill() {
	for range recentPeriods {
		r.add(true)
	}
}

// share is the part that was lost, with overdue periods that may still come.
func (r *recent) share(overdue int) float64 {
	return min(1, float64(r.count+overdue)/recentPeriods)
}
