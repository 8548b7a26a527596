package tui

import (
	"regexp"
	"strings"
	"testing"

	"sotto/audio"
	"sotto/net/call"
	"sotto/net/line"
	"sotto/net/pair"
	"sotto/net/profile"
	"sotto/settings"
)

// TestErrorsNameNoCommand holds the pieces against the errors that they are of: on the
// screens and in plain lines there is no command line to type the remedy into.
func TestErrorsNameNoCommand(t *testing.T) {
	command := regexp.MustCompile(`\bsotto (settings|contacts|invite|join|setup|devices|doctor|call)\b|--[a-z]`)
	pieces := make(map[string]bool)
	for _, err := range []error{
		audio.ErrNoDevices, audio.ErrHangs, call.ErrCallingOff, call.ErrNoContact, line.ErrUnreachable, line.ErrUntrusted, line.ErrExpired, line.ErrProxy, line.ErrPinMismatch,
		line.ErrRefused, pair.ErrWrongCode, pair.ErrExpired, pair.ErrNobody, pair.ErrBroken, pair.ErrTheyKnow, pair.ErrTheyLost,
		profile.ErrNoRelay, profile.ErrProxyHere, profile.ErrOtherKey, profile.ErrOwnCard, profile.ErrNameTaken, profile.ErrKeyTaken,
		profile.ErrBadName, profile.ErrUnverified, settings.ErrNotSetUp,
	} {
		for _, told := range []string{inScreens(err.Error()), InLines(err.Error())} {
			if found := command.FindString(told); found != "" {
				t.Errorf("%q is told of by %q", told, found)
			}
		}
		for _, piece := range toDo {
			pieces[piece.command] = pieces[piece.command] || strings.Contains(err.Error(), piece.command)
		}
	}
	// These two stand in errors that have no name.
	delete(pieces, "sotto devices lists those there are")
	delete(pieces, "ask whoever runs it for the token and set relay.admission")
	for piece, found := range pieces {
		if !found {
			t.Errorf("no error says %q any more", piece)
		}
	}
}
