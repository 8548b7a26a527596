package stream

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"sotto/net/nettest"
)

func stun(length int) []byte {
	m := bytes.Repeat([]byte{7}, stunHeader+length)
	m[0], m[1] = 0, 1
	binary.BigEndian.PutUint16(m[2:], uint16(length))
	return m
}

func channel(length int) []byte {
	m := bytes.Repeat([]byte{9}, channelHeader+length)
	m[0], m[1] = 0x40, 1
	binary.BigEndian.PutUint16(m[2:], uint16(length))
	return m
}

func pipes(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	nettest.Leaks(t)
	near, far := net.Pipe()
	c := New(near)
	t.Cleanup(func() { _ = c.Close(); _ = far.Close() })
	return c, far
}

func TestMessagesKeepTheirBounds(t *testing.T) {
	near, other := pipes(t)
	far := New(other)
	defer far.Close()
	for _, message := range [][]byte{stun(0), channel(1), channel(2), channel(158), stun(80), channel(0), channel(1200)} {
		go func() { _, _ = near.Write(message) }()
		got := make([]byte, maxMessage)
		n, err := far.Read(got)
		if err != nil || !bytes.Equal(got[:n], message) {
			t.Fatalf("%d bytes became %d, %v", len(message), n, err)
		}
	}
}

func TestWhatIsNoMessage(t *testing.T) {
	for name, raw := range map[string][]byte{
		"HTTP": []byte("GET / HTTP/1.1\r\n"), "too long": {0, 1, 0xff, 0xff}, "a record": {0x80, 0, 0, 0},
	} {
		near, far := pipes(t)
		go func() { _, _ = far.Write(raw) }()
		if _, err := near.Read(make([]byte, 10)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	near, far := pipes(t)
	go func() { _, _ = far.Write(stun(8)[:20]); _ = far.Close() }()
	if _, err := near.Read(make([]byte, 100)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("half a message: %v", err)
	}
	for _, raw := range [][]byte{nil, {1}, []byte("\xc0123"), make([]byte, maxMessage+1)} {
		if _, err := near.Write(raw); err == nil {
			t.Errorf("%d bytes were taken", len(raw))
		}
	}
}

// TestStalledStreamKeepsTheNewest: nobody reads, Write never waits, and what is left in
// the end is the newest.
func TestStalledStreamKeepsTheNewest(t *testing.T) {
	near, far := pipes(t)
	const all = 200
	for i := range all {
		message := channel(4)
		message[4] = byte(i)
		if _, err := near.Write(message); err != nil {
			t.Fatal(err)
		}
	}
	if near.Dropped() < all-queueLength-1 {
		t.Errorf("only %d were dropped", near.Dropped())
	}
	reader := New(far)
	defer reader.Close()
	last, p := byte(0), make([]byte, 64)
	for last != all-1 {
		if _, err := reader.Read(p); err != nil {
			t.Fatal(err)
		}
		if p[4] < last {
			t.Fatalf("%d came after %d", p[4], last)
		}
		last = p[4]
	}
}

func TestCloseEndsReading(t *testing.T) {
	near, _ := pipes(t)
	ended := make(chan error, 1)
	go func() {
		_, err := near.Read(make([]byte, 10))
		ended <- err
	}()
	_ = near.Close()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("something was read")
		}
	case <-time.After(20 * time.Second):
		t.Error("reading goes on")
	}
	if _, err := near.Write(stun(0)); err == nil {
		t.Error("writing goes on")
	}
}

// TestCloseLetsTheLastMessagesLeave: among them is the one that gives an allocation back,
// and whoever reads may be slow to.
func TestCloseLetsTheLastMessagesLeave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		near, far := New(a), New(b)
		defer far.Close()
		for i := range 3 {
			if _, err := near.Write(stun(4 * i)); err != nil {
				t.Fatal(err)
			}
		}
		closed := make(chan struct{})
		go func() {
			_ = near.Close()
			close(closed)
		}()
		p := make([]byte, 64)
		for i := range 3 {
			time.Sleep(goodbye / 4)
			if n, err := far.Read(p); err != nil || n != len(stun(4*i)) {
				t.Fatalf("message %d: %d bytes, %v", i, n, err)
			}
		}
		<-closed
	})
}

// TestCloseDoesNotWaitForWhoNeverReads gives up what is queued.
func TestCloseDoesNotWaitForWhoNeverReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := net.Pipe()
		defer b.Close()
		near := New(a)
		_, _ = near.Write(stun(0))
		began := time.Now()
		_ = near.Close()
		if took := time.Since(began); took != goodbye {
			t.Errorf("closing took %v", took)
		}
	})
}

// fixed is a connection that reads given bytes.
type fixed struct {
	net.Conn
	io.Reader
}

func (f fixed) Read(p []byte) (int, error)       { return f.Reader.Read(p) }
func (f fixed) Write(p []byte) (int, error)      { return len(p), nil }
func (f fixed) Close() error                     { return nil }
func (f fixed) SetWriteDeadline(time.Time) error { return nil }

func FuzzRead(f *testing.F) {
	f.Add(append(stun(4), channel(5)...))
	f.Add([]byte("GET / HTTP/1.1\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := New(fixed{Reader: bytes.NewReader(raw)})
		defer c.Close()
		total, p := 0, make([]byte, maxMessage)
		for {
			n, err := c.Read(p)
			if err != nil {
				return
			}
			if total += n; n < channelHeader || total > len(raw) {
				t.Fatalf("a message of %d bytes, %d of %d in all", n, total, len(raw))
			}
		}
	})
}
