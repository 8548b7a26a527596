package plain

import (
	"errors"
	"time"

	"sotto/net/call"
	"sotto/ui/tui"
)

var errWaiting = errors.New("after waiting comes answer or decline: answer hangs up the call that goes on")

// callVerbs are the verbs about calls.
func callVerbs() []verb {
	return []verb{
		{name: "call", takes: "WHO", needs: true, does: "call a contact, a card, or echo, which says back what it hears", run: func(p *plain, who string) error { return p.Calls.Dial(who) }},
		{name: "answer", does: "take the call that rings here", urgent: true, run: func(p *plain, _ string) error { return p.Calls.Answer() }},
		{name: "decline", takes: "[TEXT]", does: "refuse the call that rings here, with a line of text if you like", urgent: true, run: decline},
		{name: "silence", does: "stop the ringing here; the caller is told nothing new", urgent: true, run: doing(tui.Calls.Silence, "Silenced. The caller is told nothing new.")},
		{name: "hangup", does: "end the call, or cancel it while it rings", urgent: true, run: func(p *plain, _ string) error { return p.Calls.HangUp() }},
		{name: "mute", does: "not be heard", urgent: true, run: switching(tui.Calls.SetMuted, true, "Muted: you are not heard.")},
		{name: "unmute", does: "be heard again", urgent: true, run: switching(tui.Calls.SetMuted, false, "You are heard again.")},
		{name: "deafen", does: "hear nothing and not be heard", urgent: true, run: switching(tui.Calls.SetDeafened, true, "Deafened: you hear nothing, and you are not heard.")},
		{name: "undeafen", does: "hear again", urgent: true, run: switching(tui.Calls.SetDeafened, false, "You hear again.")},
		{name: "hold", does: "put the call on hold", urgent: true, run: switching(tui.Calls.SetHeld, true, "On hold: neither side is heard.")},
		{name: "resume", does: "go on with a call on hold", urgent: true, run: switching(tui.Calls.SetHeld, false, "The call goes on.")},
		{name: "text", takes: "WORDS", needs: true, does: "send a line of text to the other side of the call", run: func(p *plain, words string) error {
			if err := p.Calls.SendText(words); err != nil {
				return err
			}
			p.say("Sent.")
			return nil
		}},
		{name: "waiting", takes: "answer, or decline", needs: true, does: "hang up this call and answer the second one, or decline the second one", urgent: true, run: waiting},
		{name: "use", takes: "mic WORDS, or speaker WORDS", needs: true, does: "change a device in this call; devices says the words", run: use},
		{name: "status", does: "how things stand: the line, the call, who can hear, and who sees which address", run: status},
		{name: "proof", does: "everything that the live connection shows about itself", run: proof},
		{name: "words", does: "the safety words of this call", run: words},
	}
}

func doing(what func(tui.Calls) error, done string) func(*plain, string) error {
	return func(p *plain, _ string) error {
		if err := what(p.Calls); err != nil {
			return err
		}
		p.say("%s", done)
		return nil
	}
}

func switching(what func(tui.Calls, bool) error, on bool, done string) func(*plain, string) error {
	return doing(func(calls tui.Calls) error { return what(calls, on) }, done)
}

func decline(p *plain, text string) error {
	if text == "" {
		return p.Calls.Decline()
	}
	return p.Calls.DeclineWith(text)
}

func waiting(p *plain, what string) error {
	switch what {
	case "answer":
		return p.Calls.AnswerWaiting()
	case "decline":
		return p.Calls.DeclineWaiting()
	}
	return errWaiting
}

func use(p *plain, rest string) error {
	kind, device := first(rest)
	var err error
	switch {
	case kind == "mic" && device != "":
		err = p.Calls.UseDevices(device, "")
	case kind == "speaker" && device != "":
		err = p.Calls.UseDevices("", device)
	default:
		return errors.New("after use comes mic or speaker, and then a device as the command devices says it")
	}
	if err == nil {
		p.say("This call uses it now.")
	}
	return err
}

// device is what the words of a microphone or a speaker are called.
func device(words string) string {
	if words == "default" {
		return "the system's"
	}
	return words
}

// live is the call that goes on; nil for none.
func (p *plain) live() (call.Snapshot, *call.Info) {
	snap := p.Calls.Snapshot()
	if snap.Call == nil || snap.Call.Phase == call.Ended {
		return snap, nil
	}
	return snap, snap.Call
}

func status(p *plain, _ string) error {
	snap, info := p.live()
	p.sayLine(snap.Line, snap.LineError)
	if info == nil {
		p.say("There is no call.")
		return nil
	}
	name := info.Peer.Name
	switch info.Phase {
	case call.Connected:
		p.say("You are talking to %s, %s, for %s.", name, mark(info), info.Talked().Round(time.Second))
	case call.Incoming:
		p.say("%s, %s, is calling.", name, mark(info))
	default:
		p.say("The call to %s is %s.", name, info.Phase)
	}
	for _, state := range []struct {
		holds bool
		text  string
	}{
		{info.Held, "The call is on hold: neither side is heard."},
		{info.PeerHeld, name + " has put you on hold."},
		{info.Deafened, "You are deafened: you hear nothing, and you are not heard."},
		{info.Muted && !info.Deafened, "You are muted."},
		{!info.Reconnecting.IsZero(), "The way broke, and a new one is being made."},
		{info.Quality.Word != "", tui.Connection(info)},
	} {
		if state.holds {
			p.say("%s", state.text)
		}
	}
	for _, warning := range info.Warnings {
		p.say("%s", told(warning))
	}
	if info.Phase == call.Connecting || info.Phase == call.Connected {
		p.sayAll(tui.Claims(info, snap.RelayHere))
	}
	if info.MicWords != "" && info.SpeakerWords != "" {
		p.say("Microphone: %s. Speaker: %s.", device(info.MicWords), device(info.SpeakerWords))
	}
	if snap.Waiting != nil {
		p.say("%s, %s, is calling too.", snap.Waiting.Peer.Name, mark(snap.Waiting))
	}
	return nil
}

func proof(p *plain, _ string) error {
	snap, info := p.live()
	if info == nil {
		return call.ErrNoCall
	}
	p.say("Read from the connection as it is now, not from what was promised.")
	p.sayAll(append(tui.Claims(info, snap.RelayHere), tui.Facts(info)...))
	return nil
}

func words(p *plain, _ string) error {
	_, info := p.live()
	if info == nil || len(info.Proof.Words) == 0 {
		return errors.New("there are no safety words before a call is connected")
	}
	p.sayWords(info)
	return nil
}

func (p *plain) sayAll(lines []string) {
	for _, line := range lines {
		p.say("%s", line)
	}
}
