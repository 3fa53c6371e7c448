//go:build unix && !linux

package sandbox

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// workerAttributes puts a worker into a process group of its own, so that a
// terminal's signals do not reach it.
func workerAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

func widen(*os.File) {}

// waitNoReap waits until a child has ended and leaves it to be reaped.
func waitNoReap(pid int) {
	const pPID = 1 // P_PID in <sys/wait.h>
	var info [128]byte
	for {
		//nolint:gosec,staticcheck // the kernel fills info; there is no wrapper without cgo
		_, _, errno := unix.Syscall6(unix.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info[0])),
			unix.WEXITED|unix.WNOWAIT, 0, 0)
		if errno != unix.EINTR {
			return
		}
	}
}

func shield() {}

// memoryScratch: there are no files in memory that nothing can change any more.
func memoryScratch() (*scratch, error) { return nil, errors.ErrUnsupported }

func seal(*os.File) bool { return false }

// socketPair returns two connected sockets that no other program inherits.
func socketPair() ([2]int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(pair[0])
		unix.CloseOnExec(pair[1])
	}
	return pair, err
}
