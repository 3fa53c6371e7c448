package wazero

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	"golang.org/x/sys/unix"
)

// localPath turns a path as wazero passes it on into one for os.Root. wazero
// joins the name that a folder was opened by and a path by "/", so that a path
// in the folder itself comes with a leading one.
func localPath(name string) (string, sys.Errno) {
	switch {
	case len(name) > maxPath:
		return "", sys.ENAMETOOLONG
	case name == "" || strings.ContainsRune(name, 0):
		return "", sys.EINVAL
	}
	if name = strings.TrimLeft(name, "/"); name == "" {
		return ".", 0
	}
	return name, 0
}

// splitPath cuts a path from localPath before its last element. slash says that
// a slash followed that, so that it must be a folder. An element that is no
// name of its own, but "." or "..", is EINVAL.
func splitPath(name string) (dir, base string, slash bool, errno sys.Errno) {
	trimmed := strings.TrimRight(name, "/")
	dir, base = path.Split(trimmed)
	if base == "." || base == ".." {
		return "", "", false, sys.EINVAL
	}
	if dir == "" {
		dir = "."
	}
	return dir, base, len(trimmed) < len(name), 0
}

// at opens the folder that the last element of name is in, and does something
// to that element, which do must not follow if it is a symbolic link.
func (d *dirFS) at(name string, do func(dir int, base string, slash bool) error) error {
	parent, base, slash, errno := splitPath(name)
	if errno != 0 {
		return errno
	}
	f, err := d.root.OpenFile(parent, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return do(int(f.Fd()), base, slash)
}

// wantDir returns ENOTDIR when base is something else than a folder.
func wantDir(dir int, base string) error {
	var st unix.Stat_t
	if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if fileType(&st) != fs.ModeDir {
		return syscall.ENOTDIR
	}
	return nil
}

// fileType returns the type bits of a file's mode.
func fileType(st *unix.Stat_t) fs.FileMode {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 0
	case unix.S_IFDIR:
		return fs.ModeDir
	case unix.S_IFLNK:
		return fs.ModeSymlink
	case unix.S_IFCHR:
		return fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFBLK:
		return fs.ModeDevice
	case unix.S_IFIFO:
		return fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return fs.ModeSocket
	default:
		return fs.ModeIrregular
	}
}

// uninterrupted calls do again as long as a signal interrupts it: the Go
// runtime preempts by signals.
func uninterrupted(do func() error) error {
	for {
		if err := do(); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

// errnoOf returns what wazero calls err, or the closest that it has a name for.
func errnoOf(err error) sys.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[sys.Errno](err); ok {
		return errno
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		switch errno {
		case syscall.EBUSY, syscall.ENXIO, syscall.ENODEV:
			return sys.EPERM
		case syscall.ETXTBSY:
			return sys.EACCES
		case syscall.EFBIG, syscall.EILSEQ:
			return sys.EINVAL
		case syscall.EXDEV:
			return sys.ENOSYS // as wazero says it of two folders
		case syscall.EOPNOTSUPP:
			return sys.ENOTSUP
		default:
			return sys.UnwrapOSError(errno)
		}
	}
	if errors.Is(err, fs.ErrClosed) {
		return sys.EBADF
	}
	return sys.EPERM // os.Root has one error of its own left, and doesn't export it: the path leads out
}
