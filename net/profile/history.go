package profile

import (
	"slices"
	"time"

	"sotto/settings"
)

// Record writes a call that is over into the history, as far as calls.history lets it.
func (p *Profile) Record(entry settings.HistoryEntry) error {
	return settings.AddHistory(p.Paths.History, p.lastGood().Calls.History, entry, time.Now())
}

// History are the calls that are over, newest first.
func (p *Profile) History() ([]settings.HistoryEntry, error) {
	calls, err := settings.LoadHistory(p.Paths.History, p.lastGood().Calls.History, time.Now())
	slices.Reverse(calls)
	return calls, err
}

// ForgetHistory deletes the history.
func (p *Profile) ForgetHistory() error { return settings.ForgetHistory(p.Paths.History) }

// TidyHistory deletes the history if calls.history says that there shall be none.
func (p *Profile) TidyHistory() error {
	if p.lastGood().Calls.History != settings.KeepNothing {
		return nil
	}
	return p.ForgetHistory()
}

// MissedSince counts the calls that came in after a moment and were not answered or
// declined here.
func (p *Profile) MissedSince(moment time.Time) (int, error) {
	calls, err := p.History()
	missed := 0
	for _, entry := range calls {
		if entry.Incoming && entry.Time.After(moment) && slices.Contains([]string{"missed", "silenced", "busy"}, entry.Outcome) {
			missed++
		}
	}
	return missed, err
}
