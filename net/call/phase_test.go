package call

import "testing"

// TestTransitions spells the table out, so that a change of it is a change of this test.
func TestTransitions(t *testing.T) {
	allowed := map[[2]Phase]bool{
		{Dialling, Ringing}: true, {Dialling, Connecting}: true, {Dialling, Ended}: true,
		{Ringing, Connecting}: true, {Ringing, Ended}: true,
		{Incoming, Connecting}: true, {Incoming, Ended}: true,
		{Connecting, Connected}: true, {Connecting, Ended}: true,
		{Connected, Ended}: true,
	}
	all := []Phase{Dialling, Ringing, Incoming, Connecting, Connected, Ended}
	for _, from := range all {
		for _, to := range all {
			if from.mayMove(to) != allowed[[2]Phase{from, to}] {
				t.Errorf("%v to %v: %v", from, to, from.mayMove(to))
			}
		}
	}
	if Incoming.mayMove(Connected) {
		t.Error("a call that came in may be connected without an answer")
	}
}

func TestAnIllegalMovePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a call moved from ended to connected")
		}
	}()
	c := &call{info: Info{Phase: Ended}}
	c.moveLocked(Connected)
}
