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

// History are the calls that are over, newest first, and when the person last looked.
func (p *Profile) History() (calls []settings.HistoryEntry, looked time.Time, err error) {
	calls, looked, err = settings.LoadHistory(p.Paths.History, p.lastGood().Calls.History, time.Now())
	slices.Reverse(calls)
	return calls, looked, err
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

// LookAtHistory notes that the person looks at the history now.
func (p *Profile) LookAtHistory() error {
	return settings.LookAtHistory(p.Paths.History, p.lastGood().Calls.History, time.Now())
}
