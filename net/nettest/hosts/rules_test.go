//go:build linux

package hosts

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"github.com/pion/stun/v4"
)

// Not the lab's addresses: this program also plays somebody hostile, whose memory is searched.
var (
	alice = netip.MustParseAddr("10.13.6.2")
	bob   = netip.MustParseAddr("10.14.6.4")
	relay = netip.MustParseAddr("10.15.6.5")
)

// captured writes packets to a file as a capture does, all on alice's link, and reads it back.
func captured(t *testing.T, packets ...[]gopacket.SerializableLayer) Trace {
	t.Helper()
	path := filepath.Join(t.TempDir(), "made.pcapng")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	writer, err := pcapgo.NewNgWriterInterface(file, pcapgo.NgInterface{Name: "alice", LinkType: layers.LinkTypeEthernet, TimestampResolution: 9}, pcapgo.DefaultNgWriterOptions)
	if err != nil {
		t.Fatal(err)
	}
	for _, layers := range packets {
		buffer := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true}, layers...); err != nil {
			t.Fatal(err)
		}
		data := buffer.Bytes()
		if err := writer.WritePacket(gopacket.CaptureInfo{Timestamp: time.Now(), CaptureLength: len(data), Length: len(data)}, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Flush(); err != nil {
		t.Fatal(err)
	}
	trace, err := ReadTrace(path)
	if err != nil || len(trace) != len(packets) {
		t.Fatalf("%d packets came back, %v", len(trace), err)
	}
	return trace
}

func frame(protocol layers.IPProtocol, from, to netip.Addr, rest ...gopacket.SerializableLayer) []gopacket.SerializableLayer {
	ethernet := &layers.Ethernet{SrcMAC: make(net.HardwareAddr, 6), DstMAC: make(net.HardwareAddr, 6), EthernetType: layers.EthernetTypeIPv4}
	if from.Is4() {
		ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
		return append([]gopacket.SerializableLayer{ethernet, ip}, rest...)
	}
	ethernet.EthernetType = layers.EthernetTypeIPv6
	ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: from.AsSlice(), DstIP: to.AsSlice()}
	return append([]gopacket.SerializableLayer{ethernet, ip}, rest...)
}

func udp(from, to netip.Addr, port uint16, payload []byte) []gopacket.SerializableLayer {
	return frame(layers.IPProtocolUDP, from, to, &layers.UDP{SrcPort: 40000, DstPort: layers.UDPPort(port)}, gopacket.Payload(payload))
}

// TestStraysAreFound is the test of the test: each stray that is put among what is allowed
// is found, and nothing else.
func TestStraysAreFound(t *testing.T) {
	rules := Rules{"alice": {
		{Protocol: "tcp", Client: alice, Server: relay, First: 443, Last: 443},
		{Protocol: "udp", Client: alice, Server: relay, First: 3478, Last: 3478},
	}}
	syn := func(to netip.Addr, port layers.TCPPort) []gopacket.SerializableLayer {
		return frame(layers.IPProtocolTCP, alice, to, &layers.TCP{SrcPort: 40000, DstPort: port, SYN: true})
	}
	allowed := [][]gopacket.SerializableLayer{
		syn(relay, 443), udp(alice, relay, 3478, []byte("media")),
		frame(layers.IPProtocolTCP, relay, alice, &layers.TCP{SrcPort: 443, DstPort: 40000, ACK: true}),
		frame(layers.IPProtocolICMPv4, alice, relay, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeDestinationUnreachable, 3)}),
	}
	if strays := rules.Strays(captured(t, allowed...)); len(strays) != 0 {
		t.Errorf("what is allowed counts as astray: %v", strays)
	}
	six := netip.MustParseAddr("fd5a:13::2")
	for name, stray := range map[string][]gopacket.SerializableLayer{
		"to bob":             udp(alice, bob, 50000, []byte("hello")),
		"from bob":           udp(bob, alice, 50000, []byte("hello")),
		"tcp to bob":         syn(bob, 9),
		"another port":       udp(alice, relay, 53, []byte("who is it")),
		"tcp to the turn":    syn(relay, 3478),
		"mdns":               udp(alice, netip.MustParseAddr("224.0.0.251"), 5353, []byte("query")),
		"ipv6":               udp(six, netip.MustParseAddr("fd5a:14::2"), 3478, []byte("hello")),
		"a ping":             frame(layers.IPProtocolICMPv4, alice, bob, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(layers.ICMPv4TypeEchoRequest, 0)}),
		"a strange protocol": frame(layers.IPProtocolGRE, alice, relay, gopacket.Payload("what is this")),
	} {
		strays := rules.Strays(captured(t, append(append([][]gopacket.SerializableLayer(nil), allowed...), stray)...))
		if len(strays) != 1 {
			t.Errorf("%s: %d strays were found", name, len(strays))
		}
	}
	if strays := (Rules{}).Strays(captured(t, allowed...)); len(strays) != len(allowed) {
		t.Errorf("on a link without rules, %d of %d packets are astray", len(strays), len(allowed))
	}
}

func TestAddressesAreFoundInPackets(t *testing.T) {
	build := func(set ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID, stun.BindingSuccess}, set...)...).Raw
	}
	mapped := build(&stun.XORMappedAddress{IP: bob.AsSlice(), Port: 5000})
	inside := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodData, stun.ClassIndication), stun.RawAttribute{Type: stun.AttrData, Value: mapped}).Raw
	channel := append([]byte{0x40, 0, 0, byte(len(mapped))}, mapped...)
	for name, payload := range map[string][]byte{
		"text": []byte("c=IN IP4 10.14.6.4\r\n"), "stun": mapped, "in a turn message": inside, "in a channel": channel,
		"plain": build(&stun.MappedAddress{IP: bob.AsSlice(), Port: 5000}),
	} {
		trace := captured(t, udp(alice, relay, 3478, payload), udp(alice, relay, 3478, build(&stun.XORMappedAddress{IP: relay.AsSlice(), Port: 5000})))
		if told := Mentions(trace, []netip.Addr{bob}); len(told) != 1 {
			t.Errorf("%s: %d packets tell of bob", name, len(told))
		}
	}
}

func TestAddressesAreFoundInText(t *testing.T) {
	raw := bob.As4()
	for name, text := range map[string][]byte{
		"text": []byte(`{"peer":"10.14.6.4:5000"}`), "hexadecimal": []byte("main.dial({0x0, 0xffff0a0e0604}, 0x1)"),
		"net.IP": append(make([]byte, 10), append([]byte{0xff, 0xff}, raw[:]...)...), "candidate": append([]byte{1, 4}, raw[:]...),
		"sockaddr": append([]byte{2, 0, 0x13, 0x88}, raw[:]...),
	} {
		if found := FormsIn(append([]byte("so much else "), text...), bob); len(found) != 1 || found[0] != name {
			t.Errorf("%s: found %v", name, found)
		}
		if found := FormsIn(text, alice); len(found) != 0 {
			t.Errorf("%s: found alice as %v", name, found)
		}
	}
}
