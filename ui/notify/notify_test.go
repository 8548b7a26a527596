package notify

import (
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"sotto/net/nettest"
	"sotto/ui/notify/notifytest"
)

// patience bounds each wait; nothing is asserted to be fast.
const patience = 30 * time.Second

var everything = []string{"actions", "body", "body-markup", "persistence"}

// bob is what is shown of a call that rings.
func bob(call string) Notice {
	return Notice{Call: call, Title: "Incoming call", Body: "bob is calling", Answer: "Answer", Decline: "Decline"}
}

// spawned runs work as the interface does, without its guard.
func spawned(work func()) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		work()
	}()
	return done
}

// desk is a Desktop on a bus of its own, with the desktop's service.
func desk(t *testing.T, able ...string) (*Desktop, *notifytest.Service, *notifytest.Bus) {
	t.Helper()
	nettest.Leaks(t)
	bus := notifytest.NewBus(t)
	service := bus.Serve(t, able...)
	d := begin(t, bus.Address, patience)
	return d, service, bus
}

func begin(t *testing.T, address string, wait time.Duration) *Desktop {
	t.Helper()
	d := start(address, wait, spawned)
	t.Cleanup(func() {
		d.End()
		select {
		case <-d.done:
		case <-time.After(patience):
			t.Error("it does not end")
		}
	})
	return d
}

func (d *Desktop) wants(t *testing.T, want Event) {
	t.Helper()
	select {
	case got := <-d.Events():
		if got != want {
			t.Errorf("%+v was told, want %+v", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("%+v was not told", want)
	}
}

// comesTo wants an event, perhaps after word that the first call is not shown any more.
func (d *Desktop) comesTo(t *testing.T, want Event) {
	t.Helper()
	for limit := time.After(patience); ; {
		select {
		case got := <-d.Events():
			if got == want {
				return
			}
			if got != (Event{NotShown, "one"}) {
				t.Fatalf("%+v was told, want %+v", got, want)
			}
		case <-limit:
			t.Fatalf("%+v was not told", want)
		}
	}
}

// quiet is for events that must not come, once something later has come.
func (d *Desktop) quiet(t *testing.T) {
	t.Helper()
	select {
	case got := <-d.Events():
		t.Errorf("%+v was told", got)
	default:
	}
}

// pastGrace is after a new notice has begun to listen to its buttons.
func pastGrace() { time.Sleep(grace + 50*time.Millisecond) }

func TestACallIsShownAndAnsweredByAClick(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	shown := service.AwaitOne("bob is calling")
	if shown.Application != "Sotto" || shown.Summary != "Incoming call" || shown.Replaces != 0 || shown.Expire != 60_000 {
		t.Errorf("%+v", shown)
	}
	if got := strings.Join(shown.Actions, "|"); got != "answer|Answer|decline|Decline" {
		t.Errorf("buttons: %s", got)
	}
	for hint, want := range map[string]any{"urgency": byte(2), "category": "call.incoming", "transient": true, "resident": true, "suppress-sound": true} {
		if got := shown.Hints[hint].Value(); got != want {
			t.Errorf("%s is %v", hint, got)
		}
	}
	if len(shown.Hints) != 5 {
		t.Errorf("hints: %v", shown.Hints)
	}
	pastGrace()
	service.Press(shown.ID, "answer")
	d.wants(t, Event{Answered, "one"})
	d.Show(Notice{})
	service.AwaitNone()
}

func TestACallIsDeclinedByAClick(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	shown := service.AwaitOne("bob")
	pastGrace()
	service.Press(shown.ID, "default") // a click beside the buttons
	service.Press(shown.ID, "decline")
	d.wants(t, Event{Declined, "one"})
}

func TestAClickThatWasOnItsWayDoesNotCount(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	shown := service.AwaitOne("bob")
	service.Press(shown.ID, "answer")
	pastGrace()
	service.Press(shown.ID, "decline")
	d.wants(t, Event{Declined, "one"})
	d.quiet(t)
}

func TestOnlyWhoDrawsTheNoticeCanPressItsButtons(t *testing.T) {
	d, service, bus := desk(t, everything...)
	d.Show(bob("one"))
	shown := service.AwaitOne("bob")
	pastGrace()
	stranger := bus.Connect(t)
	// To everybody, and to us alone, which no match rule keeps away.
	if err := stranger.Emit(notifytest.Path, actionInvoked, shown.ID, "answer"); err != nil {
		t.Fatal(err)
	}
	for _, signal := range []struct{ iface, member string }{{serverName, "ActionInvoked"}, {serverName, "NotificationClosed"}, {busName, "NameOwnerChanged"}} {
		body := map[string][]any{
			"ActionInvoked":      {shown.ID, "answer"},
			"NotificationClosed": {shown.ID, uint32(2)},
			"NameOwnerChanged":   {serverName, shown.From, stranger.Names()[0]},
		}[signal.member]
		stranger.Send(&dbus.Message{Type: dbus.TypeSignal, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(shown.From), dbus.FieldPath: dbus.MakeVariant(notifytest.Path),
			dbus.FieldInterface: dbus.MakeVariant(signal.iface), dbus.FieldMember: dbus.MakeVariant(signal.member),
			dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf(body...)),
		}, Body: body}, nil)
	}
	// The bus has passed them on when it answers the stranger.
	if err := stranger.BusObject().Call(busName+".GetId", 0).Err; err != nil {
		t.Fatal(err)
	}
	service.Press(shown.ID, "decline")
	d.wants(t, Event{Declined, "one"})
	d.quiet(t)
}

