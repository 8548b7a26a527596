package call

import "fmt"

// Phase is where a call stands. The set is closed; transitions is the only
// table of allowed moves, and every move goes through it.
type Phase int

const (
	// Dialling: the knock is on its way, nothing has come back.
	Dialling Phase = iota + 1
	// Ringing: the other side says that it rings there.
	Ringing
	// Incoming: somebody knocked; nothing has left this machine beyond its own line.
	Incoming
	// Connecting: a person has answered; relays, DTLS and the frame seal are being set up.
	Connecting
	// Connected: sound flows both ways.
	Connected
	// Ended: over, with a reason. No move leads out of it.
	Ended
)

var phaseNames = map[Phase]string{
	Dialling: "dialling", Ringing: "ringing", Incoming: "incoming",
	Connecting: "connecting", Connected: "connected", Ended: "ended",
}

func (p Phase) String() string {
	if name, ok := phaseNames[p]; ok {
		return name
	}
	return fmt.Sprintf("phase(%d)", int(p))
}

var transitions = map[Phase][]Phase{
	Dialling:   {Ringing, Connecting, Ended},
	Ringing:    {Connecting, Ended},
	Incoming:   {Connecting, Ended},
	Connecting: {Connected, Ended},
	Connected:  {Ended},
}

// mayMove reports whether a call in phase p may go on to next.
func (p Phase) mayMove(next Phase) bool {
	for _, allowed := range transitions[p] {
		if allowed == next {
			return true
		}
	}
	return false
}

// Reason says why a call ended. Its text is what --json carries.
type Reason string

const (
	HungUp       Reason = "hung-up"      // this side hung up
	PeerHungUp   Reason = "peer-hung-up" // the other side hung up
	Declined     Reason = "declined"     // the person called declined
	DeclinedHere Reason = "declined-here"
	Busy         Reason = "busy"        // the person called is in another call
	NoAnswer     Reason = "no-answer"   // nobody answered in 45 s: absent, refused and blocked look the same
	Cancelled    Reason = "cancelled"   // hung up here before an answer
	Missed       Reason = "missed"      // the caller gave up, or it rang out here
	Unreachable  Reason = "unreachable" // a relay cannot be reached
	Mismatch     Reason = "mismatch"    // handshake, commitment, fingerprint or frame seal did not hold
	Lost         Reason = "lost"        // the connection broke in the call and did not come back
	DeviceFailed Reason = "device"      // a named sound device failed
	Failed       Reason = "failed"      // anything else; Detail says what
)

// Sentence is the reason in words for a person; name is who the call was with.
func (r Reason) Sentence(name string) string {
	switch r {
	case HungUp:
		return "You hung up"
	case PeerHungUp:
		return name + " hung up"
	case Declined:
		return name + " declined the call"
	case DeclinedHere:
		return "You declined the call"
	case Busy:
		return name + " is in another call"
	case NoAnswer:
		return "No answer from " + name
	case Cancelled:
		return "You cancelled the call"
	case Missed:
		return "You missed a call from " + name
	case Unreachable:
		return "A relay could not be reached"
	case Mismatch:
		return "The call was ended: it could not be proved that this is " + name
	case Lost:
		return "The connection was lost"
	case DeviceFailed:
		return "A sound device failed"
	default:
		return "The call failed"
	}
}
