package dsp

// trust knows whether the filter may be believed. It works on no sound: echo tells it what
// happens and asks.
//
//	            the filter was moved, something was late,
//	            fine is unsure, what is left is like an echo
//	believed ───────────────────────────────────────────────────────> in doubt
//	         <───────────────────────────────────────────────────────
//	            the filter takes the echo out, fine finds it there,
//	            or nothing spoke against it for some loud periods
//
// A filter that never explained much has little to lose and much to learn: it is believed again
// with the next period that it works on. So is one whose doubt does not end: it learns anew, and what
// comes out is held down until it explains much again.
type trust struct {
	known     bool // where the echo begins was found out
	proven    bool // the filter has explained much of the echo
	doubt     int  // loud periods for which it may still stand in a wrong place; 0: it is believed
	unsettled int  // loud periods in a row that it has been in doubt
	still     int  // periods that it worked on since it was moved
	strange   int  // periods in which what is left is like the echo, since it last took the echo out
	linger    int  // periods until what came out in doubt has left residual's windows
	hush      bool // that has to be held down whatever the filter expects
	anew      bool // its doubt did not end, and it has explained little since

	heard, left float64 // mean power of the microphone and of what the filter leaves, while something plays
	lost        int     // periods with loud sound that the filter explains nothing of, less those it does
	away        int     // how often in a row the filter seemed to look too late, or much too early
}

const (
	trustLost    = 100          // lost periods that may be chance
	trustFound   = 20           // of them are made good by one that it explains
	trustAway    = 20           // words in a row that the echo begins much later or earlier than the filter that may be chance
	trustEarly   = 4            // and so many when the filter never explained anything there
	trustDoubt   = 40           // loud periods after which a filter that may stand in a wrong place is believed again
	trustSettle  = fineHold + 2 // and those after which one is that was moved to where the echo was found
	trustGiveUp  = 200          // loud periods in doubt after which it learns anew
	trustPoor    = 0.3          // part of the microphone that a filter leaves which tells little yet
	trustCalm    = 100          // periods after which something was late that an echo is not elsewhere for that
	trustStrange = 6            // periods that are as loud as the echo and not like it are taken for an echo that is elsewhere
	trustLinger  = 3            // periods that residual's windows hold, with the one that comes in
)

// What a word of the coarse search means for the filter.
const (
	trustStay = iota // it stands as well where it is
	trustMove        // it is to be moved there, with what it knows
	trustAnew        // it is to begin anew there
)

// powers are mean ones of a period.
type powers struct {
	mic, left, echo float64 // the microphone, what the filter leaves of it, and the echo it expects
	loud            bool    // what plays is loud enough to tell something
}

// good is a filter that takes out what is there.
func (p powers) good() bool { return p.left < 0.01*p.mic }

// tells is a period with an echo to go by.
func (p powers) tells() bool { return p.loud && p.echo > 1e-8 }

// sure is whether the filter stands where the echo is, as far as anybody knows: only then may it
// learn, and be compared with others.
func (t *trust) sure() bool { return t.doubt == 0 }

// held is whether what comes out has to be held down by as much as the echo could be.
func (t *trust) held() bool { return t.linger > 0 }

// part is which part of the microphone's power the filter leaves.
func (t *trust) part() float64 { return t.left / (t.heard + 1e-12) }

// least is by how many samples the echo has to be elsewhere for the filter to be moved at once;
// what is nearer is a slide, unless the filter was moved just now.
func (t *trust) least() int {
	if t.doubt > 1 {
		return 0
	}
	return slipStray
}

// stood is over how many periods two clocks may have made the echo slide, or 0 when it may be
// elsewhere for another reason. calm is how long ago something was late, in periods.
func (t *trust) stood(calm int) int {
	if t.still <= trustSettle || calm <= trustCalm {
		return 0
	}
	return t.still
}

// moved is for a filter that has to look elsewhere, or may have to; when it explained something
// before, it is in doubt for so many loud periods.
func (t *trust) moved(periods int) {
	t.doubt = 1
	if t.proven {
		t.doubt = periods
	}
	t.still = 0
}

// waver is for a period that leaves it open where the echo is.
func (t *trust) waver() { t.doubt = max(t.doubt, 1) }

// placed is for a filter that looks elsewhere now.
func (t *trust) placed() { t.lost = 0 }

// forgot is for a filter that knows nothing any more.
func (t *trust) forgot() { t.proven = false }

// searched takes the coarse search's word: whether the echo begins about where the filter looks.
// It returns what to do, and takes that for done.
func (t *trust) searched(near bool) int {
	switch {
	case !t.known:
	case near:
		t.away = 0
	case t.proven:
		t.away++
	default:
		t.away += trustAway / trustEarly
	}
	nothing := !t.known || t.lost > trustLost
	switch {
	case nothing && t.left > 0.7*t.heard:
		t.known, t.away = true, 0
		return trustAnew
	case !t.known, t.away > trustAway:
		t.known, t.away = true, 0
		return trustMove
	}
	return trustStay
}

// hear takes what the filter made of a period, and how many periods ago something was late. sane
// is false for a filter that makes things worse, or no number of them: it has to be reset.
func (t *trust) hear(p powers, calm int) (sane bool) {
	if p.loud && p.left < 0.03*p.mic {
		t.away = 0 // no other place could explain more
	}
	if p.loud && t.sure() {
		t.count(p)
	}
	if !(t.left < 4*t.heard+1e-3) {
		t.heard, t.left = 0, 0
		return false
	}
	t.still++
	switch {
	case p.good(), calm > trustCalm:
		t.strange = 0
	case p.tells() && p.left > 0.25*p.mic && p.left*t.heard > 4*t.left*p.mic && p.mic > 0.4*p.echo && p.mic < 2.5*p.echo:
		t.strange++ // an echo that is elsewhere, or a word that is as loud
	}
	return true
}

// count adds a period to what the filter has explained so far.
func (t *trust) count(p powers) {
	const smooth = 0.03
	t.heard += smooth * (p.mic - t.heard)
	t.left += smooth * (p.left - t.left)
	t.proven = t.proven || t.left < trustPoor*t.heard
	t.anew = t.anew && !t.proven
	if p.left > 0.7*p.mic {
		t.lost++
	} else {
		t.lost = max(0, t.lost-trustFound)
	}
}

// judge takes what fine said of the same period, when it was not that the echo has moved. gaveUp is
// true when the filter has to learn anew where it stands.
func (t *trust) judge(p powers, said int) (gaveUp bool) {
	switch {
	case !p.tells():
	case p.good():
		t.doubt = 0
	case said == fineUnsure || t.strange > 0 && t.strange <= trustStrange:
		t.waver()
	case said == fineStill:
		t.doubt = 0
	case t.doubt > 0:
		t.doubt--
	}
	if t.doubt > 0 && p.tells() {
		t.unsettled++
	}
	if gaveUp = t.unsettled > trustGiveUp; gaveUp {
		t.proven, t.anew = false, true
		t.heard, t.left = 0, 0 // what it explained before says nothing of now
	}
	if !t.proven {
		t.doubt = 0
	}
	if t.doubt == 0 {
		t.unsettled = 0
	}
	return gaveUp
}

// out is for a period that goes out now. unknown is one of which nobody can tell what was played.
func (t *trust) out(calm int, unknown bool) {
	t.linger = max(0, t.linger-1)
	if t.doubt > 0 || t.anew || !t.proven && t.left > trustPoor*t.heard && calm < trustCalm {
		t.linger = trustLinger
	}
	t.hush = t.held() && (unknown || t.hush)
}
