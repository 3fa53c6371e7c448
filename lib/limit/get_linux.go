package limit

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What is here is called before the Go runtime has begun, too: see entry. So it takes
// no memory and no lock, and asks the kernel directly.

// Get returns the limit that counts now, and the highest to which this process may
// raise it. Where it cannot be had, nothing is limited.
func (r *Resource) Get() (now, most uint64) {
	var l unix.Rlimit
	if _, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, 0, uintptr(r.id), 0, uintptr(unsafe.Pointer(&l)), 0, 0); errno != 0 { //nolint:gosec // the kernel writes there
		return Unlimited, Unlimited
	}
	return widest(l.Cur), widest(l.Max)
}

// isOpen reports whether a descriptor is in use.
func isOpen(fd uint64) bool {
	_, _, errno := syscall.RawSyscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
	return errno != syscall.EBADF
}

// effectiveUser returns whose rights this process has.
func effectiveUser() int {
	uid, _, _ := syscall.RawSyscall(syscall.SYS_GETEUID, 0, 0, 0)
	return int(uid)
}
