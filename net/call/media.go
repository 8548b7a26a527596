package call

import (
	"sync"
	"sync/atomic"
	"time"

	"sotto/audio"
	"sotto/net/handshake"
	"sotto/net/peer"
)

// media is the path of frames between the connection and the sound: sealed on the
// way out, opened on the way in. The connection's goroutine calls receive, the
// capture loop's calls send; each side's keys and buffers belong to that goroutine.
type media struct {
	keys    atomic.Pointer[frameKeys]     // nil until the handshake is over: frames are dropped
	session atomic.Pointer[audio.Session] // nil until the call is connected
	intake  sync.Mutex                    // held by receive: while one connection takes over from another, both bring frames
	sealed  []byte                        // owned by send
	opened  []byte                        // owned by receive

	openedFrames atomic.Uint64
	failedSince  time.Time    // owned by receive; when the first of the latest frames came that all failed to open; zero for none
	failing      atomic.Int64 // nanoseconds from then to the latest frame, for unopened
}

type frameKeys struct {
	seal *handshake.FrameSealer
	open *handshake.FrameOpener
}

func newMedia() *media {
	return &media{sealed: make([]byte, 0, 512), opened: make([]byte, 0, 2048)}
}

func (m *media) use(session *handshake.Session) {
	m.keys.Store(&frameKeys{seal: session.FrameSealer(), open: session.FrameOpener()})
}

func (m *media) play(session *audio.Session) { m.session.Store(session) }

// receive opens one frame off the connection. One that does not open is silence.
func (m *media) receive(frame []byte, at time.Time) {
	keys := m.keys.Load()
	if keys == nil {
		return
	}
	m.intake.Lock()
	defer m.intake.Unlock()
	counter, payload, err := keys.open.Open(m.opened[:0], frame)
	if err != nil {
		if m.failedSince.IsZero() {
			m.failedSince = at
		}
		m.failing.Store(int64(at.Sub(m.failedSince)))
		return
	}
	m.openedFrames.Add(1)
	m.failedSince = time.Time{}
	m.failing.Store(0)
	if session := m.session.Load(); session != nil {
		session.Receive(counter, payload, at)
	}
}

// send seals one payload, of a frame of so many samples, and puts it on the connection.
func (m *media) send(connection *peer.Peer, payload []byte, samples int) {
	keys := m.keys.Load()
	if keys == nil {
		return
	}
	m.sealed = keys.seal.Seal(m.sealed[:0], payload)
	_ = connection.Send(m.sealed, samples) // a frame that cannot be sent is a frame lost; the connection tells when it is gone
}

// unopened is for how long frames have been arriving without a single one opening,
// from the start or since the last that did: a call that was sealed stays sealed.
func (m *media) unopened() time.Duration { return time.Duration(m.failing.Load()) }
