package call

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/transport/v5"
	"golang.org/x/time/rate"

	"sotto/audio"
	"sotto/net/identity"
	"sotto/settings"
	"sotto/settings/advice"
)

// Errors that commands return. Each is a finished sentence.
var (
	ErrBusy       = errors.New("a call is already under way; hang up first")
	ErrNoCall     = errors.New("there is no call to do that to")
	ErrNoContact  = advice.New("nobody of that name is in your contacts", advice.LookForName)
	ErrCallingOff = advice.New("calling is off", advice.TurnCallingOn)
	ErrClosed     = errors.New("this engine is closed")
)

// EchoName is the built-in contact that says back what it hears.
const EchoName = "echo"

// Network is how packets leave: the zero value is the real network.
type Network struct {
	Dial  func(ctx context.Context, network, address string) (net.Conn, error) // towards relays; nil is net.Dialer
	Media transport.Net                                                        // for TURN; nil is the real one
}

// Account is a person on their relay.
type Account struct {
	Self      *identity.Identity
	Card      []byte // the newest signed card
	Relay     identity.Address
	Admission string
	// Proxy names the SOCKS5 proxy that Dial goes through, for line and sound alike; ""
	// is none, and then Dial is nil.
	Proxy string
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	// Host starts the relay inside this process and returns when it listens.
	// Nil when the relay runs elsewhere.
	Host func(context.Context) (io.Closer, error)
}

// Contact is a person as the address book knows them.
type Contact struct {
	Name     string
	Card     identity.Card
	Verified bool
	Blocked  bool
	Presence settings.Presence
	Direct   bool   // the person agrees to direct calls with them, if the settings do
	Ring     string // settings.RingSilence, settings.RingAlways, or "" for what the policy says
	Reached  bool   // has reached us or been reached: both sides hold each other's card
}

// Policy is who may call, as it stands now.
type Policy struct {
	Who     settings.Who
	Ringing bool // tell contacts that it rings here
	Waiting bool // a contact's call waits while another is talking, in place of "busy"
	Direct  bool // calls may leave the relays, with verified contacts for whom that is chosen
	// Presence: contacts for whom that is chosen see that the person is here, and are seen.
	Presence bool
	// Blocked are strangers whose calls were blocked. Only the card drop needs it: no
	// other drop is a stranger's.
	Blocked map[identity.Key]bool
}

// Book is the address book and policy of the profile. Its methods may be called
// from any goroutine.
type Book interface {
	Policy() Policy
	Contacts() []Contact
	// Reached notes that key's owner and this profile hold each other's cards, and keeps card when it is newer.
	Reached(key identity.Key, card []byte) error
	// PresenceTold notes what key's owner was told of seeing that the person is here, and
	// PresenceHeard what they said of themselves, and when, in Unix milliseconds.
	PresenceTold(key identity.Key, agreed bool) error
	PresenceHeard(key identity.Key, agreed bool, at int64) error
	// Seen remembers a knock and reports whether it was seen before.
	Seen(id [16]byte, now time.Time) (bool, error)
}

// Sound is an opened pair of devices.
type Sound struct {
	Source   audio.Source
	Sink     audio.Sink
	Voice    audio.Voice // what works on the microphone's sound; nil: nothing
	Frames   audio.Frames
	Warnings []advice.Text // what was put in their place, as sentences

	Notices <-chan audio.Notice             // what becomes of them in the call; nil: nothing is told
	Use     func(mic, speaker string) error // changes them; "" leaves one as it is; nil: they cannot be changed

	MicWords, SpeakerWords string // what they were chosen by, as --mic and --speaker take it; "": not told
}

// Ringer sounds a pattern until stop is called.
type Ringer func(incoming bool) (stop func())

// Config is what an Engine needs; all fields are read only after New.
type Config struct {
	Book       Book
	OpenSound  func() (Sound, error)
	Ring       Ringer // nil: silent
	Network    Network
	AutoAnswer func(identity.Key) bool // nil: nobody
	// Echo builds the small world that the echo contact lives in; nil: no echo.
	Echo func(context.Context) (*EchoWorld, error)
	// KeepLost is how long a call whose way is broken is kept; 0: half a minute.
	KeepLost time.Duration
	// PresenceEvery is how often a contact who is here is told that the person is, on
	// average; 0: five minutes.
	PresenceEvery time.Duration
	// Record writes a call that is over into the history; nil: nothing does.
	Record func(Info) error
	Log    *slog.Logger
}

// EchoWorld is a network with a relay of its own and somebody who answers there.
type EchoWorld struct {
	Network Network
	Account Account // the caller's footing in that world
	Contact Contact // who answers
	Close   func()
}

// Engine runs the calls of one profile.
type Engine struct {
	cfg       Config
	strangers *rate.Limiter // how often somebody who is no contact may ring
	ctx       context.Context
	cancel    context.CancelFunc
	calls     sync.WaitGroup // goroutines of calls

	presenceAt atomic.Int64 // the time of the latest word of presence that was made, Unix milliseconds

	configure sync.Mutex // held while the station is replaced

	mu        sync.Mutex // guards the following
	station   *station   // nil while calling is off
	line      LineState
	lineError error
	relay     string
	relayHere bool
	current   *call              // the call that rings or talks, until it ends
	waiting   *call              // a second call, which rings while current talks; it becomes current when that ends
	last      *call              // the call that ended last
	live      map[*call]struct{} // calls whose goroutine is not gone: current, and those still saying goodbye
	listeners map[chan Event]struct{}
	closed    bool
}

