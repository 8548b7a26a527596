package nettest

import (
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutboundLosesDelaysAndReorders, to the nanosecond: the network's time is virtual.
func TestOutboundLosesDelaysAndReorders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const delay = 20 * time.Millisecond
		w := NewWorld(t, delay)
		hereNet, _ := w.Host(1)
		thereNet, there := w.Host(2)
		ways := map[string]time.Duration{"lost": Lost, "late": 70 * time.Millisecond, "soon": time.Nanosecond, "at once": 0}
		hereNet = Outbound(hereNet, func(packet []byte) time.Duration { return ways[string(packet)] })
		at := net.UDPAddrFromAddrPort(netip.AddrPortFrom(there, 2000))
		to, err := thereNet.ListenUDP("udp4", at)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		from, err := hereNet.DialUDP("udp4", nil, at)
		if err != nil {
			t.Fatal(err)
		}
		defer from.Close()
		start, packet := time.Now(), make([]byte, 100)
		for _, text := range []string{"lost", "late", "soon", "at once"} {
			n, err := from.Write(packet[:copy(packet, text)]) // the buffer is the writer's again at once
			if err != nil || n != len(text) {
				t.Fatalf("%d bytes written, %v", n, err)
			}
		}
		for _, want := range []string{"at once", "soon", "late"} {
			n, _, err := to.ReadFrom(packet)
			if err != nil || string(packet[:n]) != want {
				t.Fatalf("%q arrived, not %q, %v", packet[:n], want, err)
			}
			if took := time.Since(start); took != delay+ways[want] {
				t.Errorf("%q took %v", want, took)
			}
		}
		_ = to.SetReadDeadline(time.Now().Add(time.Hour))
		if n, _, err := to.ReadFrom(packet); err == nil {
			t.Errorf("%q arrived", packet[:n])
		}
	})
}
