// Package advice is what can be done about what went wrong, as a kind. Whoever makes
// an error knows what happened and what would help; only a front end knows how a
// person does that there. So errors and sentences carry a Kind, and each front end has
// Words for every one of them.
//
// It knows nothing of the rest of the program, which may all use it.
package advice

import "strings"

// Kind is something that a person can do.
type Kind int

const (
	None             Kind = iota // nothing, or it is in the text already
	SetUp                        // set this profile up
	ChooseRelay                  // choose a relay
	PutInToken                   // put the relay's admission token into the settings
	DropProxy                    // do without the proxy
	TurnCallingOn                // turn calling on
	LookForName                  // look at the names of the contacts
	RenameContact                // give a contact another name
	InviteAgain                  // make a new code
	InviteAndTell                // make a new code, and tell them that one
	SeeDevices                   // look at the names of the sound devices
	DoWithoutDevices             // do without sound devices

	kinds
)

// Text is what happened and what can be done about it. It has no full stop at its end,
// and can be compared. It is an error, too.
type Text struct {
	What string // what happened
	Do   Kind   // its words stand behind What
	Rest string // what stands behind them
}

// New is an error that says what happened and what can be done about it.
func New(what string, do Kind) error { return Text{What: what, Do: do} }

// Error is the text without the advice, for programmers and logs.
func (t Text) Error() string { return t.What + t.Rest }

// After puts something in front of a text.
func (t Text) After(before string) Text {
	t.What = before + t.What
	return t
}

// Of is an error's text with the advice that a Text in its tree gives. The words stand
// right behind that Text's own, wherever other errors have put those. Of nil it is empty.
func Of(err error) Text {
	if err == nil {
		return Text{}
	}
	text, found := err.Error(), find(err)
	before, rest, ok := strings.Cut(text, found.Error())
	if found.Do == None || !ok {
		return Text{What: text}
	}
	return Text{What: before + found.What, Do: found.Do, Rest: found.Rest + rest}
}

// find is the first Text of an error's tree that gives advice.
func find(err error) Text {
	switch err := err.(type) {
	case Text:
		return err
	case interface{ Unwrap() error }:
		return find(err.Unwrap())
	case interface{ Unwrap() []error }:
		for _, each := range err.Unwrap() {
			if found := find(each); found.Do != None {
				return found
			}
		}
	}
	return Text{}
}

// Words are a front end's words for each Kind, beginning with what joins them to the
// sentence before: "; run sotto setup". None has none.
type Words [kinds]string

// Say is an error's text with its advice in these words; "" for nil.
func (w *Words) Say(err error) string {
	text := Of(err)
	return text.What + w[text.Do] + text.Rest
}

// Missing are the kinds that have no words. Every front end has a test that there are none.
func (w *Words) Missing() []Kind {
	var missing []Kind
	for kind := None + 1; kind < kinds; kind++ {
		if w[kind] == "" {
			missing = append(missing, kind)
		}
	}
	return missing
}
