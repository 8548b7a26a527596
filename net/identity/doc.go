// Package identity holds who a person is: one Ed25519 key, the card that tells
// others how to reach them, and every key that follows from the two.
//
// One seed makes everything. Its Ed25519 key signs cards; the Montgomery form of
// the same key (RFC 7748 §4.1) is the static key of the Noise handshake. No
// contact, relay or stranger is ever shown a key that was not derived for them.
//
// # Labels
//
// Every derivation and every hash, here and in net/handshake, starts with its own
// label, a version and a zero byte, so that no output can stand in for another.
// This is the whole list, with net/pair's; a test compares it with the code. What relays check has
// labels of its own, in net/wire.
//
//	label                       by          from                        and             gives
//	sotto/identity/receive/1    HKDF        seed                        relay host:port Ed25519 seed of the receive key
//	sotto/identity/pair/1       HKDF        X25519(own, other)          from, to, week  Ed25519 seed of a contact's drop
//	sotto/identity/carddrop/1   HKDF        card secret                 owner, week     Ed25519 seed of the card's drop
//	sotto/identity/answer/1     HKDF        call secret                                 Ed25519 seed of the caller's answer drop
//	sotto/identity/words/1      HKDF        nonce A, nonce B;           caller, callee  44 bits: four words
//	                                        salt = handshake hash
//	sotto/identity/card/1       Ed25519     card                                        the card's signature
//	sotto/identity/checksum/1   SHA-256     signed card                                 4 bytes that catch a wrong letter
//	sotto/handshake/prologue/1  Noise       (mixed into the hash)                       the protocol's version
//	sotto/handshake/presence/1  Noise       (mixed into the hash)                       the same, of a word of presence
//	sotto/handshake/commit/1    SHA-256     call id, nonce A                            the commitment in the knock
//	sotto/handshake/control/1   HKDF        call secret                 call id, way    key of ringing, declined, busy, cancel
//	sotto/handshake/confirm/1   HKDF        the call's secret           call id, way    key of the caller's confirmation
//	sotto/handshake/signal/1    HKDF        the call's secret           call id, way    key of confirmed, hold, resume, bye
//	sotto/handshake/frame/1     HKDF        the call's secret           call id, way    AES key and salt of the frame seal
//	sotto/handshake/pairing/1   Noise       (mixed into the hash)       clear part              the pairing's version
//	sotto/pair/words/1          Argon2id    the four words              host, number, day       pre-shared key of a pairing
//
// HKDF is RFC 5869 with SHA-256. "The call's secret" is described at the head of
// net/handshake; "way" is one byte, 1 from caller to callee, 2 back.
package identity
