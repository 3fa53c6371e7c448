package wazero

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/tetratelabs/wazero/experimental/sys"
	wzsys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"
)

const accessMode = sys.O_RDONLY | sys.O_RDWR | sys.O_WRONLY

// OpenFile implements sys.FS.
func (d *dirFS) OpenFile(name string, flag sys.Oflag, perm fs.FileMode) (sys.File, sys.Errno) {
	name, errno := localPath(name)
	if errno != 0 {
		return nil, errno
	}
	if errno := d.checkFlags(name, flag); errno != 0 {
		return nil, errno
	}
	var f *dirFile
	err := uninterrupted(func() (err error) {
		f, err = d.open(name, flag, perm&fs.ModePerm)
		return err
	})
	switch {
	case err == nil:
		return f, 0
	case name == "." && flag == sys.O_RDONLY:
		// So wazero opens the folder itself when the guest first uses it, and
		// it panics on any other error.
		return nil, sys.ENOENT
	}
	return nil, errnoOf(err)
}

// checkFlags refuses what need not be tried.
func (d *dirFS) checkFlags(name string, flag sys.Oflag) sys.Errno {
	const writing = sys.O_RDWR | sys.O_WRONLY | sys.O_CREAT | sys.O_TRUNC
	switch {
	case flag&accessMode == sys.O_RDWR|sys.O_WRONLY,
		flag&sys.O_DIRECTORY != 0 && flag&sys.O_CREAT != 0:
		return sys.EINVAL
	case d.readOnly && flag&writing != 0:
		return sys.EROFS
	case flag&sys.O_CREAT != 0 && strings.HasSuffix(name, "/"):
		return sys.EISDIR
	}
	return 0
}

func (d *dirFS) open(name string, flag sys.Oflag, perm fs.FileMode) (*dirFile, error) {
	if err := d.checkType(name, flag); err != nil {
		return nil, err
	}
	return d.openAny(name, flag, perm)
}

// openAny opens name without having looked at it before.
func (d *dirFS) openAny(name string, flag sys.Oflag, perm fs.FileMode) (*dirFile, error) {
	var f *os.File
	var err error
	if flag&sys.O_NOFOLLOW != 0 && namesEntry(name) {
		f, err = d.openNoFollow(name, hostFlags(flag), perm)
	} else {
		f, err = d.root.OpenFile(name, hostFlags(flag), perm)
	}
	if err != nil {
		return nil, err
	}
	file, err := d.admit(f, flag)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return file, nil
}

// checkType returns EPERM when name is neither a regular file nor a folder.
// admit has the last word; but opening some devices does something, and
// opening a FIFO is seen at its other end.
func (d *dirFS) checkType(name string, flag sys.Oflag) error {
	if flag&sys.O_CREAT != 0 && flag&sys.O_EXCL != 0 {
		return nil // nothing that exists will be opened
	}
	stat := d.root.Stat
	if flag&sys.O_NOFOLLOW != 0 {
		stat = d.root.Lstat
	}
	info, err := stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && flag&sys.O_CREAT != 0:
		return nil
	case err != nil:
		return err
	case info.Mode().Type() == fs.ModeSymlink:
		return nil // for the kernel to refuse, who knows which error suits the flags
	}
	return wantOpenable(info)
}

func wantOpenable(info fs.FileInfo) error {
	if !info.Mode().IsRegular() && !info.IsDir() {
		return sys.EPERM
	}
	return nil
}

// namesEntry reports whether the last element of name is itself what is to be
// opened: a trailing slash asks for what a symbolic link leads to.
func namesEntry(name string) bool {
	_, _, slash, errno := splitPath(name)
	return errno == 0 && !slash
}

// openNoFollow opens name, unless it is a symbolic link, which os.Root would
// follow whatever the flags.
func (d *dirFS) openNoFollow(name string, flag int, perm fs.FileMode) (f *os.File, err error) {
	err = d.at(name, func(dir int, base string, _ bool) error {
		fd, err := unix.Openat(dir, base, flag|unix.O_NOFOLLOW, uint32(perm))
		if err == nil {
			f = os.NewFile(uintptr(fd), name)
		}
		return err
	})
	return f, err
}

// admit looks at what has been opened, now that it can't be exchanged any more,
// and sets the flags that it is used with.
func (d *dirFS) admit(f *os.File, flag sys.Oflag) (*dirFile, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if err := wantOpenable(info); err != nil {
		return nil, err
	}
	if err := refuseProcFS(int(f.Fd())); err != nil {
		return nil, err
	}
	st := wzsys.NewStat_t(info)
	file := &dirFile{file: f, dev: st.Dev, ino: st.Ino, dir: info.IsDir(), readOnly: d.readOnly}
	file.nonblock = flag&sys.O_NONBLOCK != 0
	file.append = flag&sys.O_APPEND != 0
	if err := file.applyAppend(file.append); err != nil {
		return nil, err
	}
	return file, nil
}

// hostFlags returns flags for openat. O_APPEND is set later, for then os.File
// doesn't know of it: it would refuse to write at an offset.
func hostFlags(flag sys.Oflag) int {
	host := os.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK | unix.O_NOCTTY
	switch flag & accessMode {
	case sys.O_RDWR:
		host |= os.O_RDWR
	case sys.O_WRONLY:
		host |= os.O_WRONLY
	default: // sys.O_RDONLY, as checkFlags has seen to
	}
	if flag&sys.O_CREAT != 0 {
		host |= os.O_CREATE
		if flag&sys.O_EXCL != 0 { // means nothing without O_CREAT
			host |= os.O_EXCL
		}
	}
	if flag&sys.O_TRUNC != 0 {
		host |= os.O_TRUNC
	}
	if flag&sys.O_DIRECTORY != 0 {
		host |= unix.O_DIRECTORY
	}
	if flag&sys.O_DSYNC != 0 {
		host |= syscall.O_DSYNC
	}
	if flag&(sys.O_SYNC|sys.O_RSYNC) != 0 {
		host |= os.O_SYNC
	}
	return host
}
