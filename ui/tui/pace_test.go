package tui

import (
	"testing"
	"time"

	"sotto/net/call"
)

// pending is the one tick of the current series, if there is any.
func (d *driver) pending() (tick, bool) {
	for i := len(d.ticks) - 1; i >= 0; i-- {
		if d.ticks[i].wait == d.m.every {
			return d.ticks[i], true
		}
	}
	return tick{}, false
}

func TestTicksOnlyWhileSomethingMoves(t *testing.T) {
	for _, test := range []struct {
		name    string
		phase   call.Phase
		environ []string
		want    time.Duration
	}{
		{"no call", 0, inColour, 0},
		{"dialling", call.Dialling, inColour, time.Second},
		{"incoming", call.Incoming, inColour, time.Second},
		{"connecting", call.Connecting, inColour, time.Second},
		{"connected", call.Connected, inColour, 100 * time.Millisecond},
		{"connected over SSH", call.Connected, append([]string{"SSH_TTY=/dev/pts/3"}, inColour...), 200 * time.Millisecond},
		{"ended", call.Ended, inColour, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDriver(t, &fakeCalls{}, newFakeProfile(true), test.environ...)
			if test.phase != 0 {
				d.calls.change(func(s *call.Snapshot) { s.Call = aCall(); s.Call.Phase = test.phase })
			}
			d.ticks = nil
			d.happen()
			if d.m.every != test.want {
				t.Fatalf("ticks come every %v, want %v", d.m.every, test.want)
			}
			for range 5 {
				next, ok := d.pending()
				if test.want == 0 {
					if ok && next.wait != grace {
						t.Fatalf("there is a tick of %v", next.wait)
					}
					return
				}
				if !ok {
					t.Fatal("the ticks have stopped")
				}
				d.ticks = nil
				d.now = d.now.Add(next.wait)
				d.send(next.fire(d.now))
			}
		})
	}
}

func TestThereIsNeverMoreThanOneSeriesOfTicks(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.calls.change(func(s *call.Snapshot) { s.Call = aCall() })
	d.ticks = nil
	for range 10 {
		d.happen() // events in between must not start further series
	}
	d.press("tab", "tab", "m", "m")
	waiting := d.ticks
	for range 5 {
		now := waiting
		d.ticks = nil
		for _, one := range now {
			d.now = d.now.Add(one.wait)
			d.send(one.fire(d.now))
		}
		waiting = d.ticks
	}
	if len(waiting) != 1 {
		t.Errorf("%d series of ticks run side by side", len(waiting))
	}
}

func TestALateSnapshotDoesNotBringAnEndedCallBack(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	d.calls.change(func(s *call.Snapshot) { s.Call = aCall() })
	d.happen()
	late := d.m.pull()
	lateAnswer := late()
	d.calls.change(func(s *call.Snapshot) { s.Call.Phase, s.Call.Reason = call.Ended, call.PeerHungUp })
	d.happen()
	d.send(lateAnswer)
	d.wants("bob hung up.")
	if d.m.every != 0 {
		t.Error("ticks go on after the call")
	}
}

func TestTheScreenFollowsTheCall(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true))
	for _, step := range []struct {
		change func(*call.Info)
		says   string
	}{
		{before(call.Dialling), "The call is on its way."},
		{before(call.Ringing), "It rings at the other end."},
		{before(call.Connecting), "Nobody yet: no sound is sent before the encryption stands."},
		{func(*call.Info) {}, "You and bob, nobody else"},
		{func(i *call.Info) { i.Proof.Encrypted = false }, "Not shown: the connection cannot prove right now"},
		{func(i *call.Info) { i.Proof.Route, i.Proof.PeerSees = "direct", "198.51.100.7:50000" }, "bob sees 198.51.100.7:50000, your own address"},
		{func(i *call.Info) { i.Proof.RelayLocal = "127.0.0.1:51402" }, "Your relay, at 127.0.0.1, is this machine."},
		{func(i *call.Info) { i.Proof.Route = "" }, "Not shown yet: there is no connection."},
		{func(i *call.Info) { i.Held = true }, "On hold: neither side is heard."},
		{over(call.Lost, ""), "The connection was lost."},
	} {
		d.calls.change(func(s *call.Snapshot) {
			s.Call = aCall()
			step.change(s.Call)
		})
		d.happen()
		d.wants(step.says)
	}
}
