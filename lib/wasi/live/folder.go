package live

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"plasm/lib/wasi"
)

// folder is an open folder.
type folder struct {
	node
}

// Reopen implements wasi.Dir.
func (d *folder) Reopen() (wasi.Dir, wasi.Errno) {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, errnoOf(err)
	}
	return &folder{node{fd: fd, m: d.m}}, wasi.Success
}

// Lstat implements wasi.Dir.
func (d *folder) Lstat(name string) (wasi.Stat, wasi.Errno) {
	var st unix.Stat_t
	if err := fstatat(d.fd, name, &st); err != nil {
		return wasi.Stat{}, errnoOf(err)
	}
	return statOf(&st), wasi.Success
}

// Readlink implements wasi.Dir. A program can neither make an absolute link nor read
// where one points: it would learn the host's paths.
func (d *folder) Readlink(name string) (string, wasi.Errno) {
	buf := make([]byte, wasi.MaxPath+1)
	var n int
	err := uninterrupted(func() (err error) {
		n, err = unix.Readlinkat(d.fd, name, buf)
		return err
	})
	switch {
	case err != nil:
		return "", errnoOf(err)
	case n == 0 || n > wasi.MaxPath:
		return "", wasi.ENAMETOOLONG
	case buf[0] == '/':
		return "", wasi.EPERM
	}
	return string(buf[:n]), wasi.Success
}

// List implements wasi.Dir.
func (d *folder) List() ([]wasi.Entry, wasi.Errno) {
	if _, err := unix.Seek(d.fd, 0, unix.SEEK_SET); err != nil {
		return nil, errnoOf(err)
	}
	var names []string
	buf := make([]byte, 32<<10)
	for {
		var n int
		err := uninterrupted(func() (err error) {
			n, err = unix.ReadDirent(d.fd, buf)
			return err
		})
		if err != nil {
			return nil, errnoOf(err)
		}
		if n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	return d.entries(names), wasi.Success
}

// entries describes what is there of names: one may have gone meanwhile.
func (d *folder) entries(names []string) []wasi.Entry {
	slices.Sort(names)
	entries := make([]wasi.Entry, 0, len(names))
	for _, name := range names {
		var st unix.Stat_t
		err := fstatat(d.fd, name, &st)
		switch {
		case errors.Is(err, unix.ENOENT):
		case err != nil: // a folder that may be listed, but not entered
			entries = append(entries, wasi.Entry{Name: name})
		default:
			entries = append(entries, wasi.Entry{Name: name, Type: typeOf(&st), Inode: st.Ino})
		}
	}
	return entries
}

// Mkdir implements wasi.Dir.
func (d *folder) Mkdir(name string) wasi.Errno {
	return d.change(func() error { return unix.Mkdirat(d.fd, name, 0o700) })
}

// Symlink implements wasi.Dir.
func (d *folder) Symlink(target, name string) wasi.Errno {
	if strings.HasPrefix(target, "/") {
		return wasi.EPERM
	}
	return d.change(func() error { return unix.Symlinkat(target, d.fd, name) })
}

// Link implements wasi.Dir.
func (d *folder) Link(name string, to wasi.Dir, newName string) wasi.Errno {
	return d.between(to, func(to int) error { return unix.Linkat(d.fd, name, to, newName, 0) })
}

// Rename implements wasi.Dir.
func (d *folder) Rename(name string, to wasi.Dir, newName string) wasi.Errno {
	return d.between(to, func(to int) error { return unix.Renameat(d.fd, name, to, newName) })
}

// between does something that changes this folder and another of the same mount.
func (d *folder) between(to wasi.Dir, do func(to int) error) wasi.Errno {
	other, ok := to.(*folder)
	if !ok || other.m != d.m {
		return wasi.EXDEV
	}
	return d.change(func() error { return do(other.fd) })
}

// Unlink implements wasi.Dir.
func (d *folder) Unlink(name string) wasi.Errno {
	return d.change(func() error {
		var st unix.Stat_t // first, because systems disagree on the error for a folder
		switch err := fstatat(d.fd, name, &st); {
		case err != nil:
			return err
		case typeOf(&st) == wasi.TypeDirectory:
			return unix.EISDIR
		}
		return unix.Unlinkat(d.fd, name, 0)
	})
}

// Rmdir implements wasi.Dir.
func (d *folder) Rmdir(name string) wasi.Errno {
	return d.change(func() error { return unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR) })
}

