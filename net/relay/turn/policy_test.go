package turn

import (
	"net/netip"
	"testing"
)

var private = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.255", "169.254.169.254", "172.16.0.1",
	"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
	"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
	"64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1",
	"4000::1", "5f00::1", "fc00::1", "fd00::1", "fe80::1", "fe80::1%lo", "fec0::1", "ff02::1", "ff0e::1",
}

var public = []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "172.32.0.1", "198.20.0.1", "::ffff:8.8.8.8", "2600::1", "2a00:1450::1"}

func TestPublicUnicast(t *testing.T) {
	for _, text := range private {
		if PublicUnicast(netip.MustParseAddr(text)) {
			t.Errorf("%s counts as public", text)
		}
	}
	for _, text := range public {
		if !PublicUnicast(netip.MustParseAddr(text)) {
			t.Errorf("%s does not count as public", text)
		}
	}
	if PublicUnicast(netip.Addr{}) {
		t.Error("no address counts as public")
	}
}

func TestPolicyOfAPublicRelay(t *testing.T) {
	own := netip.MustParseAddr("9.9.9.9")
	p := newPolicy(own, netip.IPv4Unspecified(), 50000, []netip.Prefix{netip.MustParsePrefix("::ffff:10.1.0.0/112")})
	for _, text := range private {
		if p.host(netip.MustParseAddr(text)) {
			t.Errorf("%s may be a peer", text)
		}
	}
	for text, want := range map[string]bool{
		"8.8.8.8:49152": true, "8.8.8.8:65535": true, "8.8.8.8:49151": false, "8.8.8.8:53": false, "8.8.8.8:0": false,
		"10.1.2.3:50000": true, "10.2.0.1:50000": false, "[::ffff:10.1.2.3]:50000": true,
		"9.9.9.9:50001": true, "9.9.9.9:50000": false, "[::ffff:9.9.9.9]:50000": false,
	} {
		if got := p.peer(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestPolicyOfALaboratory(t *testing.T) {
	own := netip.MustParseAddr("127.0.0.1")
	p := newPolicy(own, own, 50000, nil)
	for _, text := range append(append([]string{"127.0.0.2"}, private...), public...) {
		address := netip.MustParseAddr(text)
		if got, want := p.host(address), address.Unmap() == own; got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	for text, want := range map[string]bool{"127.0.0.1:49152": true, "127.0.0.1:50000": false, "127.0.0.1:443": false} {
		if got := p.peer(netip.MustParseAddrPort(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}
