package dsp

import (
	"math"
	"testing"
)

// Periods as trust hears of them.
var (
	periodGood    = powers{mic: 1e-3, left: 5e-6, echo: 1e-3, loud: true} // the filter takes out what is there
	periodBoth    = powers{mic: 1e-3, left: 1e-4, echo: 1e-3, loud: true} // and something else is there
	periodLost    = powers{mic: 1e-3, left: 9e-4, echo: 1e-5, loud: true} // it explains nothing
	periodStrange = powers{mic: 1e-3, left: 9e-4, echo: 1e-3, loud: true} // what is left is as loud as the echo it expects
	periodPause   = powers{mic: 1e-3, left: 1e-3, echo: 1e-9}             // nothing plays
	periodUnheard = powers{mic: 1e-3, left: 1e-3, echo: 1e-9, loud: true} // and what plays comes back as nothing
)

const longAgo = trustCalm + 1 // periods since something was late

// given is a trust that heard the same period so many times, and nothing else.
func given(p powers, periods int) *trust {
	t := &trust{known: true}
	t.work(p, periods, fineSilent, longAgo)
	return t
}

// work is what follow does with a period, so many times.
func (t *trust) work(p powers, periods, said, calm int) {
	for range periods {
		t.hear(p, calm)
		t.judge(p, said)
	}
}

// TestDoubtEnds: how long a filter is in doubt, when each period is the same from then on.
func TestDoubtEnds(t *testing.T) {
	proven, unproven := powers{mic: 1e-3, left: 1e-5, echo: 1e-3, loud: true}, periodLost
	moved := func(t *trust) { t.moved(trustDoubt) }
	const never = 1000
	for _, c := range []struct {
		name   string
		before powers
		event  func(*trust)
		period powers
		said   int
		calm   int
		want   int // periods in which it does not learn
	}{
		{"moved on a guess", proven, moved, periodBoth, fineSilent, longAgo, trustDoubt},
		{"moved to where the echo was found", proven, func(t *trust) { t.moved(trustSettle) }, periodBoth, fineSilent, longAgo, trustSettle},
		{"moved, and it was right", proven, moved, periodGood, fineUnsure, longAgo, 1},
		{"moved, and fine finds the echo there", proven, moved, periodBoth, fineStill, longAgo, 1},
		{"moved, and fine is never sure", proven, moved, periodBoth, fineUnsure, longAgo, trustGiveUp + 1},
		{"moved in a pause", proven, moved, periodPause, fineStill, longAgo, never},
		{"moved, and no echo to be expected", proven, moved, periodUnheard, fineStill, longAgo, never},
		{"something was late", proven, (*trust).waver, periodBoth, fineSilent, longAgo, 1},
		{"something was late after a move", proven, func(t *trust) { t.moved(trustDoubt); t.waver() }, periodBoth, fineSilent, longAgo, trustDoubt},
		{"what is left is like an echo", proven, (*trust).waver, periodStrange, fineStill, 0, trustStrange + 1},
		{"the same, and nothing was late for long", proven, (*trust).waver, periodStrange, fineStill, longAgo, 1},
		{"what is left is louder than an echo could be", proven, (*trust).waver, powers{mic: 1e-3, left: 9e-4, echo: 3e-4, loud: true}, fineStill, 0, 1},
		{"what is left is less than an echo would be", proven, (*trust).waver, powers{mic: 1e-3, left: 9e-4, echo: 3e-3, loud: true}, fineStill, 0, 1},
		{"what is left is what always was", periodStrange, func(t *trust) { t.proven = true; t.waver() }, periodStrange, fineStill, 0, 1},
		{"moved, and it explained nothing any more before", proven, func(t *trust) { t.work(periodLost, 300, fineSilent, longAgo); t.moved(trustDoubt) }, periodBoth, fineSilent, longAgo, trustDoubt},
		{"it never explained anything", unproven, moved, periodBoth, fineUnsure, 0, 1},
		{"it never explained anything, in a pause", unproven, moved, periodPause, fineUnsure, 0, 1},
		{"it forgot everything", proven, func(t *trust) { t.moved(trustDoubt); t.forgot() }, periodBoth, fineUnsure, 0, 1},
	} {
		state := given(c.before, 100)
		if !state.sure() {
			t.Fatalf("%s: in doubt from the beginning", c.name)
		}
		c.event(state)
		got := 0
		for !state.sure() && got < never {
			state.work(c.period, 1, c.said, c.calm)
			got++
		}
		if got != c.want {
			t.Errorf("%s: in doubt for %d periods, want %d", c.name, got, c.want)
		}
	}
}

