package hosts

import (
	"bytes"
	"net/netip"

	"github.com/pion/stun/v4"
)

// Flow is a conversation that a link may carry, in both directions: Protocol is "tcp" or
// "udp", Client is who begins it, Server at one of its ports from First to Last.
type Flow struct {
	Protocol       string
	Client, Server netip.Addr
	First, Last    uint16
}

func (f Flow) carries(p Packet) bool {
	return f.oneWay(p.Protocol, p.From, p.To, p.failed) || f.oneWay(p.Protocol, p.To, p.From, p.failed)
}

func (f Flow) oneWay(protocol string, client, server netip.AddrPort, failed bool) bool {
	if client.Addr() != f.Client || server.Addr() != f.Server {
		return false
	}
	return failed || protocol == f.Protocol && server.Port() >= f.First && server.Port() <= f.Last
}

// Rules are the flows that each link may carry, by host. A link without rules carries nothing.
type Rules map[string][]Flow

// Strays are the packets of a trace that no rule allows. What kernels say to their
// neighbours is none, nor is the router's own word that a packet did not get through.
func (r Rules) Strays(trace Trace) (strays Trace) {
	for _, p := range trace {
		if !p.kernel && !r.allow(p) {
			strays = append(strays, p)
		}
	}
	return strays
}

func (r Rules) allow(p Packet) bool {
	for _, flow := range r[p.Link] {
		if flow.carries(p) || p.failed && p.To.Addr() == flow.Client {
			return true
		}
	}
	return false
}

// Between are the packets that have one of a's addresses at one end and one of b's at the other.
func Between(trace Trace, a, b []netip.Addr) Trace {
	has := func(list []netip.Addr, address netip.Addr) bool {
		for _, one := range list {
			if one == address {
				return true
			}
		}
		return false
	}
	return trace.where(func(p Packet) bool {
		from, to := p.From.Addr(), p.To.Addr()
		return has(a, from) && has(b, to) || has(b, from) && has(a, to)
	})
}

// Mentions are the packets with one of the addresses in a header, as text anywhere in what
// they carry, or in an attribute of a STUN message, also one inside a TURN message or channel.
func Mentions(trace Trace, addresses []netip.Addr) Trace {
	return trace.where(func(p Packet) bool {
		for _, address := range addresses {
			if p.From.Addr() == address || p.To.Addr() == address || bytes.Contains(p.Payload, []byte(address.String())) {
				return true
			}
		}
		if p.Protocol != "udp" {
			return false
		}
		for _, found := range stunAddresses(p.Payload, 0) {
			for _, address := range addresses {
				if found == address {
					return true
				}
			}
		}
		return false
	})
}

// channelHeader is what ChannelData puts before its data (RFC 8656 §12.4).
const channelHeader = 4

// stunAddresses are the addresses in a STUN or TURN message, and in those it carries.
func stunAddresses(data []byte, depth int) (found []netip.Addr) {
	if depth > 3 {
		return nil
	}
	if len(data) > channelHeader && data[0] >= 0x40 && data[0] < 0x50 {
		return stunAddresses(data[channelHeader:], depth+1)
	}
	message := &stun.Message{Raw: data}
	if !stun.IsMessage(data) || message.Decode() != nil {
		return nil
	}
	for _, attribute := range message.Attributes {
		switch attribute.Type {
		case stun.AttrXORMappedAddress, stun.AttrXORPeerAddress, stun.AttrXORRelayedAddress:
			var at stun.XORMappedAddress
			if at.GetFromAs(message, attribute.Type) == nil {
				found = appendAddress(found, at.IP)
			}
		case stun.AttrMappedAddress, stun.AttrAlternateServer, stun.AttrResponseOrigin, stun.AttrOtherAddress:
			var at stun.MappedAddress
			if at.GetFromAs(message, attribute.Type) == nil {
				found = appendAddress(found, at.IP)
			}
		case stun.AttrData:
			found = append(found, stunAddresses(attribute.Value, depth+1)...)
		}
	}
	return found
}

func appendAddress(to []netip.Addr, ip []byte) []netip.Addr {
	if address, ok := netip.AddrFromSlice(ip); ok {
		return append(to, address.Unmap())
	}
	return to
}