// New makes an engine that is off: it opens no socket before Configure or a call to echo.
func New(cfg Config) *Engine {
	if cfg.KeepLost == 0 {
		cfg.KeepLost = 30 * time.Second
	}
	if cfg.PresenceEvery == 0 {
		cfg.PresenceEvery = presenceEvery
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	ctx, cancel := context.WithCancel(context.Background())
	strangers := rate.NewLimiter(rate.Every(strangerEvery), strangerBurst)
	return &Engine{cfg: cfg, strangers: strangers, ctx: ctx, cancel: cancel, listeners: make(map[chan Event]struct{}), live: make(map[*call]struct{})}
}

// Leave takes the engine off the network: no socket is left. A call under way
// there is ended first. A reason other than the person's wish is shown.
func (e *Engine) Leave(why error) {
	e.configure.Lock()
	defer e.configure.Unlock()
	e.leave()
	e.setLine(LineOff, why, nil)
}

// Configure puts the engine on an account's relay. A call under way on the old
// account is ended first.
func (e *Engine) Configure(account Account) error {
	e.configure.Lock()
	defer e.configure.Unlock()
	e.leave()
	e.setLine(LineConnecting, nil, &account)
	fresh, err := openStation(e.ctx, account, e.cfg.Network, e)
	if err != nil {
		e.setLine(LineOff, err, &account)
		return err
	}
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.station = fresh
	}
	e.mu.Unlock()
	if closed {
		fresh.close()
		return ErrClosed
	}
	return nil
}

// leave ends the calls of the station, waits until they have said goodbye, and
// closes it. The caller holds e.configure.
func (e *Engine) leave() {
	e.mu.Lock()
	old := e.station
	e.station = nil
	var leaving []*call
	for c := range e.live {
		if old != nil && c.station == old {
			leaving = append(leaving, c)
		}
	}
	e.mu.Unlock()
	for _, c := range leaving {
		c.end(&ended{reason: HungUp})
		<-c.done
	}
	if old != nil {
		old.close()
	}
}

// PolicyChanged registers the drops anew after the policy or the contacts changed,
// and shows the names and marks of the people in a call as they are now.
func (e *Engine) PolicyChanged() {
	e.showContacts()
	if station := e.standing(); station != nil {
		station.keeper.Refresh()
		station.presence.poke()
	}
}

func (e *Engine) standing() *station {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.station
}

// Close hangs up, leaves the relay and waits for every goroutine.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	for c := range e.live {
		c.end(&ended{reason: HungUp})
	}
	e.mu.Unlock()
	e.configure.Lock()
	defer e.configure.Unlock()
	e.leave()
	e.calls.Wait()
	e.cancel()
	return nil
}

// Subscribe returns a channel of what happens from now on, and a function that
// ends it. A listener that does not keep up loses events, never blocks a call;
// Snapshot always has the truth.
func (e *Engine) Subscribe() (<-chan Event, func()) {
	events := make(chan Event, 256)
	e.mu.Lock()
	e.listeners[events] = struct{}{}
	e.mu.Unlock()
	return events, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if _, open := e.listeners[events]; open {
			delete(e.listeners, events)
			close(events)
		}
	}
}

// publish hands an event to every listener. The caller holds e.mu.
func (e *Engine) publish(event Event) {
	event.Time = time.Now()
	for listener := range e.listeners {
		select {
		case listener <- event:
		default:
		}
	}
}

// setLine notes how the line is, and why it is not up.
func (e *Engine) setLine(state LineState, why error, account *Account) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.line, e.lineError, e.relay, e.relayHere = state, why, "", false
	if account != nil {
		e.relay, e.relayHere = account.Relay.HostPort(), account.Host != nil
	}
	e.publish(Event{Kind: EventLine, Line: state, LineError: why})
}

// Snapshot is the state of the engine now. The call's figures are read from the
// live connection.
func (e *Engine) Snapshot() Snapshot {
	e.mu.Lock()
	defer e.mu.Unlock()
	snapshot := Snapshot{Line: e.line, LineError: e.lineError, Relay: e.relay, RelayHere: e.relayHere}
	shown := e.current
	if shown == nil {
		shown = e.last
	}
	if e.line == LineReady && e.station != nil {
		snapshot.Here = e.station.presence.hereLocked(time.Now())
	}
	if shown != nil {
		info := shown.infoLocked()
		snapshot.Call = &info
	}
	if e.waiting != nil {
		info := e.waiting.infoLocked()
		snapshot.Waiting = &info
	}
	return snapshot
}

// Dial calls a contact by name, a card, or the built-in echo. It returns once
// the call exists; how it goes is told by events.
func (e *Engine) Dial(who string) error {
	target, err := e.resolve(who)
	if err != nil {
		return err
	}
	if target.echo && e.cfg.Echo == nil {
		return ErrNoContact
	}
	info := Info{Phase: Dialling, Peer: target.peer()}
	if target.echo {
		c := &call{info: info}
		if err := e.begin(c); err != nil {
			return err
		}
		e.run(c, c.dialEcho)
		return nil
	}
	s := e.standing()
	if s == nil {
		return ErrCallingOff
	}
	if e.ringsFrom(target.Card.Key) && e.Answer() == nil {
		return nil // calling somebody whose call rings here is answering it
	}
	c := &call{info: info, station: s, peerKey: target.Card.Key, peerStatic: target.Card.Key.Montgomery()}
	if err := e.begin(c); err != nil {
		return err
	}
	e.run(c, func(ctx context.Context) error { return c.dialOrGiveWay(ctx, s, target.Contact) })
	return nil
}

// ringsFrom reports whether the call that rings here is from the key's owner.
func (e *Engine) ringsFrom(key identity.Key) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.current != nil && e.current.info.Phase == Incoming && e.current.peerStatic == key.Montgomery()
}
