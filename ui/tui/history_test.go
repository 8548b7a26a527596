package tui

import (
	"slices"
	"strings"
	"testing"

	"sotto/net/call"
	"sotto/settings"
)

func withPast(t *testing.T) *driver {
	t.Helper()
	profile := newFakeProfile(true, someContacts...)
	profile.history = slices.Clone(somePast)
	return newDriver(t, &fakeCalls{}, profile)
}

func TestMissedCallsAreShownUntilTheHistoryWasSeen(t *testing.T) {
	d := withPast(t)
	d.wants("2 missed calls: h shows the history.", "carol ? not verified ← 1 missed call", "bob ✓ verified last call 14:00")
	d.now = start.Add(somePast[0].Time.Sub(start) + 1)
	d.press("h")
	d.wants("History", "› ← carol missed 15:05", "silenced, not answered", "→ bob answered, 12:34 14:00", "ended: keys did not match")
	d.press("esc")
	d.wantsNot("missed call")
}

func TestACallThatWasRecordedIsShown(t *testing.T) {
	d := newDriver(t, &fakeCalls{}, newFakeProfile(true, someContacts...))
	d.press("h")
	d.wants("No call yet.")
	d.profile.history = somePast[:1]
	d.send(eventHappened{call.EventRecorded})
	d.wants("› ← carol missed")
}

func TestTheHistoryBlocksAndCalls(t *testing.T) {
	d := withPast(t)
	d.press("h", "enter")
	d.wants("carol called you: missed.", "Wednesday 4 March 2026, 15:05")
	d.press("b")
	d.wants("carol is blocked", "Calls from carol do not ring here.")
	d.press("b", "i")
	d.wants("Who it is", "Last call 15:05, missed.")
	d.press("esc", "r")
	d.wantsAsked("dial carol")
}

func TestTheHistoryIsFoundAndDeleted(t *testing.T) {
	d := withPast(t)
	d.press("h", "/")
	d.write("declined")
	d.press("enter")
	d.wants("› ← 山田太郎 🎧 declined by you Tue 13:00", "carol")
	d.press("x", "enter")
	d.wants("carol")
	d.press("x", "down", "enter")
	d.wants("The history was deleted.", "No call yet.")
	d.profile.settings["calls.history"] = "off"
	d.send(changed{})
	d.wants("the history is off")
}

func TestEveryOutcomeHasWords(t *testing.T) {
	for _, reason := range []call.Reason{
		call.HungUp, call.PeerHungUp, call.Declined, call.DeclinedHere, call.Busy, call.NoAnswer, call.Cancelled,
		call.Missed, call.Unreachable, call.Mismatch, call.Lost, call.DeviceFailed, call.Failed,
	} {
		for _, incoming := range []bool{true, false} {
			for _, silenced := range []bool{true, false} {
				entry := call.Info{Reason: reason, Incoming: incoming, Silenced: silenced}.Entry()
				if _, ok := outcomes[entry.Outcome]; !ok {
					t.Errorf("%q has no words", entry.Outcome)
				}
			}
		}
	}
	if got := outcomeOf(settings.HistoryEntry{Outcome: "something new"}); got != "something new" {
		t.Errorf("an outcome without words is shown as %q", got)
	}
}

// TestTheBadgeOfMissedCallsIsKept: what was missed before the program started is told,
// until the history is looked at, and not again after a new start.
func TestTheBadgeOfMissedCallsIsKept(t *testing.T) {
	profile := newFakeProfile(true, someContacts...)
	profile.history = somePast
	d := newDriver(t, &fakeCalls{snap: ready}, profile)
	d.resize(40, 12)
	d.wants("2 missed calls: h shows the history.", "← 1")
	d.press("h", "esc")
	d.wants("carol")
	d.wantsNot("missed", "← 1")
	if again := newDriver(t, &fakeCalls{snap: ready}, profile); strings.Contains(again.flat(), "missed") {
		t.Errorf("after a new start:\n%s", again.seen())
	}
}
