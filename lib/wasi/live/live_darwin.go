package live

import (
	"time"

	"golang.org/x/sys/unix"

	"plasm/lib/wasi"
)

// refuseProcFS returns nil: darwin has no process file system.
func refuseProcFS(int) error { return nil }

func datasync(fd int) error { return unix.Fsync(fd) }

// setTimes sets the times of an open file. Without cgo darwin offers microseconds only,
// and no omission.
func setTimes(fd int, t wasi.Times) error {
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return err
	}
	return unix.Futimes(fd, []unix.Timeval{timeval(t.Atime, st.Atim), timeval(t.Mtime, st.Mtim)})
}

func timeval(t wasi.SetTime, was unix.Timespec) unix.Timeval {
	switch {
	case !t.Set:
		return unix.NsecToTimeval(was.Nano())
	case t.Now:
		return unix.NsecToTimeval(time.Now().UnixNano())
	}
	return unix.NsecToTimeval(t.At)
}

// setTimesOf sets the times of a name, be it a symbolic link, by opening it: what
// golang.org/x/sys has for names forgets the folder.
func setTimesOf(dir int, name string, t wasi.Times) error {
	var st unix.Stat_t
	if err := fstatat(dir, name, &st); err != nil {
		return err
	}
	if typeOf(&st) == wasi.TypeUnknown {
		return unix.EPERM // opening it may do something
	}
	flags := unix.O_RDONLY | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC | unix.O_SYMLINK
	var fd int
	err := uninterrupted(func() (err error) {
		fd, err = unix.Openat(dir, name, flags, 0)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }()
	return setTimes(fd, t)
}
