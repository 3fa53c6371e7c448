package live

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"plasm/lib/wasi"
)

// TestErrno holds the errors of each operation on paths, which guests go by.
func TestErrno(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("n", 64<<10)
	for _, c := range []struct {
		what string
		do   func(d *mounted) wasi.Errno
		want wasi.Errno
	}{
		{"mkdir new", func(d *mounted) wasi.Errno { return d.Mkdir("new") }, 0},
		{"mkdir new/", func(d *mounted) wasi.Errno { return d.Mkdir("new/") }, 0},
		{"mkdir through a link", func(d *mounted) wasi.Errno { return d.Mkdir("dirlink/new") }, 0},
		{"mkdir file", func(d *mounted) wasi.Errno { return d.Mkdir("file") }, wasi.EEXIST},
		{"mkdir dir", func(d *mounted) wasi.Errno { return d.Mkdir("dir") }, wasi.EEXIST},
		{"mkdir .", func(d *mounted) wasi.Errno { return d.Mkdir(".") }, wasi.EEXIST},
		{"mkdir missing/x", func(d *mounted) wasi.Errno { return d.Mkdir("missing/x") }, wasi.ENOENT},
		{"mkdir file/x", func(d *mounted) wasi.Errno { return d.Mkdir("file/x") }, wasi.ENOTDIR},

		{"rmdir empty", func(d *mounted) wasi.Errno { return d.Rmdir("empty") }, 0},
		{"rmdir empty/", func(d *mounted) wasi.Errno { return d.Rmdir("empty/") }, 0},
		{"rmdir full", func(d *mounted) wasi.Errno { return d.Rmdir("full") }, wasi.ENOTEMPTY},
		{"rmdir file", func(d *mounted) wasi.Errno { return d.Rmdir("file") }, wasi.ENOTDIR},
		{"rmdir link", func(d *mounted) wasi.Errno { return d.Rmdir("dirlink") }, wasi.ENOTDIR},
		{"rmdir link/", func(d *mounted) wasi.Errno { return d.Rmdir("dirlink/") }, wasi.ENOTDIR},
		{"rmdir dir/.", func(d *mounted) wasi.Errno { return d.Rmdir("empty/.") }, wasi.EINVAL},
		{"rmdir missing", func(d *mounted) wasi.Errno { return d.Rmdir("missing") }, wasi.ENOENT},
		{"rmdir .", func(d *mounted) wasi.Errno { return d.Rmdir(".") }, wasi.EINVAL},
		{"rmdir dir/..", func(d *mounted) wasi.Errno { return d.Rmdir("dir/..") }, wasi.ENOTEMPTY},
		{"rmdir in missing", func(d *mounted) wasi.Errno { return d.Rmdir("missing/x") }, wasi.ENOENT},

		{"unlink file", func(d *mounted) wasi.Errno { return d.Unlink("file") }, 0},
		{"unlink link", func(d *mounted) wasi.Errno { return d.Unlink("dirlink") }, 0},
		{"unlink a link that leads out", func(d *mounted) wasi.Errno { return d.Unlink("out") }, 0},
		{"unlink dir", func(d *mounted) wasi.Errno { return d.Unlink("empty") }, wasi.EISDIR},
		{"unlink dir/", func(d *mounted) wasi.Errno { return d.Unlink("empty/") }, wasi.EISDIR},
		{"unlink .", func(d *mounted) wasi.Errno { return d.Unlink(".") }, wasi.EISDIR},
		{"unlink file/", func(d *mounted) wasi.Errno { return d.Unlink("file/") }, wasi.ENOTDIR},
		{"unlink a link to a folder, slash", func(d *mounted) wasi.Errno { return d.Unlink("dirlink/") }, wasi.ENOTDIR},
		{"unlink a link, ..", func(d *mounted) wasi.Errno { return d.Unlink("dirlink/../file") }, 0},
		{"unlink missing", func(d *mounted) wasi.Errno { return d.Unlink("missing") }, wasi.ENOENT},

		{"rename file", func(d *mounted) wasi.Errno { return d.Rename("file", "new") }, 0},
		{"rename over a file", func(d *mounted) wasi.Errno { return d.Rename("file", "dir/in") }, 0},
		{"rename to itself", func(d *mounted) wasi.Errno { return d.Rename("file", "file") }, 0},
		{"rename dir", func(d *mounted) wasi.Errno { return d.Rename("dir/", "new/") }, 0},
		{"rename over an empty dir", func(d *mounted) wasi.Errno { return d.Rename("dir", "empty") }, 0},
		{"rename over a full dir", func(d *mounted) wasi.Errno { return d.Rename("dir", "full") }, wasi.ENOTEMPTY},
		{"rename dir to file", func(d *mounted) wasi.Errno { return d.Rename("dir", "file") }, wasi.ENOTDIR},
		{"rename file to dir", func(d *mounted) wasi.Errno { return d.Rename("file", "dir") }, wasi.EISDIR},
		{
			"rename over a link to a folder, slash",
			func(d *mounted) wasi.Errno { return d.Rename("empty", "dirlink/") },
			wasi.ENOTDIR,
		},
		{
			"rename a link to a folder, slash", func(d *mounted) wasi.Errno { return d.Rename("dirlink/", "new") },
			wasi.ENOTDIR,
		},
		{"rename into itself", func(d *mounted) wasi.Errno { return d.Rename("dir", "dir/sub/x") }, wasi.EINVAL},
		{"rename missing", func(d *mounted) wasi.Errno { return d.Rename("missing", "new") }, wasi.ENOENT},
		{"rename missing/", func(d *mounted) wasi.Errno { return d.Rename("missing/", "new") }, wasi.ENOENT},
		{"rename to missing/x", func(d *mounted) wasi.Errno { return d.Rename("file", "missing/x") }, wasi.ENOENT},
		{"rename file/", func(d *mounted) wasi.Errno { return d.Rename("file/", "new") }, wasi.ENOTDIR},
		{"rename file to new/", func(d *mounted) wasi.Errno { return d.Rename("file", "new/") }, wasi.ENOTDIR},
		{"rename .", func(d *mounted) wasi.Errno { return d.Rename(".", "new") }, wasi.EBUSY},
		{"rename to .", func(d *mounted) wasi.Errno { return d.Rename("file", ".") }, wasi.EBUSY},
		{"rename to nothing", func(d *mounted) wasi.Errno { return d.Rename("file", "") }, wasi.ENOENT},

		{"link file", func(d *mounted) wasi.Errno { return d.Link("file", "new") }, 0},
		{"link to new/", func(d *mounted) wasi.Errno { return d.Link("file", "new/") }, wasi.ENOENT},
		{"link to file/", func(d *mounted) wasi.Errno { return d.Link("dir/in", "file/") }, wasi.EEXIST},
		{"link to dir/", func(d *mounted) wasi.Errno { return d.Link("file", "dir/") }, wasi.EEXIST},
		{"link file/", func(d *mounted) wasi.Errno { return d.Link("file/", "new") }, wasi.ENOTDIR},
		{"link to file", func(d *mounted) wasi.Errno { return d.Link("dir/in", "file") }, wasi.EEXIST},
		{"link missing", func(d *mounted) wasi.Errno { return d.Link("missing", "new") }, wasi.ENOENT},
		{"link dir to file", func(d *mounted) wasi.Errno { return d.Link("dir", "file") }, wasi.EEXIST},
		{"link dir", func(d *mounted) wasi.Errno { return d.Link("dir", "new") }, wasi.EPERM},
		{"link to nothing", func(d *mounted) wasi.Errno { return d.Link("file", "") }, wasi.ENOENT},

		{"symlink", func(d *mounted) wasi.Errno { return d.Symlink("file", "new") }, 0},
		{"symlink that leads out", func(d *mounted) wasi.Errno { return d.Symlink("../../x", "new") }, 0},
		{"symlink to file", func(d *mounted) wasi.Errno { return d.Symlink("x", "file") }, wasi.EEXIST},
		{"symlink file/", func(d *mounted) wasi.Errno { return d.Symlink("x", "file/") }, wasi.EEXIST},
		{"symlink dir/", func(d *mounted) wasi.Errno { return d.Symlink("x", "dir/") }, wasi.EEXIST},
		{"symlink new/", func(d *mounted) wasi.Errno { return d.Symlink("x", "new/") }, wasi.ENOENT},
		{"absolute symlink", func(d *mounted) wasi.Errno { return d.Symlink("/etc", "new") }, wasi.EPERM},
		{"symlink to nothing", func(d *mounted) wasi.Errno { return d.Symlink("", "new") }, wasi.ENOENT},
		{"symlink with NUL", func(d *mounted) wasi.Errno { return d.Symlink("a\x00", "new") }, wasi.EINVAL},
		{"long symlink", func(d *mounted) wasi.Errno { return d.Symlink(long, "new") }, wasi.ENAMETOOLONG},

		{"readlink", func(d *mounted) wasi.Errno { return second(d.Readlink("link")) }, 0},
		{"readlink that leads out", func(d *mounted) wasi.Errno { return second(d.Readlink("out")) }, 0},
		{"absolute readlink", func(d *mounted) wasi.Errno { return second(d.Readlink("abs")) }, wasi.EPERM},
		{"readlink file", func(d *mounted) wasi.Errno { return second(d.Readlink("file")) }, wasi.EINVAL},
		{"readlink missing", func(d *mounted) wasi.Errno { return second(d.Readlink("missing")) }, wasi.ENOENT},
		{"readlink nothing", func(d *mounted) wasi.Errno { return second(d.Readlink("")) }, wasi.ENOENT},

		{"stat file", func(d *mounted) wasi.Errno { return second(d.Stat("file")) }, 0},
		{"stat dir/", func(d *mounted) wasi.Errno { return second(d.Stat("dir/")) }, 0},
		{"stat /", func(d *mounted) wasi.Errno { return second(d.Stat("/")) }, wasi.EPERM},
		{"stat .", func(d *mounted) wasi.Errno { return second(d.Stat(".")) }, 0},
		{"stat /file", func(d *mounted) wasi.Errno { return second(d.Stat("/file")) }, wasi.EPERM},
		{"stat ./dir//./in", func(d *mounted) wasi.Errno { return second(d.Stat("./dir//./in")) }, 0},
		{"stat dir/../file", func(d *mounted) wasi.Errno { return second(d.Stat("dir/../file")) }, 0},
		{"stat dirlink/up", func(d *mounted) wasi.Errno { return second(d.Stat("dirlink/up")) }, 0},
		{"stat file/", func(d *mounted) wasi.Errno { return second(d.Stat("file/")) }, wasi.ENOTDIR},
		{"stat file/x", func(d *mounted) wasi.Errno { return second(d.Stat("file/x")) }, wasi.ENOTDIR},
		{"stat missing/..", func(d *mounted) wasi.Errno { return second(d.Stat("missing/../file")) }, wasi.ENOENT},
		{"stat file/..", func(d *mounted) wasi.Errno { return second(d.Stat("file/../file")) }, wasi.ENOTDIR},
		{"stat link/", func(d *mounted) wasi.Errno { return second(d.Stat("link/")) }, wasi.ENOTDIR},
		{"lstat link/ to a folder", func(d *mounted) wasi.Errno { return second(d.Lstat("dirlink/")) }, 0},
		{"stat missing", func(d *mounted) wasi.Errno { return second(d.Stat("missing")) }, wasi.ENOENT},
		{"stat dangling", func(d *mounted) wasi.Errno { return second(d.Stat("dangling")) }, wasi.ENOENT},
		{"stat nothing", func(d *mounted) wasi.Errno { return second(d.Stat("")) }, wasi.ENOENT},
		{"stat loop", func(d *mounted) wasi.Errno { return second(d.Stat("loop")) }, wasi.ELOOP},
		{"stat 40 links", func(d *mounted) wasi.Errno { return second(d.Stat("40")) }, 0},
		{"stat 41 links", func(d *mounted) wasi.Errno { return second(d.Stat("41")) }, wasi.ELOOP},
		{"stat a long name", func(d *mounted) wasi.Errno { return second(d.Stat(long)) }, wasi.ENAMETOOLONG},
		{"stat a longish name", func(d *mounted) wasi.Errno { return second(d.Stat(long[:256])) }, wasi.ENAMETOOLONG},
		{
			"stat a long path", func(d *mounted) wasi.Errno { return second(d.Stat(strings.Repeat("./", 32<<10))) },
			wasi.ENAMETOOLONG,
		},
		{
			"stat the longest path",
			func(d *mounted) wasi.Errno { return second(d.Stat(strings.Repeat("./", 2045) + "file")) }, 0,
		},
		{"lstat dangling", func(d *mounted) wasi.Errno { return second(d.Lstat("dangling")) }, 0},
		{"lstat missing", func(d *mounted) wasi.Errno { return second(d.Lstat("missing")) }, wasi.ENOENT},

		{"utimens missing", func(d *mounted) wasi.Errno { return d.Utimens("missing", at(1, 1)) }, wasi.ENOENT},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			d, _ := openTree(t, false)
			wantErrno(t, c.what, c.do(d), c.want)
		})
	}
}

