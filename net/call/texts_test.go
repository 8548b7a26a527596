package call_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sotto/net/call"
)

func TestLinesOfTextArriveOnceAndClean(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	if err := alice.engine.SendText("too early"); !errors.Is(err, call.ErrNoCall) {
		t.Errorf("without a call: %v", err)
	}
	talking(t, alice, bob)
	alice.do(alice.engine.SendText("hello \x1b[31m\u202eworld\n"))
	if got := bob.await(call.EventText).Text; got.Body != "hello [31mworld" || got.Mine {
		t.Errorf("%+v", got)
	}
	bob.do(bob.engine.SendText(strings.Repeat("é", 300)))
	if got := alice.next(call.EventText, func(e call.Event) bool { return !e.Text.Mine }).Text; got.Body != strings.Repeat("é", 100) {
		t.Errorf("%d bytes: %q", len(got.Body), got.Body)
	}
	for _, nothing := range []string{"", " ", "\u200b\x07"} {
		if err := alice.engine.SendText(nothing); !errors.Is(err, call.ErrNoText) {
			t.Errorf("%q: %v", nothing, err)
		}
	}
	// A machine that writes is stopped here, not at the other side.
	sent := 1
	for ; ; sent++ {
		if err := alice.engine.SendText(fmt.Sprint("line ", sent)); errors.Is(err, call.ErrTooFast) {
			break
		} else if err != nil || sent > 100 {
			t.Fatal(sent, err)
		}
	}
	for n := 1; n < sent; n++ {
		if got := bob.next(call.EventText, func(e call.Event) bool { return !e.Text.Mine }).Text.Body; got != fmt.Sprint("line ", n) {
			t.Errorf("line %d is %q", n, got)
		}
	}
	time.Sleep(3 * time.Second) // longer than until something not taken is sent again
	his, hers := bob.engine.Snapshot().Call.Texts, alice.engine.Snapshot().Call.Texts
	if len(his) != sent+1 || len(hers) != sent+1 {
		t.Errorf("bob has %d lines and alice %d, not %d: %+v", len(his), len(hers), sent+1, his)
	}
	alice.do(alice.engine.HangUp())
	bob.ended(call.PeerHungUp)
}

func TestADeclineWithALineOfText(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	if err := bob.engine.DeclineWith("\u200b"); !errors.Is(err, call.ErrNoText) {
		t.Error(err)
	}
	bob.do(bob.engine.DeclineWith("in five\tminutes\a"))
	bob.ended(call.DeclinedHere)
	event := alice.await(call.EventEnded)
	if event.Call.Reason != call.Declined || event.Call.Declined() != "in five minutes" {
		t.Errorf("%s: %+v", event.Call.Reason, event.Call.Texts)
	}
}

func TestASilencedCallRingsOnWithoutASound(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	alice.do(alice.engine.Dial("bob"))
	bob.await(call.EventIncoming)
	alice.await(call.EventRinging)
	bob.until("it rings", func() bool { return bob.rings.Load() == 1 })
	bob.do(bob.engine.Silence())
	bob.until("it is quiet", func() bool { return bob.rings.Load() == 0 })
	if info := bob.engine.Snapshot().Call; !info.Silenced || info.Phase != call.Incoming {
		t.Errorf("%+v", info)
	}
	if info := alice.engine.Snapshot().Call; info.Phase != call.Ringing {
		t.Errorf("the caller was told something: %+v", info)
	}
	bob.do(bob.engine.Answer())
	alice.await(call.EventConnected)
	if err := bob.engine.Silence(); !errors.Is(err, call.ErrNoCall) {
		t.Errorf("a call that talks: %v", err)
	}
}

func TestDeafenedIsMutedAndComesBackAsItWas(t *testing.T) {
	w := newWorld(t)
	a, b := person(t, w, 0, "alice"), person(t, w, 1, "bob")
	alice, bob := keep(t, a, everyone, b.Contact()), keep(t, b, everyone, a.Contact())
	talking(t, alice, bob)
	is := func(what string, muted, deafened bool) {
		t.Helper()
		if info := alice.engine.Snapshot().Call; info.Muted != muted || info.Deafened != deafened {
			t.Errorf("%s: muted %v, deafened %v", what, info.Muted, info.Deafened)
		}
	}
	alice.do(alice.engine.SetDeafened(true))
	is("deafened", true, true)
	alice.until("she is found to speak, muted", func() bool { return alice.engine.Snapshot().Call.TalkingMuted })
	alice.until("nothing is heard", func() bool { return alice.engine.Snapshot().Call.Stats.LevelOut <= -90 })
	alice.do(alice.engine.SetDeafened(false))
	is("hearing again", false, false)
	alice.do(alice.engine.SetMuted(true))
	alice.do(alice.engine.SetDeafened(true))
	alice.do(alice.engine.SetDeafened(false))
	is("muted before", true, false)
	alice.do(alice.engine.SetDeafened(true))
	alice.do(alice.engine.SetMuted(false))
	is("opening the microphone", false, false)
	alice.until("she is heard", func() bool { return bob.engine.Snapshot().Call.Stats.LevelOut > -40 })
	if p := alice.engine.Snapshot().Call.Proof; p.PairTypes != "relay-relay" || p.RelayLocalHost != a.Account.Relay.HostPort() || p.RelayRemoteHost != b.Account.Relay.HostPort() {
		t.Errorf("%+v", p)
	}
}
