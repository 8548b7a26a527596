//go:build linux

package hosts

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	socketBuffer = 64 << 20 // holds what comes while the machine does something else
	wakeUp       = 50 * time.Millisecond
	largest      = 1 << 18 // bytes of a packet; offloading hands over merged ones
)

// packetSocket sees every packet of one interface (packet(7)). One goroutine reads it.
type packetSocket struct {
	descriptor int
	closed     atomic.Bool
	packet     []byte
	ancillary  []byte
}

// openPacketSocket opens a packet socket in the namespace of the calling thread.
func openPacketSocket(device string) (*packetSocket, error) {
	on, err := net.InterfaceByName(device)
	if err != nil {
		return nil, err
	}
	var every [2]byte
	binary.BigEndian.PutUint16(every[:], unix.ETH_P_ALL)
	protocol := binary.NativeEndian.Uint16(every[:])
	s := &packetSocket{packet: make([]byte, largest), ancillary: make([]byte, 256)}
	// Without a protocol it hears nothing until it is bound to its interface.
	if s.descriptor, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
		return nil, err
	}
	pause := unix.NsecToTimeval(int64(wakeUp))
	err = errors.Join(
		unix.SetsockoptTimeval(s.descriptor, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &pause),
		unix.SetsockoptInt(s.descriptor, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
	)
	if unix.SetsockoptInt(s.descriptor, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer) != nil {
		err = errors.Join(err, unix.SetsockoptInt(s.descriptor, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer)) // as much as may be
	}
	err = errors.Join(err, unix.Bind(s.descriptor, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: on.Index}))
	if err != nil {
		return nil, errors.Join(err, unix.Close(s.descriptor))
	}
	return s, nil
}

// read waits for a packet and the kernel's time of it. False: the socket was closed. The packet
// is good until the next read.
func (s *packetSocket) read() (packet []byte, at time.Time, ok bool) {
	for !s.closed.Load() {
		n, ancillary, _, _, err := unix.Recvmsg(s.descriptor, s.packet, s.ancillary, 0)
		if err != nil {
			continue // nothing came for a while
		}
		at = time.Now()
		messages, err := unix.ParseSocketControlMessage(s.ancillary[:ancillary])
		for _, message := range messages {
			if err == nil && message.Header.Level == unix.SOL_SOCKET && message.Header.Type == unix.SCM_TIMESTAMPNS && len(message.Data) >= 16 {
				at = time.Unix(int64(binary.NativeEndian.Uint64(message.Data)), int64(binary.NativeEndian.Uint64(message.Data[8:])))
			}
		}
		return s.packet[:n], at, true
	}
	return nil, time.Time{}, false
}

// counts are the packets that came, and how many of them were lost, since the last counts.
func (s *packetSocket) counts() (came, lost int, err error) {
	stats, err := unix.GetsockoptTpacketStats(s.descriptor, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, 0, err
	}
	return int(stats.Packets), int(stats.Drops), nil
}

// stop makes read return; close is due once it has.
func (s *packetSocket) stop()  { s.closed.Store(true) }
func (s *packetSocket) close() { _ = unix.Close(s.descriptor) }
