package peer

import (
	"encoding/binary"
	"sync/atomic"
)

// gate drops what arrives and cannot be the call's one RTP stream, before pion works on it.
//
// pion hands a stream it was not told about (any SSRC but the expected one, and the expected
// one too if its first packet comes before the receiver is set up) to a queue that only a
// PeerConnection empties: without the gate one such packet would stop all sound and leave
// Close waiting for ever. The header of an SRTP packet is readable, so the decision needs no
// key; what passes is still authenticated. RTCP is dropped whole: it says nothing we need, and
// we send none.
//
//	TURN ChannelData   0x4000-0x4fff ‖ length ‖ payload          RFC 8656 §12.4
//	Data indication    STUN type 0x0017 with a DATA attribute     RFC 8656 §11.4
//	payload            RTP when its first byte is 128 to 191      RFC 7983
type gate struct {
	plain bool // of a direct connection: what arrives is the payload, no relay wraps it
	open  atomic.Bool
	ssrc  atomic.Uint32 // set before open
}

// payloadType is the one there is: Opus under the frame seal.
const payloadType = 111

const rtpHeader = 12 // bytes: no CSRC, no extension

// release lets the stream of one SSRC pass from now on.
func (g *gate) release(ssrc uint32) {
	g.ssrc.Store(ssrc)
	g.open.Store(true)
}

// admits reports whether a packet from the relay may reach pion.
func (g *gate) admits(p []byte) bool {
	payload := p
	if !g.plain {
		payload = carried(p)
	}
	if len(payload) == 0 || payload[0] < 128 || payload[0] > 191 {
		return true // the relay's own messages, ICE and DTLS
	}
	const plain = 0x80 // version 2, no padding, no extension, no CSRC
	return g.open.Load() && len(payload) > rtpHeader && payload[0] == plain && payload[1]&0x7f == payloadType &&
		binary.BigEndian.Uint32(payload[8:]) == g.ssrc.Load()
}

// carried is what a packet from the relay brings from the peer; empty if it brings nothing.
func carried(p []byte) []byte {
	const (
		channelHeader, stunHeader = 4, 20
		dataIndication            = 0x0017
		dataAttribute             = 0x0013
	)
	if len(p) < channelHeader {
		return nil
	}
	if p[0]&0xc0 == 0x40 {
		return p[channelHeader:min(len(p), channelHeader+int(binary.BigEndian.Uint16(p[2:])))]
	}
	if binary.BigEndian.Uint16(p) != dataIndication {
		return nil
	}
	for at := stunHeader; at+channelHeader <= len(p); {
		length := int(binary.BigEndian.Uint16(p[at+2:]))
		start := at + channelHeader
		if binary.BigEndian.Uint16(p[at:]) == dataAttribute {
			return p[start:min(len(p), start+length)]
		}
		at = start + (length+3)&^3
	}
	return nil
}