// SetTimesOf implements wasi.Dir.
func (d *folder) SetTimesOf(name string, t wasi.Times) wasi.Errno {
	return d.change(func() error { return setTimesOf(d.fd, name, t) })
}

// Open implements wasi.Dir.
func (d *folder) Open(name string, o wasi.OpenOptions) (wasi.Node, wasi.Errno) {
	if d.m.readOnly && (o.Write || o.Create || o.Truncate) {
		return nil, wasi.EROFS
	}
	if errno := d.look(name, o); errno != wasi.Success {
		return nil, errno
	}
	return d.open(name, o)
}

// look returns an error for what is not to be opened. admit has the last word; but
// opening some devices does something, and opening a FIFO is seen at its other end.
func (d *folder) look(name string, o wasi.OpenOptions) wasi.Errno {
	if o.Directory || (o.Create && o.Exclusive) {
		return wasi.Success // the kernel opens no such thing
	}
	var st unix.Stat_t
	err := fstatat(d.fd, name, &st)
	switch {
	case errors.Is(err, unix.ENOENT) && o.Create:
		return wasi.Success
	case err != nil:
		return errnoOf(err)
	}
	return openable(typeOf(&st))
}

func openable(t wasi.FileType) wasi.Errno {
	switch t {
	case wasi.TypeRegular, wasi.TypeDirectory:
		return wasi.Success
	case wasi.TypeSymlink:
		return wasi.ELOOP
	default:
		return wasi.EPERM
	}
}

// open opens name without having looked at it before.
func (d *folder) open(name string, o wasi.OpenOptions) (wasi.Node, wasi.Errno) {
	fd, err := openat(d.fd, name, hostFlags(o), 0o600)
	if err != nil {
		return nil, d.refused(name, o, err)
	}
	node, errno := d.admit(fd, o)
	if errno != wasi.Success {
		_ = unix.Close(fd)
		return nil, errno
	}
	return node, wasi.Success
}

// refused tells a symbolic link from what else the kernel does not open as a folder.
func (d *folder) refused(name string, o wasi.OpenOptions, err error) wasi.Errno {
	if o.Directory && errors.Is(err, unix.ENOTDIR) {
		if st, errno := d.Lstat(name); errno == wasi.Success && st.Type == wasi.TypeSymlink {
			return wasi.ELOOP
		}
		return wasi.ENOTDIR
	}
	return errnoOf(err)
}

// admit looks at what has been opened, now that it can't be exchanged any more.
func (d *folder) admit(fd int, o wasi.OpenOptions) (wasi.Node, wasi.Errno) {
	var st unix.Stat_t
	if err := fstat(fd, &st); err != nil {
		return nil, errnoOf(err)
	}
	kind := typeOf(&st)
	if errno := openable(kind); errno != wasi.Success {
		return nil, errno
	}
	if statOf(&st).Device != d.m.device { // something is mounted below the folder
		if err := refuseProcFS(fd); err != nil {
			return nil, errnoOf(err)
		}
	}
	n := node{fd: fd, m: d.m}
	switch {
	case kind == wasi.TypeDirectory:
		return &folder{n}, wasi.Success
	case o.Directory:
		return nil, wasi.ENOTDIR
	}
	return &file{node: n}, wasi.Success
}

// hostFlags returns flags for openat. Opening never waits for the other end of a FIFO.
func hostFlags(o wasi.OpenOptions) int {
	flags := unix.O_RDONLY
	writes := o.Write || o.Truncate
	switch {
	case writes && o.Read:
		flags = unix.O_RDWR
	case writes:
		flags = unix.O_WRONLY
	}
	if o.Create {
		flags |= unix.O_CREAT
		if o.Exclusive { // means nothing without O_CREAT
			flags |= unix.O_EXCL
		}
	}
	if o.Truncate {
		flags |= unix.O_TRUNC
	}
	if o.Directory {
		flags |= unix.O_DIRECTORY
	}
	return flags
}
