//go:build unix && !linux

package sandbox

import (
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
		_, _, errno := unix.Syscall6(unix.SYS_WAITID, pPID, uintptr(pid), uintptr(unsafe.Pointer(&info[0])), unix.WEXITED|unix.WNOWAIT, 0, 0)
		if errno != unix.EINTR {
			return
		}
	}
}

func shield() {}
