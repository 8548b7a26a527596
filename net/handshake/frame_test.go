package handshake

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"
)

func testFrames() (*FrameSealer, *FrameOpener) {
	key := bytes.Repeat([]byte{7}, frameKeySize)
	return newFrameSealer(key), newFrameOpener(key)
}

// The layout, written down a second time: whoever changes it breaks calls.
func TestFrameLayout(t *testing.T) {
	sealer, _ := testFrames()
	sealer.next = 0x01020304
	frame := sealer.Seal([]byte("before"), []byte("payload"))
	header := []byte{0, 1, 2, 3, 4}
	nonce := bytes.Repeat([]byte{7}, 12)
	for n, octet := range header[1:] {
		nonce[8+n] ^= octet
	}
	block, err := aes.NewCipher(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte("before"), header...)
	want = aead.Seal(want, nonce, []byte("payload"), header)
	if !bytes.Equal(frame, want) {
		t.Errorf("%x, want %x", frame, want)
	}
}

func TestEveryAlteredBitOfAFrame(t *testing.T) {
	sealer, opener := testFrames()
	frame := sealer.Seal(nil, bytes.Repeat([]byte{1}, 80))
	for bit := range len(frame) * 8 {
		altered := bytes.Clone(frame)
		altered[bit/8] ^= 1 << (bit % 8)
		if _, _, err := opener.Open(nil, altered); !errors.Is(err, ErrFrame) {
			t.Fatalf("bit %d: %v", bit, err)
		}
	}
	for length := range frame {
		if _, _, err := opener.Open(nil, frame[:length]); !errors.Is(err, ErrFrame) {
			t.Fatalf("%d bytes: %v", length, err)
		}
	}
	if _, payload, err := opener.Open([]byte("before"), frame); err != nil || len(payload) != 80 {
		t.Error("after all that:", err)
	}
	if _, _, err := opener.Open(nil, frame); !errors.Is(err, ErrFrameReplayed) {
		t.Error("twice:", err)
	}
}

func TestFramesStopBeforeANonceRepeats(t *testing.T) {
	sealer, opener := testFrames()
	sealer.next = math.MaxUint32
	if counter, _, err := opener.Open(nil, sealer.Seal(nil, nil)); err != nil || counter != math.MaxUint32 {
		t.Error(counter, err)
	}
	for range 2 {
		if sealer.Seal(nil, nil) != nil {
			t.Error("a counter repeats")
		}
	}
}

func TestFramesAllocateNothing(t *testing.T) {
	sealer, opener := testFrames()
	payload, sealed, opened := make([]byte, 80), make([]byte, 0, 256), make([]byte, 0, 256)
	allocations := testing.AllocsPerRun(100, func() {
		frame := sealer.Seal(sealed[:0], payload)
		if _, _, err := opener.Open(opened[:0], frame); err != nil {
			t.Error(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%v allocations a frame", allocations)
	}
}

// The window agrees with a plain set, over numbers that jump, stand and fall back.
func TestWindowAgainstASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w window
		marked := map[uint64]bool{}
		highest := uint64(0)
		steps := rapid.SliceOfN(rapid.IntRange(-1200, 1300), 1, 200).Draw(t, "steps")
		number := int64(rapid.Uint32().Draw(t, "first"))
		for _, step := range steps {
			number = max(0, number+int64(step))
			n := uint64(number)
			late := len(marked) > 0 && n <= highest && highest+1-n > windowSize
			if got, want := w.fresh(n), !marked[n] && !late; got != want {
				t.Fatalf("number %d after %d: fresh is %v", n, highest, got)
			}
			if w.fresh(n) {
				w.mark(n)
				marked[n] = true
				highest = max(highest, n)
			}
		}
	})
	if w := (&window{}); w.fresh(math.MaxUint64) {
		t.Error("the last number has no successor")
	}
}

func FuzzFrameOpener(f *testing.F) {
	sealer, _ := testFrames()
	f.Add(sealer.Seal(nil, []byte("payload")))
	f.Add(make([]byte, FrameOverhead))
	f.Fuzz(func(t *testing.T, frame []byte) {
		_, opener := testFrames()
		counter, payload, err := opener.Open(nil, frame)
		if err != nil {
			return
		}
		again, _ := testFrames()
		again.next = uint64(counter)
		if binary.BigEndian.Uint32(frame[1:]) != counter || !bytes.Equal(again.Seal(nil, payload), frame) {
			t.Errorf("%x opens but would not be sealed so", frame)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	sealer, opener := testFrames()
	payload, sealed, opened := make([]byte, 80), make([]byte, 0, 256), make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		frame := sealer.Seal(sealed[:0], payload)
		if _, _, err := opener.Open(opened[:0], frame); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandshake(b *testing.B) {
	for b.Loop() {
		confirmed(b)
	}
}

func BenchmarkRefuseJunk(b *testing.B) {
	c := knocked(b)
	body := c.out.Knock()
	body[100] ^= 1
	for b.Loop() {
		if _, err := OpenKnock(c.bob.Identity, body); err == nil {
			b.Fatal("junk opens")
		}
	}
}
