package call

import (
	"time"

	"sotto/settings/advice"
)

// Peer is who a call is with, as the screens show it. Name is already safe to print.
type Peer struct {
	Name     string
	Known    bool // a stored contact
	Verified bool // keys compared by a person
	Echo     bool // the built-in echo contact
}

// Stats are figures of a live call, taken from its connection and its playout buffer.
type Stats struct {
	RTTMilliseconds     float64 // over both relays, from ICE checks
	Loss                float64 // share of the other side's packets that the network lost, last second, 0 to 1
	Missing             float64 // share of sound that did not come in time, copies and all, last second
	RecoveredRatio      float64 // share of sound that only a copy brought in time, whole call
	Copies              int     // older frames in each packet that is sent
	FrameMilliseconds   int     // of sound in each frame that is sent: 20 or 10
	JitterMilliseconds  float64
	PlayoutMilliseconds float64 // sound waiting between arrival and ear
	ConcealedRatio      float64 // share of played sound that was made up, whole call, 0 to 1
	LevelIn             float64 // microphone, dBFS, -96 for silence
	LevelOut            float64 // speaker, dBFS
}

// Quality is a word for the connection and why it is so.
type Quality struct {
	Word   string // "good", "fair", "poor", "" before there is anything to judge
	Reason string // "" when good
}

// Proof is what the live connection can show about who can hear and who sees which address.
// It is computed from the connection when asked for, never remembered from set-up.
type Proof struct {
	Route           string // "relay" or "direct", or "" while there is no connection
	DirectAddress   string // direct: the network address of this machine that the other side sees, "" otherwise
	PairTypes       string // what ICE says of both ends of the pair in use: "relay-relay"
	RelayLocal      string // our relayed address, IP:port: at the relay that sees this machine's address
	RelayRemote     string // theirs: at the relay that sees the other's address
	RelayLocalHost  string // our relay by name, host:port, as the settings have it
	RelayRemoteHost string // theirs, as their card has it
	Proxy           string // the proxy all of it goes through; then our relay sees the proxy's address in place of ours
	Transport       string // to our relay: "udp", or "tls" where UDP is blocked or there is a proxy
	RelayHere       bool   // our relay's address is this computer's own: it hides nothing
	SameRelay       bool   // one relay sees both addresses
	PeerSees        string // the address the other person's machine sees: our relayed address
	Encrypted       bool   // DTLS-SRTP up and frames opening under the seal
	Cipher          string // e.g. "AES-256-GCM"
	PostQuantum     bool
	Verified        bool
	Words           []string // the four safety words; empty before the handshake ends
	Refused         uint64   // packets the guard refused because they were not for the own relay
}

// Text is a line that somebody wrote in a call, or with a decline. Body is already
// safe to print.
type Text struct {
	At   time.Time
	Mine bool
	Body string
}

// Info is a call as it stands now.
type Info struct {
	ID          string
	Phase       Phase
	Incoming    bool
	Peer        Peer
	Key         string // their identity key, 64 hexadecimal digits; "" for the echo
	WhyItRings  string // incoming: which rule let it ring
	Started     time.Time
	ConnectedAt time.Time // zero before Connected
	EndedAt     time.Time
	Muted       bool
	Deafened    bool // the person hears nothing, and is muted too
	Held        bool // by this side
	PeerHeld    bool // by the other side
	Silenced    bool // incoming: it no longer makes a sound here
	// TalkingMuted: somebody speaks into the muted microphone, and nobody hears it.
	TalkingMuted bool
	WasDirect    bool      // the call has left the relays at some time
	Reconnecting time.Time // since when the way is broken and a new one is sought; zero: it is not
	Texts        []Text    // the latest, oldest first
	Stats        Stats
	Quality      Quality
	Proof        Proof
	Reason       Reason      // set when Ended
	Detail       advice.Text // Ended: what happened and what to do, when there is more to say than Reason
	Warnings     []advice.Text

	MicWords, SpeakerWords string // what the sound of a connected call was chosen by, last; "": not told
}

// Talked is how long the call has been, or was, connected.
func (i Info) Talked() time.Duration {
	switch {
	case i.ConnectedAt.IsZero():
		return 0
	case i.EndedAt.IsZero():
		return time.Since(i.ConnectedAt)
	}
	return i.EndedAt.Sub(i.ConnectedAt)
}

// Declined is the line of text that came with a decline, or went with one; "" for none.
func (i Info) Declined() string {
	if i.Reason != Declined && i.Reason != DeclinedHere || len(i.Texts) == 0 {
		return ""
	}
	return i.Texts[len(i.Texts)-1].Body
}

// LineState is the client's line to its relay.
type LineState int

const (
	LineOff        LineState = iota // calling is off, or no relay was chosen: no socket exists
	LineConnecting                  // dialling the relay, or waiting to try again
	LineReady                       // drops are registered; calls can come in
)

var lineNames = [...]string{"off", "connecting", "ready"}

func (l LineState) String() string { return lineNames[l] }

// Snapshot is everything a screen needs, by value.
type Snapshot struct {
	Line      LineState
	LineError error  // why it is not up; nil while the first attempt is under way
	Relay     string // host:port of the own relay, "" when none is chosen
	RelayHere bool   // the relay runs inside this process
	Call      *Info  // the current or the last call; nil before any
	Waiting   *Info  // a second call, which rings while Call talks; nil for none
	// Here are the keys, in hexadecimal, of contacts who let this person see that they
	// are here now. It is never changed.
	Here map[string]bool
}

// EventKind names an event; its text is what --json carries.
type EventKind string

const (
	EventLine       EventKind = "line"
	EventDialling   EventKind = "call.dialling"
	EventRinging    EventKind = "call.ringing"
	EventIncoming   EventKind = "call.incoming"
	EventWaiting    EventKind = "call.waiting" // a second call rings while the first talks; EventIncoming follows if the first ends
	EventConnecting EventKind = "call.connecting"
	EventConnected  EventKind = "call.connected"
	EventAudio      EventKind = "call.audio"
	EventStats      EventKind = "call.stats"
	EventText       EventKind = "call.text"    // a line of text, ours or theirs
	EventChanged    EventKind = "call.changed" // mute, hold, silence, warnings, the contact's name or mark
	EventEnded      EventKind = "call.ended"
	EventRecorded   EventKind = "call.recorded" // it is in the history now
	EventPresence   EventKind = "presence"      // a contact is here now, or no longer: see Snapshot.Here
)

// Event is one thing that happened. Call is the call as it stood right then (nil for EventLine and EventPresence).
type Event struct {
	Time          time.Time
	Kind          EventKind
	Line          LineState
	LineError     error // why the line is not up; nil while the first attempt is under way
	Call          *Info
	Presence      *Mark         // EventPresence only
	Text          Text          // EventText only
	Warning       advice.Text   // EventChanged only: the sentence that is new; empty when something else changed
	AnswerToAudio time.Duration // EventAudio only: from the person's answer (or its arrival) to the first frame heard
}

// Mark is whether a contact is here. Name is safe to print.
type Mark struct {
	Name string
	Key  string // 64 hexadecimal digits
	Here bool
}
