package wazero

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/tetratelabs/wazero/experimental/sys"
)

// TestDirFSErrno holds the errors of each operation on paths, which guests go by.
func TestDirFSErrno(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 64<<10)
	for _, c := range []struct {
		what string
		do   func(d *dirFS) sys.Errno
		want sys.Errno
	}{
		{"mkdir new", func(d *dirFS) sys.Errno { return d.Mkdir("new", 0o700) }, 0},
		{"mkdir new/", func(d *dirFS) sys.Errno { return d.Mkdir("new/", 0o700) }, 0},
		{"mkdir through a link", func(d *dirFS) sys.Errno { return d.Mkdir("dirlink/new", 0o700) }, 0},
		{"mkdir file", func(d *dirFS) sys.Errno { return d.Mkdir("file", 0o700) }, sys.EEXIST},
		{"mkdir dir", func(d *dirFS) sys.Errno { return d.Mkdir("dir", 0o700) }, sys.EEXIST},
		{"mkdir .", func(d *dirFS) sys.Errno { return d.Mkdir(".", 0o700) }, sys.EEXIST},
		{"mkdir missing/x", func(d *dirFS) sys.Errno { return d.Mkdir("missing/x", 0o700) }, sys.ENOENT},
		{"mkdir file/x", func(d *dirFS) sys.Errno { return d.Mkdir("file/x", 0o700) }, sys.ENOTDIR},

		{"rmdir empty", func(d *dirFS) sys.Errno { return d.Rmdir("empty") }, 0},
		{"rmdir empty/", func(d *dirFS) sys.Errno { return d.Rmdir("empty/") }, 0},
		{"rmdir full", func(d *dirFS) sys.Errno { return d.Rmdir("full") }, sys.ENOTEMPTY},
		{"rmdir file", func(d *dirFS) sys.Errno { return d.Rmdir("file") }, sys.ENOTDIR},
		{"rmdir link", func(d *dirFS) sys.Errno { return d.Rmdir("dirlink") }, sys.ENOTDIR},
		{"rmdir missing", func(d *dirFS) sys.Errno { return d.Rmdir("missing") }, sys.ENOENT},
		{"rmdir .", func(d *dirFS) sys.Errno { return d.Rmdir(".") }, sys.EINVAL},
		{"rmdir dir/..", func(d *dirFS) sys.Errno { return d.Rmdir("dir/..") }, sys.EINVAL},
		{"rmdir in missing", func(d *dirFS) sys.Errno { return d.Rmdir("missing/x") }, sys.ENOENT},

		{"unlink file", func(d *dirFS) sys.Errno { return d.Unlink("file") }, 0},
		{"unlink link", func(d *dirFS) sys.Errno { return d.Unlink("dirlink") }, 0},
		{"unlink a link that leads out", func(d *dirFS) sys.Errno { return d.Unlink("out") }, 0},
		{"unlink dir", func(d *dirFS) sys.Errno { return d.Unlink("empty") }, sys.EISDIR},
		{"unlink dir/", func(d *dirFS) sys.Errno { return d.Unlink("empty/") }, sys.EISDIR},
		{"unlink .", func(d *dirFS) sys.Errno { return d.Unlink(".") }, sys.EISDIR},
		{"unlink file/", func(d *dirFS) sys.Errno { return d.Unlink("file/") }, sys.ENOTDIR},
		{"unlink missing", func(d *dirFS) sys.Errno { return d.Unlink("missing") }, sys.ENOENT},

		{"rename file", func(d *dirFS) sys.Errno { return d.Rename("file", "new") }, 0},
		{"rename over a file", func(d *dirFS) sys.Errno { return d.Rename("file", "dir/in") }, 0},
		{"rename to itself", func(d *dirFS) sys.Errno { return d.Rename("file", "file") }, 0},
		{"rename dir", func(d *dirFS) sys.Errno { return d.Rename("dir/", "new/") }, 0},
		{"rename over an empty dir", func(d *dirFS) sys.Errno { return d.Rename("dir", "empty") }, 0},
		{"rename over a full dir", func(d *dirFS) sys.Errno { return d.Rename("dir", "full") }, sys.ENOTEMPTY},
		{"rename dir to file", func(d *dirFS) sys.Errno { return d.Rename("dir", "file") }, sys.ENOTDIR},
		{"rename file to dir", func(d *dirFS) sys.Errno { return d.Rename("file", "dir") }, sys.EISDIR},
		{"rename into itself", func(d *dirFS) sys.Errno { return d.Rename("dir", "dir/sub/x") }, sys.EINVAL},
		{"rename missing", func(d *dirFS) sys.Errno { return d.Rename("missing", "new") }, sys.ENOENT},
		{"rename missing/", func(d *dirFS) sys.Errno { return d.Rename("missing/", "new") }, sys.ENOENT},
		{"rename to missing/x", func(d *dirFS) sys.Errno { return d.Rename("file", "missing/x") }, sys.ENOENT},
		{"rename file/", func(d *dirFS) sys.Errno { return d.Rename("file/", "new") }, sys.ENOTDIR},
		{"rename file to new/", func(d *dirFS) sys.Errno { return d.Rename("file", "new/") }, sys.ENOTDIR},
		{"rename .", func(d *dirFS) sys.Errno { return d.Rename(".", "new") }, sys.EINVAL},
		{"rename to .", func(d *dirFS) sys.Errno { return d.Rename("file", ".") }, sys.EINVAL},
		{"rename to nothing", func(d *dirFS) sys.Errno { return d.Rename("file", "") }, sys.EINVAL},

		{"link file", func(d *dirFS) sys.Errno { return d.Link("file", "new") }, 0},
		{"link to file", func(d *dirFS) sys.Errno { return d.Link("dir/in", "file") }, sys.EEXIST},
		{"link missing", func(d *dirFS) sys.Errno { return d.Link("missing", "new") }, sys.ENOENT},
		{"link dir", func(d *dirFS) sys.Errno { return d.Link("dir", "new") }, sys.EPERM},
		{"link to nothing", func(d *dirFS) sys.Errno { return d.Link("file", "") }, sys.EINVAL},

		{"symlink", func(d *dirFS) sys.Errno { return d.Symlink("file", "new") }, 0},
		{"symlink that leads out", func(d *dirFS) sys.Errno { return d.Symlink("../../x", "new") }, 0},
		{"symlink to file", func(d *dirFS) sys.Errno { return d.Symlink("x", "file") }, sys.EEXIST},
		{"symlink new/", func(d *dirFS) sys.Errno { return d.Symlink("x", "new/") }, sys.ENOENT},
		{"absolute symlink", func(d *dirFS) sys.Errno { return d.Symlink("/etc", "new") }, sys.EPERM},
		{"symlink to nothing", func(d *dirFS) sys.Errno { return d.Symlink("", "new") }, sys.EINVAL},
		{"symlink with NUL", func(d *dirFS) sys.Errno { return d.Symlink("a\x00", "new") }, sys.EINVAL},
		{"long symlink", func(d *dirFS) sys.Errno { return d.Symlink(long, "new") }, sys.ENAMETOOLONG},

		{"readlink", func(d *dirFS) sys.Errno { return second(d.Readlink("link")) }, 0},
		{"readlink that leads out", func(d *dirFS) sys.Errno { return second(d.Readlink("out")) }, 0},
		{"absolute readlink", func(d *dirFS) sys.Errno { return second(d.Readlink("abs")) }, sys.EPERM},
		{"readlink file", func(d *dirFS) sys.Errno { return second(d.Readlink("file")) }, sys.EINVAL},
		{"readlink missing", func(d *dirFS) sys.Errno { return second(d.Readlink("missing")) }, sys.ENOENT},
		{"readlink nothing", func(d *dirFS) sys.Errno { return second(d.Readlink("")) }, sys.EINVAL},

		{"stat file", func(d *dirFS) sys.Errno { return second(d.Stat("file")) }, 0},
		{"stat dir/", func(d *dirFS) sys.Errno { return second(d.Stat("dir/")) }, 0},
		{"stat /", func(d *dirFS) sys.Errno { return second(d.Stat("/")) }, 0},
		{"stat .", func(d *dirFS) sys.Errno { return second(d.Stat(".")) }, 0},
		{"stat //file", func(d *dirFS) sys.Errno { return second(d.Stat("//file")) }, 0},
		{"stat ./dir//./in", func(d *dirFS) sys.Errno { return second(d.Stat("./dir//./in")) }, 0},
		{"stat dir/../file", func(d *dirFS) sys.Errno { return second(d.Stat("dir/../file")) }, 0},
		{"stat dirlink/up", func(d *dirFS) sys.Errno { return second(d.Stat("dirlink/up")) }, 0},
		{"stat file/", func(d *dirFS) sys.Errno { return second(d.Stat("file/")) }, sys.ENOTDIR},
		{"stat file/x", func(d *dirFS) sys.Errno { return second(d.Stat("file/x")) }, sys.ENOTDIR},
		{"stat missing", func(d *dirFS) sys.Errno { return second(d.Stat("missing")) }, sys.ENOENT},
		{"stat dangling", func(d *dirFS) sys.Errno { return second(d.Stat("dangling")) }, sys.ENOENT},
		{"stat nothing", func(d *dirFS) sys.Errno { return second(d.Stat("")) }, sys.EINVAL},
		{"stat loop", func(d *dirFS) sys.Errno { return second(d.Stat("loop")) }, sys.ELOOP},
		{"stat 8 links", func(d *dirFS) sys.Errno { return second(d.Stat("8")) }, 0},
		{"stat 9 links", func(d *dirFS) sys.Errno { return second(d.Stat("9")) }, sys.ELOOP},
		{"stat a long name", func(d *dirFS) sys.Errno { return second(d.Stat(long)) }, sys.ENAMETOOLONG},
		{"stat a longish name", func(d *dirFS) sys.Errno { return second(d.Stat(long[:256])) }, sys.ENAMETOOLONG},
		{"stat a long path", func(d *dirFS) sys.Errno { return second(d.Stat(strings.Repeat("./", 32<<10))) }, sys.ENAMETOOLONG},
		{"stat the longest path", func(d *dirFS) sys.Errno { return second(d.Stat(strings.Repeat("./", 2045) + "file")) }, 0},
		{"lstat dangling", func(d *dirFS) sys.Errno { return second(d.Lstat("dangling")) }, 0},
		{"lstat missing", func(d *dirFS) sys.Errno { return second(d.Lstat("missing")) }, sys.ENOENT},

		{"utimens missing", func(d *dirFS) sys.Errno { return d.Utimens("missing", 1, 1) }, sys.ENOENT},
		{"chmod missing", func(d *dirFS) sys.Errno { return d.Chmod("missing", 0o600) }, sys.ENOENT},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			d, _ := openTree(t, false)
			wantErrno(t, c.what, c.do(d), c.want)
		})
	}
}

