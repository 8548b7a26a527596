// Package call runs calls: it registers the drops that policy allows, rings,
// answers, and carries each call from its knock to its last frame.
//
// An Engine belongs to one profile. It owns at most one station (the account on
// the own relay, with the kept line) and at most one live call. Each live call
// has one goroutine that reads from top to bottom: dial or ring in outgoing.go
// and incoming.go, then converse in converse.go. Remote messages reach it only
// through its inbox, a person's commands only through its command channels;
// nothing a remote message does can move a call to sending sound, because the
// only way into converse for a call that came in is the answer channel, which
// only Answer (a person) or an auto-answer rule (a person's) writes to.
//
// # Messages of a call
//
//	caller                                     callee
//	knock → pair drop (and card drop)          drops.go decides whether it may ring
//	                       answer drop ← ringing | declined | busy
//	cancel → the drop it knocked at
//	                       answer drop ← answer
//	confirm → callee's ephemeral drop
//	                       answer drop ← confirmed
//	hold, resume, bye ↔ the two ephemeral drops
//
// Lines deliver at most once, so each side repeats its last message until the
// next one arrives (repeat in mail.go).
package call
