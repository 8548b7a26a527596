//go:build cgo && !noaudio && !linux

package device

// quiet is for libasound, which is Linux's.
func quiet() {}

// cards is for ALSA, which no other system has.
func cards() bool { return true }
