package hosts

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Packet is one packet on one link.
type Packet struct {
	Link     string // the host whose link it crossed
	At       time.Time
	Protocol string // "tcp", "udp", or what gopacket calls its last layer
	From, To netip.AddrPort
	Size     int    // bytes of the IP packet
	Payload  []byte // of TCP or UDP

	sequence uint32 // of TCP: of the payload's first byte

	kernel bool // neighbour discovery and the like: the kernel's, never a program's
	failed bool // an ICMP error about another packet
}

// Failed reports whether it is a kernel's word (ICMP) that another packet did not get through.
func (p Packet) Failed() bool { return p.failed }

// String is for messages of a test.
func (p Packet) String() string {
	return fmt.Sprintf("%s link, %s: %s %s > %s, %d bytes", p.Link, p.At.Format("15:04:05.000"), p.Protocol, p.From, p.To, p.Size)
}

// Trace is what crossed the links of a lab, in the order in which it was written.
type Trace []Packet

// On is what crossed one link.
func (t Trace) On(link string) Trace {
	return t.where(func(p Packet) bool { return p.Link == link })
}

// Before is what crossed before a moment.
func (t Trace) Before(moment time.Time) Trace {
	return t.where(func(p Packet) bool { return p.At.Before(moment) })
}

// Sent is what host sent by UDP to a port of to.
func (t Trace) Sent(from, to netip.Addr, port uint16) Trace {
	return t.where(func(p Packet) bool {
		return p.Protocol == "udp" && p.From.Addr() == from && p.To == netip.AddrPortFrom(to, port)
	})
}

func (t Trace) where(is func(Packet) bool) (some Trace) {
	for _, p := range t {
		if is(p) {
			some = append(some, p)
		}
	}
	return some
}

// Programs is the trace without what kernels say to their neighbours.
func (t Trace) Programs() Trace { return t.where(func(p Packet) bool { return !p.kernel }) }

// ReadTrace reads a pcapng file back.
func ReadTrace(path string) (Trace, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reader, err := pcapgo.NewNgReader(file, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		return nil, err
	}
	var trace Trace
	for {
		data, info, err := reader.ReadPacketData()
		if errors.Is(err, io.EOF) {
			return trace, nil
		}
		if err != nil {
			return nil, err
		}
		on, err := reader.Interface(info.InterfaceIndex)
		if err != nil {
			return nil, err
		}
		trace = append(trace, decode(on.Name, info, data))
	}
}

// decode reads one Ethernet frame. What it cannot read keeps no addresses, and is a stray.
func decode(link string, info gopacket.CaptureInfo, data []byte) Packet {
	packet := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	p := Packet{Link: link, At: info.Timestamp, Size: info.Length - 14, Protocol: "unknown"}
	if all := packet.Layers(); len(all) > 0 {
		p.Protocol = all[len(all)-1].LayerType().String()
	}
	if packet.Layer(layers.LayerTypeARP) != nil {
		p.kernel = true
		return p
	}
	var from, to netip.Addr
	switch ip := packet.NetworkLayer().(type) {
	case *layers.IPv4:
		from, _ = netip.AddrFromSlice(ip.SrcIP.To4())
		to, _ = netip.AddrFromSlice(ip.DstIP.To4())
	case *layers.IPv6:
		from, _ = netip.AddrFromSlice(ip.SrcIP)
		to, _ = netip.AddrFromSlice(ip.DstIP)
	}
	p.From, p.To = netip.AddrPortFrom(from, 0), netip.AddrPortFrom(to, 0)
	switch segment := packet.TransportLayer().(type) {
	case *layers.TCP:
		p.Protocol, p.Payload, p.sequence = "tcp", segment.Payload, segment.Seq
		p.From, p.To = netip.AddrPortFrom(from, uint16(segment.SrcPort)), netip.AddrPortFrom(to, uint16(segment.DstPort))
	case *layers.UDP:
		p.Protocol, p.Payload = "udp", segment.Payload
		p.From, p.To = netip.AddrPortFrom(from, uint16(segment.SrcPort)), netip.AddrPortFrom(to, uint16(segment.DstPort))
	}
	if icmp, ok := packet.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4); ok {
		p.Protocol = "icmp"
		kind := icmp.TypeCode.Type()
		p.failed = kind == layers.ICMPv4TypeDestinationUnreachable || kind == layers.ICMPv4TypeTimeExceeded
	}
	if icmp, ok := packet.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6); ok {
		p.Protocol = "icmp6"
		kind := icmp.TypeCode.Type()
		p.failed = kind < layers.ICMPv6TypeEchoRequest
		p.kernel = kind >= layers.ICMPv6TypeRouterSolicitation && kind <= layers.ICMPv6TypeRedirect ||
			kind >= 130 && kind <= 132 || kind == 143 // multicast listeners (RFC 3810)
	}
	return p
}
