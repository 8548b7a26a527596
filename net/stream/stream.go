// Package stream carries TURN messages over a byte stream, as RFC 8656 §2.1 and §12.5
// have it for TCP and TLS: STUN messages and ChannelData one behind the other, the
// latter padded to four bytes. To whoever uses it, it is a packet socket.
//
//	0              1              2              3
//	0 0 type       | length       | magic cookie and transaction, 16 bytes | length bytes
//	0 1 channel    | length       | length bytes, then 0 to 3 of padding
//
// A stream delivers late what a packet network would lose. So that sound does not wait
// behind older sound, what cannot be written at once queues, and the oldest goes first.
package stream

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	stunHeader    = 20
	channelHeader = 4

	// maxMessage is more than any message of a call.
	maxMessage = 2048

	// queueLength is how many messages wait at most: 640 ms of a call.
	queueLength = 32

	writeTimeout = 10 * time.Second
)

var errMalformed = errors.New("the other end of the stream does not speak turn")

// Begins tells whether a stream that begins with this byte may be one of TURN; no
// HTTP method and no TLS record does.
func Begins(first byte) bool { return first>>6 == 0 }

// Conn is one stream. Read is for one goroutine; everything else for any.
type Conn struct {
	conn    net.Conn
	reader  *bufio.Reader
	queue   chan []byte   // emptied by write
	done    chan struct{} // closed by Close: nothing more is queued
	written chan struct{} // closed by write when it has written what was queued, or failed
	closing sync.Once
	dropped atomic.Uint64
}

// New takes over conn.
func New(conn net.Conn) *Conn {
	c := &Conn{
		conn: conn, reader: bufio.NewReaderSize(conn, maxMessage),
		queue: make(chan []byte, queueLength), done: make(chan struct{}), written: make(chan struct{}),
	}
	go c.write()
	return c
}

// Read waits for one message and gives its length, without padding. A message longer
// than p is cut, as a packet would be.
func (c *Conn) Read(p []byte) (int, error) {
	header, err := c.reader.Peek(channelHeader)
	if err != nil {
		return 0, err
	}
	length, padding := int(binary.BigEndian.Uint16(header[2:])), 0
	switch header[0] >> 6 {
	case 0:
		length += stunHeader
	case 1:
		length += channelHeader
		padding = (4 - length%4) % 4
	default:
		return 0, errMalformed
	}
	if length+padding > maxMessage {
		return 0, errMalformed
	}
	message, err := c.reader.Peek(length + padding)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, err
	}
	n := copy(p, message[:length])
	_, err = c.reader.Discard(length + padding)
	return n, err
}

// Write queues one message, at the cost of the oldest if there are too many. It never
// waits.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) < channelHeader || len(p) > maxMessage || p[0]>>6 > 1 {
		return 0, errMalformed
	}
	message := make([]byte, len(p), len(p)+3)
	copy(message, p)
	if p[0]>>6 == 1 {
		message = message[:(len(p)+3)&^3]
	}
	for {
		select { // on its own: a select with room in the queue as well would choose either
		case <-c.done:
			return 0, net.ErrClosed
		default:
		}
		select {
		case c.queue <- message:
			return len(p), nil
		default:
		}
		select {
		case <-c.queue:
			c.dropped.Add(1)
		default:
		}
	}
}

// Dropped counts the messages that were too old to be written.
func (c *Conn) Dropped() uint64 { return c.dropped.Load() }

func (c *Conn) write() {
	defer close(c.written)
	for {
		select {
		case message := <-c.queue:
			if !c.send(message) {
				return
			}
		case <-c.done:
			for len(c.queue) > 0 {
				if !c.send(<-c.queue) {
					return
				}
			}
			return
		}
	}
}

func (c *Conn) send(message []byte) bool {
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := c.conn.Write(message); err != nil {
		c.hangUp() // Read tells
		return false
	}
	return true
}

// SetReadDeadline bounds Read.
func (c *Conn) SetReadDeadline(at time.Time) error { return c.conn.SetReadDeadline(at) }

// Close ends the stream. What was queued before still leaves if it can.
func (c *Conn) Close() error {
	c.closing.Do(func() {
		close(c.done)
		late := time.NewTimer(goodbye)
		defer late.Stop()
		select {
		case <-c.written:
		case <-late.C:
		}
		c.hangUp()
		<-c.written
	})
	return nil
}

// hangUp closes the connection below TLS, whose goodbye could wait seconds for an end
// that does not read.
func (c *Conn) hangUp() {
	if secure, ok := c.conn.(interface{ NetConn() net.Conn }); ok {
		_ = secure.NetConn().Close()
		return
	}
	_ = c.conn.Close()
}

// goodbye is how long Close waits for the last messages, such as the one that gives an
// allocation back.
const goodbye = 300 * time.Millisecond