func TestAStaleClickDoesNothing(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	first := service.AwaitOne("bob")
	d.Show(Notice{})
	service.AwaitNone()
	d.Show(Notice{Call: "two", Title: "Incoming call", Body: "carol is calling", Answer: "Answer", Decline: "Decline"})
	second := service.AwaitOne("carol")
	if first.ID == second.ID {
		t.Fatal("the service gave one number twice")
	}
	pastGrace()
	service.Press(first.ID, "answer")
	service.Press(second.ID+1, "answer")
	service.Press(second.ID, "decline")
	d.wants(t, Event{Declined, "two"})
	d.quiet(t)
}

func TestTheNextCallTakesTheNoticesPlace(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	service.AwaitOne("bob")
	d.Show(Notice{Call: "two", Title: "Incoming call", Body: "carol is calling", Answer: "Answer", Decline: "Decline"})
	service.AwaitOne("carol")
	// The same call with other buttons stays the same notification.
	changed := Notice{Call: "two", Title: "Incoming call", Body: "carol still is calling", Answer: "Answer", Decline: "Decline"}
	d.Show(changed)
	if shown := service.AwaitOne("carol still"); shown.Replaces != shown.ID {
		t.Errorf("%+v", shown)
	}
	d.Show(changed)
	d.Show(Notice{})
	service.AwaitNone()
	if given := service.Given(); len(given) != 3 {
		t.Errorf("%d were shown", len(given))
	}
}

func TestWhatIsPutAsideStaysAway(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	shown := service.AwaitOne("bob")
	service.Dismiss(shown.ID)
	d.Show(Notice{})
	d.Show(bob("two"))
	again := service.AwaitOne("bob")
	if given := service.Given(); len(given) != 2 || again.ID == shown.ID {
		t.Errorf("%+v", given)
	}
}

func TestMarkupIsWrittenAsTheDesktopReadsIt(t *testing.T) {
	hostile := Notice{Call: "one", Title: "<b>In</b> & out", Body: "<img src=http://a/b> & co is calling", Answer: "Answer", Decline: "Decline"}
	for _, check := range []struct {
		able          []string
		summary, body string
		buttons       int
	}{
		{everything, "‹b›In‹/b› & out", "&lt;img src=http://a/b&gt; &amp; co is calling", 4},
		{[]string{"body"}, "‹b›In‹/b› & out", "‹img src=http://a/b› & co is calling", 0},
		{[]string{"actions"}, "‹b›In‹/b› & out: ‹img src=http://a/b› & co is calling", "", 4},
		{nil, "‹b›In‹/b› & out: ‹img src=http://a/b› & co is calling", "", 0},
	} {
		t.Run(strings.Join(check.able, " "), func(t *testing.T) {
			d, service, _ := desk(t, check.able...)
			d.Show(hostile)
			shown := service.AwaitOne("")
			if shown.Summary != check.summary || shown.Body != check.body || len(shown.Actions) != check.buttons {
				t.Errorf("%+v", shown)
			}
		})
	}
}

func TestTheNoticeIsTakenAwayAtTheEnd(t *testing.T) {
	d, service, _ := desk(t, everything...)
	d.Show(bob("one"))
	service.AwaitOne("bob")
	d.End()
	d.End()
	service.AwaitNone()
	d.Show(bob("two")) // too late
	if given := service.Given(); len(given) != 1 {
		t.Errorf("%d were shown", len(given))
	}
}

