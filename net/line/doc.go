// Package line is a person's line to the gateway of their relay: one TLS 1.3
// connection carrying the frames of net/wire over a WebSocket.
//
// A receiving line logs in with a receive key and registers drops; Keep holds one
// open for as long as calls are on. A sending line is opened for one call, is
// nameless, and is closed with it. Both can send. The gateway is known by the pin
// in its address or, without one, by a certificate that the system trusts, and by
// nothing else. Nothing is resolved, dialled or read before Open.
package line
