package wazero

import (
	"io"
	"math"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// input is the guest's standard input.
type input struct {
	file  *os.File // nil: empty
	known bool
}

// Read fills p or reaches the end where the input is known, so that what a read
// returns is a property of the job and not of a pipe's timing; otherwise it
// returns what there is.
func (in *input) Read(p []byte) (int, error) {
	if in.file == nil {
		return 0, nil
	}
	if in.known {
		n, err := io.ReadFull(in.file, p)
		if err == io.ErrUnexpectedEOF || err == io.EOF {
			err = nil
		}
		return n, err
	}
	n, err := in.file.Read(p)
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// wait waits up to timeout nanoseconds, without end for math.MaxInt64, for a
// byte or end of file, and reports whether there is one.
func (in *input) wait(timeout int64) bool {
	if in.file == nil {
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
