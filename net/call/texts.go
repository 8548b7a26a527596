package call

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"sotto/net/identity"
	"sotto/net/wire"
	"sotto/settings/advice"
)

const (
	textsKept    = 200 // lines of a call that are remembered
	textsWaiting = 16  // lines that wait to be sent, or to be taken
	// A person writes a line a second at most; what comes faster is a machine.
	textsEvery = time.Second
	textsBurst = 8

	// resendEvery and resendTimes bound how long a numbered signal is sent again.
	resendEvery = 2 * time.Second
	resendTimes = 15
)

func newTextLimiter() *rate.Limiter { return rate.NewLimiter(rate.Every(textsEvery), textsBurst) }

// numbered are the signals that are sent again until the other side has taken them,
// since a line delivers at most once, and the numbers of those that were taken here.
// The conversation's goroutine owns it.
type numbered struct {
	last    uint32
	writing bool // a line of text is on its way; the next one waits, since messages overtake each other
	waiting map[uint32]*resend
	taken   map[uint32]bool // of the other side, the latest numbersKept
	highest uint32
	reading *rate.Limiter // how many lines of text the other side gets in
}

type resend struct {
	signal wire.Signal
	sent   time.Time
	times  int
}

const numbersKept = 64

func newNumbered() *numbered {
	return &numbered{waiting: make(map[uint32]*resend), taken: make(map[uint32]bool), reading: newTextLimiter()}
}

// take notes a number of the other side and tells whether it is new.
func (n *numbered) take(number uint32) bool {
	if n.taken[number] || n.highest > numbersKept && number <= n.highest-numbersKept {
		return false
	}
	n.taken[number] = true
	if number > n.highest {
		n.highest = number
		for old := range n.taken {
			if number > numbersKept && old <= number-numbersKept {
				delete(n.taken, old)
			}
		}
	}
	return true
}

// say sends a numbered signal now, and again until it is taken.
func (t *conversation) say(ctx context.Context, signal wire.Signal) {
	t.numbered.last++
	signal.Number = t.numbered.last
	t.numbered.waiting[signal.Number] = &resend{signal: signal, sent: time.Now(), times: 1}
	t.numbered.writing = t.numbered.writing || signal.Kind == wire.SignalText
	_ = t.post(ctx, signal)
}

// sayAgain repeats what was not taken, and tells of a line of text that will not arrive.
func (t *conversation) sayAgain(ctx context.Context, now time.Time) {
	for number, waits := range t.numbered.waiting {
		switch {
		case now.Sub(waits.sent) < resendEvery:
		case waits.times >= resendTimes:
			t.taken(number)
			if waits.signal.Kind == wire.SignalText {
				t.call.warn(advice.Text{What: "A line of text did not arrive; send it again."})
			}
		default:
			waits.sent, waits.times = now, waits.times+1
			_ = t.post(ctx, waits.signal)
		}
	}
}

// taken is the end of a signal's being sent again.
func (t *conversation) taken(number uint32) {
	if waits := t.numbered.waiting[number]; waits != nil && waits.signal.Kind == wire.SignalText {
		t.numbered.writing = false
	}
	delete(t.numbered.waiting, number)
}

// written is where the person's next line comes from, once the last has arrived.
func (t *conversation) written() <-chan string {
	if t.numbered.writing {
		return nil
	}
	return t.call.texts
}

// readText shows a line of the other side once, and says that it has come. One beyond
// the limit is passed over as if it had been lost: an honest client sends it again.
func (t *conversation) readText(ctx context.Context, signal wire.Signal) {
	n := t.numbered
	known := n.taken[signal.Number] || n.highest > numbersKept && signal.Number <= n.highest-numbersKept
	if !known && !n.reading.Allow() {
		return
	}
	if n.take(signal.Number) {
		if text := identity.CleanText(signal.Text, wire.MaxTextBytes); text != "" {
			t.call.showText(text)
		}
	}
	_ = t.post(ctx, wire.Signal{Kind: wire.SignalTaken, Number: signal.Number})
}

func (c *call) showText(text string) {
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	c.showTextLocked(text, false)
}

// showTextLocked adds a clean line to the call. The caller holds engine.mu.
func (c *call) showTextLocked(body string, mine bool) {
	text := Text{At: time.Now(), Mine: mine, Body: body}
	c.info.Texts = append(c.info.Texts, text)
	if surplus := len(c.info.Texts) - textsKept; surplus > 0 {
		c.info.Texts = append([]Text(nil), c.info.Texts[surplus:]...)
	}
	c.engine.publish(Event{Kind: EventText, Call: c.copyLocked(), Text: text})
}
