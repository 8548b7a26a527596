//go:build linux

package tui

import (
	"testing"
	"time"

	"sotto/ui/notify/notifytest"
)

// desk is a program that somebody calls, on a terminal of a desktop.
func desk(t *testing.T) (*terminal, *notifytest.Service, notifytest.Shown) {
	t.Helper()
	bus := notifytest.NewBus(t)
	service := bus.Serve(t, "actions", "body", "body-markup")
	term := startProgram(t, "desk", 80, 24, "DBUS_SESSION_BUS_ADDRESS="+bus.Address)
	term.until("is calling")
	return term, service, service.AwaitOne("bob is calling.")
}

func TestAClickOnTheDesktopAnswers(t *testing.T) {
	t.Parallel()
	term, service, shown := desk(t)
	time.Sleep(500 * time.Millisecond) // past the notice's grace
	service.Press(shown.ID, "answer")
	term.until("Connecting")
	service.AwaitNone()
	if service.Press(shown.ID, "decline"); len(service.Given()) != 1 {
		t.Errorf("it was shown again: %+v", service.Given())
	}
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
}

func TestAClickOnTheDesktopDeclines(t *testing.T) {
	t.Parallel()
	term, service, shown := desk(t)
	time.Sleep(500 * time.Millisecond) // past the notice's grace
	service.Press(shown.ID, "decline")
	term.until("You declined")
	service.AwaitNone()
	term.press("\x03")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
}

func TestTheDesktopIsLeftAsItWas(t *testing.T) {
	for how, key := range map[string]string{"leaving": "\x03", "a panic": "s"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			term, service, _ := desk(t)
			time.Sleep(grace + burst)
			term.press(key)
			if status := term.left(); (status != 0) != (how == "a panic") {
				t.Errorf("exit status is %d", status)
			}
			service.AwaitNone()
			if len(service.Given()) != 1 {
				t.Errorf("shown: %+v", service.Given())
			}
		})
	}
}

// A desktop that hangs, or a bus that dies, leaves the call to the keys.
func TestADesktopThatHangsDelaysNothing(t *testing.T) {
	t.Parallel()
	bus := notifytest.NewBus(t)
	service := bus.Serve(t, "actions")
	service.Hang()
	term := startProgram(t, "desk", 80, 24, "DBUS_SESSION_BUS_ADDRESS="+bus.Address)
	term.until("is calling")
	time.Sleep(grace + burst)
	term.press("\r")
	term.until("Connecting")
	bus.Kill()
	term.press("q")
	if status := term.left(); status != 0 {
		t.Errorf("exit status is %d", status)
	}
}
