// Package pair adds a person by a spoken code: a number and four words, by which
// two people who have nothing of each other exchange their cards, and know that
// it was with each other.
//
//	inviter, on relay A                                joiner, on relay B
//	BoxRequest ► A ► number
//	  shows "A 42 words"            ─── spoken ───►    types it
//	                                                   reply drop, registered at B
//	box 42 at A   ◄── A ◄── B ◄──────────────────────  1  {day, reply drop, B} in clear, Noise message 1
//	  the box is over, whatever it was
//	2  Noise message 2 {drop, own card} ──► A ──► B ──► reply drop
//	own drop      ◄── A ◄── B ◄──────────────────────  3  Noise message 3 {own card}
//	  keeps the card
//	4  {kept} ─────────────────────────► A ──► B ────► reply drop; keeps the card
//
// The words are stretched by Argon2id (RFC 9106) into the pre-shared key of the
// handshake (net/handshake, Pairing), with label ‖ relay host:port ‖ number ‖ UTC
// day as salt. Both sides take the day from their relay's clock; the joiner says
// which it took, and the inviter goes along with yesterday's and tomorrow's.
//
// One try: the inviter answers the first envelope in the box and no other. One that
// does not open is answered with random bytes, which is what a wrong answer looks
// like too: the joiner then knows that the code is used up. From the first envelope
// the rest must take no longer than 20 seconds.
//
// No relay is trusted with anything. The joiner's relay passes the first envelope
// on to a relay of which only the name is known, whoever answers there. One that
// plays the other side has one guess in 2^44 and both people see that it failed.
// It may also test guesses against what it recorded, a second and 64 MiB each; that
// is of use only within those 20 seconds, because the handshake also hangs on keys
// that are made for it and forgotten.
//
// # Layouts
//
// Every message is a body of wire.BodySize bytes, all integers big endian. The
// first, which is what an unknown person may send:
//
//	0    1     format, 1
//	1    4     day, Unix time / 86,400
//	5    32    seed of the reply drop (Ed25519)
//	37   2     length of the joiner's relay address, at most 320
//	39   320   the address, zero padded
//	359  3737  Noise message 1, of 3689 zeros
//
// The first 359 bytes are the context of the handshake. All others are one Noise
// message, whose payload is
//
//	0    1     verdict: 1 go on, 2 another key is known for that person, 3 not kept
//	1    32    seed of the inviter's drop (message 2; else zeros)
//	33   2     length of the card, at most identity.MaxCardSize (messages 2 and 3; else 0)
//	35   …     the signed card, then zeros
package pair
