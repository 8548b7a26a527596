package gateway

import (
	"crypto/sha256"
	"sync"
	"time"

	"sotto/net/wire"
)

// replayMemory remembers the random ids of envelopes until they expire. It is
// bounded: when full the oldest is forgotten, since refusing new ones would let a
// flood silence a relay. People's own clients remember what they have seen, too.
type replayMemory struct {
	mu    sync.Mutex // guards the following
	seen  map[replayKey]struct{}
	order []replay // a ring, oldest at head
	head  int
	count int
	max   int
}

// replayKey is the head of SHA-256(drop ‖ id): an id means something in its own
// drop only, so nobody can use up another's.
type replayKey [16]byte

type replay struct {
	key   replayKey
	until int64 // Unix seconds
}

func newReplayMemory(limit int) *replayMemory {
	return &replayMemory{seen: make(map[replayKey]struct{}), max: limit}
}

// first tells whether the envelope is a new one, and remembers it.
func (m *replayMemory) first(e *wire.Envelope, now time.Time) bool {
	drop := e.Drop()
	sum := sha256.Sum256(append(drop[:], e.ID[:]...))
	key := replayKey(sum[:])
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, again := m.seen[key]; again {
		return false
	}
	m.expire(now)
	if m.count == m.max {
		m.forget()
	}
	if m.count == len(m.order) {
		m.grow()
	}
	m.order[(m.head+m.count)%len(m.order)] = replay{key, e.Expiry + int64(wire.Skew/time.Second)}
	m.count++
	m.seen[key] = struct{}{}
	return true
}

// expire drops entries from the oldest on that can no longer be replayed. One
// with a long life holds back those behind it, for at most MaxLife + 2 Skew.
func (m *replayMemory) expire(now time.Time) {
	for m.count > 0 && m.order[m.head].until < now.Unix() {
		m.forget()
	}
}

func (m *replayMemory) forget() {
	delete(m.seen, m.order[m.head].key)
	m.head = (m.head + 1) % len(m.order)
	m.count--
}

func (m *replayMemory) grow() {
	bigger := make([]replay, min(max(64, 2*len(m.order)), m.max))
	for i := range m.count {
		bigger[i] = m.order[(m.head+i)%len(m.order)]
	}
	m.order, m.head = bigger, 0
}

// sweep also gives memory back once a flood is over.
func (m *replayMemory) sweep(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(now)
	if m.count == 0 && len(m.order) > 1024 {
		m.order, m.head, m.seen = nil, 0, make(map[replayKey]struct{})
	}
}
