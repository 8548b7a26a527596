package pair

import "testing"

// TestCallsThatWentWrongElsewhere: see the test of that name in net/call.
func TestCallsThatWentWrongElsewhere(t *testing.T) {
	// croc, 2021: a relay in the middle could guess at the code, and learnt part of it.
	t.Run("CrocCodeExchangeBroken", func(t *testing.T) {
		t.Run("one try per code", wrongWordIsTheOnlyTry)
		t.Run("the relay in the middle has one guess", manInTheMiddleHasOneGuess)
		t.Run("the relay that reads everything", relayThatReadsEverything)
		t.Run("the relay that changes a message", relayThatChangesAMessage)
	})
}
