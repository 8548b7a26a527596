//go:build unix

package fake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"sotto/audio"
)

// recorded reads a file that a sink writes and checks that its header is true: it
// counts whole periods, all of them there, and at most one more is not yet counted.
func recorded(t testing.TB, path string) []int16 {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(content) < headerSize {
		t.Fatalf("the file has %d bytes", len(content))
	}
	riff, data := int(binary.LittleEndian.Uint32(content[4:])), int(binary.LittleEndian.Uint32(content[40:]))
	if uncounted := len(content) - headerSize - data; riff != data+headerSize-8 || data%periodBytes != 0 || uncounted < 0 || uncounted > periodBytes {
		t.Fatalf("the header says %d and %d, the file has %d bytes", riff, data, len(content))
	}
	if _, err := newWAVReader(bytes.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	samples := make([]int16, data/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(content[headerSize+2*i:]))
	}
	return samples
}

// call writes a steady value to path for a while, in virtual time.
func call(t *testing.T, path string, value float32, length time.Duration, during func()) {
	t.Helper()
	sink, err := NewFileSink(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := sink.Start(func(period []float32) {
		for i := range period {
			period[i] = value
		}
		if during != nil {
			during()
		}
	}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(length + time.Millisecond)
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheHeaderIsTrueAtEveryMomentAndCallsFollowOneAnother(t *testing.T) {
	path := writeFile(t, []byte("what another process left here, longer than a header is, to be replaced"))
	synctest.Test(t, func(t *testing.T) {
		n := 0
		call(t, path, 0.5, time.Second, func() {
			if got := len(recorded(t, path)); got != n*audio.PeriodSamples {
				t.Fatalf("after %d periods the file has %d samples", n, got)
			}
			n++
		})
		call(t, path, -2, time.Second, nil) // beyond full scale
	})
	samples := recorded(t, path)
	if len(samples) != 2*audio.SampleRate {
		t.Fatalf("two seconds have %d samples", len(samples))
	}
	for i, want := range map[int]int16{0: 16384, audio.SampleRate - 1: 16384, audio.SampleRate: -32767, 2*audio.SampleRate - 1: -32767} {
		if samples[i] != want {
			t.Errorf("sample %d is %d, not %d", i, samples[i], want)
		}
	}
}

func TestAFileThatWasMovedAwayIsBegunAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "call.wav")
	synctest.Test(t, func(t *testing.T) {
		call(t, path, 0.5, time.Second, nil)
		if err := os.Rename(path, path+".kept"); err != nil {
			t.Fatal(err)
		}
		call(t, path, 0.25, 2*time.Second, nil)
	})
	if a, b := len(recorded(t, path+".kept")), len(recorded(t, path)); a != audio.SampleRate || b != 2*audio.SampleRate {
		t.Errorf("the files have %d and %d samples", a, b)
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "call.wav")
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	sink, err := NewFileSink(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{path, dir, pipe, filepath.Join(dir, "no", "such.wav"), "/dev/full"} {
		if _, err := NewFileSink(bad); !errors.Is(err, audio.ErrDevice) {
			t.Errorf("writing %s: %v", bad, err)
		}
	}
	if err := sink.Close(); err != nil {
		t.Error(err)
	}
	if _, err := NewFileSource(pipe); !errors.Is(err, audio.ErrDevice) {
		t.Errorf("reading a pipe as a file: %v", err)
	}
}

// fullDisk takes so many bytes and then no more.
type fullDisk struct {
	room    int64
	content []byte
}

func (d *fullDisk) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > d.room {
		return 0, syscall.ENOSPC
	}
	d.content = append(d.content, make([]byte, max(0, int(at)+len(p)-len(d.content)))...)
	return copy(d.content[at:], p), nil
}

func (d *fullDisk) Close() error               { return nil }
func (d *fullDisk) Stat() (fs.FileInfo, error) { return nil, fs.ErrNotExist }

func TestAFullDiskIsReportedOnceAndTheCallGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &fullDisk{room: headerSize + 20*periodBytes + 100}
		sink := &fileSink{newRunner("file:full.wav"), "full.wav", &recording{file: disk, playing: true}}
		asked := 0
		if err := sink.Start(func([]float32) { asked++ }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + time.Millisecond)
		select {
		case err := <-sink.Lost():
			if !errors.Is(err, audio.ErrDevice) || !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("reported as %v", err)
			}
		default:
			t.Error("not reported")
		}
		_ = sink.Close()
		select {
		case err := <-sink.Lost():
			t.Errorf("reported again: %v", err)
		default:
		}
		if asked != 100 {
			t.Errorf("asked for %d periods in a second", asked)
		}
		if data := binary.LittleEndian.Uint32(disk.content[40:]); data != 20*periodBytes {
			t.Errorf("the header says %d bytes", data)
		}
	})
}

// TestKilled is also the child process of TestTheFileIsValidAfterAKill.
func TestKilled(t *testing.T) {
	path := os.Getenv("SOTTO_TEST_WRITE")
	if path == "" {
		t.Skip("only runs as a child process")
	}
	sink, err := NewFileSink(path)
	if err != nil {
		t.Fatal(err)
	}
	_ = sink.Start(func(period []float32) {
		for i := range period {
			period[i] = 0.5
		}
	})
	time.Sleep(time.Minute) // the parent kills us long before
}

func TestTheFileIsValidAfterAKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "killed.wav")
	for range 2 { // the second process begins anew
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "SOTTO_TEST_WRITE="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for range 500 {
			if info, err := os.Stat(path); err == nil && info.Size() > headerSize+20*periodBytes {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		_ = child.Process.Kill()
		_ = child.Wait()
		samples := recorded(t, path)
		if len(samples) == 0 {
			t.Fatal("nothing was written")
		}
		for i, sample := range samples {
			if sample != 16384 {
				t.Fatalf("sample %d of %d is %d", i, len(samples), sample)
			}
		}
		if err := os.Truncate(path, headerSize); err != nil { // so that the next child's progress shows
			t.Fatal(err)
		}
	}
}
