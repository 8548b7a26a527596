package turn

import "testing"

// TestCallsThatWentWrongElsewhere: see the test of that name in net/call.
func TestCallsThatWentWrongElsewhere(t *testing.T) {
	// 2020: Slack's TURN servers carried into its own network and to the cloud's metadata.
	t.Run("SlackTURNReachedItsOwnNetwork", func(t *testing.T) {
		t.Run("private and translated addresses", forbiddenPeers)
		t.Run("own other ports", ownOtherPorts)
	})
}
