package wazero

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/tetratelabs/wazero/experimental/sys"
	wzsys "github.com/tetratelabs/wazero/sys"
	"golang.org/x/sys/unix"

	"plasm/lib/job"
)

// dirFS is a folder of the host as a guest gets it, in place of wazero's own
// mounts, which a guest leaves through "../.." or a symbolic link.
//
// # What holds
//
// A path leads nowhere but to what is below the folder: not by "..", not by an
// absolute path (which is taken as one from the folder), not by a symbolic
// link, whoever made it, and not by exchanging one for another while a path is
// being followed. Every element but the last is walked by os.Root, one openat
// without following links after the other. The last one is left to os.Root
// too where links are to be followed, and else named to the kernel relative to
// the descriptor of its parent, again without following links.
//
//   - Relative symbolic links that stay inside work, up to 8 in one path.
//     Absolute ones and those that lead out are refused with EPERM, also when
//     an absolute one happens to lead back in. A guest can neither make an
//     absolute link nor read where one points: it would learn the host's paths.
//   - Read-only means that every operation that would change something fails
//     with EROFS, on paths and on open files.
//   - Only regular files and folders are opened, and nothing on a process file
//     system (where a process finds its own memory and that of its siblings);
//     the rest is refused with EPERM. Opening never waits for the other end
//     of a FIFO, not even when it takes a file's place at that moment, and
//     never acquires a terminal.
//   - Permissions are masked with 0777: no guest makes a file setuid, setgid or
//     sticky.
//
// # What does not
//
//   - What is in the folder is granted. That includes a file that has another,
//     hard-linked name outside, and whatever is mounted below it.
//   - The folder is known by descriptor, and so is each folder in it while a
//     path is followed. When another process moves one of them out of the tree,
//     what was already opened goes with it. A guest cannot do that: it has no
//     name for a place outside. One that has two folders, one inside the other,
//     can do to the inner one what the outer one allows.
//   - A guest may leave relative symbolic links behind that point out of the
//     folder. They lead no guest anywhere, but programs of the host that
//     follow them go there.
//   - Other processes see and change the folder meanwhile; nothing is locked.
//   - The order of a listing, inode numbers, times of new files and free space
//     are the host's: they are not deterministic.
//   - WASI, as wazero speaks it, has no number for some errors: a full disk,
//     an exhausted quota and too many open files are all EIO to the guest.
//   - On darwin the times of an open file are set to the microsecond.
//
// A dirFS may be used by several goroutines at once, an open file by one.
type dirFS struct {
	sys.UnimplementedFS

	root     *os.Root
	readOnly bool
}

// maxPath is the length in bytes of the longest path, and of the longest target
// of a symbolic link: what Linux allows, less its terminating NUL. The kernel
// would not enforce it, as it never sees a whole path.
const maxPath = 4095

// newDirFS opens the folder hostPath, to which symbolic links may lead. The
// error is a *job.Error that names it. Close must be called after the last use.
func newDirFS(hostPath string, readOnly bool) (*dirFS, error) {
	info, err := os.Stat(hostPath) // first, because opening a FIFO would wait for a writer
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &job.Error{
			Code: job.CodeNotFound, Message: "no such folder: " + hostPath,
			Hint: "make it first: a guest's folders are not created for it", Err: err,
		}
	case err != nil:
		return nil, folderError(hostPath, err)
	case !info.IsDir():
		return nil, &job.Error{
			Code: job.CodeIO, Message: "not a folder: " + hostPath,
			Hint: "give the guest the folder that holds it",
		}
	}
	root, err := os.OpenRoot(hostPath)
	if err != nil {
		return nil, folderError(hostPath, err)
	}
	d := &dirFS{root: root, readOnly: readOnly}
	top, err := d.open(".", sys.O_RDONLY, 0)
	switch {
	case err == nil:
		_ = top.Close()
		return d, nil
	case errors.Is(err, sys.EPERM):
		err = &job.Error{
			Code: job.CodeIO, Message: "not a folder that a guest may have: " + hostPath,
			Hint: "a process file system opens other processes to it", Err: err,
		}
	default:
		err = folderError(hostPath, err)
	}
	_ = d.Close()
	return nil, err
}

func folderError(hostPath string, err error) error {
	return &job.Error{Code: job.CodeIO, Message: "cannot open folder: " + hostPath + ": " + reason(err), Err: err}
}

// reason is err without the operation and path that os wraps around it.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return err.Error()
}

// Close gives the folder back. Files that are open stay so. Later calls of
// other methods return EBADF.
func (d *dirFS) Close() error {
	return d.root.Close()
}

// Stat implements sys.FS.
func (d *dirFS) Stat(name string) (wzsys.Stat_t, sys.Errno) {
	return statBy(d.root.Stat, name)
}