// TestDoubtIsForgottenWhenItEnds: only doubt that lasts makes a filter learn anew.
func TestDoubtIsForgottenWhenItEnds(t *testing.T) {
	state := given(periodGood, 100)
	for range 4 {
		state.work(periodBoth, trustGiveUp-10, fineUnsure, longAgo)
		state.work(periodGood, 1, fineStill, longAgo)
	}
	if !state.proven {
		t.Error("the filter is to learn anew")
	}
}

// TestFilterThatGivesUpLearnsAnew: when doubt does not end, the filter is told once to learn anew, is
// not doubted again before it explains much, and what comes out is held down until then, however long ago something was late.
func TestFilterThatGivesUpLearnsAnew(t *testing.T) {
	state := given(periodGood, 100)
	state.moved(trustDoubt)
	gaveUp := 0
	const after = 100
	for n := range trustGiveUp + 1 + after {
		state.hear(periodStrange, longAgo)
		if state.judge(periodStrange, fineUnsure) {
			gaveUp++
		}
		state.out(longAgo, false)
		if !state.held() {
			t.Fatalf("period %d is not held down", n)
		}
		if n < trustGiveUp && state.sure() || n >= trustGiveUp && !state.sure() {
			t.Fatalf("period %d: the filter learns: %v", n, state.sure())
		}
	}
	if gaveUp != 1 {
		t.Errorf("the filter was told %d times to learn anew", gaveUp)
	}
	for n := 0; state.held(); n++ {
		if n > trustDoubt {
			t.Fatal("the filter explains much, and what comes out is held down")
		}
		state.work(periodGood, 1, fineStill, longAgo)
		state.out(longAgo, false)
	}
	if state.work(periodBoth, 1, fineUnsure, longAgo); state.sure() {
		t.Error("the filter explains much again, and cannot be doubted any more")
	}
}

// TestDoubtBegins: what makes a filter that is believed doubtful.
func TestDoubtBegins(t *testing.T) {
	for _, c := range []struct {
		name   string
		period powers
		said   int
		calm   int
		want   bool
	}{
		{"fine is unsure", periodBoth, fineUnsure, longAgo, true},
		{"fine is unsure in a pause", periodPause, fineUnsure, longAgo, false},
		{"fine is unsure and the echo is gone", periodGood, fineUnsure, longAgo, false},
		{"fine has nothing to say", periodBoth, fineSilent, longAgo, false},
		{"what is left is like an echo after something was late", periodStrange, fineStill, 0, true},
		{"what is left is like an echo", periodStrange, fineStill, longAgo, false},
		{"somebody speaks after something was late", periodBoth, fineStill, 0, false},
	} {
		state := given(periodGood, 100)
		state.work(c.period, 1, c.said, c.calm)
		if got := !state.sure(); got != c.want {
			t.Errorf("%s: in doubt is %v", c.name, got)
		}
	}
}

// TestWhatIsLikeAnEchoIsDoubtedAgain: it is believed to be none after some periods, but not when
// the filter took out the echo in between, or when nothing played.
func TestWhatIsLikeAnEchoIsDoubtedAgain(t *testing.T) {
	state := given(periodGood, 100)
	state.work(periodStrange, trustStrange, fineStill, 0)
	state.work(periodGood, 1, fineStill, 0)
	if state.work(periodStrange, 1, fineStill, 0); state.sure() {
		t.Error("what is like an echo is believed to be none once the echo was gone")
	}
	state, pause := given(periodGood, 100), periodStrange
	pause.loud = false
	state.work(pause, 2*trustStrange, fineStill, 0)
	if state.work(periodStrange, 1, fineStill, 0); state.sure() {
		t.Error("what is like an echo is believed to be none after a pause")
	}
}

