package handshake

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"math"
)

// A sealed frame (the shape of RFC 9605, with a fixed header):
//
//	1  key id, 0
//	4  counter, from 0
//	…  AES-256-GCM of the payload, header authenticated
//	16 tag
//
// The nonce is the salt XOR the counter (RFC 9605 §4.4.3).
const (
	frameKeyID    = 0
	frameHeader   = 1 + 4
	frameSaltSize = 12
	frameKeySize  = 32 + frameSaltSize // AES key, then salt

	// FrameOverhead is how many bytes a sealed frame is longer than its payload.
	FrameOverhead = frameHeader + tagSize
)

var (
	// ErrFrame: a frame that is not from the other side of this call, or damaged.
	ErrFrame = errors.New("the frame does not open")
	// ErrFrameReplayed: a frame that came before, or far too late.
	ErrFrameReplayed = errors.New("the frame came twice or too late")
)

type frameKey struct {
	aead  cipher.AEAD
	salt  [frameSaltSize]byte
	nonce [frameSaltSize]byte // here so that no call allocates one
}

func newFrameKey(key []byte) frameKey {
	block := must(aes.NewCipher(key[:frameKeySize-frameSaltSize]))
	return frameKey{aead: must(cipher.NewGCM(block)), salt: [frameSaltSize]byte(key[frameKeySize-frameSaltSize:])}
}

func (k *frameKey) nonceOf(counter uint32) []byte {
	k.nonce = k.salt
	tail := k.nonce[frameSaltSize-4:]
	binary.BigEndian.PutUint32(tail, binary.BigEndian.Uint32(tail)^counter)
	return k.nonce[:]
}

// FrameSealer seals the frames of one direction. One goroutine owns it.
type FrameSealer struct {
	key  frameKey
	next uint64 // beyond 32 bits: used up
}

func newFrameSealer(key []byte) *FrameSealer { return &FrameSealer{key: newFrameKey(key)} }

// Seal appends the sealed frame to dst, which must not overlap payload. It
// allocates nothing if dst has FrameOverhead bytes more room than payload needs.
// After 2³² frames, which take more than a year, it gives nil rather than repeat a nonce.
func (s *FrameSealer) Seal(dst, payload []byte) []byte {
	if s.next > math.MaxUint32 {
		return nil
	}
	counter := uint32(s.next)
	s.next++
	start := len(dst)
	dst = binary.BigEndian.AppendUint32(append(dst, frameKeyID), counter)
	return s.key.aead.Seal(dst, s.key.nonceOf(counter), payload, dst[start:])
}

// FrameOpener opens the frames of one direction. One goroutine owns it.
type FrameOpener struct {
	key  frameKey
	seen window
}

func newFrameOpener(key []byte) *FrameOpener { return &FrameOpener{key: newFrameKey(key)} }

// Open appends the payload of a frame to dst, which must not overlap frame, and
// gives the frame's counter. Frames may come in any order, each once; errors are
// ErrFrame and ErrFrameReplayed, and change nothing.
func (o *FrameOpener) Open(dst, frame []byte) (counter uint32, payload []byte, err error) {
	if len(frame) < FrameOverhead || frame[0] != frameKeyID {
		return 0, nil, ErrFrame
	}
	header := frame[:frameHeader]
	counter = binary.BigEndian.Uint32(header[1:])
	payload, err = o.key.aead.Open(dst, o.key.nonceOf(counter), frame[frameHeader:], header)
	if err != nil {
		return 0, nil, ErrFrame
	}
	if !o.seen.fresh(uint64(counter)) {
		return 0, nil, ErrFrameReplayed
	}
	o.seen.mark(uint64(counter))
	return counter, payload[len(dst):], nil
}

const (
	windowBlocks = 16
	// windowSize is how far behind the newest number one may come: 960, 9 to 19 s of
	// frames.
	windowSize = (windowBlocks - 1) * 64
)

// window remembers which of the latest numbers came (RFC 6479). The zero value has
// seen nothing.
type window struct {
	next uint64 // one above the highest marked
	bits [windowBlocks]uint64
}

func (w *window) fresh(number uint64) bool {
	switch {
	case number == math.MaxUint64:
		return false
	case number >= w.next:
		return true
	case w.next-number > windowSize:
		return false
	default:
		return w.bits[number/64%windowBlocks]&(1<<(number%64)) == 0
	}
}

// mark notes a number that is fresh.
func (w *window) mark(number uint64) {
	if number >= w.next {
		newest := uint64(0)
		if w.next > 0 {
			newest = (w.next - 1) / 64
		}
		for block := newest + 1; block <= number/64 && block <= newest+windowBlocks; block++ {
			w.bits[block%windowBlocks] = 0
		}
		w.next = number + 1
	}
	w.bits[number/64%windowBlocks] |= 1 << (number % 64)
}
