package world

import (
	"context"
	"errors"
	"time"

	"sotto/net/call"
	"sotto/net/identity"
	"sotto/settings"
)

// echoDelay is long enough to tell one's own voice from its echo.
const echoDelay = 700 * time.Millisecond

// Echo builds a world in which somebody answers at once and says back what they hear.
func Echo(ctx context.Context) (*call.EchoWorld, error) {
	w, err := New(ctx)
	if err != nil {
		return nil, err
	}
	caller, callerErr := w.NewPerson(0, "you")
	echo, echoErr := w.NewPerson(1, call.EchoName)
	if err := errors.Join(callerErr, echoErr); err != nil {
		w.Close()
		return nil, err
	}
	engine, err := echo.Engine(ctx, call.Config{
		Book:       NewBook(settings.Contacts, caller.Contact()),
		AutoAnswer: func(identity.Key) bool { return true },
		OpenSound: func() (call.Sound, error) {
			source, sink := newMirror(echoDelay).sound()
			return call.Sound{Source: source, Sink: sink}, nil
		},
	})
	if err != nil {
		w.Close()
		return nil, err
	}
	return &call.EchoWorld{
		Network: caller.Network, Account: caller.Account, Contact: echo.Contact(),
		Close: func() {
			_ = engine.Close()
			w.Close()
		},
	}, nil
}
