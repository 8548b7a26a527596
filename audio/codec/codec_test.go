package codec_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"sotto/audio"
	"sotto/audio/codec"
	"sotto/audio/codec/pure"
	"sotto/audio/measure"
)

// pairs are the ways two builds can meet. Without cgo all of them are the Go codec.
var pairs = []struct {
	name    string
	encoder func() (audio.Encoder, error)
	decoder func() (audio.Decoder, error)
}{
	{"own to own", codec.NewEncoder, codec.NewDecoder},
	{"own to pure", codec.NewEncoder, pure.NewDecoder},
	{"pure to own", pure.NewEncoder, codec.NewDecoder},
	{"pure to pure", pure.NewEncoder, pure.NewDecoder},
}

// voice is n frames of a buzz with a gliding pitch and syllables: near enough to
// speech for the encoder to switch its modes.
func voice(n int) []float32 {
	out := make([]float32, n*audio.FrameSamples)
	var phase float64
	for i := range out {
		t := float64(i) / audio.SampleRate
		phase += (140 + 30*math.Sin(2*math.Pi*0.7*t)) / audio.SampleRate
		var sum float64
		for harmonic := 1.0; harmonic <= 20; harmonic++ {
			sum += math.Sin(2*math.Pi*harmonic*phase) / harmonic
		}
		out[i] = float32(0.15 * sum * math.Max(0, math.Sin(2*math.Pi*3*t)))
	}
	return out
}

// lengths are ways to cut sound into frames: how many samples frame n has.
var lengths = []struct {
	name    string
	samples func(n int) int
}{
	{"long", func(int) int { return audio.FrameSamples }},
	{"short", func(int) int { return audio.PeriodSamples }},
	{"changing", func(n int) int { return audio.PeriodSamples << (n / 25 % 2) }},
}

func cut(pcm []float32, samples func(n int) int) [][]float32 {
	var all [][]float32
	for n := 0; len(pcm) >= samples(n); n++ {
		all = append(all, pcm[:samples(n)])
		pcm = pcm[samples(n):]
	}
	return all
}

func sizeOf(frame []float32) int {
	if len(frame) == audio.PeriodSamples {
		return codec.ShortPayloadSize
	}
	return codec.PayloadSize
}

func TestEveryPayloadHasOneSize(t *testing.T) {
	noise := make([]float32, 30*audio.FrameSamples)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = float32(random.Float64()*2 - 1)
	}
	loud := make([]float32, 10*audio.FrameSamples)
	for i := range loud {
		loud[i] = float32(4 * math.Sin(float64(i)/7)) // beyond full scale
	}
	var said []float32
	said = append(said, voice(100)...)
	said = append(said, make([]float32, 100*audio.FrameSamples)...) // digital silence
	said = append(said, noise...)
	said = append(said, loud...)
	said = append(said, make([]float32, 400*audio.FrameSamples)...) // long enough for DTX, were it on
	said = append(said, voice(50)...)
	for _, pair := range pairs {
		t.Run(pair.name, func(t *testing.T) {
			encoder, err := pair.encoder()
			if err != nil {
				t.Fatal(err)
			}
			if encoder.PayloadSize(960) != codec.PayloadSize || encoder.PayloadSize(480) != codec.ShortPayloadSize || codec.PayloadSize != 100 || codec.ShortPayloadSize != 50 {
				t.Fatalf("payload sizes %d and %d", encoder.PayloadSize(960), encoder.PayloadSize(480))
			}
			payload := make([]byte, audio.MaxPayload) // more room than it may use
			for _, length := range []int{0, 2} {
				length := lengths[length]
				for i, frame := range cut(said, length.samples) {
					if n, err := encoder.Encode(frame, payload); err != nil || n != sizeOf(frame) {
						t.Fatalf("%s frame %d: %d bytes, %v", length.name, i, n, err)
					}
				}
			}
		})
	}
}

// likeness is the best normalised correlation of heard with said, over codec delays up to 10 ms.
func likeness(said, heard []float32) float64 {
	best := 0.0
	for delay := range audio.PeriodSamples {
		var cross, a, b float64
		for i := range min(len(said), len(heard)-delay) {
			x, y := float64(said[i]), float64(heard[i+delay])
			cross, a, b = cross+x*y, a+x*x, b+y*y
		}
		best = math.Max(best, cross/math.Sqrt(a*b+1e-12))
	}
	return best
}

func TestRoundTripIsHeard(t *testing.T) {
	said := voice(100)
	for _, pair := range pairs {
		for _, length := range lengths {
			t.Run(pair.name+", "+length.name, func(t *testing.T) {
				encoder, err := pair.encoder()
				if err != nil {
					t.Fatal(err)
				}
				decoder, err := pair.decoder()
				if err != nil {
					t.Fatal(err)
				}
				var heard []float32
				for _, frame := range cut(said, length.samples) {
					payload, out := make([]byte, sizeOf(frame)), make([]float32, len(frame))
					if _, err := encoder.Encode(frame, payload); err != nil {
						t.Fatal(err)
					}
					if err := decoder.Decode(payload, out); err != nil {
						t.Fatal(err)
					}
					heard = append(heard, out...)
				}
				if got := likeness(said, heard); got < 0.8 {
					t.Errorf("what is heard resembles what was said by %.3f only", got)
				}
				if clicks := len(measure.Clicks(heard, audio.SampleRate)) - len(measure.Clicks(said, audio.SampleRate)); clicks > 0 {
					t.Errorf("%d clicks were not said", clicks)
				}
			})
		}
	}
}

