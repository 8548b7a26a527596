package fake

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// WAV (RIFF/WAVE) as Microsoft's "Multiple Channel Audio Data and WAVE Files"
// has it. Of the format chunk we take integer PCM of 8, 16, 24 and 32 bits and
// IEEE float of 32 and 64 bits, any rate, up to maxChannels mixed to one.

const (
	formatPCM        = 1
	formatFloat      = 3
	formatExtensible = 0xfffe

	maxChannels = 64
	maxRate     = 768000
	minRate     = 1000
	maxFormat   = 1 << 12 // a format chunk has 40 bytes; more than this is not one
)

var errNotWAV = errors.New("it is not a WAV file with PCM sound; convert it with: sox IN OUT.wav")

// wavReader reads the samples of a WAV stream as mono.
type wavReader struct {
	in       *bufio.Reader
	rate     int
	channels int
	bytes    int // of one sample of one channel
	float    bool
	left     int64 // bytes of the data chunk not yet read
	block    []byte
}

func newWAVReader(in io.Reader) (*wavReader, error) {
	w := &wavReader{in: bufio.NewReaderSize(in, 32<<10)}
	var head [12]byte
	if _, err := io.ReadFull(w.in, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return nil, errNotWAV
	}
	for {
		var chunk [8]byte
		if _, err := io.ReadFull(w.in, chunk[:]); err != nil {
			return nil, errNotWAV
		}
		size := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			if err := w.readFormat(size); err != nil {
				return nil, err
			}
		case "data":
			if w.rate == 0 {
				return nil, errNotWAV
			}
			w.left = size
			if size == math.MaxUint32 || size == 0 { // a writer that could not seek back
				w.left = math.MaxInt64
			}
			w.block = make([]byte, w.channels*w.bytes)
			return w, nil
		default:
			if _, err := io.CopyN(io.Discard, w.in, size+size&1); err != nil {
				return nil, errNotWAV
			}
		}
	}
}

func (w *wavReader) readFormat(size int64) error {
	if size < 16 || size > maxFormat {
		return errNotWAV
	}
	format := make([]byte, size+size&1)
	if _, err := io.ReadFull(w.in, format); err != nil {
		return errNotWAV
	}
	kind := binary.LittleEndian.Uint16(format)
	if kind == formatExtensible && size >= 26 {
		kind = binary.LittleEndian.Uint16(format[24:]) // the sub-format's first two bytes
	}
	channels, rate, bits := int(binary.LittleEndian.Uint16(format[2:])), int64(binary.LittleEndian.Uint32(format[4:])), int(binary.LittleEndian.Uint16(format[14:]))
	w.float = kind == formatFloat
	integer := kind == formatPCM && (bits == 8 || bits == 16 || bits == 24 || bits == 32)
	if !integer && !(w.float && (bits == 32 || bits == 64)) {
		return errNotWAV
	}
	if channels < 1 || channels > maxChannels || rate < minRate || rate > maxRate {
		return fmt.Errorf("%d channels at %d Hz are not sound that can be used", channels, rate)
	}
	w.channels, w.rate, w.bytes = channels, int(rate), bits/8
	return nil
}

// next returns the next sample of all channels mixed, or io.EOF.
func (w *wavReader) next() (float32, error) {
	if w.left < int64(len(w.block)) {
		return 0, io.EOF
	}
	if _, err := io.ReadFull(w.in, w.block); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return 0, err
	}
	w.left -= int64(len(w.block))
	var sum float64
	for rest := w.block; len(rest) > 0; rest = rest[w.bytes:] {
		sum += w.sample(rest)
	}
	mixed := sum / float64(w.channels)
	if math.IsNaN(mixed) {
		return 0, nil
	}
	return float32(max(-1, min(1, mixed))), nil
}

func (w *wavReader) sample(raw []byte) float64 {
	switch {
	case w.float && w.bytes == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(raw))
	case w.float:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	case w.bytes == 1:
		return (float64(raw[0]) - 128) / (1 << 7)
	case w.bytes == 2:
		return float64(int16(binary.LittleEndian.Uint16(raw))) / (1 << 15)
	case w.bytes == 3:
		return float64(int32(uint32(raw[0])<<8|uint32(raw[1])<<16|uint32(raw[2])<<24)) / (1 << 31)
	default:
		return float64(int32(binary.LittleEndian.Uint32(raw))) / (1 << 31)
	}
}
