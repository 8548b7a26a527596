package dsp

import "runtime"

// Module is a part of the voice processing that is fetched when Sotto is built.
type Module struct {
	Name    string // RNNoise
	Does    string // what a person loses without it
	Present bool   // this build has it, and this machine can run it fast enough
}

// Modules lists them.
func Modules() []Module {
	return []Module{{Name: "RNNoise", Does: "noise suppression", Present: noiseAvailable()}}
}

// noiseAvailable: wazero compiles to machine code on two architectures; interpreted,
// RNNoise would take longer than the sound lasts.
func noiseAvailable() bool {
	return len(rnnoiseModule) > 0 && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
}
