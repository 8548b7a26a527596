//go:build !cgo || noaudio

package codec

import (
	"sotto/audio"
	"sotto/audio/codec/pure"
)

func newEncoder() (audio.Encoder, error) { return pure.NewEncoder() }

func newDecoder() (audio.Decoder, error) { return pure.NewDecoder() }
