package hotplug

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"sotto/audio"
	"sotto/audio/device"
	"sotto/settings/advice"
)

const (
	awayFor   = time.Second     // a device that comes back sooner is not spoken of
	firstFor  = 3 * time.Second // what the first one may take
	goodFor   = time.Second     // and how long one has to stay to be back
	shownFor  = 5 * time.Second // how long it is said what is new
	silentFor = 3 * time.Second // of digital silence from the beginning are no person being quiet
)

// notices is what a Keeper has to say, owned by run: a condition as long as it
// holds, and what is new for a while.
type notices struct {
	kind  string
	queue []audio.Notice

	condition advice.Text // said, and not yet over; empty while all is well
	good      time.Time   // since when all is well while condition is still said; zero: it is not

	device device.Device // the last one that gave sound
	fresh  string        // what is new, to be said once all is well
	shown  string        // the same, said
	until  time.Time     // and for how long
}

// first is where to send what is next; a nil channel for nothing.
func (n *notices) first(to chan<- audio.Notice) (chan<- audio.Notice, audio.Notice) {
	if to == nil {
		n.queue = nil
	}
	if len(n.queue) == 0 {
		return nil, audio.Notice{}
	}
	return to, n.queue[0]
}

// have notes the stream that gives sound now.
func (n *notices) have(o *openStream) {
	before := n.device
	if !o.isDevice() {
		return
	}
	n.device = o.device
	switch {
	case o.asked || before.Kind == "" || o.target.fallback:
		n.fresh = ""
	case before.ID != o.device.ID && o.device.Name != "":
		n.fresh = fmt.Sprintf("The %s is now %q", spoken(n.kind), o.device.Name)
	}
}

// describe puts what holds at the instant now into words.
func (n *notices) describe(now time.Time, condition advice.Text) {
	if n.shown != "" && !now.Before(n.until) {
		n.queue = append(n.queue, audio.Notice{Text: advice.Text{What: n.shown}, Over: true})
		n.shown = ""
	}
	switch {
	case condition.What != "":
		n.good = time.Time{}
		if condition != n.condition {
			n.end()
			n.queue = append(n.queue, audio.Notice{Text: condition})
			n.condition = condition
		}
		return
	case n.condition.What != "" && n.good.IsZero():
		n.good = now
		return
	case n.condition.What != "" && now.Sub(n.good) < goodFor:
		return
	case n.condition.What != "":
		n.end()
		if n.fresh == "" {
			n.fresh = fmt.Sprintf("The %s is back", spoken(n.kind))
			if n.device.Name != "" {
				n.fresh = fmt.Sprintf("The %s %q is back", spoken(n.kind), n.device.Name)
			}
		}
	}
	if n.fresh != "" && n.fresh != n.shown {
		if n.shown != "" {
			n.queue = append(n.queue, audio.Notice{Text: advice.Text{What: n.shown}, Over: true})
		}
		n.queue = append(n.queue, audio.Notice{Text: advice.Text{What: n.fresh}})
		n.shown, n.until = n.fresh, now.Add(shownFor)
	}
	n.fresh = ""
}

func (n *notices) end() {
	if n.condition.What != "" {
		n.queue = append(n.queue, audio.Notice{Text: n.condition, Over: true})
		n.condition = advice.Text{}
	}
}

// condition is what is wrong at the instant now; empty for nothing.
func (s *keeping) condition(now time.Time) advice.Text {
	if s.handle == nil || s.wish.Stream != nil {
		return advice.Text{}
	}
	switch {
	case s.live == nil && s.said.device.Kind == "" && strings.HasPrefix(s.said.condition.What, never[s.kind]):
		return s.said.condition // opening is tried again and again: the first reason stays
	case s.live == nil && s.next == nil && !s.opening && s.why != nil && s.said.device.Kind == "":
		why := advice.Of(s.why)
		why.What = strings.TrimPrefix(why.What, audio.ErrDevice.Error()+": ")
		return why.After(never[s.kind])
	case s.live == nil && s.said.device.Kind == "" && s.said.condition.What != "":
		return s.said.condition
	case s.live == nil && s.said.device.Kind == "" && now.Sub(s.startedAt) < firstFor:
		return advice.Text{}
	case s.live == nil && !s.awayAt.IsZero() && now.Sub(s.awayAt) >= awayFor:
		return advice.Text{What: s.away()}
	case s.live.isDevice() && s.live.target.fallback:
		return advice.Text{What: fmt.Sprintf("The %s %q cannot be used, so %q stands in for it until it is back", spoken(s.kind), s.names[len(s.names)-1], s.live.device.Name)}
	case s.kind == device.Capture && s.live.isDevice() && s.sound.dead() >= silentFor:
		return advice.Text{What: mute(s.live.device.Name)}
	}
	return advice.Text{}
}

var (
	never = map[string]string{
		device.Capture:  "No microphone, so nobody hears you: ",
		device.Playback: "No speaker, so you hear nothing: ",
	}
	means = map[string]string{
		device.Capture:  "so the other side hears silence",
		device.Playback: "so you hear nothing",
	}
)

// away is a device that has gone, or one that takes long to come.
func (s *keeping) away() string {
	name := s.said.device.Name
	if name == "" {
		return fmt.Sprintf("The %s does not answer, %s; plug it in again, choose another one, or restart the sound server", spoken(s.kind), means[s.kind])
	}
	return fmt.Sprintf("The %s %q has stopped, %s; it is used again as soon as it is back", spoken(s.kind), name, means[s.kind])
}

// mute explains a microphone that gives digital silence, which none in a room does.
func mute(name string) string {
	return fmt.Sprintf("The microphone %q gives nothing but silence: %s", name, Unmute())
}

// Unmute is what to do about a microphone that gives digital silence. macOS gives that
// to a program that was not allowed to listen.
func Unmute() string {
	if runtime.GOOS == "darwin" {
		return fmt.Sprintf("in System Settings, Privacy & Security, Microphone, allow %s, then start it again", terminalName(os.Getenv("TERM_PROGRAM")))
	}
	return "see whether it is muted, on itself or in the system's sound settings"
}

// terminalName is the program that macOS asks the permission for: not Sotto, but the
// terminal it runs in.
func terminalName(variable string) string {
	switch variable {
	case "Apple_Terminal":
		return "Terminal"
	case "iTerm.app":
		return "iTerm"
	case "vscode":
		return "Visual Studio Code"
	case "", "tmux", "screen":
		return "your terminal program"
	}
	return variable
}

// spoken is a kind in a sentence.
func spoken(kind string) string {
	if kind == device.Capture {
		return "microphone"
	}
	return "speaker"
}
