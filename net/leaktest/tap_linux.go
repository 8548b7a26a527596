package leaktest

import (
	"encoding/binary"
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	packetHead   = 128 // bytes of each packet that are read: all headers that flow looks at
	mostFlows    = 1 << 16
	wakeUp       = 100 * time.Millisecond // between looks at whether to stop
	socketBuffer = 4 << 20
)

// tap counts packets on every interface of the machine, other programs' too; close says whose
// they were. It needs the right to open packet sockets (capabilities(7), CAP_NET_RAW).
type tap struct {
	descriptor int
	stop       chan struct{}
	ended      sync.WaitGroup
	counts     map[socket]int // owned by run until it ends
}

func openTap() (*tap, error) {
	var every [2]byte
	binary.BigEndian.PutUint16(every[:], unix.ETH_P_ALL) // packet(7) wants network order
	descriptor, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, int(binary.NativeEndian.Uint16(every[:])))
	if err != nil {
		return nil, err
	}
	pause := unix.NsecToTimeval(int64(wakeUp))
	err = errors.Join(
		unix.SetsockoptTimeval(descriptor, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &pause),
		unix.SetsockoptInt(descriptor, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer),
	)
	if err != nil {
		return nil, errors.Join(err, unix.Close(descriptor))
	}
	t := &tap{descriptor: descriptor, stop: make(chan struct{}), counts: make(map[socket]int)}
	t.ended.Go(t.run)
	return t, nil
}

func (t *tap) run() {
	packet := make([]byte, packetHead)
	for {
		n, from, err := unix.Recvfrom(t.descriptor, packet, 0)
		if err == nil {
			if link, ok := from.(*unix.SockaddrLinklayer); ok {
				t.count(packet[:n], link.Pkttype == unix.PACKET_OUTGOING)
			}
			continue
		}
		select {
		case <-t.stop:
			return
		default: // nothing came for a while, or the interface went away
		}
	}
}

// count notes a packet under the socket it would belong to here. On loopback each packet is
// seen going out and coming in, once for either end.
func (t *tap) count(packet []byte, outgoing bool) {
	protocol, from, to, ok := flow(packet)
	if !ok {
		return
	}
	s := socket{protocol, to, from}
	if outgoing {
		s = socket{protocol, from, to}
	}
	if _, known := t.counts[s]; known || len(t.counts) < mostFlows {
		t.counts[s]++
	}
}

// close ends the capture once what had arrived is counted.
func (t *tap) close() map[socket]int {
	close(t.stop)
	t.ended.Wait()
	_ = unix.Close(t.descriptor)
	return t.counts
}
