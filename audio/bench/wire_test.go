//go:build linux

package bench

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// sent is one packet of sound on the wire.
type sent struct {
	at   time.Time // the kernel's
	size int       // of the UDP payload
}

// wire watches loopback for what is sent to a TURN server's port.
type wire struct {
	fd   int
	port int
	done sync.WaitGroup

	mu      sync.Mutex // guards the following
	packets []sent
}

// watch begins to, until the benchmark ends.
func (r *rig) watch(port int) *wire {
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, int(binary.NativeEndian.Uint16([]byte{0x08, 0x00})))
	if err != nil {
		r.b.Fatalf("a packet socket: %v", err)
	}
	loopback, err := net.InterfaceByName("lo")
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: binary.NativeEndian.Uint16([]byte{0x08, 0x00}), Ifindex: loopback.Index})
	}
	if err == nil {
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1)
	}
	if err == nil {
		err = syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Usec: 200_000})
	}
	if err != nil {
		r.b.Fatalf("watching loopback: %v", err)
	}
	w := &wire{fd: fd, port: port}
	stopped := make(chan struct{})
	w.done.Go(func() { w.run(stopped) })
	r.b.Cleanup(func() { close(stopped); w.done.Wait(); _ = syscall.Close(fd) })
	return w
}

func (w *wire) run(stopped <-chan struct{}) {
	packet, control := make([]byte, 4096), make([]byte, 256)
	for {
		select {
		case <-stopped:
			return
		default:
		}
		n, controls, _, from, err := syscall.Recvmsg(w.fd, packet, control, 0)
		if err != nil {
			continue // nothing for a while
		}
		if link, ok := from.(*syscall.SockaddrLinklayer); !ok || link.Pkttype == syscall.PACKET_OUTGOING {
			continue // loopback shows each packet twice
		}
		at, known := stamp(control[:controls])
		if size := soundTo(packet[:n], w.port); size > 0 && known {
			w.mu.Lock()
			w.packets = append(w.packets, sent{at, size})
			w.mu.Unlock()
		}
	}
}

// take gives what was sent since the last take.
func (w *wire) take() []sent {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := slices.Clone(w.packets)
	w.packets = nil
	return taken
}

// stamp is when the kernel saw a packet.
func stamp(control []byte) (time.Time, bool) {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}, false
	}
	for _, m := range messages {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SCM_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(syscall.Timespec{})) {
			seconds, nanoseconds := binary.NativeEndian.Uint64(m.Data), binary.NativeEndian.Uint64(m.Data[8:])
			return time.Unix(int64(seconds), int64(nanoseconds)), true
		}
	}
	return time.Time{}, false
}

// soundTo is the size of a UDP payload to port that holds SRTP in ChannelData (RFC 8656,
// section 12.4; RFC 5761 tells SRTCP apart), and 0 of any other packet.
func soundTo(ip []byte, port int) int {
	if len(ip) < 20 || ip[0]>>4 != 4 || ip[9] != syscall.IPPROTO_UDP {
		return 0
	}
	udp := ip[int(ip[0]&15)*4:]
	if len(udp) < 8+4+2 || int(binary.BigEndian.Uint16(udp[2:])) != port || udp[8]>>6 != 1 {
		return 0
	}
	if inner := udp[12:]; inner[0]>>6 != 2 || inner[1] >= 192 && inner[1] <= 223 {
		return 0
	}
	return int(binary.BigEndian.Uint16(udp[4:])) - 8
}
