// Package measure says how good transmitted sound is: how well it is understood
// (ESTOI, estoi.go), how long it was on its way (delay.go) and where it clicks
// (clicks.go). Tests and benches use it; a call does not.
//
// Sound is mono float32 in [-1, 1] at any rate; two signals that are compared have
// the same rate.
package measure
