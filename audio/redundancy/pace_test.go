package redundancy

import (
	"testing"
	"time"
)

// second is how a second of the network was.
type second struct {
	loss, missing float64
	target        time.Duration
}

var (
	fine  = second{target: 4 * time.Millisecond}
	lossy = second{loss: 0.05, target: 22 * time.Millisecond}
	rough = second{target: 60 * time.Millisecond}
	holes = second{missing: 0.05, target: 4 * time.Millisecond}
	so    = second{loss: 0.02, target: 30 * time.Millisecond} // neither good nor bad
	awful = second{loss: 0.5, missing: 0.1, target: 42 * time.Millisecond}
)

func TestSteadyNeedsGoodSecondsAndForgivesOneBadOne(t *testing.T) {
	for _, c := range []struct {
		name    string
		seconds []second
		want    bool
	}{
		{"nothing yet", nil, false},
		{"two good ones", []second{fine, fine}, false},
		{"three good ones", []second{fine, fine, fine}, true},
		{"in between from the start", []second{so, so, so, so, so, so}, false},
		{"in between afterwards", []second{fine, fine, fine, so, so, so, so, so}, true},
		{"one stall", []second{fine, fine, fine, rough, fine, fine, fine, fine}, true},
		{"two lossy ones", []second{fine, fine, fine, lossy, fine, lossy}, false},
		{"two late ones", []second{fine, fine, fine, rough, holes}, false},
		{"far apart", []second{fine, fine, fine, rough, fine, fine, fine, fine, holes}, true},
		{"one awful one", []second{fine, fine, fine, fine, awful}, false},
		{"well again", []second{fine, fine, fine, awful, fine, fine, fine, fine, fine, fine}, true},
	} {
		var s Steady
		now := zero
		s.Judge(0, 0, 0, 0, now) // the first window begins
		for _, w := range c.seconds {
			if s.Due(now.Add(steadyWindow - time.Millisecond)) {
				t.Fatal("a window is over too early")
			}
			now = now.Add(steadyWindow)
			if !s.Due(now) {
				t.Fatal("a window does not end")
			}
			s.Judge(w.loss, w.loss, w.missing, w.target, now)
		}
		if s.Value() != c.want {
			t.Errorf("%s: %v", c.name, s.Value())
		}
	}
}

func TestPaceGoesUpSlowlyAndDownAtOnce(t *testing.T) {
	var p Pace
	now := zero
	report := func(steady bool, during time.Duration) {
		for end := now.Add(during); now.Before(end); now = now.Add(20 * time.Millisecond) {
			p.Reported(steady, now)
		}
	}
	expect := func(what string, short bool) {
		t.Helper()
		if p.Short() != short {
			t.Errorf("%s: short frames %v", what, p.Short())
		}
	}
	report(false, 10*time.Second)
	expect("never steady", false)
	report(true, time.Second)
	expect("steady for a second", false)
	report(true, 2*time.Second)
	expect("steady for three", true)
	report(false, 20*time.Millisecond)
	expect("one bad report", false)
	report(true, 29*time.Second)
	expect("half a minute is not over", false)
	report(false, 20*time.Millisecond)
	report(true, 29*time.Second)
	expect("it begins anew", false)
	report(true, 2*time.Second)
	expect("half a minute of good reports", true)
	now = now.Add(900 * time.Millisecond)
	p.Waited(now)
	expect("no report for less than a second", true)
	now = now.Add(200 * time.Millisecond)
	p.Waited(now)
	expect("no report for more than a second", false)
	report(true, 3*time.Second)
	expect("heard again", false)
}

func TestPaceMovesAtMostTwiceInHalfAMinute(t *testing.T) {
	// whatever the other side says
	var p Pace
	moves, was := 0, false
	for n := range 5 * 60 * 50 {
		p.Reported(n%1600 != 7, zero.Add(time.Duration(n)*20*time.Millisecond))
		if p.Short() != was {
			moves, was = moves+1, p.Short()
		}
	}
	if moves < 3 || moves > 2*10+2 {
		t.Errorf("five minutes had %d changes", moves)
	}
}
