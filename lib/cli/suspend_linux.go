package cli

import (
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stopProcess has SIGTSTP do what it does by default, and returns when the process goes
// on: at once where the kernel does not stop it, as there is no shell that could
// continue it. The signal is for this thread, which so does not go on before it is
// taken. Package os/signal cannot give this signal its default action back.
func stopProcess() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var byDefault, ours kernelAction
	if setAction(&byDefault, &ours) == nil {
		_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP) // to this very thread: nothing to go wrong
		_ = setAction(&ours, nil)                                 // as it was taken
	}
}

// kernelAction is what the kernel has a signal do (struct sigaction, on amd64 and
// arm64): by default where all is 0.
type kernelAction struct {
	handler, flags, restorer uintptr
	mask                     uint64
}

// setAction says what SIGTSTP does, and fills old, unless it is nil, with what it did.
func setAction(action, old *kernelAction) error {
	//nolint:gosec // the kernel reads the one and fills the other
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGTSTP),
		uintptr(unsafe.Pointer(action)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(action.mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
