package tui

import (
	"strings"

	"sotto/net/call"
	"sotto/settings"
)

// What follows are sentences of the screens, for an interface without screens: both
// say the same of a call, computed from the same proof.

// Claims say who can hear a call and who sees which address, a sentence or two each.
func Claims(info *call.Info, here bool) []string {
	return spoken(claims(info, info.Peer.Name, here))
}

// Facts are what the proof shows beyond the claims.
func Facts(info *call.Info) []string { return spoken(facts(info, info.Peer.Name)) }

func spoken(all []claim) []string {
	lines := make([]string, 0, len(all))
	for _, one := range all {
		lines = append(lines, one.label+": "+strings.TrimSuffix(one.text, ".")+".")
	}
	return lines
}

// Connection is how the connection of a call is at this moment; "" where there is none.
func Connection(info *call.Info) string {
	if info.Quality.Word == "" {
		return ""
	}
	return sentence("the connection is " + connection(info))
}

// Incoming says of a call that rings why it may, what answering gives away, and what
// the caller knows before.
func Incoming(snap call.Snapshot, inForce map[string]string, info *call.Info) (why, reveals, before string) {
	w := &world{snap: snap, settings: inForce}
	return w.why(info), w.answerReveals(info), w.beforeAnswer(info)
}

// Hears is whether somebody, or something, is heard at a microphone's level in dBFS.
func Hears(level float64) bool { return level > hearable }

// Outcome is how a call went, in a word or a few.
func Outcome(entry settings.HistoryEntry) string { return outcomeOf(entry) }

// Sentence makes a text begin and end as a sentence does.
func Sentence(text string) string { return sentence(text) }
