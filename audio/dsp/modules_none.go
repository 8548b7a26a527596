//go:build !voicemodules

package dsp

// rnnoiseModule is not in this build: make fetches it where npm is.
var rnnoiseModule []byte
