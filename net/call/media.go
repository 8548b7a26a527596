package call

import (
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
	sealed  []byte                        // owned by send
	opened  []byte                        // owned by receive

	openedFrames atomic.Uint64
	failedSince  atomic.Int64 // Unix nanoseconds of the first frame that failed to open with none opened yet; 0 for none
	sendErrors   atomic.Uint64
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
	counter, payload, err := keys.open.Open(m.opened[:0], frame)
	if err != nil {
		if m.openedFrames.Load() == 0 {
			m.failedSince.CompareAndSwap(0, at.UnixNano())
		}
		return
	}
	m.openedFrames.Add(1)
	m.failedSince.Store(0)
	if session := m.session.Load(); session != nil {
		session.Receive(counter, payload, at)
	}
}

// send seals one payload and puts it on the connection.
func (m *media) send(connection *peer.Peer, payload []byte) {
	keys := m.keys.Load()
	if keys == nil {
		return
	}
	m.sealed = keys.seal.Seal(m.sealed[:0], payload)
	if connection.Send(m.sealed) != nil {
		m.sendErrors.Add(1)
	}
}

// unopened is for how long frames have been arriving without a single one opening.
func (m *media) unopened() time.Duration {
	since := m.failedSince.Load()
	if since == 0 || m.openedFrames.Load() > 0 {
		return 0
	}
	return time.Since(time.Unix(0, since))
}
