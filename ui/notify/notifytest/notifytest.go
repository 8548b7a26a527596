// Package notifytest is a desktop for tests: a private session bus, and somebody on
// it who keeps notifications as a desktop does, and whose buttons a test presses.
package notifytest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// The names of the specification.
const (
	Name = "org.freedesktop.Notifications"
	Path = dbus.ObjectPath("/org/freedesktop/Notifications")
)

// patience bounds each wait; nothing is asserted to be fast.
const patience = 30 * time.Second

// config lets everybody on the bus say everything to everybody, as a session bus does,
// and knows no services that it could start.
const config = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Bus is a session bus of its own.
type Bus struct {
	Address string
	daemon  *exec.Cmd
	ended   chan struct{}
}

// NewBus starts a bus that ends with the test. Without dbus-daemon the test is skipped.
func NewBus(t testing.TB) *Bus {
	t.Helper()
	program, err := exec.LookPath("dbus-daemon")
	if err != nil {
		t.Skip("NOT TESTED: notices on a desktop, because dbus-daemon is not installed")
	}
	folder, err := os.MkdirTemp("", "bus") // a socket's name has to be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	file := filepath.Join(folder, "config")
	if err := os.WriteFile(file, []byte(fmt.Sprintf(config, filepath.Join(folder, "socket"))), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &Bus{daemon: exec.Command(program, "--config-file="+file, "--nofork", "--nopidfile", "--print-address"), ended: make(chan struct{})}
	told, err := b.daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.daemon.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(told).ReadString('\n') // it listens then
	b.Address = strings.TrimSpace(address)
	go func() {
		defer close(b.ended)
		_ = b.daemon.Wait() // it is killed
	}()
	t.Cleanup(b.Kill)
	if err != nil {
		t.Fatalf("the bus does not say where it is: %v", err)
	}
	return b
}

// Kill ends the bus as a crash would.
func (b *Bus) Kill() {
	_ = b.daemon.Process.Kill()
	<-b.ended
}

// Connect is a connection of somebody else to the bus.
func (b *Bus) Connect(t testing.TB) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(b.Address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Shown is one notification as the desktop was given it.
type Shown struct {
	ID          uint32
	From        string // the unique name of who asked
	Replaces    uint32
	Application string
	Summary     string
	Body        string
	Actions     []string
	Hints       map[string]dbus.Variant
	Expire      int32 // ms
}

// Service draws notifications, so to say.
type Service struct {
	t    testing.TB
	conn *dbus.Conn

	changed chan struct{} // one place

	mu    sync.Mutex // guards the following
	able  []string
	open  map[uint32]Shown
	last  uint32
	given []Shown // all there ever were
	hung  bool
}

// Serve takes the name on the bus and says that it can do what is named.
func (b *Bus) Serve(t testing.TB, able ...string) *Service {
	t.Helper()
	s := &Service{t: t, conn: b.Connect(t), changed: make(chan struct{}, 1), able: able, open: map[uint32]Shown{}}
	if err := s.conn.ExportMethodTable(map[string]any{
		"GetCapabilities": s.capabilities, "Notify": s.notify, "CloseNotification": s.close,
	}, Path, Name); err != nil {
		t.Fatal(err)
	}
	if reply, err := s.conn.RequestName(Name, dbus.NameFlagDoNotQueue); err != nil || reply != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("the name was not to be had: %v, %v", reply, err)
	}
	return s
}

// Leave ends the service as a crash would; the bus goes on.
func (s *Service) Leave() { _ = s.conn.Close() }

// Hang makes it answer nothing more.
func (s *Service) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hung = true
}

func (s *Service) waitIfHung() {
	s.mu.Lock()
	hung := s.hung
	s.mu.Unlock()
	if hung {
		<-s.conn.Context().Done()
	}
}

func (s *Service) capabilities() ([]string, *dbus.Error) {
	s.waitIfHung()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.able, nil
}

func (s *Service) notify(from dbus.Sender, application string, replaces uint32, _, summary, body string, actions []string, hints map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	s.waitIfHung()
	s.mu.Lock()
	defer s.mu.Unlock()
	id := replaces
	if _, there := s.open[id]; !there {
		s.last++
		id = s.last
	}
	shown := Shown{id, string(from), replaces, application, summary, body, actions, hints, expire}
	s.open[id] = shown
	s.given = append(s.given, shown)
	s.stir()
	return id, nil
}

func (s *Service) close(id uint32) *dbus.Error {
	s.waitIfHung()
	s.mu.Lock()
	_, there := s.open[id]
	delete(s.open, id)
	s.stir()
	s.mu.Unlock()
	if !there {
		return dbus.NewError(Name+".Error.NotThere", nil)
	}
	s.emit("NotificationClosed", id, uint32(3))
	return nil
}

func (s *Service) stir() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *Service) emit(what string, words ...any) {
	if err := s.conn.Emit(Path, Name+"."+what, words...); err != nil {
		s.t.Errorf("%s was not sent: %v", what, err)
	}
}

// Press presses a button of a notification, or says so of one that is not there.
func (s *Service) Press(id uint32, action string) { s.emit("ActionInvoked", id, action) }

// Dismiss puts a notification aside as a person does.
func (s *Service) Dismiss(id uint32) {
	s.mu.Lock()
	delete(s.open, id)
	s.mu.Unlock()
	s.emit("NotificationClosed", id, uint32(2))
}

// Open are the notifications that show now.
func (s *Service) Open() []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Shown
	for _, one := range s.open {
		all = append(all, one)
	}
	return all
}

// Given are all notifications there ever were, in their order.
func (s *Service) Given() []Shown {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Shown(nil), s.given...)
}

// AwaitOne waits for exactly one notification to show whose body has text in it.
func (s *Service) AwaitOne(text string) Shown {
	s.t.Helper()
	var found Shown
	s.await("one notification that says "+text, func(open []Shown) bool {
		if len(open) != 1 || !strings.Contains(open[0].Body, text) {
			return false
		}
		found = open[0]
		return true
	})
	return found
}

// AwaitNone waits for none to show.
func (s *Service) AwaitNone() {
	s.t.Helper()
	s.await("no notification", func(open []Shown) bool { return len(open) == 0 })
}

func (s *Service) await(what string, as func([]Shown) bool) {
	s.t.Helper()
	limit := time.After(patience)
	for {
		open := s.Open()
		if as(open) {
			return
		}
		select {
		case <-s.changed:
		case <-limit:
			s.t.Fatalf("waited for %s; there are %+v", what, open)
		}
	}
}
