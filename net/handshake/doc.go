// Package handshake agrees the keys of one call between two identities, so that
// nobody in between can listen, now or with a quantum computer later, and seals
// everything that follows.
//
//	caller                                                            callee
//	Call            nonce A, call secret, ML-KEM-768 key pair
//	  .Knock   ──►  Noise IK message 1 {call id, expiry, call secret,
//	                ML-KEM key, H(nonce A), flags, card}          ──►  OpenKnock
//	.OpenControl ◄─ ringing, declined or busy,                   ◄──    .SealControl
//	.SealCancel ──► or cancel, under keys of the call secret     ──►    .OpenCancel
//	                                                            (a person answers)
//	.ReadAnswer ◄─  Noise IK message 2 {ML-KEM ciphertext,       ◄──    .Answer
//	                nonce B, drop seed, offer, card}
//	  Session       both now have the call's secret                       Session
//	.SealConfirm ─► {nonce A, offer, card}                       ──►    .OpenConfirm
//	.Words                              H(nonce A) held, and only now:  .Words
//	.OpenSignal ◄─  confirmed                                    ◄──    .SealSignal
//	.FrameSealer ◄► sealed frames, hold, resume, bye             ◄─►    .FrameSealer
//
// # Keys
//
// The handshake is Noise_IK_25519_ChaChaPoly_SHA256 (noiseprotocol.org, revision
// 34) with the X25519 form of the two identities as static keys. The call's secret
// is
//
//	both Noise split keys ‖ ML-KEM-768 shared secret
//
// and every key of the call is HKDF-SHA256 of it with the handshake hash as salt
// and label ‖ call id ‖ way as info; the labels are listed in net/identity. Whoever
// breaks X25519 alone, or ML-KEM alone, has none of them. The ML-KEM key and
// ciphertext travel inside the Noise messages, so the handshake hash covers both.
// The handshake hash itself is public and never used as a secret.
//
// # The commitment
//
// The safety words hang on the nonces of both sides. If the caller could choose
// nonce A after it saw nonce B, somebody in the middle could search for a pair of
// calls with equal words. So the knock carries H(call id, nonce A), the answer
// nonce B, and only then is nonce A shown. OpenConfirm checks it before it looks at
// anything else; until it held, a callee's Session gives no words and no frame keys.
//
// # The look of a message
//
// All bodies have wire.BodySize bytes, and none says what it is: a reader tries its
// keys. Noise messages begin with an X25519 public key, which is not quite random
// (half of all 32-byte strings are none), so every other body begins with a fresh
// one too; its first 24 bytes are the nonce of XChaCha20-Poly1305 and all of it is
// authenticated.
package handshake
