// Package reach finds out how a person's own relay can be reached from here: the
// line over TLS, the clock, and the way of sound over UDP, there and back, or, where UDP
// is blocked or there is a proxy, over TLS.
//
// It connects to that one relay and to nothing else, namelessly: a sending line, which
// registers nothing, so nobody can be called through it, and two allocations that
// send to each other.
package reach

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"sotto/net/call"
	"sotto/net/line"
	"sotto/net/peer"
)

const (
	checkWithin = 30 * time.Second
	mediaWithin = 10 * time.Second // each way
	frames      = 50               // sent one way, a call's 20 ms apart
	frameSize   = 200
	samples     = 960                    // 20 ms at 48 kHz
	settle      = 500 * time.Millisecond // for the last frames to arrive
)

var errSlow = errors.New("sound did not come back from the relay in time")

// Report is what was found.
type Report struct {
	Line     error         // why the relay does not answer over TLS; nil: it does
	OpenedIn time.Duration // from the name lookup to the relay's welcome
	Admitted bool          // the relay carries calls for this profile
	Clock    time.Duration // this machine's clock, ahead of the relay's; half of OpenedIn uncertain

	UDP *Way // how sound passes over UDP; nil: not tried, for want of a Line, or because of a proxy
	TLS *Way // and over TLS, tried behind a proxy or where UDP failed
}

// Way is how sound passes to the relay and back.
type Way struct {
	Err     error          // why it does not; nil: it does
	Server  string         // the relay's TURN address
	Relayed netip.AddrPort // the address that people called would see
	RTT     time.Duration  // to the relay and back twice, by ICE checks; 0: not measured
	Loss    float64        // share of frames that did not come back, 0 to 1
}

// Check tries the account's relay. The account's Host is not started here.
func Check(ctx context.Context, account call.Account, network call.Network) Report {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	if account.Dial != nil {
		network.Dial = account.Dial
	}
	way := line.Config{Relay: account.Relay, Admission: account.Admission, Dial: network.Dial}
	var report Report
	began := time.Now()
	opened, err := line.Open(ctx, way)
	if err != nil {
		report.Line = err
		return report
	}
	defer opened.Close()
	report.OpenedIn, report.Admitted = time.Since(began), opened.Admitted()
	report.Clock = time.Since(opened.Now())
	if !report.Admitted {
		return report
	}
	if account.Proxy == "" {
		report.UDP = try(ctx, opened, network, nil)
	}
	if report.UDP == nil || report.UDP.Err != nil {
		report.TLS = try(ctx, opened, network, func(ctx context.Context) (net.Conn, error) { return line.Secure(ctx, way) })
	}
	return report
}

func try(ctx context.Context, opened *line.Line, network call.Network, stream func(context.Context) (net.Conn, error)) *Way {
	ctx, cancel := context.WithTimeoutCause(ctx, mediaWithin, errSlow)
	defer cancel()
	way := &Way{}
	way.Err = way.media(ctx, opened, network, stream)
	return way
}

// media allocates twice and sends frames from one allocation to the other.
func (w *Way) media(ctx context.Context, opened *line.Line, network call.Network, stream func(context.Context) (net.Conn, error)) error {
	var received atomic.Uint64
	near, err := w.allocate(ctx, opened, network, stream, true, nil)
	if err != nil {
		return err
	}
	defer near.Close()
	far, err := w.allocate(ctx, opened, network, stream, false, func([]byte, time.Time) { received.Add(1) })
	if err != nil {
		return err
	}
	defer far.Close()
	connected := make(chan error, 1)
	go func() { connected <- far.Connect(ctx, near.Local()) }()
	if err := errors.Join(near.Connect(ctx, far.Local()), <-connected); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	frame := make([]byte, frameSize)
	for range frames {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
			if err := near.Send(frame, samples); err != nil {
				return err
			}
		}
	}
	for end := time.Now().Add(settle); received.Load() < frames && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	seen := near.Snapshot()
	w.Relayed, w.RTT = seen.LocalRelayed, seen.RTT
	w.Loss = 1 - min(1, float64(received.Load())/frames)
	return nil
}

func (w *Way) allocate(ctx context.Context, opened *line.Line, network call.Network, stream func(context.Context) (net.Conn, error), controlling bool, onFrame func([]byte, time.Time)) (*peer.Peer, error) {
	credential, err := opened.Credential(ctx)
	if err != nil {
		return nil, err
	}
	w.Server = credential.Turn.String()
	return peer.New(ctx, peer.Config{
		Turn:        peer.Turn{Address: credential.Turn, Username: credential.Username, Password: credential.Password},
		Controlling: controlling, Net: network.Media, Stream: stream, OnFrame: onFrame,
	})
}
