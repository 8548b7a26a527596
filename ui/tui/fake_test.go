package tui

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"sotto/audio/open"
	"sotto/net/call"
	"sotto/settings"
)

// fakeCalls is a scripted stand-in for the calls: it shows the snapshot it was
// given and writes down what it was asked.
type fakeCalls struct {
	mu     sync.Mutex // guards everything below
	snap   call.Snapshot
	asked  []string
	fails  error                // what Dial and the others answer
	onDial func(*call.Snapshot) // what dialling changes
	hangs  chan struct{}        // not nil: HangUp waits for it
	events chan call.Event
}

func (f *fakeCalls) Snapshot() call.Snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	snap := f.snap
	if snap.Call != nil {
		info := *snap.Call
		snap.Call = &info
	}
	return snap
}

func (f *fakeCalls) Subscribe() (<-chan call.Event, func()) { return f.events, func() {} }

// note writes a request down and applies its effect unless requests fail.
func (f *fakeCalls) note(what string, effect func(*call.Snapshot)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, what)
	if f.fails != nil {
		return f.fails
	}
	if effect != nil && (f.snap.Call != nil || what == "dial echo" || what == "dial bob") {
		effect(&f.snap)
	}
	return nil
}

func (f *fakeCalls) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *fakeCalls) change(how func(*call.Snapshot)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.snap)
}

func (f *fakeCalls) Dial(who string) error { return f.note("dial "+who, f.onDial) }

func (f *fakeCalls) Answer() error {
	return f.note("answer", func(s *call.Snapshot) { s.Call.Phase = call.Connecting })
}

func (f *fakeCalls) Decline() error {
	return f.note("decline", func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.DeclinedHere })
}

func (f *fakeCalls) HangUp() error {
	if f.hangs != nil {
		<-f.hangs
	}
	return f.note("hang up", func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.HungUp })
}

func (f *fakeCalls) SetMuted(muted bool) error {
	return f.note("mute", func(s *call.Snapshot) { s.Call.Muted = muted })
}

func (f *fakeCalls) SetHeld(held bool) error {
	return f.note("hold", func(s *call.Snapshot) { s.Call.Held = held })
}

func (f *fakeCalls) SetDeafened(deafened bool) error {
	return f.note("deafen", func(s *call.Snapshot) { s.Call.Deafened = deafened })
}

func (f *fakeCalls) Silence() error {
	return f.note("silence", func(s *call.Snapshot) { s.Call.Silenced = true })
}

func (f *fakeCalls) DeclineWith(text string) error {
	return f.note("decline with "+text, func(s *call.Snapshot) {
		s.Call.Phase, s.Call.Reason = call.Ended, call.DeclinedHere
		s.Call.Texts = append(s.Call.Texts, call.Text{At: start, Mine: true, Body: text})
	})
}

func (f *fakeCalls) SendText(text string) error {
	return f.note("send "+text, func(s *call.Snapshot) {
		s.Call.Texts = append(s.Call.Texts, call.Text{At: start, Mine: true, Body: text})
	})
}

func (f *fakeCalls) AnswerWaiting() error {
	return f.note("answer the other", func(s *call.Snapshot) { s.Call, s.Waiting = s.Waiting, nil })
}

func (f *fakeCalls) DeclineWaiting() error {
	return f.note("decline the other", func(s *call.Snapshot) { s.Waiting = nil })
}

func (f *fakeCalls) AnswerCall(id string) error {
	return f.note("answer "+id, func(s *call.Snapshot) { s.Call.Phase = call.Connecting })
}

func (f *fakeCalls) DeclineCall(id string) error {
	return f.note("decline "+id, func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.DeclinedHere })
}

func (f *fakeCalls) ReturnToRelays() error {
	return f.note("to relays", func(s *call.Snapshot) { s.Call.Proof.Route = "relay" })
}

func (f *fakeCalls) UseDevices(mic, speaker string) error {
	return f.note("use "+mic+" and "+speaker, func(*call.Snapshot) {})
}