// TestNothingIsCountedInDoubt: what a filter in a wrong place leaves says nothing of how good it is.
func TestNothingIsCountedInDoubt(t *testing.T) {
	state := given(periodBoth, 300)
	if got := state.part(); math.Abs(got-0.1) > 0.001 {
		t.Errorf("the filter leaves %.3f, want 0.100", got)
	}
	state = given(periodGood, 100)
	state.moved(trustDoubt)
	before := state.part()
	state.work(periodLost, trustDoubt-1, fineSilent, longAgo)
	if state.part() != before || state.lost != 0 {
		t.Errorf("after a move the filter leaves %.3f, before it %.3f; %d periods were lost", state.part(), before, state.lost)
	}
	state = given(periodGood, 100)
	state.work(periodPause, 200, fineSilent, longAgo)
	if state.part() != before || state.lost != 0 {
		t.Errorf("after a pause the filter leaves %.3f, before it %.3f; %d periods were lost", state.part(), before, state.lost)
	}
}

// TestFilterGoesWhereTheEchoIsFound: how many words of the coarse search it takes, and what becomes
// of what the filter knows.
func TestFilterGoesWhereTheEchoIsFound(t *testing.T) {
	const never = 100
	for _, c := range []struct {
		name    string
		trust   *trust
		between func(*trust) // happens before each word
		near    bool
		words   int
		want    int
	}{
		{"the first word, when nothing was heard", &trust{}, nil, false, 1, trustMove},
		{"the first word, when nothing was explained", func() *trust { t := given(periodLost, 10); t.known = false; return t }(), nil, false, 1, trustAnew},
		{"elsewhere", given(periodBoth, 100), nil, false, trustAway + 1, trustMove},
		{"elsewhere, and the filter explained nothing yet", given(periodLost, 10), nil, false, trustEarly + 1, trustMove},
		{"where it is", given(periodBoth, 100), nil, true, never, trustStay},
		{"elsewhere, and the filter explains all", given(periodBoth, 100), func(t *trust) { t.work(periodGood, 1, fineSilent, longAgo) }, false, never, trustStay},
		{"where it is, but the filter explains nothing any more", given(periodLost, trustLost+1), nil, true, 1, trustAnew},
		{"where it is, and the filter may explain nothing", given(periodLost, trustLost), nil, true, never, trustStay},
		{"where it is, and the filter was placed there just now", given(periodLost, trustLost+1), (*trust).placed, true, never, trustStay},
		{"where it is, and the filter explained something in between", func() *trust {
			t := given(periodLost, trustLost)
			t.work(periodBoth, 1, fineSilent, longAgo)
			t.work(periodLost, trustFound, fineSilent, longAgo)
			return t
		}(), nil, true, never, trustStay},
		{"where it is, and the filter explained something long before", func() *trust {
			t := given(periodLost, trustLost)
			t.work(periodBoth, 1, fineSilent, longAgo)
			t.work(periodLost, trustFound+1, fineSilent, longAgo)
			return t
		}(), nil, true, 1, trustAnew},
		{"elsewhere again and again, until the filter explains nothing", func() *trust {
			t := given(periodBoth, 100)
			for range trustAway {
				t.searched(false)
			}
			t.work(periodLost, trustLost+1, fineSilent, longAgo)
			return t
		}(), nil, false, 1, trustAnew},
		{"where it is, and the filter does explain something", func() *trust { t := given(periodBoth, 100); t.lost = trustLost + 1; return t }(), nil, true, never, trustStay},
	} {
		words, got := 0, trustStay
		for words < never && got == trustStay {
			if c.between != nil {
				c.between(c.trust)
			}
			got = c.trust.searched(c.near)
			words++
		}
		if got != c.want || words != c.words {
			t.Errorf("%s: %d after %d words, want %d after %d", c.name, got, words, c.want, c.words)
		}
		if c.trust.placed(); !c.trust.known || c.trust.searched(false) != trustStay {
			t.Errorf("%s: one word more and it moves again", c.name)
		}
	}
	state := given(periodBoth, 100)
	for range 3 * trustAway {
		if state.searched(false) != trustStay || state.searched(true) != trustStay {
			t.Fatal("words that do not agree move the filter")
		}
	}
}

