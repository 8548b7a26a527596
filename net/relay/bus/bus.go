// Package bus is the private bus between the gateways of one operator: an
// embedded NATS server (nats-server v2, whose only importer this is) that listens
// nowhere, reached over an in-process pipe.
//
// A gateway subscribes to each registered drop and publishes every envelope it
// takes; NATS carries it to whichever gateways hold that drop. Core NATS only: at
// most once, nothing stored. There is no port, so nobody outside the process can
// be a user of it.
package bus

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"sotto/net/wire"
)

const (
	startTimeout = 5 * time.Second
	flushTimeout = 5 * time.Second

	// maxPayload leaves room around an envelope and little more.
	maxPayload = 8192

	// backlog bounds what waits for the handler; beyond it messages are lost and counted.
	backlog = 1024

	subjectPrefix = "drop."
)

// Bus is a running bus. Its methods may be called from any goroutine.
type Bus struct {
	server  *server.Server
	conn    *nats.Conn
	handle  func(wire.DropID, []byte)
	log     *slog.Logger
	arrived chan *nats.Msg // all subscriptions share it; emptied by run
	stop    chan struct{}
	done    sync.WaitGroup
	lost    atomic.Uint64
}

// Subscription is one drop of interest; Cancel ends it.
type Subscription struct{ inner *nats.Subscription }

// Start runs a bus. handle is called for each message from one goroutine, must
// not block, and may keep the payload.
func Start(handle func(drop wire.DropID, payload []byte), log *slog.Logger) (*Bus, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	inner, err := server.NewServer(&server.Options{
		DontListen:      true, // in-process connections only; clustering is off with it
		NoLog:           true,
		NoSigs:          true,
		NoSystemAccount: true,
		MaxPayload:      maxPayload,
	})
	if err != nil {
		return nil, fmt.Errorf("the relay's bus could not be set up: %w", err)
	}
	inner.Start()
	if !inner.ReadyForConnections(startTimeout) {
		stopServer(inner)
		return nil, errors.New("the relay's bus did not start; this is a fault in sotto")
	}
	b := &Bus{
		server: inner, handle: handle, log: log,
		arrived: make(chan *nats.Msg, backlog), stop: make(chan struct{}),
	}
	b.conn, err = nats.Connect("", nats.InProcessServer(inner), nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond), nats.ErrorHandler(b.trouble))
	if err != nil {
		stopServer(inner)
		return nil, fmt.Errorf("the relay's bus cannot be joined: %w", err)
	}
	b.done.Add(1)
	go b.run()
	return b, nil
}

func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// Subscribe asks for a drop's messages; they reach handle.
func (b *Bus) Subscribe(drop wire.DropID) (*Subscription, error) {
	inner, err := b.conn.ChanSubscribe(subjectPrefix+drop.String(), b.arrived)
	if err != nil {
		return nil, fmt.Errorf("the relay's bus takes no subscription: %w", err)
	}
	return &Subscription{inner}, nil
}

// Cancel ends the subscription. Messages already on their way may still arrive.
func (s *Subscription) Cancel() { _ = s.inner.Unsubscribe() }

// Publish sends a message to every subscriber of the drop, without waiting.
func (b *Bus) Publish(drop wire.DropID, payload []byte) error {
	return b.conn.Publish(subjectPrefix+drop.String(), payload)
}

// Flush returns once the server knows all subscriptions made before.
func (b *Bus) Flush() error { return b.conn.FlushTimeout(flushTimeout) }

// Lost counts messages that came faster than handle took them.
func (b *Bus) Lost() uint64 { return b.lost.Load() }

// Close stops the bus and waits for it.
func (b *Bus) Close() {
	b.conn.Close()
	stopServer(b.server)
	close(b.stop)
	b.done.Wait()
}

func (b *Bus) run() {
	defer b.done.Done()
	for {
		select {
		case <-b.stop:
			return
		case m := <-b.arrived:
			raw, err := hex.DecodeString(strings.TrimPrefix(m.Subject, subjectPrefix))
			if err == nil && len(raw) == len(wire.DropID{}) {
				b.handle(wire.DropID(raw), m.Data)
			}
		}
	}
}

func (b *Bus) trouble(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		b.lost.Add(1)
		return
	}
	b.log.Warn("trouble on the relay's bus", "cause", err)
}
