package plain

import (
	"strings"
	"time"

	"sotto/net/call"
	"sotto/ui/tui"
)

// shown is what was last told of the calls, so that only what is new is.
type shown struct {
	line   call.LineState
	broken bool      // it was told that the relay is not reached
	call   call.Info // the one that talks
}

// tell says what happened, in finished sentences; most events have nothing to say.
func (p *plain) tell(event call.Event) {
	if event.Kind == call.EventLine {
		p.tellLine(event)
		return
	}
	if mark := event.Presence; mark != nil {
		if mark.Here {
			p.say("%s is here.", mark.Name)
		} else {
			p.say("%s is not here any more.", mark.Name)
		}
		return
	}
	info := event.Call
	if info == nil {
		return
	}
	name := info.Peer.Name
	switch event.Kind {
	case call.EventDialling:
		p.say("Calling %s. Your microphone opens when they answer. To cancel, type: hangup", name)
	case call.EventRinging:
		p.say("It rings at the other end.")
	case call.EventIncoming:
		p.rang = time.Now()
		p.tellIncoming(info)
	case call.EventWaiting:
		p.rang = time.Now()
		p.say("%s, %s, is calling too. %s To hang up this call and answer, type: waiting answer. Otherwise: waiting decline", name, mark(info), why(info))
	case call.EventConnecting:
		p.say("Connecting. You are not heard yet.")
	case call.EventConnected:
		p.tellConnected(info)
	case call.EventText:
		if !event.Text.Mine {
			p.say("%s writes: %s", name, event.Text.Body)
		}
	case call.EventEnded:
		p.tellEnded(info)
	case call.EventChanged:
		if event.Warning.What != "" {
			p.say("%s", told(event.Warning))
		}
	}
	if info.Phase == call.Connected {
		p.tellChanges(info)
	}
}

func (p *plain) tellLine(event call.Event) {
	if event.Line == call.LineConnecting {
		if event.LineError != nil && !p.seen.broken {
			p.seen.broken = true
			p.say("Your relay is not reached: %s Sotto keeps trying.", told(event.LineError))
		}
		return
	}
	if event.Line != p.seen.line || p.seen.broken {
		p.sayLine(event.Line, event.LineError)
	}
	p.seen.line, p.seen.broken = event.Line, false
}

// sayLine says whether calls can come in now.
func (p *plain) sayLine(line call.LineState, why error) {
	switch line {
	case call.LineReady:
		p.say("Your line is open: calls can come in through the relay %s.", p.Calls.Snapshot().Relay)
	case call.LineConnecting:
		p.say("Your relay is not reached yet. %s", told(why))
	case call.LineOff:
		p.say("Your line is closed: no call can come in. %s", told(why))
	}
}

func (p *plain) tellIncoming(info *call.Info) {
	inForce, _ := p.Profile.Settings()
	reason, reveals, before := tui.Incoming(p.Calls.Snapshot(), inForce, info)
	p.say("Incoming call from %s, %s.", info.Peer.Name, mark(info))
	if !info.Peer.Verified && !info.Peer.Echo {
		p.say("Anybody can take a name. Compare the safety words once you talk.")
	}
	p.say("Why it rings: %s", reason)
	p.say("If you answer: %s Until then: %s", reveals, before)
	p.say("Type answer, decline, decline with a line of text after it, or silence.")
}

func (p *plain) tellConnected(info *call.Info) {
	p.say("Connected to %s, %s. You are heard.", info.Peer.Name, mark(info))
	p.sayWords(info)
}

func (p *plain) sayWords(info *call.Info) {
	if len(info.Proof.Words) == 0 {
		return
	}
	text := "Safety words: " + strings.Join(info.Proof.Words, ", ") + "."
	if !info.Proof.Verified && !info.Peer.Echo {
		text += " Read them to each other. If they are the same on both sides, nobody is in between; then type: verify " + info.Peer.Name
	}
	p.say("%s", text)
}

// tellChanges says what became of a call that goes on.
func (p *plain) tellChanges(info *call.Info) {
	old, name := p.seen.call, info.Peer.Name
	p.seen.call = *info
	if old.ID != info.ID {
		old = call.Info{}
	}
	switch broken := !info.Reconnecting.IsZero(); {
	case broken && old.Reconnecting.IsZero():
		p.say("Reconnecting: the way to %s broke, and a new one is being made. Nobody is heard meanwhile. You need do nothing.", name)
	case !broken && !old.Reconnecting.IsZero():
		p.say("The way to %s is whole again.", name)
	}
	switch {
	case info.PeerHeld && !old.PeerHeld:
		p.say("%s has put you on hold. Nobody is heard.", name)
	case !info.PeerHeld && old.PeerHeld:
		p.say("%s has taken you off hold.", name)
	}
	if info.TalkingMuted && !old.TalkingMuted {
		p.say("You are talking, but you are muted. To be heard, type: unmute")
	}
	switch {
	case info.Proof.Route == "direct" && old.Proof.Route != "direct":
		p.say("The call goes directly now: %s sees your own address, %s.", name, info.Proof.DirectAddress)
	case info.Proof.Route == "relay" && old.Proof.Route == "direct":
		p.say("The call goes over the relays again.")
	}
}

func (p *plain) tellEnded(info *call.Info) {
	name := info.Peer.Name
	text := info.Reason.Sentence(name) + "."
	if info.Detail.What != "" {
		text += " " + told(info.Detail)
	}
	if words := info.Declined(); words != "" && info.Reason == call.Declined {
		text += " They wrote: " + words
	}
	p.say("Call ended. %s", text)
	switch info.Reason {
	case call.Missed:
		if info.Peer.Known {
			p.say("To call back, type: call %s", name)
		}
	case call.NoAnswer:
		p.say("%s may be away, or may not take calls from you: from here that looks the same.", name)
	case call.Mismatch:
		p.say("The keys at the other end are not the ones that belong to %s. Somebody may have tried to get in between, or they set up Sotto anew. Ask them another way before you call again.", name)
	}
	if receipt := info.Receipt(); receipt != "" {
		p.say("Receipt: %s", receipt)
	}
}

// why is the rule that let a call ring, as a sentence; a name keeps its letters.
func why(info *call.Info) string {
	if strings.HasPrefix(info.WhyItRings, info.Peer.Name) {
		return strings.TrimSuffix(info.WhyItRings, ".") + "."
	}
	return tui.Sentence(info.WhyItRings)
}

// mark says how sure it is that it is them.
func mark(info *call.Info) string {
	switch {
	case info.Peer.Echo:
		return "inside Sotto"
	case info.Proof.Verified, info.Phase != call.Connected && info.Peer.Verified:
		return "verified"
	case !info.Peer.Known:
		return "not in your contacts and not verified"
	}
	return "not verified"
}

// complain says what did not work and what to do about it.
func (p *plain) complain(err error) {
	p.say("That did not work. %s", told(err))
}