// fakeProfile keeps a profile in memory.
type fakeProfile struct {
	mu         sync.Mutex // guards everything below
	setUp      bool
	devices    []open.Described // nil: those that most tests have
	chosen     []Choices
	contacts   []Contact
	history    []settings.HistoryEntry
	looked     time.Time // at the history
	settings   map[string]string
	invited    chan string // nil: inviting fails; else the name of who used the code
	joined     []string    // codes that were used
	passphrase string
	strangers  []string // keys that were blocked or let go
	noMic      error    // what opening the microphone answers
	mistake    error    // in the settings file
	fails      error    // what every change answers
}

func newFakeProfile(setUp bool, contacts ...Contact) *fakeProfile {
	f := &fakeProfile{setUp: setUp, contacts: slices.Clone(contacts), settings: map[string]string{}}
	for _, key := range settings.Keys() {
		f.settings[key.Name] = key.Default
	}
	f.settings["name"], f.looked = "alice", start
	return f
}

// onRelay has chosen a relay.
func (f *fakeProfile) onRelay() *fakeProfile {
	f.settings["relay.address"] = "relay.example.org"
	return f
}

func (f *fakeProfile) IsSetUp() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.setUp
}

func (f *fakeProfile) DefaultName() string { return "alice" }

func (f *fakeProfile) SetUp(choices Choices) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	f.setUp, f.chosen = true, append(f.chosen, choices)
	f.settings["name"], f.settings["relay.address"] = choices.Name, choices.Relay
	if choices.Calls {
		f.settings["calls.enabled"] = "on"
	}
	return nil
}

func (f *fakeProfile) Get(key string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	value, ok := f.settings[key]
	if !ok {
		return "", errors.New("no setting is called " + key)
	}
	return value, nil
}

func (f *fakeProfile) Settings() (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.settings), f.mistake
}

func (f *fakeProfile) Changes() <-chan struct{} { return nil }

func (f *fakeProfile) VerifyContact(name string, verified bool) error {
	return f.mark(name, func(c *Contact) { c.Verified = verified })
}

func (f *fakeProfile) BlockContact(name string, blocked bool) error {
	return f.mark(name, func(c *Contact) { c.Blocked = blocked })
}

func (f *fakeProfile) mark(name string, how func(*Contact)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	for i := range f.contacts {
		if f.contacts[i].Name == name {
			how(&f.contacts[i])
			return nil
		}
	}
	return errors.New("nobody is called " + name)
}

func (f *fakeProfile) Set(key, value string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	f.settings[key] = value
	return nil
}

func (f *fakeProfile) Contacts() ([]Contact, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.contacts), nil
}

func (f *fakeProfile) AddContact(card, name string) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return "", f.fails
	}
	if name == "" {
		name = "dora"
	}
	f.contacts = append(f.contacts, Contact{Name: name})
	return name, nil
}

func (f *fakeProfile) RenameContact(old, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	for i := range f.contacts {
		if f.contacts[i].Name == old {
			f.contacts[i].Name = name
		}
	}
	return nil
}

func (f *fakeProfile) RemoveContact(name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails != nil {
		return f.fails
	}
	f.contacts = slices.DeleteFunc(f.contacts, func(c Contact) bool { return c.Name == name })
	return nil
}

