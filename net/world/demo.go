package world

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"sotto/audio/fake"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

// Report is what a demo call showed. All of it is measured on the call.
type Report struct {
	Connected     bool
	RelayOnly     bool // nobody exchanged a packet with anybody but their own relay
	Encrypted     bool // both sides opened frames under the seal
	Verified      bool // both hold each other's verified key and saw the same safety words
	Connect       time.Duration
	AnswerToAudio time.Duration
	MouthToEar    time.Duration // median of the bursts heard
	Concealed     float64       // share of played sound that was made up
	PeerSaw       []string      // addresses of the caller that reached the other person
	RelaySaw      []RelaySaw
}

// RelaySaw is what one relay exchanged packets with.
type RelaySaw struct {
	Relay string   `json:"relay"`
	Saw   []string `json:"saw"`
}

// Holds reports whether the call kept what is promised.
func (r Report) Holds() bool { return r.Connected && r.RelayOnly && r.Encrypted && r.Verified }

// demoLength is how long the demo call talks.
const demoLength = 4 * time.Second

// Demo places a call between two people on two relays and reports what it showed.
// tell, if not nil, gets the caller's events as they happen.
func Demo(ctx context.Context, tell func(call.Event)) (Report, error) {
	w, err := New(ctx)
	if err != nil {
		return Report{}, err
	}
	defer w.Close()
	alice, aliceErr := w.NewPerson(0, "alice")
	bob, bobErr := w.NewPerson(1, "bob")
	if err := errors.Join(aliceErr, bobErr); err != nil {
		return Report{}, err
	}
	probe := fake.NewProbe()
	bobs, err := bob.Engine(ctx, call.Config{
		Book:       NewBook(settings.Verified, alice.Contact()),
		AutoAnswer: func(identity.Key) bool { return true },
		OpenSound: func() (call.Sound, error) {
			return call.Sound{Source: fake.NewNullSource(), Sink: probe.Sink()}, nil
		},
	})
	if err != nil {
		return Report{}, err
	}
	defer bobs.Close()
	alices, err := alice.Engine(ctx, call.Config{
		Book: NewBook(settings.Verified, bob.Contact()),
		OpenSound: func() (call.Sound, error) {
			return call.Sound{Source: probe.Source(), Sink: fake.NewNullSink()}, nil
		},
	})
	if err != nil {
		return Report{}, err
	}
	defer alices.Close()
	report, err := converse(ctx, alices, bobs, tell)
	if err != nil {
		return report, err
	}
	report.MouthToEar, _ = probe.Median()
	w.judge(&report, alice, bob)
	return report, nil
}

// converse makes alice call bob, lets them talk, and hangs up.
func converse(ctx context.Context, alices, bobs *call.Engine, tell func(call.Event)) (Report, error) {
	hers, stopHers := alices.Subscribe()
	defer stopHers()
	his, stopHis := bobs.Subscribe()
	defer stopHis()
	started := time.Now()
	if err := alices.Dial("bob"); err != nil {
		return Report{}, err
	}
	var report Report
	var over <-chan time.Time
	for {
		select {
		case event := <-hers:
			if tell != nil {
				tell(event)
			}
			switch event.Kind {
			case call.EventConnected:
				report.Connect = event.Time.Sub(started)
				over = time.After(demoLength)
			case call.EventEnded:
				if event.Call.Reason != call.HungUp {
					return report, fmt.Errorf("%s. %w", event.Call.Reason.Sentence("bob"), event.Call.Detail)
				}
				return report, nil
			}
		case event := <-his:
			if event.Kind == call.EventAudio {
				report.AnswerToAudio = event.AnswerToAudio
			}
		case <-over:
			report.read(alices.Snapshot(), bobs.Snapshot())
			_ = alices.HangUp() // its end arrives as an event
		case <-ctx.Done():
			return report, ctx.Err()
		}
	}
}

// read takes what both live connections show.
func (r *Report) read(hers, his call.Snapshot) {
	if hers.Call == nil || his.Call == nil {
		return
	}
	a, b := hers.Call, his.Call
	r.Connected = a.Phase == call.Connected && b.Phase == call.Connected
	r.Encrypted = a.Proof.Encrypted && b.Proof.Encrypted && a.Proof.PostQuantum && b.Proof.PostQuantum
	r.Verified = a.Proof.Verified && b.Proof.Verified && len(a.Proof.Words) == 4 && slices.Equal(a.Proof.Words, b.Proof.Words)
	r.RelayOnly = a.Proof.Route == "relay" && b.Proof.Route == "relay" && a.Proof.Refused == 0 && b.Proof.Refused == 0
	r.Concealed = b.Stats.ConcealedRatio
	r.PeerSaw = []string{b.Proof.RelayRemote}
}

// judge adds what the network itself saw: each person's packets went to their own
// relay only, and neither relay met the other's person.
func (w *World) judge(r *Report, people ...*Person) {
	for i, person := range people {
		if !slices.Equal(w.Seen(person.Address), []netip.Addr{relayIPs[i]}) {
			r.RelayOnly = false
		}
		saw := w.Seen(relayIPs[i])
		if slices.Contains(saw, people[1-i].Address) {
			r.RelayOnly = false
		}
		texts := make([]string, len(saw))
		for j, address := range saw {
			texts[j] = address.String()
		}
		r.RelaySaw = append(r.RelaySaw, RelaySaw{relayIPs[i].String(), texts})
	}
}
