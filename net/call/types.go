package call

import "time"

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
	Loss                float64 // share of frames that never arrived, last second, 0 to 1
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
	Route       string // "relay" or "direct"
	RelayLocal  string // host of the relay that sees this machine's address
	RelayRemote string // host of the relay that sees the other's address
	SameRelay   bool   // one relay sees both addresses
	PeerSees    string // the address the other person's machine sees: our relayed address
	Encrypted   bool   // DTLS-SRTP up and frames opening under the seal
	Cipher      string // e.g. "AES-256-GCM"
	PostQuantum bool
	Verified    bool
	Words       []string // the four safety words; empty before the handshake ends
	Refused     uint64   // packets the guard refused because they were not for the own relay
}

// Info is a call as it stands now.
type Info struct {
	ID          string
	Phase       Phase
	Incoming    bool
	Peer        Peer
	WhyItRings  string // incoming: which rule let it ring
	Started     time.Time
	ConnectedAt time.Time // zero before Connected
	EndedAt     time.Time
	Muted       bool
	Held        bool // by this side
	PeerHeld    bool // by the other side
	Stats       Stats
	Quality     Quality
	Proof       Proof
	Reason      Reason // set when Ended
	Detail      string // Ended: what happened and what to do, when there is more to say than Reason
	Warnings    []string
}

// LineState is the client's line to its relay.
type LineState int

const (
	LineOff        LineState = iota // calling is off, or no relay was chosen: no socket exists
	LineConnecting                  // dialling the relay, or waiting to try again
	LineReady                       // drops are registered; calls can come in
)

// Snapshot is everything a screen needs, by value.
type Snapshot struct {
	Line       LineState
	LineDetail string // LineConnecting: why it is not up, as a sentence
	Relay      string // host:port of the own relay, "" when none is chosen
	RelayHere  bool   // the relay runs inside this process
	Call       *Info  // the current or the last call; nil before any
}

// EventKind names an event; its text is what --json carries.
type EventKind string

const (
	EventLine       EventKind = "line"
	EventDialling   EventKind = "call.dialling"
	EventRinging    EventKind = "call.ringing"
	EventIncoming   EventKind = "call.incoming"
	EventConnecting EventKind = "call.connecting"
	EventConnected  EventKind = "call.connected"
	EventAudio      EventKind = "call.audio"
	EventStats      EventKind = "call.stats"
	EventChanged    EventKind = "call.changed" // mute, hold, warnings
	EventEnded      EventKind = "call.ended"
)

// Event is one thing that happened. Call is the call as it stood right then (nil for EventLine).
type Event struct {
	Time          time.Time
	Kind          EventKind
	Line          LineState
	LineDetail    string
	Call          *Info
	AnswerToAudio time.Duration // EventAudio only: from the person's answer (or its arrival) to the first frame heard
}
