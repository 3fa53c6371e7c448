package live

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"plasm/lib/wasi"
)

// refuseProcFS returns EPERM when fd is on a process file system, where self/mem is a
// regular file.
func refuseProcFS(fd int) error {
	var st unix.Statfs_t
	if err := uninterrupted(func() error { return unix.Fstatfs(fd, &st) }); err != nil {
		return err
	}
	if st.Type == unix.PROC_SUPER_MAGIC {
		return unix.EPERM
	}
	return nil
}

func datasync(fd int) error { return unix.Fdatasync(fd) }

// setTimes sets the times of an open file. utimensat without a path means its
// descriptor, which golang.org/x/sys has no name for.
func setTimes(fd int, t wasi.Times) error {
	times := timespecs(t)
	//nolint:gosec // the kernel reads two timespecs there
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// setTimesOf sets the times of a name, be it a symbolic link.
func setTimesOf(dir int, name string, t wasi.Times) error {
	times := timespecs(t)
	return unix.UtimesNanoAt(dir, name, times[:], unix.AT_SYMLINK_NOFOLLOW)
}

func timespecs(t wasi.Times) [2]unix.Timespec {
	return [2]unix.Timespec{timespec(t.Atime), timespec(t.Mtime)}
}

func timespec(t wasi.SetTime) unix.Timespec {
	switch {
	case !t.Set:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	case t.Now:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	}
	return unix.NsecToTimespec(t.At)
}
