//go:build !windows

package plain

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// firstRunAndCall is the whole way of a new person, by typing alone.
func firstRunAndCall(s *session) {
	s.until("What shall people call you?")
	s.typed("")
	s.until("Which relay carries your calls?")
	s.typed("42 apple river stone lamp")
	s.until("Ask for the name of their relay too")
	s.until("Which relay carries your calls?")
	s.typed("")
	s.until("Does your microphone hear you?")
	s.until("It hears you.") // the microphone is a tone
	s.typed("")
	s.until("Turn calling on?")
	s.typed("")
	s.until("You are set up as")
	s.until("Calling is off")
	s.typed("call echo")
	s.until("Calling echo.")
	s.until("Connected to echo, inside Sotto.")
	s.until("Safety words: ")
	s.typed("mute")
	s.until("Muted: you are not heard.")
	s.until("You are talking, but you are muted.") // the microphone is a tone
	s.asked("status", "Who can hear: You and echo, nobody else")
	s.asked("status", "Microphone: tone. Speaker: null.")
	s.asked("status", "our sound leaves in ") // "pieces of 20 ms", or short ones by now
	s.typed("unmute")
	s.until("You are heard again.")
	s.typed("hangup")
	s.until("Call ended. You hung up.")
	s.until("Receipt: Call with echo")
	s.typed("settings set calls.who verified")
	s.until("Saved: calls.who is verified.")
	s.typed("settings set calls.who everybody")
	s.until("That did not work. ")
	s.typed("quit")
	s.until("Goodbye.")
	s.left()
}

func TestANewPersonCallsEchoThroughPipes(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	firstRunAndCall(piped(t, home, "--plain"))
	if got := must(t, home, "settings", "get", "calls.who"); got != "verified" {
		t.Errorf("calls.who is %q afterwards", got)
	}
	if got := must(t, home, "settings", "get", "calls.enabled"); got != "off" {
		t.Errorf("calling is %q after Enter alone", got)
	}
}

func TestANewPersonCallsEchoOnATerminal(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]func(*exec.Cmd){
		"flag":       func(run *exec.Cmd) { run.Args = append(run.Args, "--plain") },
		"accessible": func(run *exec.Cmd) { run.Env = append(run.Env, "ACCESSIBLE=1") },
		"dumb":       func(run *exec.Cmd) { run.Env = append(run.Env, "TERM=dumb") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := command(t, t.TempDir())
			ask(run)
			firstRunAndCall(onTerminal(t, run))
		})
	}
}

func TestEveryWayOutHangsUp(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(*session){
		"ctrl+c":     func(s *session) { _, _ = s.input.Write([]byte{3}) },
		"ctrl+d":     func(s *session) { _, _ = s.input.Write([]byte{4}) },
		"quit":       func(s *session) { s.typed("quit") },
		"terminated": func(s *session) { s.signal(syscall.SIGTERM) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			must(t, home, "setup", "--name", "alice", "--relay", "local", "--calls", "off", "--yes")
			s := onTerminal(t, command(t, home, "--plain"))
			s.typed("call echo")
			s.until("Connected to echo")
			leave(s)
			s.until("Call ended. You hung up.")
			s.until("Goodbye.")
			s.left()
		})
	}
}

func TestTheEndOfTheInputWaitsForWhatWasTyped(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	must(t, home, "setup", "--name", "alice", "--relay", "local", "--calls", "off", "--yes")
	s := piped(t, home, "--plain")
	s.typed("settings set calls.history off\nsettings get calls.history\nnonsense\nanswer bob\nans\nwords\nrename x\ncontacts\nremove nobody")
	_ = s.input.Close()
	s.until("Goodbye.")
	s.left()
	for _, want := range []string{
		"Saved: calls.history is off.", "There is no command nonsense.", "answer stands alone on its line", "There is no command ans.",
		"There are no safety words", "0 contacts, and echo",
	} {
		if !strings.Contains(s.all(), want) {
			t.Errorf("it does not say %q:\n%s", want, s.all())
		}
	}
}