// TestWhatComesOutIsHeldDown: from the first period in doubt until what came out in it has left the
// windows of what holds it down, and hushed for as long when nobody knew what was played.
func TestWhatComesOutIsHeldDown(t *testing.T) {
	state := given(periodGood, 100)
	for n, step := range []struct{ doubt, unknown, held, hush bool }{
		{false, false, false, false},
		{false, true, false, false},
		{true, false, true, false},
		{false, false, true, false},
		{false, false, true, false},
		{false, false, false, false},
		{true, true, true, true},
		{true, false, true, true},
		{false, false, true, true},
		{false, false, true, true},
		{false, false, false, false},
		{true, false, true, false},
	} {
		state.doubt = 0
		if step.doubt {
			state.doubt = 1
		}
		state.out(longAgo, step.unknown)
		if state.held() != step.held || state.hush != step.hush {
			t.Errorf("period %d: held %v, hushed %v, want %v, %v", n, state.held(), state.hush, step.held, step.hush)
		}
	}
	for _, c := range []struct {
		name   string
		before powers
		calm   int
		want   bool
	}{
		{"explains nothing yet, and something was late", periodLost, trustCalm - 1, true},
		{"explains nothing yet", periodLost, trustCalm, false},
		{"explains much, and something was late", periodBoth, 0, false},
	} {
		state := given(c.before, 100)
		if state.out(c.calm, false); state.held() != c.want {
			t.Errorf("a filter that %s: held down is %v", c.name, state.held())
		}
	}
	state = given(periodGood, 100)
	state.work(periodLost, 300, fineSilent, longAgo)
	if state.out(0, false); state.held() {
		t.Error("a filter that explained much once is held down")
	}
	state = given(periodBoth, 100)
	state.forgot()
	if state.out(0, false); state.held() {
		t.Error("a filter that has begun to explain is held down")
	}
}

// TestFilterThatMakesThingsWorseIsReset, and one that gives no numbers, once.
func TestFilterThatMakesThingsWorseIsReset(t *testing.T) {
	bad := func(mic, left float64) powers { return powers{mic: mic, left: left, echo: 1e-3, loud: true} }
	for _, p := range []powers{bad(1e-3, 1), bad(1e-3, math.Inf(1)), bad(1e-3, math.NaN()), bad(math.NaN(), 1e-3)} {
		state := given(periodGood, 100)
		if state.hear(p, longAgo) {
			t.Errorf("%v is taken for sense", p)
		}
		state.forgot()
		if !state.hear(periodBoth, longAgo) {
			t.Errorf("a filter is reset again for %v", p)
		}
	}
	state := given(periodGood, 100)
	for range 100 {
		if !state.hear(powers{mic: 1e-5, left: 1e-5, echo: 1e-3, loud: true}, longAgo) {
			t.Fatal("a filter that is of no use is reset")
		}
	}
}

// TestWhatIsASlide: a filter that has stood for long in calm is moved for a slide between two
// clocks, and the time over which it came is known.
func TestWhatIsASlide(t *testing.T) {
	state := given(periodBoth, 100)
	if got := state.stood(longAgo); got != 100 {
		t.Errorf("it stood for %d periods, want 100", got)
	}
	if got := state.stood(trustCalm); got != 0 {
		t.Errorf("something was late, and it stood for %d periods", got)
	}
	unproven := given(periodLost, 100)
	unproven.moved(trustDoubt)
	state.waver()
	for _, state := range []*trust{state, unproven} {
		if got := state.least(); got != slipStray {
			t.Errorf("fine moves it by more than %d samples, want %d", got, slipStray)
		}
	}
	state.moved(trustSettle)
	if got := state.least(); got != 0 {
		t.Errorf("after a move fine moves it by more than %d samples, want 0", got)
	}
	state.work(periodBoth, trustSettle, fineSilent, longAgo)
	if got := state.stood(longAgo); got != 0 {
		t.Errorf("just moved, and it stood for %d periods", got)
	}
	state.work(periodBoth, 1, fineSilent, longAgo)
	if got := state.stood(longAgo); got != trustSettle+1 {
		t.Errorf("it stood for %d periods, want %d", got, trustSettle+1)
	}
}
