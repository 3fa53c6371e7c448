package live

import (
	"golang.org/x/sys/unix"

	"plasm/lib/wasi"
)

// file is an open regular file.
type file struct {
	node

	appends bool // O_APPEND is set
}

// ReadAt implements wasi.File. To ask again where the kernel gave less would cost a system
// call at the end of each file.
func (f *file) ReadAt(p []byte, off int64) (n int, errno wasi.Errno) {
	err := uninterrupted(func() (err error) {
		n, err = unix.Pread(f.fd, p, off)
		return err
	})
	return max(0, n), errnoOf(err)
}

// WriteAt implements wasi.File. It writes at off also where O_APPEND was set, as POSIX
// says and Linux, left to itself, does not.
func (f *file) WriteAt(p []byte, off int64) (int, wasi.Errno) {
	return f.write(false, p, func(p []byte, n int) (int, error) { return unix.Pwrite(f.fd, p, off+int64(n)) })
}

// Append implements wasi.File. The kernel appends in one step, whoever else writes.
func (f *file) Append(p []byte) (n int, end int64, errno wasi.Errno) {
	n, errno = f.write(true, p, func(p []byte, _ int) (int, error) { return unix.Write(f.fd, p) })
	if n == 0 && errno != wasi.Success {
		return 0, 0, errno
	}
	end, err := unix.Seek(f.fd, 0, unix.SEEK_CUR)
	if err != nil {
		return n, 0, errnoOf(err)
	}
	return n, end, errno
}

// write calls do, which gets what is left and how much was written, until all is.
func (f *file) write(appends bool, p []byte, do func(p []byte, n int) (int, error)) (n int, errno wasi.Errno) {
	if f.m.readOnly {
		return 0, wasi.EROFS
	}
	if err := f.setAppend(appends); err != nil {
		return 0, errnoOf(err)
	}
	for {
		var some int
		err := uninterrupted(func() (err error) {
			some, err = do(p[n:], n)
			return err
		})
		if err != nil {
			return n, errnoOf(err)
		}
		if n += some; n == len(p) || some == 0 {
			return n, wasi.Success
		}
	}
}

// setAppend sets or clears O_APPEND. It clears O_NONBLOCK, which was for opening only.
func (f *file) setAppend(appends bool) error {
	if appends == f.appends {
		return nil
	}
	flags := 0
	if appends {
		flags = unix.O_APPEND
	}
	if _, err := unix.FcntlInt(uintptr(f.fd), unix.F_SETFL, flags); err != nil {
		return err
	}
	f.appends = appends
	return nil
}

// SetSize implements wasi.File.
func (f *file) SetSize(size int64) wasi.Errno {
	return f.change(func() error { return unix.Ftruncate(f.fd, size) })
}