// Lstat implements sys.FS.
func (d *dirFS) Lstat(name string) (wzsys.Stat_t, sys.Errno) {
	return statBy(d.root.Lstat, name)
}

func statBy(stat func(string) (fs.FileInfo, error), name string) (wzsys.Stat_t, sys.Errno) {
	name, errno := localPath(name)
	if errno != 0 {
		return wzsys.Stat_t{}, errno
	}
	var info fs.FileInfo
	err := uninterrupted(func() (err error) {
		info, err = stat(name)
		return err
	})
	if err != nil {
		return wzsys.Stat_t{}, errnoOf(err)
	}
	return wzsys.NewStat_t(info), 0
}

// Readlink implements sys.FS. The target of an absolute link is EPERM.
func (d *dirFS) Readlink(name string) (string, sys.Errno) {
	name, errno := localPath(name)
	if errno != 0 {
		return "", errno
	}
	target, err := d.root.Readlink(name)
	if err != nil {
		return "", errnoOf(err)
	}
	if strings.HasPrefix(target, "/") {
		return "", sys.EPERM
	}
	return target, 0
}

// Mkdir implements sys.FS.
func (d *dirFS) Mkdir(name string, perm fs.FileMode) sys.Errno {
	return d.change(name, func(name string) error { return d.root.Mkdir(name, perm&fs.ModePerm) })
}

// Chmod implements sys.FS.
func (d *dirFS) Chmod(name string, perm fs.FileMode) sys.Errno {
	return d.change(name, func(name string) error { return d.root.Chmod(name, perm&fs.ModePerm) })
}

// Utimens implements sys.FS.
func (d *dirFS) Utimens(name string, atim, mtim int64) sys.Errno {
	return d.change(name, func(name string) error { return d.root.Chtimes(name, timeOf(atim), timeOf(mtim)) })
}

// timeOf returns the time that ns stands for, which os leaves alone when it is
// the zero one.
func timeOf(ns int64) time.Time {
	if ns == sys.UTIME_OMIT {
		return time.Time{}
	}
	return time.Unix(0, ns)
}

// Symlink implements sys.FS. target is kept as it is, as long as it is relative.
func (d *dirFS) Symlink(target, name string) sys.Errno {
	return d.change(name, func(name string) error {
		switch {
		case target == "" || strings.ContainsRune(target, 0):
			return sys.EINVAL
		case target[0] == '/':
			return sys.EPERM
		case len(target) > maxPath:
			return sys.ENAMETOOLONG
		}
		return d.root.Symlink(target, name)
	})
}

// Link implements sys.FS. A symbolic link is linked to itself, not followed.
func (d *dirFS) Link(from, to string) sys.Errno {
	return d.change(from, func(from string) error {
		to, errno := localPath(to)
		if errno != 0 {
			return errno
		}
		return d.root.Link(from, to)
	})
}

// Rename implements sys.FS, as rename(2) has it: a folder may take the place of
// an empty one, which os.Root.Rename would not do.
func (d *dirFS) Rename(from, to string) sys.Errno {
	return d.change(from, func(from string) error {
		to, errno := localPath(to)
		if errno != 0 {
			return errno
		}
		return d.at(from, func(fromDir int, fromBase string, fromSlash bool) error {
			return d.at(to, func(toDir int, toBase string, toSlash bool) error {
				if fromSlash || toSlash { // then both are to be folders
					if err := wantDir(fromDir, fromBase); err != nil {
						return err
					}
				}
				return unix.Renameat(fromDir, fromBase, toDir, toBase)
			})
		})
	})
}

// Rmdir implements sys.FS.
func (d *dirFS) Rmdir(name string) sys.Errno {
	return d.change(name, func(name string) error {
		return d.at(name, func(dir int, base string, _ bool) error {
			return unix.Unlinkat(dir, base, unix.AT_REMOVEDIR)
		})
	})
}

// Unlink implements sys.FS.
func (d *dirFS) Unlink(name string) sys.Errno {
	return d.change(name, func(name string) error {
		info, err := d.root.Lstat(name) // first, because systems disagree on the error for a folder
		switch {
		case err != nil:
			return err
		case info.IsDir():
			return syscall.EISDIR
		}
		return d.at(name, func(dir int, base string, _ bool) error {
			return unix.Unlinkat(dir, base, 0)
		})
	})
}

// change does something that a read-only folder refuses.
func (d *dirFS) change(name string, do func(name string) error) sys.Errno {
	if d.readOnly {
		return sys.EROFS
	}
	name, errno := localPath(name)
	if errno != 0 {
		return errno
	}
	return errnoOf(uninterrupted(func() error { return do(name) }))
}
