package peer

import (
	"crypto/rand"
	"encoding/binary"
	"sync"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// sender numbers and sends frames.
type sender struct {
	mu     sync.Mutex // guards the following
	writer webrtc.TrackLocalWriter
	header rtp.Header
}

// start makes send work, from a random sequence number and timestamp on (RFC 3550 §5.1).
func (s *sender) start(writer webrtc.TrackLocalWriter, ssrc uint32) {
	var random [6]byte
	rand.Read(random[:]) // never fails (crypto/rand)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writer = writer
	s.header = rtp.Header{
		Version: 2, PayloadType: payloadType, SSRC: ssrc,
		SequenceNumber: binary.BigEndian.Uint16(random[:]),
		Timestamp:      binary.BigEndian.Uint32(random[2:]),
	}
}

// send sends a frame of so many samples, counted at 48 kHz, the RTP clock of Opus (RFC 7587).
func (s *sender) send(frame []byte, samples int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writer == nil {
		return ErrNotConnected
	}
	if _, err := s.writer.WriteRTP(&s.header, frame); err != nil {
		return err
	}
	s.header.SequenceNumber++
	s.header.Timestamp += uint32(samples)
	return nil
}

// track is the outgoing stream as pion wants it: all it does is to give its writer away. (pion's
// own copies each packet.)
type track struct{ writer webrtc.TrackLocalWriter }

// Bind keeps the writer.
func (t *track) Bind(context webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.writer = context.WriteStream()
	return opus, nil
}

// Unbind has nothing to undo.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID names nothing: it never leaves the process.
func (t *track) ID() string { return "sound" }

// RID is none: there is one stream.
func (t *track) RID() string { return "" }

// StreamID names nothing: it never leaves the process.
func (t *track) StreamID() string { return "call" }

// Kind is audio.
func (t *track) Kind() webrtc.RTPCodecType { return webrtc.RTPCodecTypeAudio }