func TestAServiceThatIsExchangedShowsTheNoticeAgain(t *testing.T) {
	d, service, bus := desk(t, everything...)
	d.Show(bob("one"))
	old := service.AwaitOne("bob")
	service.Leave()
	next := bus.Serve(t, everything...)
	d.Show(bob("two"))
	shown := next.AwaitOne("bob")
	pastGrace()
	next.Press(shown.ID, "answer")
	d.comesTo(t, Event{Answered, "two"})
	if len(next.Given()) == 0 || old.From != shown.From {
		t.Errorf("%+v, %+v", old, shown)
	}
}

func TestABusThatDiesIsFoundAgainOrGivenUp(t *testing.T) {
	d, service, bus := desk(t, everything...)
	d.Show(bob("one"))
	service.AwaitOne("bob")
	bus.Kill()
	d.Show(Notice{})
	d.Show(bob("two"))
	d.comesTo(t, Event{NotShown, "two"})
	d.End()
}

func TestNobodyToShowIt(t *testing.T) {
	nettest.Leaks(t)
	bus := notifytest.NewBus(t)
	d := begin(t, bus.Address, patience)
	d.Show(bob("one"))
	d.wants(t, Event{NotShown, "one"})
	service := bus.Serve(t, everything...)
	d.Show(bob("two"))
	service.AwaitOne("bob")
}

func TestAServiceThatNeverAnswersDelaysNothing(t *testing.T) {
	nettest.Leaks(t)
	bus := notifytest.NewBus(t)
	service := bus.Serve(t, everything...)
	service.Hang()
	d := begin(t, bus.Address, 200*time.Millisecond)
	d.Show(bob("one"))
	d.wants(t, Event{NotShown, "one"})
	d.Show(bob("two"))
	d.End() // in the middle of the next attempt
}

func TestABusThatNeverAnswersDelaysNothing(t *testing.T) {
	nettest.Leaks(t)
	path := filepath.Join(t.TempDir(), "bus")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := begin(t, "unix:path="+path, 200*time.Millisecond)
	d.Show(bob("one"))
	d.wants(t, Event{NotShown, "one"})
	hasty := begin(t, "unix:path="+path, time.Hour)
	hasty.Show(bob("one"))
	for range 2 { // the second is the hasty one's
		conn, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	hasty.End()
	select {
	case <-hasty.done:
	case <-time.After(patience):
		t.Error("it waits for the bus")
	}
}

func TestWhereThereIsADesktop(t *testing.T) {
	folder := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(folder, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for _, check := range []struct{ environ, want string }{
		{"", ""},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=/a/b", "unix:path=/a/b"},
		{"DBUS_SESSION_BUS_ADDRESS=autolaunch:", ""},
		{"DBUS_SESSION_BUS_ADDRESS=autolaunch: XDG_RUNTIME_DIR=" + folder, ""},
		{"DBUS_SESSION_BUS_ADDRESS=disabled:", ""},
		{"DBUS_SESSION_BUS_ADDRESS=tcp:host=198.51.100.7,port=1", ""},
		{"DBUS_SESSION_BUS_ADDRESS=unixexec:path=/bin/sh", ""},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=/a/b SSH_CONNECTION=x", ""},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=/a/b SSH_TTY=/dev/pts/1", ""},
		{"DBUS_SESSION_BUS_ADDRESS=unix:path=/a/b SSH_CLIENT=x", ""},
		{"XDG_RUNTIME_DIR=" + folder, "unix:path=" + dbus.EscapeBusAddressValue(filepath.Join(folder, "bus"))},
		{"XDG_RUNTIME_DIR=" + t.TempDir(), ""},
		{"XDG_RUNTIME_DIR=.", ""},
	} {
		if runtime.GOOS != "linux" {
			check.want = ""
		}
		if got := Address(strings.Fields(check.environ)); got != check.want {
			t.Errorf("%s: %q", check.environ, got)
		}
	}
	got := strings.Join(sockets("tcp:host=a;unix:abstract=/x,guid=1;unix:path=/a%20b;unix:runtime=yes;unix:path=%zz"), "|")
	if got != "@/x|/a b" {
		t.Errorf("sockets: %s", got)
	}
}

func TestNoDesktopIsNoTrouble(t *testing.T) {
	d := Start("", spawned)
	d.Show(bob("one"))
	if d.Events() != nil {
		t.Error("there are events")
	}
	d.End()
}
