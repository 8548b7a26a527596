package fake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
)

// format is one kind of WAV file.
type format struct {
	name       string
	kind       uint16
	channels   int
	rate       int
	bits       int
	extensible bool
}

// build makes a WAV file of sound, which every channel says alike.
func (f format) build(sound func(i int) float64, frames int) []byte {
	var data []byte
	for i := range frames {
		for range f.channels {
			data = f.append(data, sound(i))
		}
	}
	fmtChunk := binary.LittleEndian.AppendUint16(nil, f.kind)
	if f.extensible {
		fmtChunk = binary.LittleEndian.AppendUint16(nil, formatExtensible)
	}
	block := f.channels * f.bits / 8
	fmtChunk = binary.LittleEndian.AppendUint16(fmtChunk, uint16(f.channels))
	fmtChunk = binary.LittleEndian.AppendUint32(fmtChunk, uint32(f.rate))
	fmtChunk = binary.LittleEndian.AppendUint32(fmtChunk, uint32(f.rate*block))
	fmtChunk = binary.LittleEndian.AppendUint16(fmtChunk, uint16(block))
	fmtChunk = binary.LittleEndian.AppendUint16(fmtChunk, uint16(f.bits))
	if f.extensible {
		fmtChunk = append(fmtChunk, 22, 0, byte(f.bits), 0, 0, 0, 0, 0, byte(f.kind), 0)
		fmtChunk = append(fmtChunk, make([]byte, 14)...)
	}
	chunk := func(id string, content []byte) []byte {
		out := binary.LittleEndian.AppendUint32([]byte(id), uint32(len(content)))
		out = append(out, content...)
		return append(out, make([]byte, len(content)&1)...)
	}
	body := chunk("LIST", []byte("odd")) // a chunk nobody needs
	body = append(append(body, chunk("fmt ", fmtChunk)...), chunk("data", data)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+len(body))), append([]byte("WAVE"), body...)...)
}

func (f format) append(data []byte, x float64) []byte {
	switch {
	case f.kind == formatFloat && f.bits == 64:
		return binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	case f.kind == formatFloat:
		return binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(x)))
	case f.bits == 8:
		return append(data, byte(128+math.Round(x*127)))
	case f.bits == 16:
		return binary.LittleEndian.AppendUint16(data, uint16(int16(math.Round(x*32767))))
	case f.bits == 24:
		v := int32(math.Round(x * (1<<23 - 1)))
		return append(data, byte(v), byte(v>>8), byte(v>>16))
	default:
		return binary.LittleEndian.AppendUint32(data, uint32(int32(math.Round(x*(1<<31-1)))))
	}
}

var formats = []format{
	{"8 bit", formatPCM, 1, 48000, 8, false},
	{"16 bit", formatPCM, 1, 48000, 16, false},
	{"24 bit stereo", formatPCM, 2, 48000, 24, false},
	{"32 bit", formatPCM, 1, 48000, 32, false},
	{"float", formatFloat, 1, 48000, 32, false},
	{"double", formatFloat, 3, 48000, 64, false},
	{"extensible", formatPCM, 6, 48000, 16, true},
	{"telephone", formatPCM, 1, 8000, 16, false},
	{"compact disc", formatPCM, 2, 44100, 16, false},
	{"studio", formatFloat, 2, 96000, 32, true},
	{"wide", formatPCM, 1, 192000, 24, false},
}

func writeFile(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sound.wav")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestEveryKindOfFileIsHeardFromItsFirstSampleToItsLast(t *testing.T) {
	for _, f := range formats {
		t.Run(f.name, func(t *testing.T) {
			wave := func(rate int) func(int) float64 {
				return func(i int) float64 { return 0.5 * math.Cos(2*math.Pi*700*float64(i)/float64(rate)) }
			}
			path := writeFile(t, f.build(wave(f.rate), f.rate/2))
			synctest.Test(t, func(t *testing.T) {
				source, err := NewFileSource(path)
				if err != nil {
					t.Fatal(err)
				}
				sound, _ := listen(t, source, time.Second)
				want := wave(audio.SampleRate)
				worst := 0.0
				for i := 300; i < audio.SampleRate/2-300; i++ { // a band-limited file rings at its ends
					worst = max(worst, math.Abs(float64(sound[i])-want(i)))
				}
				if limit := 0.001 + 1/math.Pow(2, float64(f.bits-1)); worst > limit {
					t.Errorf("is off by %.5f", worst)
				}
				if sound[0] < 0.2 {
					t.Errorf("begins with %v, not with its first sample", sound[0])
				}
				if got := audio.Level(sound[audio.SampleRate/2+500:]); got != audio.Silence {
					t.Errorf("after its end %.1f dBFS are heard", got)
				}
			})
		})
	}
}

func TestSoundBeyondTheNewNyquistIsGone(t *testing.T) {
	f := format{"", formatFloat, 1, 96000, 32, false}
	wav, err := newWAVReader(bytes.NewReader(f.build(func(i int) float64 { return math.Sin(2 * math.Pi * 30000 * float64(i) / 96000) }, 48000)))
	if err != nil {
		t.Fatal(err)
	}
	read := wav.readMono48()
	var sound []float32
	for range 40 {
		period := make([]float32, audio.PeriodSamples)
		if err := read(period); err != nil {
			t.Fatal(err)
		}
		sound = append(sound, period...)
	}
	if got := audio.Level(sound[1000:]); got > -70 {
		t.Errorf("30 kHz folds back at %.1f dBFS", got)
	}
}

func TestFilesThatAreNotSound(t *testing.T) {
	good := formats[1].build(func(int) float64 { return 0 }, 10)
	bad := map[string][]byte{
		"empty":       nil,
		"text":        []byte("This is not a sound file, whatever its name says."),
		"no data":     good[:len(good)-28],
		"compressed":  bytes.Replace(good, []byte("fmt \x10\x00\x00\x00\x01"), []byte("fmt \x10\x00\x00\x00\x02"), 1),
		"no channels": bytes.Replace(good, []byte("\x01\x00\x01\x00\x80\xbb"), []byte("\x01\x00\x00\x00\x80\xbb"), 1),
		"huge format": bytes.Replace(good, []byte("fmt \x10\x00\x00\x00"), []byte("fmt \x10\x00\x00\xff"), 1),
	}
	for name, content := range bad {
		_, err := NewFileSource(writeFile(t, content))
		if !errors.Is(err, audio.ErrDevice) || !strings.Contains(err.Error(), "sound.wav") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none.wav"), t.TempDir()} {
		if _, err := NewFileSource(path); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func FuzzWAV(f *testing.F) {
	for _, kind := range formats {
		f.Add(kind.build(func(i int) float64 { return math.Sin(float64(i)) }, 20))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		wav, err := newWAVReader(bytes.NewReader(content))
		if err != nil {
			return
		}
		for range len(content) + 1 {
			sample, err := wav.next()
			if !(math.Abs(float64(sample)) <= 1) {
				t.Fatalf("a sample of %v", sample)
			}
			if errors.Is(err, io.EOF) {
				return
			}
		}
		t.Fatalf("more samples than %d bytes can hold", len(content))
	})
}
