//go:build cgo && !noaudio && !linux

package device

// quiet is for libasound, which is Linux's.
func quiet() {}
