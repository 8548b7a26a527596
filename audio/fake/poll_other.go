//go:build !unix

package fake

import (
	"io"
	"os"
	"time"
)

// Without poll a read waits for the writer, and so does Close.
func readable(*os.File, time.Duration) bool { return true }

// openPipe hands out file behind a Close that leaves it open; a write may wait.
func openPipe(file *os.File) (out io.WriteCloser, room func() bool, err error) {
	return keepOpen{file}, func() bool { return true }, nil
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }
