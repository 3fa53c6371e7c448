package live

import (
	"errors"

	"golang.org/x/sys/unix"

	"plasm/lib/wasi"
)

// node is an open file or folder.
type node struct {
	fd int
	m  *mount
}

// Stat implements wasi.Node.
func (n *node) Stat() (wasi.Stat, wasi.Errno) {
	var st unix.Stat_t
	if err := fstat(n.fd, &st); err != nil {
		return wasi.Stat{}, errnoOf(err)
	}
	return statOf(&st), wasi.Success
}

// SetTimes implements wasi.Node.
func (n *node) SetTimes(t wasi.Times) wasi.Errno {
	return n.change(func() error { return setTimes(n.fd, t) })
}

// Sync implements wasi.Node. Where nothing can have been written it calls nobody: a
// worker that may only read could be forbidden the very call.
func (n *node) Sync(dataOnly bool) wasi.Errno {
	if n.m.readOnly {
		return wasi.Success
	}
	sync := unix.Fsync
	if dataOnly {
		sync = datasync
	}
	return errnoOf(uninterrupted(func() error { return sync(n.fd) }))
}

// Close implements wasi.Node.
func (n *node) Close() wasi.Errno {
	err := unix.Close(n.fd)
	if errors.Is(err, unix.EINTR) { // it is closed all the same
		err = nil
	}
	return errnoOf(err)
}

// change does something that a read-only folder refuses.
func (n *node) change(do func() error) wasi.Errno {
	if n.m.readOnly {
		return wasi.EROFS
	}
	return errnoOf(uninterrupted(do))
}

// uninterrupted calls do again as long as a signal interrupts it: the Go runtime
// preempts by signals.
func uninterrupted(do func() error) error {
	for {
		if err := do(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

func openat(dir int, name string, flags int, perm uint32) (fd int, err error) {
	flags |= unix.O_NOFOLLOW | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	err = uninterrupted(func() (err error) {
		fd, err = unix.Openat(dir, name, flags, perm)
		return err
	})
	return fd, err
}

func fstat(fd int, st *unix.Stat_t) error {
	return uninterrupted(func() error { return unix.Fstat(fd, st) })
}

func fstatat(dir int, name string, st *unix.Stat_t) error {
	return uninterrupted(func() error { return unix.Fstatat(dir, name, st, unix.AT_SYMLINK_NOFOLLOW) })
}

// wide is for numbers whose type is another on each system and processor.
func wide[T int32 | uint16 | uint32 | uint64](n T) uint64 { return uint64(n) }

func statOf(st *unix.Stat_t) wasi.Stat {
	return wasi.Stat{
		Device: wide(st.Dev),
		Inode:  st.Ino,
		Type:   typeOf(st),
		Links:  wide(st.Nlink),
		Size:   uint64(max(0, st.Size)),
		Atime:  st.Atim.Nano(),
		Mtime:  st.Mtim.Nano(),
		Ctime:  st.Ctim.Nano(),
	}
}

func typeOf(st *unix.Stat_t) wasi.FileType {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return wasi.TypeRegular
	case unix.S_IFDIR:
		return wasi.TypeDirectory
	case unix.S_IFLNK:
		return wasi.TypeSymlink
	default:
		return wasi.TypeUnknown
	}
}

// errnos are the host's errors that have a number.
var errnos = map[unix.Errno]wasi.Errno{
	unix.EACCES: wasi.EACCES, unix.EAGAIN: wasi.EAGAIN, unix.EBADF: wasi.EBADF, unix.EBUSY: wasi.EBUSY,
	unix.EDQUOT: wasi.EDQUOT, unix.EEXIST: wasi.EEXIST, unix.EFBIG: wasi.EFBIG, unix.EILSEQ: wasi.EILSEQ,
	unix.EINTR: wasi.EINTR, unix.EINVAL: wasi.EINVAL, unix.EIO: wasi.EIO, unix.EISDIR: wasi.EISDIR,
	unix.ELOOP: wasi.ELOOP, unix.EMFILE: wasi.EMFILE, unix.EMLINK: wasi.EMLINK, unix.ENAMETOOLONG: wasi.ENAMETOOLONG,
	unix.ENFILE: wasi.ENFILE, unix.ENOENT: wasi.ENOENT, unix.ENOMEM: wasi.ENOMEM, unix.ENOSPC: wasi.ENOSPC,
	unix.ENOSYS: wasi.ENOSYS, unix.ENOTDIR: wasi.ENOTDIR, unix.ENOTEMPTY: wasi.ENOTEMPTY, unix.ENOTSUP: wasi.ENOTSUP,
	unix.ENXIO: wasi.EPERM, unix.ENODEV: wasi.EPERM, // of what is no file
	unix.EOVERFLOW: wasi.EOVERFLOW, unix.EPERM: wasi.EPERM, unix.EROFS: wasi.EROFS, unix.ESPIPE: wasi.ESPIPE,
	unix.ESTALE: wasi.ESTALE, unix.ETXTBSY: wasi.ETXTBSY, unix.EXDEV: wasi.EXDEV,
}

// errnoOf returns the number for err, which is nil or the kernel's; EIO where there is
// none.
func errnoOf(err error) wasi.Errno {
	if err == nil {
		return wasi.Success
	}
	if host, ok := errors.AsType[unix.Errno](err); ok {
		if errno, ok := errnos[host]; ok {
			return errno
		}
	}
	return wasi.EIO
}
