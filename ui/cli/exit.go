package cli

import (
	"errors"
	"fmt"

	"sotto/audio"
	"sotto/net/call"
	"sotto/net/identity"
	"sotto/net/line"
	spoken "sotto/net/pair"
	"sotto/net/profile"
	"sotto/net/proxy"
	"sotto/settings"
)

// Exit statuses, as the help and README have them.
const (
	statusDone        = 0
	statusFailed      = 1
	statusUsage       = 2
	statusDeclined    = 3
	statusNoContact   = 4
	statusNoAnswer    = 5
	statusUnreachable = 6
	statusDevice      = 7
	statusMismatch    = 8
)

// failure is an error with the status it ends the program with.
type failure struct {
	status int
	err    error
	said   bool // in JSON already, by the command itself
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// usage is what was typed and cannot be understood.
func usage(format string, arguments ...any) error {
	return &failure{status: statusUsage, err: fmt.Errorf(format, arguments...)}
}

func fail(status int, err error) error { return &failure{status: status, err: err} }

// statusOf gives the exit status of whatever a command returned.
func statusOf(err error) int {
	var known *failure
	switch {
	case err == nil:
		return statusDone
	case errors.As(err, &known):
		return known.status
	}
	for _, group := range []struct {
		status int
		errors []error
	}{
		{statusUsage, []error{
			identity.ErrNotACard, identity.ErrCardDamaged, identity.ErrCardNewer, identity.ErrBadAddress,
			settings.ErrUnknownKey, settings.ErrBadValue, profile.ErrBadName, profile.ErrNoName, audio.ErrUsage,
			spoken.ErrBadCode, proxy.ErrBadProxy, settings.ErrShortPassphrase,
		}},
		{statusNoContact, []error{call.ErrNoContact}},
		{statusUnreachable, []error{line.ErrUnreachable, line.ErrPinMismatch, line.ErrRefused}},
		{statusDevice, []error{audio.ErrDevice}},
		{statusMismatch, []error{profile.ErrOtherKey}},
	} {
		for _, sentinel := range group.errors {
			if errors.Is(err, sentinel) {
				return group.status
			}
		}
	}
	return statusFailed
}

// statusOfCall gives the exit status of a call by why it ended.
func statusOfCall(info call.Info) int {
	switch info.Reason {
	case call.HungUp, call.PeerHungUp:
		if info.ConnectedAt.IsZero() {
			return statusFailed
		}
		return statusDone
	case call.Declined:
		return statusDeclined
	case call.NoAnswer, call.Busy:
		return statusNoAnswer
	case call.Unreachable:
		return statusUnreachable
	case call.DeviceFailed:
		return statusDevice
	case call.Mismatch:
		return statusMismatch
	}
	return statusFailed
}
