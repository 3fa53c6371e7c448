package seccomp

import (
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Apply puts every thread of this process under a profile for good, with the use of files.
// It needs no privileges: no_new_privs is set with it.
func Apply(p Profile, files Files) error {
	raw, err := Program(p, Arch(runtime.GOARCH), os.Getpid(), files)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filter[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	// Under a filter that is there already the bit is set, and prctl not allowed. A
	// worker is mostly born with it, in all threads: to lock this goroutine to one, for
	// which the Go runtime starts another, is a tenth of what confinement takes.
	if !Proved() && !bare() {
		runtime.LockOSThread() // the bit is a thread's: the one that loads the filter for all
		defer runtime.UnlockOSThread()
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("no_new_privs: %w", err)
		}
	}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog))) //nolint:gosec // the kernel reads the program there
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case r != 0: // with TSYNC a number is the thread that could not follow
		return fmt.Errorf("seccomp: thread %d did not follow", r)
	}
	return nil
}

// bare reports whether this thread has no_new_privs.
func bare() bool {
	set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	return err == nil && set == 1
}

// Proved reports whether this thread is under one of our filters, by a call that
// only they answer in this way.
func Proved() bool {
	_, _, errno := unix.RawSyscall(unix.SYS_GETPGID, probePID, 0, 0)
	return errno == ProbeErrno
}
