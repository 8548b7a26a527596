package cli

import (
	"encoding/binary"
	"math"
	"math/cmplx"
	"os"
	"slices"
	"testing"
)

// recording is mono sound as read back from a WAV file.
type recording struct {
	rate    int
	samples []float64
}

// readWAV reads a 16-bit mono PCM file with a plain reader of its own, so that a
// header that sotto wrote wrongly is found.
func readWAV(t testing.TB, path string) recording {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(data) < 44 || string(data[:4]) != "RIFF" || string(data[8:12]) != "WAVE" {
		t.Fatalf("%s is not a WAV file", path)
	}
	if size := int(binary.LittleEndian.Uint32(data[4:])); size != len(data)-8 {
		t.Errorf("%s: the header says %d bytes, the file has %d", path, size, len(data)-8)
	}
	var r recording
	for at := 12; at+8 <= len(data); {
		kind, size := string(data[at:at+4]), int(binary.LittleEndian.Uint32(data[at+4:]))
		body := data[at+8 : min(at+8+size, len(data))]
		switch kind {
		case "fmt ":
			r.rate = int(binary.LittleEndian.Uint32(body[4:]))
			if channels, bits := binary.LittleEndian.Uint16(body[2:]), binary.LittleEndian.Uint16(body[14:]); channels != 1 || bits != 16 {
				t.Fatalf("%s: %d channels of %d bits", path, channels, bits)
			}
		case "data":
			for i := 0; i+1 < len(body); i += 2 {
				r.samples = append(r.samples, float64(int16(binary.LittleEndian.Uint16(body[i:])))/32768)
			}
		}
		at += 8 + size + size%2
	}
	return r
}

// at8k is the recording at 8 kHz, by averaging: enough to tell a sentence by.
func (r recording) at8k() []float64 {
	step := r.rate / 8000
	out := make([]float64, len(r.samples)/step)
	for i := range out {
		for _, sample := range r.samples[i*step : (i+1)*step] {
			out[i] += sample / float64(step)
		}
	}
	return out
}

// likeness is the highest normalized correlation of said with any stretch of
// heard: 1 for the same sound, near 0 for another.
func likeness(said, heard []float64) float64 {
	energy := 0.0
	for _, sample := range said {
		energy += sample * sample
	}
	best, there := 0.0, 0.0 // there: the energy of the stretch heard[lag:lag+len(said)]
	for i := 0; i < len(said)-1 && i < len(heard); i++ {
		there += heard[i] * heard[i]
	}
	products := correlate(said, heard)
	for lag := 0; lag+len(said) <= len(heard); lag++ {
		there += heard[lag+len(said)-1] * heard[lag+len(said)-1]
		if there > 1e-9 {
			best = math.Max(best, products[lag]/math.Sqrt(energy*there))
		}
		there -= heard[lag] * heard[lag]
	}
	return best
}

// correlate gives for each lag the sum of said[i]*heard[lag+i], by the
// convolution theorem: lags up to len(heard)-len(said) are exact.
func correlate(said, heard []float64) []float64 {
	size := 1
	for size < len(said)+len(heard) {
		size *= 2
	}
	a, b := make([]complex128, size), make([]complex128, size)
	for i, sample := range said {
		a[i] = complex(sample, 0)
	}
	for i, sample := range heard {
		b[i] = complex(sample, 0)
	}
	transform(a)
	transform(b)
	for i := range a {
		a[i] *= cmplx.Conj(b[i]) // its forward transform is the conjugate of the backward one
	}
	transform(a)
	products := make([]float64, size)
	for i := range a {
		products[i] = real(a[i]) / float64(size)
	}
	return products
}

// transform is the discrete Fourier transform in place (Cooley and Tukey, radix
// 2); len(x) is a power of two.
func transform(x []complex128) {
	for i, j := 1, 0; i < len(x); i++ {
		bit := len(x) / 2
		for ; j&bit != 0; bit /= 2 {
			j ^= bit
		}
		if j ^= bit; i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	for span := 2; span <= len(x); span *= 2 {
		turn := make([]complex128, span/2)
		for k := range turn {
			turn[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/float64(span))
		}
		for at := 0; at < len(x); at += span {
			for k, by := range turn {
				low, high := x[at+k], x[at+k+span/2]*by
				x[at+k], x[at+k+span/2] = low+high, low-high
			}
		}
	}
}

// heard returns how well parts of the said sentence are found in a recording:
// the median over stretches of 400 ms, so that the drift and stretching of a
// playout buffer do not count as difference.
func heard(said, recorded recording) float64 {
	const stretch = 3200
	words, all := said.at8k(), recorded.at8k()
	var scores []float64
	for at := 0; at+stretch <= len(words); at += stretch {
		part := words[at : at+stretch]
		loud := 0.0
		for _, sample := range part {
			loud += sample * sample
		}
		if loud/stretch > 1e-4 { // pauses are alike in every recording
			scores = append(scores, likeness(part, all))
		}
	}
	return median(scores)
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func TestCorrelationIsTheSumOfProducts(t *testing.T) {
	said, heard := []float64{1, -2, 3}, []float64{4, 5, -6, 7, 8, -9, 10}
	got := correlate(said, heard)
	for lag := 0; lag+len(said) <= len(heard); lag++ {
		want := 0.0
		for i := range said {
			want += said[i] * heard[lag+i]
		}
		if math.Abs(got[lag]-want) > 1e-9 {
			t.Errorf("at lag %d it is %v, not %v", lag, got[lag], want)
		}
	}
}

func TestLikenessTellsSentencesApart(t *testing.T) {
	said := readWAV(t, "testdata/sentence.wav")
	if same := heard(said, said); same < 0.99 {
		t.Errorf("the sentence is %.2f like itself", same)
	}
	backwards := recording{rate: said.rate, samples: make([]float64, len(said.samples))}
	for i, sample := range said.samples {
		backwards.samples[len(said.samples)-1-i] = sample
	}
	if other := heard(said, backwards); other > 0.6 {
		t.Errorf("the sentence is %.2f like itself backwards", other)
	}
}
