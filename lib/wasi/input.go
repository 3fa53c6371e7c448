package wasi

import (
	"errors"
	"io"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// input is the program's standard input.
type input struct {
	file  *os.File // nil: empty
	known bool
}

// read fills p or reaches the end where the input is known, so that what a read returns
// is a property of the job and not of a pipe's timing; otherwise it returns what there
// is, and with nonblock EAGAIN where there is nothing yet.
func (in *input) read(p []byte, nonblock bool) (int, Errno) {
	if in.file == nil || len(p) == 0 {
		return 0, Success
	}
	var n int
	var err error
	switch {
	case in.known:
		n, err = io.ReadFull(in.file, p)
	case nonblock && !in.wait(0):
		return 0, EAGAIN
	default:
		n, err = in.file.Read(p)
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && n == 0 {
		return 0, EIO
	}
	return n, Success
}

// wait waits up to timeout nanoseconds, without end for math.MaxInt64, for a byte or end
// of file, and reports whether there is one.
func (in *input) wait(timeout int64) bool {
	if in.file == nil || in.known {
		return true
	}
	deadline := time.Now().Add(time.Duration(timeout))
	for {
		ms := -1
		if timeout != math.MaxInt64 {
			left := min(max(0, time.Until(deadline)), time.Hour) // what is left after that is waited for again
			ms = int((left + time.Millisecond - 1) / time.Millisecond)
		}
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(in.file.Fd()), Events: unix.POLLIN}}, ms)
		switch {
		case n > 0:
			return true
		case err != nil && err != unix.EINTR:
			return true // let the read say what is wrong
		case err == nil && ms >= 0 && !time.Now().Before(deadline):
			return false
		}
	}
}
