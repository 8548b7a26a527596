// Package wire holds the layouts of everything that crosses a line.
//
// Two things travel. Sealed envelopes go from person to person, through a drop
// at a gateway; frames carry them, and little else, between a client (or another
// relay) and a gateway. Every number is big endian. Every frame is one binary
// WebSocket message of exactly FrameSize bytes, zero padded, in both directions,
// so that lengths tell an observer nothing.
//
//	client                                    gateway
//	            ← Challenge  nonce, clock, version
//	Hello       role, receive key and signature, admission token →
//	            ← Welcome    clock, admitted       (or Refused, and the end)
//
//	a receiving line:
//	Register    part i of n, drop ids →
//	            ← Registered                       once the last part is in
//	            ← Deliver    envelope              whenever one arrives
//
//	any line:
//	Send        destination relay, envelope →
//	            ← Taken                            at once, always the same
//	            ← Undeliverable  destination       own relay cannot reach that one
//	CredentialRequest →
//	            ← Credential  user, password, TURN address, expiry
//	            ← Refused     reason               instead of an answer
//
//	adding a person by a spoken code (net/pair):
//	BoxRequest →                               on a receiving line
//	            ← Box         number, expiry
//	            ← Deliver     envelope             the first to fill it, and the box is gone
//	BoxSend     relay of the box, envelope →       on any line; Taken, as for Send
//
// A request carries a sequence number of the client's choosing and its answer
// repeats it; Challenge, Welcome, Deliver and Undeliverable carry zero. Answers
// to one line come in the order of its requests.
//
// An envelope for a drop at another relay is sent to one's own relay with the
// other's address; that relay opens a sending line of its own and sends the same
// envelope on with no destination, so it travels at most one hop further.
//
// The signature of a receiving line covers a label, the gateway's nonce and the
// gateway's host:port, so that no other gateway can replay it. The signature of
// an envelope is described at Envelope.
package wire
