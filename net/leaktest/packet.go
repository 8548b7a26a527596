package leaktest

import (
	"encoding/binary"
	"net/netip"
)

// flow reads who talks to whom off an IP packet: from, to and "tcp" or "udp". False: it is of
// another protocol, or too short to tell. Later fragments have no ports and are passed over.
func flow(packet []byte) (protocol string, from, to netip.AddrPort, ok bool) {
	if len(packet) < 1 {
		return "", from, to, false
	}
	var source, target netip.Addr
	var next byte
	var segment []byte
	switch packet[0] >> 4 {
	case 4: // RFC 791 §3.1
		header := int(packet[0]&0xf) * 4
		if header < 20 || len(packet) < header || binary.BigEndian.Uint16(packet[6:])&0x1fff != 0 {
			return "", from, to, false
		}
		source, target = netip.AddrFrom4([4]byte(packet[12:])), netip.AddrFrom4([4]byte(packet[16:]))
		next, segment = packet[9], packet[header:]
	case 6: // RFC 8200 §3; no program of ours sends extension headers
		if len(packet) < 40 {
			return "", from, to, false
		}
		source, target = netip.AddrFrom16([16]byte(packet[8:])), netip.AddrFrom16([16]byte(packet[24:]))
		next, segment = packet[6], packet[40:]
	default:
		return "", from, to, false
	}
	switch next {
	case 6:
		protocol = "tcp"
	case 17:
		protocol = "udp"
	default:
		return "", from, to, false
	}
	if len(segment) < 4 {
		return "", from, to, false
	}
	from = netip.AddrPortFrom(source.Unmap(), binary.BigEndian.Uint16(segment))
	to = netip.AddrPortFrom(target.Unmap(), binary.BigEndian.Uint16(segment[2:]))
	return protocol, from, to, true
}
