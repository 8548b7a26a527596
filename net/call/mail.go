package call

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"sotto/net/identity"
	"sotto/net/line"
	"sotto/net/wire"
	"sotto/settings/advice"
)

const (
	envelopeLife = 60 * time.Second
	// repeatEvery is how often an unanswered message is sent again: lines deliver at most once.
	repeatEvery = 2 * time.Second
	// farewell bounds what is still sent after a call has ended.
	farewell = 2 * time.Second
)

// mail puts sealed bodies into one drop of the other side.
type mail struct {
	line *line.Line
	to   identity.Address
	key  ed25519.PrivateKey
}

// post puts one body into the drop; it returns when the own relay has taken it.
func (m mail) post(ctx context.Context, body []byte) error {
	envelope, err := wire.NewEnvelope(m.key, m.to.HostPort(), m.line.Now().Add(envelopeLife), body)
	if err != nil {
		return err
	}
	return m.line.Send(ctx, m.to, envelope)
}

// exchange posts, waits for a message that accept takes, and posts again at
// intervals until then. accept reports done for the message it waited for;
// anything else in the drop is passed over.
func exchange(ctx context.Context, m mail, inbox <-chan *wire.Envelope, every time.Duration,
	post func(context.Context) error, accept func(body []byte) (done bool, err error),
) error {
	if err := post(ctx); err != nil {
		return err
	}
	again := time.NewTicker(every)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-m.line.Undeliverable():
			return &ended{reason: Unreachable, detail: advice.Text{What: fmt.Sprintf("their relay, %s, cannot be reached from yours; try again later, or ask them for a new card", m.to.HostPort())}}
		case envelope := <-inbox:
			if done, err := accept(envelope.Body[:]); done || err != nil {
				return err
			}
		case <-again.C:
			if err := post(ctx); err != nil && !errors.Is(err, context.Canceled) {
				return err
			}
		}
	}
}

// after is a context for what is still to be said once a call's own is over.
func after(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), farewell)
}
