package call

// A second call while one talks: with calls.waiting on, a contact's call waits. It is
// a call like any other, told "ringing" like any other, but makes no sound, since that
// would be heard in the first. When the first ends it becomes the one that rings.

// AnswerWaiting hangs up the call that talks and answers the one that waits.
func (e *Engine) AnswerWaiting() error {
	return e.waitingCommand(e.answerWaitingLocked)
}

func (e *Engine) answerWaitingLocked(c *call) error {
	select {
	case c.answered <- struct{}{}:
		c.after = e.current.done // the devices are free only then
		e.current.end(&ended{reason: HungUp})
	default:
	}
	return nil
}

// DeclineWaiting refuses the call that waits; the one that talks goes on.
func (e *Engine) DeclineWaiting() error { return e.waitingCommand(declineWaitingLocked) }

func declineWaitingLocked(c *call) error {
	c.end(&ended{reason: DeclinedHere})
	return nil
}

// AnswerCall answers the very call of that Info.ID and no other: one that rings as
// Answer does, one that waits as AnswerWaiting does. It is for an answer that comes from
// elsewhere than the screen and may be late; ErrNoCall when that call rings no more.
func (e *Engine) AnswerCall(id string) error {
	return e.callCommand(id, (*call).answerLocked, e.answerWaitingLocked)
}

// DeclineCall refuses the very call of that Info.ID, ringing or waiting; ErrNoCall when
// that call rings no more.
func (e *Engine) DeclineCall(id string) error {
	return e.callCommand(id, func(c *call) error { return c.declineLocked("") }, declineWaitingLocked)
}

func (e *Engine) callCommand(id string, ringing, waiting func(*call) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.current != nil && e.current.info.ID == id:
		return ringing(e.current)
	case e.waiting != nil && e.waiting.info.ID == id:
		return waiting(e.waiting)
	}
	return ErrNoCall
}

func (e *Engine) waitingCommand(do func(*call) error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.waiting == nil {
		return ErrNoCall
	}
	return do(e.waiting)
}

// beginWaiting makes c the call that waits, or reports that none may.
func (e *Engine) beginWaiting(c *call) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.current == nil || e.current.info.Phase != Connected || e.waiting != nil {
		return ErrBusy
	}
	if err := e.joinLocked(c); err != nil {
		return err
	}
	e.waiting = c
	e.publish(Event{Kind: EventWaiting, Call: c.copyLocked()})
	return nil
}

// leaveLocked takes a call that has ended out of its place; next is the one that
// waited for that, or nil. The caller holds e.mu.
func (e *Engine) leaveLocked(c *call) (next *call) {
	if e.waiting == c {
		e.waiting = nil
		return nil
	}
	next = e.waiting
	e.current, e.waiting, e.last = next, nil, c
	if next != nil {
		close(next.promoted)
	}
	return next
}
