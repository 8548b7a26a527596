package open

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sotto/audio"
	"sotto/audio/device"
)

// levelEvery is how often Levels gives one: ten times a second.
const levelEvery = 10 * audio.PeriodDuration

// Levels opens the microphone that words mean and gives its level, in dBFS, ten times
// a second until ctx ends or the microphone does; then the channel is closed and the
// microphone with it. audio.Silence is digital silence: the microphone is muted or
// gives nothing. A level that nobody reads in time is lost. Unlike Source it puts
// nothing in the place of a default microphone that is missing.
func Levels(ctx context.Context, words string) (<-chan float64, error) {
	source, err := strictSource(words)
	if err != nil {
		return nil, err
	}
	measured := make(chan float64, 1)
	var sum []float32 // owned by deliver
	err = source.Start(func(period []float32) {
		if sum = append(sum, period...); len(sum) < int(levelEvery*audio.SampleRate/time.Second) {
			return
		}
		level := audio.Level(sum)
		sum = sum[:0]
		select {
		case measured <- level:
		default:
		}
	})
	if err != nil {
		_ = source.Close()
		return nil, err
	}
	levels := make(chan float64, 1)
	go func() {
		defer close(levels)
		defer source.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case <-source.Lost():
				return
			case level := <-measured:
				select {
				case levels <- level:
				default:
				}
			}
		}
	}()
	return levels, nil
}

// strictSource is Source without a stand-in.
func strictSource(words string) (audio.Source, error) {
	if s, err := parse(words); err == nil && s.kind == defaultDevice {
		return device.OpenSource("")
	}
	source, _, err := Source(words)
	return source, err
}

func strictSink(words string) (audio.Sink, error) {
	if s, err := parseSink(words); err == nil && s.kind == defaultDevice {
		return device.OpenSink("")
	}
	sink, _, err := Sink(words)
	return sink, err
}

// Record takes length of sound from the microphone that words mean.
func Record(ctx context.Context, words string, length time.Duration) ([]float32, error) {
	source, err := strictSource(words)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	var mu sync.Mutex // guards sound
	want := int(length * audio.SampleRate / time.Second)
	sound := make([]float32, 0, want)
	full := make(chan struct{})
	err = source.Start(func(period []float32) {
		mu.Lock()
		defer mu.Unlock()
		if room := want - len(sound); room > 0 {
			if sound = append(sound, period[:min(room, len(period))]...); len(sound) == want {
				close(full)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if err := over(ctx, full, source.Lost(), length); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	return sound, nil
}

// Play gives sound to the speaker that words mean and returns when it was taken. A
// nil sound opens the speaker and lets it take a moment of silence.
func Play(ctx context.Context, words string, sound []float32) error {
	sink, err := strictSink(words)
	if err != nil {
		return err
	}
	defer sink.Close()
	if sound == nil {
		sound = make([]float32, 10*audio.PeriodSamples)
	}
	length := time.Duration(len(sound)) * time.Second / audio.SampleRate
	sound = append(sound[:len(sound):len(sound)], make([]float32, tail)...)
	done := make(chan struct{})
	at := 0 // owned by the sink's thread, as done is until it is closed
	err = sink.Start(func(period []float32) {
		n := copy(period, sound[at:])
		clear(period[n:])
		if n == 0 {
			return
		}
		if at += n; at == len(sound) {
			close(done)
		}
	})
	if err != nil {
		return err
	}
	return over(ctx, done, sink.Lost(), length)
}

const (
	tail     = audio.SampleRate / 5 // of silence, for what the speaker still holds
	patience = 6 * time.Second      // beyond the length of the sound
)

var errNothing = fmt.Errorf("%w: it opened, and then nothing came of it; choose another one, or restart the sound server", audio.ErrDevice)

// over waits for the end of a recording or a playback.
func over(ctx context.Context, done <-chan struct{}, lost <-chan error, length time.Duration) error {
	timer := time.NewTimer(length + patience)
	defer timer.Stop()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-lost:
		return err
	case <-timer.C:
		return errNothing
	}
}
