package call

import (
	"fmt"
	"strings"
	"time"

	"sotto/settings"
)

// Entry is the call as it goes into the history, once it is over, but for Why: Detail
// is put into words by whoever has them.
func (i Info) Entry() settings.HistoryEntry {
	return settings.HistoryEntry{
		ID: i.ID, Time: i.Started.UTC().Truncate(time.Second), Name: i.Peer.Name, Key: i.Key, Incoming: i.Incoming,
		Outcome: i.outcome(), Seconds: i.Talked().Round(time.Millisecond).Seconds(), Route: i.Proof.Route, Receipt: i.Receipt(),
	}
}

// outcome is how the call went in one of the history's words.
func (i Info) outcome() string {
	switch {
	case i.Reason == Mismatch:
		return "mismatch"
	case !i.ConnectedAt.IsZero():
		return "answered"
	case i.Incoming && i.Reason == Busy:
		return "busy"
	case i.Incoming && i.Reason == DeclinedHere:
		return "declined-here"
	case i.Incoming && i.Silenced && (i.Reason == Missed || i.Reason == HungUp):
		return "silenced"
	case i.Incoming && (i.Reason == Missed || i.Reason == HungUp): // left while it rang
		return "missed"
	case i.Reason == Declined, i.Reason == Busy, i.Reason == NoAnswer:
		return string(i.Reason)
	case i.Reason == Cancelled, i.Reason == HungUp:
		return "cancelled"
	}
	return "failed"
}

// Receipt is what the connection showed about the call, in a paragraph; "" for a
// call that was never connected. It names no address of the other side.
func (i Info) Receipt() string {
	if i.ConnectedAt.IsZero() {
		return ""
	}
	talked := i.Talked().Round(time.Second)
	text := fmt.Sprintf("Call with %s, %d:%02d.", i.Peer.Name, int(talked.Minutes()), int(talked.Seconds())%60)
	text += i.wayTaken()
	p := i.Proof
	switch {
	case p.Proxy != "" && p.Route == "relay":
		text += " From here to your relay it went through the proxy " + p.Proxy + " and over TLS."
	case p.Transport == "tls":
		text += " From here to your relay it went over TLS."
	}
	if p.Encrypted {
		text += " Encrypted from end to end (" + p.Cipher
		if p.PostQuantum {
			text += ", with a post-quantum layer"
		}
		text += ")."
	}
	if p.Verified {
		text += " Verified contact."
	} else {
		text += " Not verified."
	}
	return text + fmt.Sprintf(" Packets refused by the guard: %d.", p.Refused)
}

// wayTaken says which way the call went, and who saw which address.
func (i Info) wayTaken() string {
	p := i.Proof
	switch {
	case p.Route == "direct":
		return " By consent of both it left the relays and went directly: each of you could see the other's network address."
	case i.WasDirect:
		return " By consent of both it went directly for a part, in which each of you could see the other's network address, and through relays for the rest."
	case p.Route != "relay":
		return " The connection had ended before it could be read."
	case i.Peer.Echo:
		return " It stayed inside this program, relays and all."
	case p.SameRelay && p.RelayHere:
		return fmt.Sprintf(" It went through one relay%s, which runs on this computer, as both sides of the call did: the address that it showed, %s, is this computer's own.", among(p.RelayLocalHost), p.PeerSees)
	case p.SameRelay:
		return fmt.Sprintf(" It went through one relay%s, which saw both addresses; they saw yours as %s.", among(p.RelayLocalHost), p.PeerSees)
	case p.RelayHere:
		return fmt.Sprintf(" It went through two relays%s. Yours runs on this computer: the address that they saw, %s, is this computer's own.", among(p.RelayLocalHost, p.RelayRemoteHost), p.PeerSees)
	}
	return fmt.Sprintf(" It went through two relays%s; they saw your address as %s, which is your relay's.", among(p.RelayLocalHost, p.RelayRemoteHost), p.PeerSees)
}

// among names relays in brackets.
func among(hosts ...string) string {
	if hosts[0] == "" {
		return ""
	}
	return " (" + strings.Join(hosts, " and ") + ")"
}

// recordLater writes a call down beside everything else: a slow disk holds up nothing.
// The caller holds e.mu; Close waits.
func (e *Engine) recordLater(info Info) {
	if e.cfg.Record == nil || info.Peer.Echo {
		return
	}
	e.calls.Go(func() {
		if err := e.cfg.Record(info); err != nil {
			e.cfg.Log.Warn("a call could not be written into the history", "error", err)
			return
		}
		e.mu.Lock()
		defer e.mu.Unlock()
		e.publish(Event{Kind: EventRecorded, Call: &info})
	})
}

// recordBusy writes down a contact's call that was told "busy": it did not ring, but
// the person should know that somebody tried.
func (e *Engine) recordBusy(k knock) {
	if !k.known {
		return
	}
	c := e.incoming(k)
	info := c.info
	info.ID, info.Phase, info.Reason = idOf(c.callID), Ended, Busy
	info.Started = time.Now()
	info.EndedAt = info.Started
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.recordLater(info)
	}
}