// startRelay runs a relay on loopback and gives its address.
func startRelay(t *testing.T) string {
	t.Helper()
	run := exec.Command(sotto(t), "relay", "--listen", "127.0.0.1:0", "--turn-listen", "127.0.0.1:0", "--public-ip", "127.0.0.1",
		"--admission", "open", "--dir", t.TempDir(), "--json")
	output, err := run.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	for lines := bufio.NewScanner(output); lines.Scan(); {
		var event struct{ Event, Address string }
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Event == "relay.ready" {
			return event.Address
		}
	}
	t.Fatal("the relay does not start")
	return ""
}

// TestANewPersonUsesACode: its relay becomes theirs, and who said it their first contact.
func TestANewPersonUsesACode(t *testing.T) {
	t.Parallel()
	relay := startRelay(t)
	home := filepath.Join(t.TempDir(), "alice")
	must(t, home, "setup", "--name", "alice", "--relay", relay, "--calls", "on", "--yes")
	alice := piped(t, home, "--plain")
	alice.until("Your line is open")
	alice.typed("invite")
	alice.until("to them alone: ")
	at := alice.all()
	code, _, _ := strings.Cut(at[strings.Index(at, "to them alone: ")+len("to them alone: "):], "\n")
	if place, _, _ := strings.Cut(relay, "#"); !strings.HasPrefix(code, place) {
		code = place + " " + code
	}

	bob := piped(t, filepath.Join(t.TempDir(), "bob"), "--plain")
	bob.until("What shall people call you?")
	bob.typed("bob")
	bob.until("Did somebody tell you a code?")
	bob.typed(code)
	bob.until("Does your microphone hear you?")
	bob.typed("")
	bob.until("Turn calling on?")
	bob.typed("not now")
	bob.until("You are set up as bob.")
	bob.until("alice is in your contacts, verified.")
	alice.until("bob is in your contacts, verified.")
	bob.typed("quit")
	bob.left()
	alice.typed("quit")
	alice.left()
}

func TestTwoPeopleCallEachOther(t *testing.T) {
	t.Parallel()
	relay := startRelay(t)
	homes := map[string]string{}
	for _, name := range []string{"alice", "bob"} {
		homes[name] = filepath.Join(t.TempDir(), name)
		must(t, homes[name], "setup", "--name", name, "--relay", relay, "--calls", "on", "--yes")
	}
	alice, bob := piped(t, homes["alice"], "--plain"), piped(t, homes["bob"], "--plain")
	alice.until("Your line is open")
	bob.until("Your line is open")
	alice.typed("add " + must(t, homes["bob"], "card"))
	alice.until("bob is in your contacts.")
	bob.typed("add " + must(t, homes["alice"], "card"))
	bob.until("alice is in your contacts.")

	alice.typed("call bob")
	bob.until("Incoming call from alice, not verified.")
	bob.until("Why it rings: ")
	bob.until("If you answer: Your microphone opens")
	bob.typed("text answer") // a line that was meant for something else
	bob.until("That did not work. ")
	bob.typed("decline not now, \x1b[31mlater")
	bob.until("Call ended.")
	alice.until("Call ended. ")
	alice.until("They wrote: not now, [31mlater")

	alice.typed("call bob")
	bob.until("Type answer, decline")
	time.Sleep(2 * grace) // what is typed sooner does not answer
	bob.typed("answer")
	alice.until("Connected to bob, not verified.")
	bob.until("Connected to alice, not verified.")
	bob.typed("verify alice")
	bob.until("alice is verified.")
	bob.typed("hold")
	bob.until("On hold: neither side is heard.")
	alice.until("bob has put you on hold.")
	bob.typed("resume")
	alice.until("bob has taken you off hold.")
	alice.typed("text see you at nine")
	bob.until("alice writes: see you at nine")
	alice.asked("proof", "Encryption: Two layers")
	alice.typed("hangup")
	bob.until("Call ended. ")
	bob.until("Receipt: ")
	bob.typed("history")
	bob.until("from alice: ")
	for _, s := range []*session{alice, bob} {
		s.typed("quit")
		s.left()
	}
}
