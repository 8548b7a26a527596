package cli

import (
	"math"
	"time"

	"sotto/net/call"
)

// header is what every JSON object begins with. The schema is in docs/json.md.
type header struct {
	Time  string `json:"time"` // RFC 3339
	Event string `json:"event"`
}

func now(event string) header { return at(time.Now(), event) }

func at(moment time.Time, event string) header {
	return header{moment.UTC().Format(time.RFC3339Nano), event}
}

type callEvent struct {
	header
	Call string `json:"call"`
	Peer string `json:"peer"`
}

type incomingEvent struct {
	callEvent
	Known    bool   `json:"known"`
	Verified bool   `json:"verified"`
	Why      string `json:"why"`
}

type connectedEvent struct {
	callEvent
	Route       string   `json:"route"`
	RelayLocal  string   `json:"relay_local"`
	RelayRemote string   `json:"relay_remote"`
	Verified    bool     `json:"verified"`
	PostQuantum bool     `json:"post_quantum"`
	Words       []string `json:"words"`
	Transport   string   `json:"transport,omitempty"`
	Proxy       string   `json:"proxy,omitempty"`
}

type audioEvent struct {
	callEvent
	AnswerToAudio float64 `json:"answer_to_audio_ms"`
}

type statsEvent struct {
	callEvent
	RTT       float64 `json:"rtt_ms"`
	Loss      float64 `json:"loss"`
	Jitter    float64 `json:"jitter_ms"`
	Playout   float64 `json:"playout_ms"`
	Concealed float64 `json:"concealed_ratio"`
	LevelIn   float64 `json:"level_in"`
	LevelOut  float64 `json:"level_out"`
	Missing   float64 `json:"missing"`
	Recovered float64 `json:"recovered_ratio"`
	Copies    int     `json:"copies"`
	Frame     int     `json:"frame_ms"`
}

type changedEvent struct {
	callEvent
	Muted    bool   `json:"muted"`
	Held     bool   `json:"held"`
	PeerHeld bool   `json:"peer_held"`
	Deafened bool   `json:"deafened"`
	Silenced bool   `json:"silenced"`
	Broken   bool   `json:"reconnecting"`
	Route    string `json:"route,omitempty"`
	Seen     string `json:"direct_address,omitempty"`
	// Transport is absent while no way to the own relay is in use.
	Transport string   `json:"transport,omitempty"`
	Proxy     string   `json:"proxy,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

type textEvent struct {
	callEvent
	Mine bool   `json:"mine"`
	Text string `json:"text"`
}

type endedEvent struct {
	callEvent
	Reason  string  `json:"reason"`
	Detail  string  `json:"detail,omitempty"`
	Text    string  `json:"text,omitempty"`
	Seconds float64 `json:"seconds"`
	Receipt string  `json:"receipt"`

	// Of the last way the call took; absent where it was never connected.
	Route     string `json:"route,omitempty"`
	Transport string `json:"transport,omitempty"`
	Proxy     string `json:"proxy,omitempty"`
}

type lineEvent struct {
	header
	State  string `json:"state"`
	Detail string `json:"detail,omitempty"`
}

// asJSON is an engine's event as it is printed; nil for none.
func asJSON(event call.Event) any {
	head := at(event.Time, string(event.Kind))
	if event.Kind == call.EventLine {
		return lineEvent{head, event.Line.String(), told(event.LineError)}
	}
	switch event.Kind {
	case call.EventRecorded:
		return nil
	case call.EventPresence:
		return presenceObject(head, event.Presence)
	}
	info := event.Call
	base := callEvent{head, info.ID, info.Peer.Name}
	switch event.Kind {
	case call.EventIncoming, call.EventWaiting:
		return incomingEvent{base, info.Peer.Known, info.Peer.Verified, info.WhyItRings}
	case call.EventConnected:
		proof := info.Proof
		return connectedEvent{base, proof.Route, proof.RelayLocal, proof.RelayRemote, proof.Verified, proof.PostQuantum, proof.Words, proof.Transport, proof.Proxy}
	case call.EventAudio:
		return audioEvent{base, milliseconds(event.AnswerToAudio)}
	case call.EventStats:
		s := info.Stats
		return statsEvent{
			base, rounded(s.RTTMilliseconds), rounded(s.Loss), rounded(s.JitterMilliseconds), rounded(s.PlayoutMilliseconds),
			rounded(s.ConcealedRatio), rounded(s.LevelIn), rounded(s.LevelOut), rounded(s.Missing), rounded(s.RecoveredRatio), s.Copies, s.FrameMilliseconds,
		}
	case call.EventChanged:
		return changedEvent{base, info.Muted, info.Held, info.PeerHeld, info.Deafened, info.Silenced, !info.Reconnecting.IsZero(), info.Proof.Route, info.Proof.DirectAddress, info.Proof.Transport, info.Proof.Proxy, warnings(info)}
	case call.EventText:
		return textEvent{base, event.Text.Mine, event.Text.Body}
	case call.EventEnded:
		return endedEvent{base, string(info.Reason), told(info.Detail), info.Declined(), rounded(info.Talked().Seconds()), info.Receipt(), info.Proof.Route, info.Proof.Transport, info.Proof.Proxy}
	}
	return base
}

func warnings(info *call.Info) []string {
	var sentences []string
	for _, warning := range info.Warnings {
		sentences = append(sentences, told(warning))
	}
	return sentences
}

func milliseconds(d time.Duration) float64 { return rounded(float64(d) / float64(time.Millisecond)) }

func rounded(value float64) float64 { return math.Round(value*1000) / 1000 }

// howItEnded is why a call ended, in one sentence without its full stop.
func howItEnded(info call.Info) string {
	sentence := info.Reason.Sentence(info.Peer.Name)
	if detail := told(info.Detail); detail != "" {
		sentence += ": " + detail
	}
	if text := info.Declined(); text != "" && info.Reason == call.Declined {
		sentence += " and says: " + text
	}
	return sentence
}

// asText is an engine's event as a line for a person; "" for one that says nothing new.
func asText(event call.Event) string {
	info := event.Call
	switch event.Kind {
	case call.EventDialling:
		return "Calling " + info.Peer.Name
	case call.EventRinging:
		return "It rings at " + info.Peer.Name
	case call.EventIncoming:
		return "Incoming call from " + info.Peer.Name + " (" + info.WhyItRings + ")"
	case call.EventWaiting:
		return info.Peer.Name + " calls too (" + info.WhyItRings + ")"
	case call.EventText:
		if event.Text.Mine {
			return ""
		}
		return info.Peer.Name + ": " + event.Text.Body
	case call.EventConnected:
		return "Connected to " + info.Peer.Name + ". Safety words: " + joinWords(info.Proof.Words)
	case call.EventChanged:
		return told(event.Warning)
	case call.EventEnded:
		text := howItEnded(*info) + "."
		if !info.ConnectedAt.IsZero() {
			text += "\n" + info.Receipt()
		}
		return text
	case call.EventPresence:
		if event.Presence.Here {
			return event.Presence.Name + " is here"
		}
		return event.Presence.Name + " is not here any more"
	case call.EventLine:
		if event.Line == call.LineConnecting && event.LineError != nil {
			return "Trying to reach the relay: " + told(event.LineError)
		}
	}
	return ""
}
