package wazero

import (
	"os"
	"unsafe"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// refuseProcFS returns EPERM when fd is on a process file system, where
// self/mem is a regular file.
func refuseProcFS(fd int) error {
	var st unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Fstatfs(fd, &st) }); err != nil {
		return err
	}
	if st.Type == unix.PROC_SUPER_MAGIC {
		return sys.EPERM
	}
	return nil
}

func datasync(f *os.File) error {
	return uninterrupted(func() error { return unix.Fdatasync(int(f.Fd())) })
}

// futimens sets the times of f in nanoseconds since 1970; sys.UTIME_OMIT leaves
// one alone. utimensat without a path means its descriptor, which
// golang.org/x/sys has no name for.
func futimens(f *os.File, atim, mtim int64) error {
	times := [2]unix.Timespec{timespec(atim), timespec(mtim)}
	//nolint:gosec // the kernel reads two timespecs there
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, f.Fd(), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func timespec(ns int64) unix.Timespec {
	if ns == sys.UTIME_OMIT {
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	}
	return unix.NsecToTimespec(ns)
}
