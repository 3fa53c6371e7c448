package worker

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// diesWithParent reports whether the kernel will kill this process when its
// parent dies. The supervisor asked for it between fork and exec, where the
// standard library has also made sure that the parent was still there.
func diesWithParent() bool {
	var signal int32
	err := unix.Prctl(unix.PR_GET_PDEATHSIG, uintptr(unsafe.Pointer(&signal)), 0, 0, 0)
	return err == nil && signal == int32(unix.SIGKILL)
}