func (f *fakeProfile) Invite(ctx context.Context, onCode func(string)) (string, error) {
	if f.invited == nil {
		return "", errors.New("the relay does not answer; try again later")
	}
	onCode("relay.example.org:443 42 apple river stone cloud")
	select {
	case name := <-f.invited:
		return f.AddContact("", name)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (f *fakeProfile) Join(_ context.Context, code, name string) (string, error) {
	f.mu.Lock()
	f.joined = append(f.joined, code)
	f.mu.Unlock()
	return f.AddContact(code, name)
}

func (f *fakeProfile) Sealed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passphrase != ""
}

func (f *fakeProfile) SetPassphrase(old, fresh string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old != f.passphrase {
		return settings.ErrWrongPassphrase
	}
	f.passphrase = fresh
	return f.fails
}

func (f *fakeProfile) SetContactRing(name, ring string) error {
	if ring == settings.RingDefault {
		ring = ""
	}
	return f.mark(name, func(c *Contact) { c.Ring = ring })
}

func (f *fakeProfile) SetContactPresence(name string, agreed bool) error {
	return f.mark(name, func(c *Contact) { c.Presence.Agreed = agreed })
}

func (f *fakeProfile) SetContactDirect(name string, direct bool) error {
	return f.mark(name, func(c *Contact) { c.Direct = direct })
}

func (f *fakeProfile) AddressSeen(context.Context) (string, error) {
	if f.fails != nil {
		return "", f.fails
	}
	return "198.51.100.7", nil
}

func (f *fakeProfile) BlockCaller(key, _ string, blocked bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.strangers = append(f.strangers, fmt.Sprint(key, " ", blocked))
	return f.fails
}

func (f *fakeProfile) Devices() ([]open.Described, error) {
	if f.devices != nil {
		return f.devices, nil
	}
	return []open.Described{
		{Words: "device:usb-mic", Name: "Desk microphone", Kind: microphone},
		{Words: "device:built-in", Name: "Built-in speakers", Kind: speaker, Default: true},
		{Words: "device:head", Name: "Headphones", Kind: speaker},
	}, nil
}

// Microphone gives no levels by itself: tests say what is heard.
func (f *fakeProfile) Microphone(ctx context.Context, _ string) (<-chan float64, error) {
	levels := make(chan float64)
	context.AfterFunc(ctx, func() { close(levels) })
	return levels, f.noMic
}

func (f *fakeProfile) History() ([]settings.HistoryEntry, time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.history), f.looked, nil
}

// LookAtHistory notes a moment after every call that there is.
func (f *fakeProfile) LookAtHistory() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails == nil {
		f.looked = start.Add(time.Hour)
	}
	return f.fails
}

func (f *fakeProfile) ForgetHistory() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fails == nil {
		f.history = nil
	}
	return f.fails
}

func (f *fakeProfile) Card() (string, error) {
	return "sotto:AZx2Yk5yQ1VbP3Rr8mWqYb0c7dKfLhJ9tGsXvNzQeBaTuOiPy4HjMkR6wFlDgCzSxVnB1mLqK8sJdHfGaPoIuYtReWqZxCvBnM3LkJhGfDsA5pOiUyTrEwQmNbVcXz7lKjHgFdS2qAzWsXeDcRfVtGbYhNuJmIkOlP0qWeRtYuIoPaSdFgHjKlZxCvBnM9qAzWsXeDcRfVtGbYhNuJmIkOlPqWeRtYuIoPaSdFgHjKl", nil
}

// start is the moment at which every scene begins.
var start = time.Date(2026, 3, 4, 15, 0, 0, 0, time.UTC)

// aCall is a connected call with bob over two relays.
func aCall() *call.Info {
	return &call.Info{
		ID: "1", Phase: call.Connected, Peer: call.Peer{Name: "bob", Known: true, Verified: true},
		Started: start.Add(-70 * time.Second), ConnectedAt: start.Add(-65 * time.Second),
		Stats:   call.Stats{RTTMilliseconds: 42, FrameMilliseconds: 20, LevelIn: -18, LevelOut: -31},
		Quality: call.Quality{Word: "good"}, MicWords: "default", SpeakerWords: "device:head",
		Proof: call.Proof{
			Route: "relay", RelayLocal: "192.0.2.17:51402", RelayRemote: "198.51.100.9:60402", PeerSees: "192.0.2.17:51402",
			Encrypted: true, Cipher: "AES-256-GCM", PostQuantum: true, Verified: true,
			Words: []string{"anchor", "velvet", "ridge", "oyster"},
		},
	}
}
