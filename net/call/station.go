package call

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"sotto/net/line"
	"sotto/net/wire"
)

// inboxSize bounds what waits for a call's goroutine; a call has a handful of
// messages, so more than this is somebody filling the drop.
const inboxSize = 32

// station is an account on its relay: the kept line, the drops registered on it
// and who reads each of them.
type station struct {
	account Account
	network Network
	engine  *Engine   // whose policy opens the doors; nil in the echo world, where nobody may knock
	host    io.Closer // the relay inside this process, or nil
	keeper  *line.Keeper
	// presence is nil where engine is.
	presence *presence
	cancel   context.CancelFunc

	udpFailed atomic.Int64 // Unix nanoseconds; when the relay last answered over TLS only

	loops sync.WaitGroup

	mu      sync.Mutex // guards the following
	doors   map[wire.DropID]door
	inboxes map[wire.DropID]chan *wire.Envelope
}

// openStation starts the relay where it runs here, and keeps a receiving line to it.
func openStation(ctx context.Context, account Account, network Network, engine *Engine) (*station, error) {
	s := &station{
		account: account, network: network, engine: engine,
		doors: make(map[wire.DropID]door), inboxes: make(map[wire.DropID]chan *wire.Envelope),
	}
	if account.Host != nil {
		host, err := account.Host(ctx)
		if err != nil {
			return nil, fmt.Errorf("the relay on this machine could not start: %w", err)
		}
		s.host = host
	}
	ctx, s.cancel = context.WithCancel(ctx)
	config := s.lineConfig()
	config.Receive = account.Self.ReceiveKey(account.Relay)
	s.keeper = line.Keep(ctx, config, s.registered)
	if engine != nil {
		s.presence = newPresence(ctx, s)
	}
	s.loops.Add(2)
	go s.readDeliveries()
	go s.watchLine(ctx)
	return s, nil
}

func (s *station) lineConfig() line.Config {
	config := line.Config{Relay: s.account.Relay, Admission: s.account.Admission, Dial: s.network.Dial}
	if s.account.Dial != nil {
		config.Dial = s.account.Dial
	}
	if s.engine != nil {
		config.Log = s.engine.cfg.Log
	}
	return config
}

// close leaves the relay and waits for the station's goroutines.
func (s *station) close() {
	if s.presence != nil {
		s.presence.close()
	}
	s.cancel()
	s.keeper.Close()
	s.loops.Wait()
	if s.host != nil {
		_ = s.host.Close()
	}
}

// registered is the set of drops that the kept line registers, asked for on each
// (re)connect, at each Refresh and at the turn of the week.
func (s *station) registered(now time.Time) []wire.DropID {
	doors := make(map[wire.DropID]door)
	if s.engine != nil {
		doors = openDoors(s.account, s.engine.cfg.Book, now)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doors = doors
	drops := make([]wire.DropID, 0, len(doors)+len(s.inboxes))
	for id := range doors {
		drops = append(drops, id)
	}
	for id := range s.inboxes {
		drops = append(drops, id)
	}
	return drops
}

// openInbox registers an ephemeral drop of one call and waits until the relay has it.
func (s *station) openInbox(ctx context.Context, drop ed25519.PrivateKey) (<-chan *wire.Envelope, func(), error) {
	id := wire.DropOf(drop.Public().(ed25519.PublicKey))
	inbox := make(chan *wire.Envelope, inboxSize)
	s.mu.Lock()
	s.inboxes[id] = inbox
	s.mu.Unlock()
	forget := func() {
		s.mu.Lock()
		delete(s.inboxes, id)
		s.mu.Unlock()
		s.keeper.Refresh()
	}
	if err := s.keeper.Registered(ctx); err != nil {
		forget()
		return nil, nil, err
	}
	return inbox, forget, nil
}

// sendingLine opens a fresh, nameless line for one call.
func (s *station) sendingLine(ctx context.Context) (*line.Line, error) {
	return line.Open(ctx, s.lineConfig())
}

// now is the relay's clock while the line is up, else this machine's.
func (s *station) now() time.Time {
	if up := s.keeper.Line(); up != nil {
		return up.Now()
	}
	return time.Now()
}

func (s *station) readDeliveries() {
	defer s.loops.Done()
	for envelope := range s.keeper.Deliveries() {
		id := envelope.Drop()
		s.mu.Lock()
		inbox, mine := s.inboxes[id]
		opened, standing := s.doors[id]
		s.mu.Unlock()
		switch {
		case mine:
			select {
			case inbox <- envelope:
			default: // whoever fills a call's drop loses messages, the call does not
			}
		case standing:
			s.engine.knocked(s, opened, envelope)
		}
	}
}

// watchLine tells the engine's listeners how the kept line is.
func (s *station) watchLine(ctx context.Context) {
	defer s.loops.Done()
	for {
		select {
		case <-ctx.Done():
			return
		case state, open := <-s.keeper.States():
			if !open {
				return
			}
			if s.engine == nil {
				continue
			}
			if state.Up {
				s.engine.setLine(LineReady, nil, &s.account)
				s.presence.lineUp()
			} else {
				s.engine.setLine(LineConnecting, state.Err, &s.account)
			}
		}
	}
}
