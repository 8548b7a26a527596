//go:build unix

package fake

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// readable waits until a read of file would not wait, at most timeout. Its end,
// and an error that a read will show, count as readable.
func readable(file *os.File, timeout time.Duration) bool {
	return poll(file, unix.POLLIN, timeout)
}

func poll(file *os.File, events int16, timeout time.Duration) bool {
	wanted := []unix.PollFd{{Fd: int32(file.Fd()), Events: events}}
	n, err := unix.Poll(wanted, int(timeout.Milliseconds()))
	return n > 0 || (err != nil && !errors.Is(err, unix.EINTR))
}

// openPipe gives file a descriptor of its own: a write to a closed pipe on
// descriptor 1 would end the whole process, on any other it is an error. room tells
// whether it takes a period now: a pipe that is writable at all takes PIPE_BUF
// bytes, more than a period has (POSIX, write).
func openPipe(file *os.File) (out io.WriteCloser, room func() bool, err error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, nil, err
	}
	own := os.NewFile(uintptr(fd), file.Name())
	return own, func() bool { return poll(own, unix.POLLOUT, 0) }, nil
}
