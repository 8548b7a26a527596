package peer

import (
	"encoding/binary"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/stun/v4"

	"sotto/net/nettest"
)

func rtpPacket(first, second byte, ssrc uint32) []byte {
	p := make([]byte, 100)
	p[0], p[1] = first, second
	binary.BigEndian.PutUint32(p[8:], ssrc)
	return p
}

func inChannel(payload []byte) []byte {
	p := binary.BigEndian.AppendUint16([]byte{0x40, 0x01}, uint16(len(payload)))
	return append(append(p, payload...), make([]byte, -len(payload)&3)...)
}

func inIndication(payload []byte) []byte {
	return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodData, stun.ClassIndication),
		stun.RawAttribute{Type: 0x8022, Value: []byte("odd")}, stun.RawAttribute{Type: stun.AttrData, Value: payload}).Raw
}

func TestGate(t *testing.T) {
	const ours, theirs = 7, 8
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	for name, c := range map[string]struct {
		payload      []byte
		before, open bool
	}{
		"the stream":             {rtpPacket(0x80, payloadType, ours), false, true},
		"the stream, marked":     {rtpPacket(0x80, 0x80|payloadType, ours), false, true},
		"another stream":         {rtpPacket(0x80, payloadType, theirs), false, false},
		"another payload":        {rtpPacket(0x80, 96, ours), false, false},
		"an extension":           {rtpPacket(0x90, payloadType, ours), false, false},
		"padding":                {rtpPacket(0xa0, payloadType, ours), false, false},
		"sources":                {rtpPacket(0x81, payloadType, ours), false, false},
		"a sender report":        {rtpPacket(0x80, 200, ours), false, false},
		"a goodbye":              {rtpPacket(0x81, 203, ours), false, false},
		"too short":              {[]byte{0x80, payloadType, 0, 0}, false, false},
		"a header and no sound":  {rtpPacket(0x80, payloadType, ours)[:rtpHeader], false, false},
		"an ice check":           {check.Raw, true, true},
		"dtls":                   {[]byte{22, 0xfe, 0xfd, 0}, true, true},
		"nothing":                {nil, true, true},
		"a packet in a packet":   {inChannel(rtpPacket(0x80, payloadType, theirs)), true, true}, // not RTP to pion either
		"the highest first byte": {rtpPacket(0xbf, payloadType, ours), false, false},
	} {
		for frame, wrap := range map[string]func([]byte) []byte{"channel": inChannel, "indication": inIndication} {
			g := new(gate)
			if got := g.admits(wrap(c.payload)); got != c.before {
				t.Errorf("%s in a %s, before: %v", name, frame, got)
			}
			g.release(ours)
			if got := g.admits(wrap(c.payload)); got != c.open {
				t.Errorf("%s in a %s: %v", name, frame, got)
			}
		}
	}
	for _, p := range [][]byte{nil, {0x40}, {0x40, 0, 0xff, 0xff}, {0, 0x17}, {0, 0x17, 0, 0, 1, 2, 3, 4}} {
		if !new(gate).admits(p) {
			t.Errorf("% x was held back", p)
		}
	}
}

func FuzzGate(f *testing.F) {
	f.Add(inChannel(rtpPacket(0x80, payloadType, 7)))
	f.Add(inIndication(rtpPacket(0x80, payloadType, 7)))
	f.Fuzz(func(t *testing.T, p []byte) {
		g := new(gate)
		g.release(7)
		payload := carried(p)
		if g.admits(p) && len(payload) > 0 && payload[0] >= 128 && payload[0] <= 191 &&
			(len(payload) <= rtpHeader || binary.BigEndian.Uint32(payload[8:]) != 7) {
			t.Fatalf("% x passed", p)
		}
	})
}

// A stranger's stream inside an authenticated connection must neither be heard nor stop sound
// and Close: this is what the gate is for.
func TestAnUndeclaredStream(t *testing.T) {
	nettest.Leaks(t)
	one, two, atOne, atTwo := pair(t)
	one.sending.mu.Lock()
	honest := one.sending.header
	one.sending.header.SSRC++
	one.sending.mu.Unlock()
	for range 10 {
		if err := one.Send([]byte("undeclared"), 960); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := one.stack.dtls.WriteRTCP([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 99}}); err != nil {
		t.Fatal(err)
	}
	speak(t, two, atOne, "still there")
	one.sending.mu.Lock()
	one.sending.header = honest
	one.sending.mu.Unlock()
	speak(t, one, atTwo, "honest")
	for _, frame := range atTwo.Frames() {
		if frame == "undeclared" {
			t.Fatal("a stream that nobody expected was heard")
		}
	}
}
