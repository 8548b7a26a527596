package weather

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"sotto/audio"
)

// ErrNotWAV: a file that should hold speech is no WAV file.
var ErrNotWAV = errors.New("not a WAV file")

// Speech reads a WAV file of 16 kHz, mono, 16 bits. Of the format it believes the name.
func Speech(path string) ([]float32, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data := bytes.Index(raw, []byte("data"))
	if data < 0 || len(raw) < data+10 { // not one sample
		return nil, fmt.Errorf("%s: %w", path, ErrNotWAV)
	}
	return at48(raw[data+8:]), nil
}

// Repeated is speech said again and again, for so long.
func Repeated(speech []float32, length time.Duration) []float32 {
	samples := int(length * audio.SampleRate / time.Second)
	var out []float32
	for len(out) < samples {
		out = append(out, speech...)
	}
	return out[:samples]
}

// at48 is 16-bit sound of 16 kHz at 48: two samples between each two, interpolated
// by a windowed sinc over 16 of them.
func at48(raw []byte) []float32 {
	in := make([]float64, len(raw)/2)
	for i := range in {
		in[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / (1 << 15)
	}
	out := make([]float32, 3*len(in))
	for i := range out {
		var sum float64
		for k := max(0, i/3-7); k <= min(len(in)-1, i/3+8); k++ {
			if x := float64(i)/3 - float64(k); x == 0 {
				sum += in[k]
			} else {
				sum += in[k] * math.Sin(math.Pi*x) / (math.Pi * x) * (0.5 + 0.5*math.Cos(math.Pi*x/9))
			}
		}
		out[i] = float32(sum)
	}
	return out
}