func TestConcealmentContinuesTheSoundAndKeepsToItsBuffer(t *testing.T) {
	for _, pair := range pairs {
		encoder, _ := pair.encoder()
		decoder, _ := pair.decoder()
		payload := make([]byte, codec.PayloadSize)
		out := make([]float32, audio.FrameSamples)
		tone := make([]float32, audio.FrameSamples)
		for n := range 20 {
			for i := range tone {
				tone[i] = float32(0.5 * math.Sin(2*math.Pi*220*float64(n*audio.FrameSamples+i)/audio.SampleRate))
			}
			if _, err := encoder.Encode(tone, payload); err != nil {
				t.Fatal(err)
			}
			if err := decoder.Decode(payload, out); err != nil {
				t.Fatal(err)
			}
		}
		backing := make([]float32, 4*audio.FrameSamples)
		for _, step := range []int{audio.ConcealSamples, audio.ConcealSamples, 2 * audio.ConcealSamples, audio.PeriodSamples} {
			for i := range backing {
				backing[i] = 7
			}
			if err := decoder.Conceal(backing[:step]); err != nil {
				t.Fatal(err)
			}
			if level := audio.Level(backing[:step]); level < -20 {
				t.Errorf("a lost tone is concealed at %.1f dBFS", level)
			}
			for i, sample := range backing[step:] {
				if sample != 7 {
					t.Fatalf("concealing wrote past its buffer at %d", i)
				}
			}
		}
	}
}

func TestWrongShapesAreErrors(t *testing.T) {
	for _, pair := range pairs {
		encoder, _ := pair.encoder()
		decoder, _ := pair.decoder()
		frame := make([]float32, audio.FrameSamples)
		payload := make([]byte, codec.PayloadSize)
		if _, err := encoder.Encode(frame[:240], payload); err == nil {
			t.Error("encoded a crooked length")
		}
		if _, err := encoder.Encode(frame[:480], payload[:codec.ShortPayloadSize-1]); err == nil {
			t.Error("encoded a short frame into too little room")
		}
		if _, err := encoder.Encode(frame, payload[:codec.PayloadSize-1]); err == nil {
			t.Error("encoded into too little room")
		}
		if err := decoder.Decode(nil, frame); err == nil {
			t.Error("decoded nothing")
		}
		if err := decoder.Decode(payload, frame[:240]); err == nil {
			t.Error("decoded into a crooked length")
		}
		_, _ = encoder.Encode(frame, payload)
		if err := decoder.Decode(payload, frame[:480]); err == nil {
			t.Error("decoded a frame of 20 ms into 10")
		}
		n, _ := encoder.Encode(frame[:480], payload)
		if err := decoder.Decode(payload[:n], frame); err == nil {
			t.Error("decoded a frame of 10 ms into 20")
		}
		if err := decoder.Decode([]byte{0x00, 1, 2, 3}, frame); err == nil { // a 10 ms SILK frame
			t.Error("took a frame of another length")
		}
		if err := decoder.Conceal(frame[:100]); err == nil {
			t.Error("concealed a crooked length")
		}
	}
}

func TestCodecDoesNotAllocate(t *testing.T) {
	encoder, _ := codec.NewEncoder()
	decoder, _ := codec.NewDecoder()
	frame, payload := voice(1), make([]byte, codec.PayloadSize)
	if n := testing.AllocsPerRun(100, func() {
		_, _ = encoder.Encode(frame, payload)
		_ = decoder.Decode(payload, frame)
		_, _ = encoder.Encode(frame[:480], payload)
		_ = decoder.Decode(payload[:codec.ShortPayloadSize], frame[:480])
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x78, 1, 2, 3})
	f.Add(make([]byte, codec.PayloadSize))
	f.Add([]byte{0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, pair := range pairs[1:3] {
			decoder, err := pair.decoder()
			if err != nil {
				t.Fatal(err)
			}
			frame := make([]float32, audio.FrameSamples)
			_ = decoder.Decode(payload, frame)
			_ = decoder.Decode(payload, frame[:audio.PeriodSamples])
			if err := decoder.Conceal(frame); err != nil {
				t.Errorf("concealing after %x: %v", payload, err)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	for _, pair := range pairs[1:3] {
		for _, length := range lengths[:2] {
			b.Run(pair.name+", "+length.name, func(b *testing.B) {
				encoder, _ := pair.encoder()
				said, payload := cut(voice(100), length.samples), make([]byte, codec.PayloadSize)
				for i := 0; b.Loop(); i++ {
					_, _ = encoder.Encode(said[i%len(said)], payload)
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, pair := range pairs[1:3] {
		for _, length := range lengths[:2] {
			b.Run(pair.name+", "+length.name, func(b *testing.B) {
				encoder, _ := codec.NewEncoder()
				decoder, _ := pair.decoder()
				frame, payload := voice(1)[:length.samples(0)], make([]byte, codec.PayloadSize)
				n, _ := encoder.Encode(frame, payload)
				for b.Loop() {
					_ = decoder.Decode(payload[:n], frame)
				}
			})
		}
	}
}
