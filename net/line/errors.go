package line

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"

	"sotto/net/wire"
	"sotto/settings/advice"
)

var (
	// ErrUnreachable: no connection to the relay, or it broke.
	ErrUnreachable = errors.New("the relay cannot be reached; check your connection and the relay's address, then try again")

	// ErrPinMismatch: whoever answers at the relay's address holds another key.
	ErrPinMismatch = errors.New("the relay's key has changed: this may be another machine posing as your relay; ask whoever runs it for its present address, and use that only if it came from them")

	// ErrUntrusted: an address without a pin, and a certificate that does not hold.
	// It is one way of being unreachable, and matches ErrUnreachable.
	ErrUntrusted error = untrusted{}

	// ErrExpired: a certificate that does not hold at this machine's time, as ErrUntrusted.
	ErrExpired error = expired{}

	// ErrProxy: the proxy is not there, or it did not connect. It is one way of being
	// unreachable, and matches ErrUnreachable.
	ErrProxy error = behindProxy{advice.Text{
		What: "the proxy did not connect to the relay; check that the proxy runs and the relay's address is right", Do: advice.DropProxy,
	}}

	// ErrRefused matches every refusal by the relay; its text says what to do.
	ErrRefused = errors.New("the relay refused; ask whoever runs it for an admission token")

	// ErrClosed: the line was closed on this side.
	ErrClosed = errors.New("the line to the relay is closed; open a new one")
)

type behindProxy struct{ advice.Text }

func (behindProxy) Is(target error) bool { return target == ErrUnreachable }

func (b behindProxy) Unwrap() error { return b.Text }

type untrusted struct{}

func (untrusted) Is(target error) bool { return target == ErrUnreachable }

func (untrusted) Error() string {
	return "the relay's certificate is not trusted; use its full address, with the pin after #, as whoever runs it gives it"
}

type expired struct{}

func (expired) Is(target error) bool { return target == ErrUnreachable }

func (expired) Error() string {
	return "the relay's certificate does not hold at the time that this computer's clock shows; set the clock, or ask whoever runs the relay to renew the certificate"
}

// refusal is one reason of the gateway in words. It matches ErrRefused.
type refusal struct{ reason wire.Reason }

func (r refusal) Is(target error) bool { return target == ErrRefused }

// errNoToken is what a refusal for want of the token says, with what to do.
var errNoToken = advice.Text{
	What: "the relay serves only those who hold its admission token; ask whoever runs it for the token", Do: advice.PutInToken,
}

func (r refusal) Unwrap() error {
	if r.reason == wire.RefusedAdmission {
		return errNoToken
	}
	return nil
}

func (r refusal) Error() string {
	switch r.reason {
	case wire.RefusedAdmission:
		return errNoToken.Error()
	case wire.RefusedKey:
		return "the relay goes by another name than the one written here; write its address exactly as whoever runs it gives it, or ask them to start it with sotto relay --name and this one"
	case wire.RefusedVersion:
		return "the relay speaks another version of the protocol; update sotto, or ask whoever runs the relay to"
	case wire.RefusedForwarding:
		return "your relay does not pass calls on to that relay; ask whoever runs yours to allow it, or choose another"
	case wire.RefusedHosts:
		return "too many different relays were called over one line; wait a minute and try again"
	case wire.RefusedDrops:
		return "the relay does not keep that many contacts; remove some, or choose another relay"
	case wire.RefusedBusy:
		return "the relay is full at the moment; try again in a minute, or choose another"
	default:
		return "the relay refused what was asked of it; update sotto, or choose another relay"
	}
}

// broken says that a connection failed and why, unless the person gave up.
func broken(ctx context.Context, cause error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Cause(ctx)
	}
	for _, own := range []error{ErrPinMismatch, ErrUntrusted, ErrExpired, ErrProxy} {
		if errors.Is(cause, own) {
			return own
		}
	}
	if no := (refusal{}); errors.As(cause, &no) {
		return no
	}
	return fmt.Errorf("%w (%w)", ErrUnreachable, innermost(cause))
}

// innermost leaves out the layers that say only who passed an error on.
func innermost(err error) error {
	if layer := (*url.Error)(nil); errors.As(err, &layer) {
		err = layer.Err
	}
	if layer := (*net.OpError)(nil); errors.As(err, &layer) {
		err = layer.Err
	}
	if layer := (*os.SyscallError)(nil); errors.As(err, &layer) {
		err = layer.Err
	}
	return err
}
