package hotplug

import "testing"

// TestNobodyHurriesForNothing: a machine without sound is asked ever more seldom,
// and at the usual pace again once there is a device.
func TestNobodyHurriesForNothing(t *testing.T) {
	h := newHardware(nil, nil)
	h.urgent = 1
	for range emptyAnswers {
		if got := h.pause(true); got != pollSoon {
			t.Fatalf("asked again after %v, while a server may be restarting", got)
		}
	}
	last := pollSoon
	for range 60 {
		got := h.pause(true)
		if got < last || got > pollSeldom {
			t.Fatalf("asked again after %v, before that %v", got, last)
		}
		last = got
	}
	if last != pollSeldom {
		t.Errorf("in the end asked every %v", last)
	}
	if got := h.pause(false); got != pollSoon {
		t.Errorf("with a device there, asked again after %v", got)
	}
}
