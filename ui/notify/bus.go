package notify

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/godbus/dbus/v5"
)

// The names of the specification, and of the bus itself.
const (
	serverName = "org.freedesktop.Notifications"
	serverPath = "/org/freedesktop/Notifications"
	busName    = "org.freedesktop.DBus"
	busPath    = "/org/freedesktop/DBus"

	actionInvoked      = serverName + ".ActionInvoked"
	notificationClosed = serverName + ".NotificationClosed"
	nameOwnerChanged   = busName + ".NameOwnerChanged"
)

// bus is a connection to the session bus.
type bus struct {
	*dbus.Conn
	signals chan *dbus.Signal // what does not fit is lost: a person presses again
}

// limited is a socket that takes a message within writeWithin or never again.
type limited struct{ net.Conn }

func (l limited) Write(message []byte) (int, error) {
	if err := l.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return 0, err
	}
	return l.Conn.Write(message)
}

// connect goes to the first socket of address that a bus answers on before ctx ends.
// The library's own way there would start a bus where none runs.
func connect(ctx context.Context, address string) (*bus, error) {
	err := errors.New("no socket in the bus's address")
	for _, socket := range sockets(address) {
		var b *bus
		if b, err = enter(ctx, socket); err == nil {
			return b, nil
		}
	}
	return nil, err
}

func enter(ctx context.Context, socket string) (*bus, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	// An ended ctx closes the socket under whatever waits for it.
	release := context.AfterFunc(ctx, func() { _ = conn.Close() })
	b := &bus{signals: make(chan *dbus.Signal, 64)}
	// A plain stream, not the library's Unix transport: nobody on the bus can hand file
	// descriptors over this one.
	if b.Conn, err = dbus.NewConn(limited{conn}, dbus.WithSignalHandler(b)); err != nil {
		release()
		_ = conn.Close()
		return nil, err
	}
	if err = b.introduce(ctx); err == nil && !release() {
		err = ctx.Err()
	}
	if err != nil {
		release()
		_ = b.Close()
		return nil, err
	}
	return b, nil
}

// introduce says who we are and which signals we want to hear.
func (b *bus) introduce(ctx context.Context) error {
	if err := b.Auth(nil); err != nil {
		return err
	}
	if err := b.Hello(); err != nil {
		return err
	}
	err := b.AddMatchSignalContext(ctx, dbus.WithMatchSender(serverName), dbus.WithMatchInterface(serverName), dbus.WithMatchObjectPath(serverPath))
	if err != nil {
		return err
	}
	return b.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, serverName))
}

// DeliverSignal hands on what this package wants to hear. The library calls it where
// it reads, in the order of the signals; it must not wait.
func (b *bus) DeliverSignal(_, _ string, signal *dbus.Signal) {
	switch signal.Name {
	case actionInvoked, notificationClosed, nameOwnerChanged:
		select {
		case b.signals <- signal:
		default:
		}
	}
}
