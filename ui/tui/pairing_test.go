package tui

import (
	"testing"
	"time"
)

func TestInvitingShowsTheCodeAndThenWhoUsedIt(t *testing.T) {
	profile := newFakeProfile(true)
	profile.invited = make(chan string, 1)
	d := newDriver(t, &fakeCalls{}, profile)
	screen := newInvitation(t.Context())
	d.m.push(screen)
	d.wants("Asking your relay for a number.")
	ended := make(chan invited, 1)
	go func() {
		name, err := profile.Invite(screen.ctx, func(code string) { screen.codes <- code })
		ended <- invited{screen, name, err}
	}()
	d.send(inviteCode{screen, <-screen.codes})
	d.wants("42 apple river stone cloud", "relay.example.org:443 42 apple")
	d.press("p")
	d.resize(120, 40)
	d.wants("█ ▄▄▄▄▄ █")
	profile.invited <- "bob"
	select {
	case result := <-ended:
		d.send(result)
	case <-time.After(30 * time.Second):
		t.Fatal("the invitation does not end")
	}
	d.wants("Contacts", "bob is in your contacts, verified.")
}

func TestAnInvitationThatIsLeftIsGivenUp(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	screen := newInvitation(t.Context())
	d.m.push(screen)
	d.send(inviteCode{screen, "42 a b c d"})
	d.press("esc")
	if screen.ctx.Err() == nil {
		t.Error("it goes on in the background")
	}
	d.send(invited{screen, "", screen.ctx.Err()})
	d.wants("Contacts")
	d.wantsNot("canceled")
}

func TestAnInvitationThatFailsSaysWhy(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true).onRelay())
	d.press("a", "enter")
	d.wants("! The relay does not answer; try again later.", "No code was made.")
	d.press("esc")
	d.wants("› echo")
}

func TestJoiningByACode(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true).onRelay())
	d.press("a", "down", "enter")
	d.write("42 appl")
	d.press("tab")
	d.write("rive")
	d.press("tab")
	d.write("sto")
	d.press("tab")
	d.wants("stock", "stone")
	d.write("ne cloud")
	d.press("enter")
	d.write("Bob")
	d.press("enter")
	d.wants("Bob is in your contacts, verified.", "Contacts")
	if got := d.profile.joined; len(got) != 1 || got[0] != "42 apple river stone cloud" {
		t.Errorf("joined with %q", got)
	}
}

func TestJoiningCanBeGivenUp(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true).onRelay())
	d.press("a", "down", "enter")
	d.write("42 apple river stone cloud")
	d.press("enter")
	command := d.m.update(keyNamed(t, "enter"))
	d.wants("Connecting to them.", "esc cancel")
	d.press("esc")
	d.wants("Contacts")
	d.run(command) // it ends in the background
	d.wants("› echo")
}

// TestInvitingWithoutARelay is led to choose one, and then on to the code.
func TestInvitingWithoutARelay(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.press("a", "enter")
	d.wants("Which relay carries your calls?", "A code is kept at a relay until it is used.")
	d.press("down", "enter")
	d.wants("Type the relay's address")
	d.write("relay.example.org:99999")
	d.press("enter")
	d.wants("Choose a relay")
	for range 30 {
		d.press("backspace")
	}
	d.write("relay.example.org")
	d.press("enter")
	if got := d.profile.settings["relay.address"]; got != "relay.example.org" {
		t.Errorf("relay.address is %q", got)
	}
	d.wants("Tell them a code")
	d.press("esc")
	d.wants("Contacts")
	d.press("c")
	d.wants("My card", "sotto:")
}
