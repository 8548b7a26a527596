//go:build linux

package cli

import (
	"testing"
	"time"

	"sotto/ui/notify/notifytest"
)

// TestACallIsAnsweredOnTheDesktop calls the interface twice, on a terminal of a desktop:
// the first call is answered by a click, the second declined.
func TestACallIsAnsweredOnTheDesktop(t *testing.T) {
	t.Parallel()
	bus := notifytest.NewBus(t)
	service := bus.Serve(t, "actions", "body", "body-markup")
	_, relay := startRelay(t, t.TempDir())
	alice, bob := pair(t, relay, relay)
	must(t, "--home", bob, "settings", "set", "look.notify", "full")
	must(t, "--home", bob, "contacts", "rename", "alice", "a<b>&c")
	term := onDisplay(t, 80, 24, atTerminal(t, "DBUS_SESSION_BUS_ADDRESS="+bus.Address), sotto(t), "--home", bob, "--mic", "tone", "--speaker", "null")
	term.until("Calls are on", "ready")
	if names := service.Given(); len(names) != 0 {
		t.Errorf("shown before any call: %+v", names)
	}

	caller := start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--json")
	shown := service.AwaitOne("is calling.")
	if shown.Body != "a&lt;b&gt;&amp;c is calling." || shown.Summary != "Incoming call" {
		t.Errorf("%+v", shown)
	}
	time.Sleep(500 * time.Millisecond) // past the notice's grace
	service.Press(shown.ID, "answer")
	caller.await("call.connected")
	service.AwaitNone()
	term.press("h")
	caller.await("call.ended")
	caller.exit()

	caller = start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--json")
	second := service.AwaitOne("is calling.")
	time.Sleep(500 * time.Millisecond)
	service.Press(shown.ID, "answer") // the first call's
	service.Press(second.ID, "decline")
	caller.await("call.ended")
	if status := caller.exit(); status != statusDeclined {
		t.Errorf("the caller ended with %d", status)
	}
	service.AwaitNone()
	term.until("You declined")

	start(t, "--home", alice, "call", "bob", "--mic", "tone", "--speaker", "null", "--json")
	service.AwaitOne("is calling.")
	term.press("\x03") // ctrl+c, while it rings
	term.left()
	service.AwaitNone()
	term.gaveBack()
}