// TestNames tries names that no operation takes.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]wasi.Errno{
		"":                             wasi.ENOENT,
		"a\x00b":                       wasi.EINVAL,
		"missing/\x00":                 wasi.EINVAL,
		"dir/\xff":                     wasi.EILSEQ,
		strings.Repeat("n", 64<<10):    wasi.ENAMETOOLONG,
		strings.Repeat("dir/", 16<<10): wasi.ENAMETOOLONG,
	} {
		d, _ := openTree(t, false)
		errnos := everyChange(d, name, "file")
		errnos["open"] = tryOpen(d, name, read)
		errnos["open without following"] = tryOpen(d, name, read|nofollow)
		errnos["stat"] = second(d.Stat(name))
		errnos["lstat"] = second(d.Lstat(name))
		errnos["readlink"] = second(d.Readlink(name))
		for what, got := range errnos {
			wantErrno(t, what+" "+name[:min(len(name), 8)], got, want)
		}
	}
}

// TestErrnoOf holds errors that have no number of their own, or another name.
func TestErrnoOf(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]wasi.Errno{
		nil:                 0,
		syscall.ENXIO:       wasi.EPERM,
		syscall.EBUSY:       wasi.EBUSY,
		syscall.EXDEV:       wasi.EXDEV,
		syscall.EOPNOTSUPP:  wasi.ENOTSUP,
		syscall.ENOSPC:      wasi.ENOSPC,
		syscall.EMFILE:      wasi.EMFILE,
		syscall.ECONNRESET:  wasi.EIO,
		errors.New("other"): wasi.EIO,
	} {
		wantErrno(t, "errnoOf", errnoOf(err), want)
	}
}
