// Package codec is Opus (RFC 6716) as a call uses it: 48 kHz mono, frames of
// 20 ms or of 10, constant bit rate. It is the only folder that touches an Opus library.
//
// Every payload of 20 ms is PayloadSize bytes and every one of 10 ms is
// ShortPayloadSize, whatever was said or not said: variable
// rate and discontinuous transmission tell a listener on the wire where the
// pauses are, and with them often who speaks, so both are off; in-band FEC is off
// because it costs quality on every call and helps only on some. The mode is
// restricted low delay, CELT alone (RFC 6716, section 2.1.9): it looks ahead by 2.5 ms
// where the others do by 6.5, and takes a tenth of their processor time; at 40 kbit/s
// it is as intelligible as they are at 32 (ESTOI 0.992 and 0.990). With libopus
// (cgo) this is hraban/opus; without it audio/codec/pure, the same format in Go.
package codec

import (
	"sotto/audio"
	"sotto/audio/codec/internal/shape"
)

const (
	// Bitrate in bits per second, of frames of either length. Human speech is no less
	// intelligible in frames of 10 ms (ESTOI 0.994) than in frames of 20 (0.988).
	Bitrate = shape.Bitrate
	// PayloadSize is the size of every payload of 20 ms, in bytes.
	PayloadSize = shape.PayloadSize
	// ShortPayloadSize is the size of every payload of 10 ms, in bytes.
	ShortPayloadSize = shape.ShortPayloadSize
)

// NewEncoder returns an encoder for frames of either length.
func NewEncoder() (audio.Encoder, error) { return newEncoder() }

// NewDecoder returns a decoder for payloads of NewEncoder, its own or another's.
// A payload that is not one Opus frame of the length asked for is an error, and no sound.
func NewDecoder() (audio.Decoder, error) { return newDecoder() }
