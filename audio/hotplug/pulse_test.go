//go:build cgo && !noaudio && linux

package hotplug_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/audio/hotplug"
)

// thorough asks for the tests that take their time: make test-devices.
const thorough = "SOTTO_TEST_DEVICES"

func atLength(t *testing.T) {
	if os.Getenv(thorough) == "" {
		t.Skip("SKIPPED: run by make test-devices")
	}
}

// board is what a person is told: the sentences that hold, and all there ever were.
type board struct {
	mu   sync.Mutex // guards the following
	hold []string
	all  []string

	notices chan audio.Notice
	stop    chan struct{}
	reading sync.WaitGroup
}

func newBoard(t *testing.T) *board {
	b := &board{notices: make(chan audio.Notice), stop: make(chan struct{})}
	b.reading.Go(func() {
		for {
			select {
			case <-b.stop:
				return
			case n := <-b.notices:
				b.mu.Lock()
				if n.Over {
					b.hold = slices.DeleteFunc(b.hold, func(text string) bool { return text == n.Text.Error() })
				} else {
					b.hold, b.all = append(b.hold, n.Text.Error()), append(b.all, n.Text.Error())
				}
				b.mu.Unlock()
			}
		}
	})
	t.Cleanup(func() {
		close(b.stop)
		b.reading.Wait()
		if t.Failed() {
			t.Logf("told: %q", b.all)
		}
	})
	return b
}

// says tells whether a sentence with part in it holds now.
func (b *board) says(part string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.ContainsFunc(b.hold, func(text string) bool { return strings.Contains(text, part) })
}

func (b *board) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.hold) == 0
}

// call is a microphone and a speaker in use, and somebody else's tones on the sinks.
type call struct {
	*pulse
	board        *board
	mic, speaker *hotplug.Keeper
	heard        *ear
	said         *mouth
}

func newCall(t *testing.T, mic, speaker string) *call {
	c := &call{pulse: startPulse(t), board: newBoard(t), heard: &ear{}, said: &mouth{hertz: 700}}
	hardware := hotplug.New()
	c.mic = hardware.Keep(device.Capture, hotplug.Wish{Device: mic}, c.board.notices)
	c.speaker = hardware.Keep(device.Playback, hotplug.Wish{Device: speaker}, c.board.notices)
	t.Cleanup(func() { _, _ = c.mic.Close(), c.speaker.Close() })
	if err := c.speaker.Start(c.said.fill); err != nil {
		t.Fatal(err)
	}
	if err := c.mic.Start(c.heard.deliver); err != nil {
		t.Fatal(err)
	}
	return c
}

// goesOn fails if sound stops being taken: it would pile up.
func (c *call) goesOn(when string) {
	c.t.Helper()
	said := c.said.count()
	c.until("sound goes on "+when, func() bool { return c.said.count() > said+20 })
}

func TestTheServerDiesAndComesBack(t *testing.T) {
	c := newCall(t, "first.monitor", "first")
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	rounds := 1
	if os.Getenv(thorough) != "" {
		rounds = 2 // the second time as well as the first
	}
	for range rounds {
		c.kill()
		c.until("it is said", func() bool {
			return c.board.says(`microphone "Monitor of First" has stopped`) && c.board.says(`speaker "First" has stopped`)
		})
		c.goesOn("without a server")
		c.start()
		c.until("the tone is heard again", func() bool { return c.heard.hears(700) })
		c.until("it is said that it is back", func() bool {
			return c.board.says(`microphone "Monitor of First" is back`) && c.board.says(`speaker "First" is back`)
		})
	}
}

func TestUnpluggedAndPluggedInAgain(t *testing.T) {
	atLength(t)
	c := newCall(t, "second.monitor", "second")
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	c.unplug("second")
	c.until("the default stands in, and it is said", func() bool {
		return c.board.says(`microphone "second.monitor" cannot be used, so "Monitor of First" stands in`) &&
			c.board.says(`speaker "second" cannot be used, so "First" stands in`)
	})
	c.until("the default devices are used", func() bool { return c.heard.hears(700) })
	c.plug("second", "Second")
	c.until("it is said that it is back", func() bool {
		return c.board.says(`"Monitor of Second"`) && c.board.says(`speaker "Second" is back`) || c.board.says(`The speaker is now "Second"`)
	})
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	c.until("nothing more is said", c.board.empty)
}

func TestChangedInTheCall(t *testing.T) {
	c := newCall(t, "", "first")
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	if err := c.mic.Use(hotplug.Wish{Device: "second.monitor"}); err != nil {
		t.Fatal(err)
	}
	c.until("the other room is heard, which is silent", c.heard.silent)
	c.until("that is explained", func() bool { return c.board.says(`"Monitor of Second" gives nothing but silence`) })
	if err := c.speaker.Use(hotplug.Wish{Device: "Second"}); err != nil {
		t.Fatal(err)
	}
	c.until("the tone is heard in the other room", func() bool { return c.heard.hears(700) })
	c.until("the explanation is over", func() bool { return !c.board.says("gives nothing but silence") })
	if err := c.mic.Use(hotplug.Wish{Device: "nowhere"}); err == nil {
		t.Error("a microphone that is not there is used")
	}
	c.goesOn("after a change that failed")
	c.until("the microphone stays", func() bool { return c.heard.hears(700) })
}

func TestTheDefaultIsFollowed(t *testing.T) {
	atLength(t)
	c := newCall(t, "", "first")
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	c.pactl("set-default-source", "second.monitor")
	c.until("the new default is heard, and it is said", func() bool { return c.heard.silent() && c.board.says(`The microphone is now "Monitor of Second"`) })
	c.pactl("set-default-source", "first.monitor")
	c.until("the old default is heard again", func() bool { return c.heard.hears(700) })
}

func TestNoServerAtFirst(t *testing.T) {
	atLength(t)
	p := startPulse(t)
	p.kill()
	board, heard := newBoard(t), &ear{}
	mic := hotplug.New().Keep(device.Capture, hotplug.Wish{}, board.notices)
	defer mic.Close()
	if err := mic.Start(heard.deliver); err != nil {
		t.Fatal(err)
	}
	p.until("it is said why", func() bool {
		return heard.count() == 0 && board.says("No microphone, so nobody hears you: no sound device was found")
	})
	p.start()
	p.until("the microphone is back", func() bool { return board.says(`The microphone "Monitor of First" is back`) })
}

func TestAServerThatHangsHoldsNobodyUp(t *testing.T) {
	atLength(t)
	c := newCall(t, "", "")
	c.until("the tone is heard", func() bool { return c.heard.hears(700) })
	c.freeze()
	defer c.thaw()
	c.until("it is said", func() bool { return c.board.says("microphone") && c.board.says("speaker") })
	c.goesOn("with a server that hangs")
	began := time.Now()
	_, _ = c.mic.Close(), c.speaker.Close()
	if took := time.Since(began); took > 10*time.Second { // a machine that is busy included
		t.Errorf("letting go took %v", took)
	}
}
