//go:build linux

package hosts

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// Capture writes what crosses every link of a lab to a pcapng file, one interface a host.
type Capture struct {
	lab   *Lab
	Path  string
	file  *os.File
	links []*tap
	done  sync.WaitGroup

	mu     sync.Mutex // guards the following
	writer *pcapgo.NgWriter
	err    error
	read   []int // packets written, by link
}

// tap is the packet socket on one link.
type tap struct {
	socket *packetSocket
	at     int // of the interface in the file
	seen   int // packets that the kernel counted; owned by Stop
	lost   int
}

// Capture begins a capture that Stop ends. The name becomes the file's.
func (l *Lab) Capture(name string) *Capture {
	l.t.Helper()
	safe := strings.NewReplacer(" ", "-", "/", "-", ",", "").Replace(name)
	c := &Capture{lab: l, Path: filepath.Join(l.t.ArtifactDir(), safe+".pcapng"), read: make([]int, len(l.hosts))}
	var err error
	c.file, err = os.Create(c.Path)
	l.must(err)
	c.writer, err = pcapgo.NewNgWriterInterface(c.file, described(l.hosts[0]), pcapgo.DefaultNgWriterOptions)
	l.must(err)
	for _, h := range l.hosts[1:] {
		_, err := c.writer.AddInterface(described(h))
		l.must(err)
	}
	l.must(inside(l.router, func() error {
		for i, h := range l.hosts {
			socket, err := openPacketSocket(h.link)
			if err != nil {
				return err
			}
			c.links = append(c.links, &tap{socket: socket, at: i})
		}
		return nil
	}))
	for _, link := range c.links {
		c.done.Go(func() { c.follow(link) })
	}
	return c
}

func described(h *Host) pcapgo.NgInterface {
	return pcapgo.NgInterface{
		Name: h.Name, LinkType: layers.LinkTypeEthernet, TimestampResolution: 9, OS: "linux",
	}
}

// follow writes one link's packets until the socket is closed.
func (c *Capture) follow(link *tap) {
	for {
		data, at, ok := link.socket.read()
		if !ok {
			return // stopped by Stop, which has made sure that all was read
		}
		info := gopacket.CaptureInfo{Timestamp: at, CaptureLength: len(data), Length: len(data), InterfaceIndex: link.at}
		c.mu.Lock()
		if err := c.writer.WritePacket(info, data); err != nil && c.err == nil {
			c.err = err
		}
		c.read[link.at]++
		c.mu.Unlock()
	}
}

// Stop ends the capture once everything that had crossed a link is in the file, and reads it
// back. A capture that lost a packet fails the test: it would prove nothing.
func (c *Capture) Stop() Trace {
	l := c.lab
	l.t.Helper()
	for _, link := range c.links {
		c.drain(link)
		link.socket.stop()
	}
	c.done.Wait()
	for _, link := range c.links {
		link.socket.close()
	}
	l.must(c.err)
	l.must(c.writer.Flush())
	l.must(c.file.Close())
	trace, err := ReadTrace(c.Path)
	l.must(err)
	return trace
}

// drain waits until what the kernel has counted for a link has been written.
func (c *Capture) drain(link *tap) {
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		came, lost, err := link.socket.counts()
		c.lab.must(err)
		link.seen, link.lost = link.seen+came, link.lost+lost
		if link.lost > 0 {
			c.lab.t.Fatalf("the capture of %s lost %d packets", c.lab.hosts[link.at].Name, link.lost)
		}
		c.mu.Lock()
		read := c.read[link.at]
		c.mu.Unlock()
		if read >= link.seen {
			return
		}
		if time.Now().After(deadline) {
			c.lab.t.Fatalf("the capture of %s stopped at %d of %d packets", c.lab.hosts[link.at].Name, read, link.seen)
		}
	}
}