// TestDirFSNames tries names that no operation takes.
func TestDirFSNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]sys.Errno{
		"":                             sys.EINVAL,
		"a\x00b":                       sys.EINVAL,
		"missing/\x00":                 sys.EINVAL,
		strings.Repeat("n", 64<<10):    sys.ENAMETOOLONG,
		strings.Repeat("dir/", 16<<10): sys.ENAMETOOLONG,
	} {
		d, _ := openTree(t, false)
		errnos := everyChange(d, name, "file")
		errnos["open"] = open(d, name, sys.O_RDONLY)
		errnos["open without following"] = open(d, name, sys.O_RDONLY|sys.O_NOFOLLOW)
		errnos["stat"] = second(d.Stat(name))
		errnos["lstat"] = second(d.Lstat(name))
		errnos["readlink"] = second(d.Readlink(name))
		for what, got := range errnos {
			wantErrno(t, what+" "+name[:min(len(name), 8)], got, want)
		}
	}
}

// TestErrnoOf holds the errors that wazero has no name for.
func TestErrnoOf(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]sys.Errno{
		nil:                              0,
		syscall.EBUSY:                    sys.EPERM,
		syscall.ENXIO:                    sys.EPERM,
		syscall.ETXTBSY:                  sys.EACCES,
		syscall.EFBIG:                    sys.EINVAL,
		syscall.EILSEQ:                   sys.EINVAL,
		syscall.EXDEV:                    sys.ENOSYS,
		syscall.EOPNOTSUPP:               sys.ENOTSUP,
		syscall.ENOSPC:                   sys.EIO,
		syscall.EMFILE:                   sys.EIO,
		syscall.EACCES:                   sys.EACCES,
		fs.ErrClosed:                     sys.EBADF,
		sys.ELOOP:                        sys.ELOOP,
		errors.New("path escapes"):       sys.EPERM,
		&fs.PathError{Err: sys.EIO}:      sys.EIO,
		&os.LinkError{Err: fs.ErrClosed}: sys.EBADF,
	} {
		wantErrno(t, "errnoOf", errnoOf(err), want)
	}
}
