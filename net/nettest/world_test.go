package nettest

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestWorldCarriesDelaysAndFilters(t *testing.T) {
	Leaks(t)
	const delay = 20 * time.Millisecond
	w := NewWorld(t, delay)
	hereNet, here := w.Host(1)
	thereNet, there := w.Host(2)
	from, err := hereNet.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(here, 1000)))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	to, err := thereNet.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(there, 2000)))
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	seen := make(chan Packet, 10)
	w.Filter(func(p Packet) bool { seen <- p; return string(p.Data) != "lost" })
	start := time.Now()
	for _, text := range []string{"lost", "found"} {
		if _, err := from.WriteTo([]byte(text), to.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	buffer := make([]byte, 100)
	n, _, err := to.ReadFrom(buffer)
	if err != nil || string(buffer[:n]) != "found" {
		t.Fatalf("%q arrived, %v", buffer[:n], err)
	}
	if took := time.Since(start); took < delay {
		t.Errorf("it took %v", took)
	}
	if p := <-seen; string(p.Data) != "lost" || p.From != netip.AddrPortFrom(here, 1000) || p.To != netip.AddrPortFrom(there, 2000) {
		t.Errorf("the filter saw %+v", p)
	}
}
