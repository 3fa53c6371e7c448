//go:build linux

package main

import (
	"strings"

	"golang.org/x/sys/unix"
)

// fileAttacks take a path.
func fileAttacks() map[string]func(string) string {
	open := func(flags int) func(string) string {
		return func(path string) string {
			fd, err := unix.Open(path, flags|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
			if err == nil {
				_ = unix.Close(fd)
			}
			return outcome(err)
		}
	}
	return map[string]func(string) string{
		"open":   open(unix.O_RDONLY),
		"write":  open(unix.O_WRONLY),
		"create": open(unix.O_RDWR | unix.O_CREAT),
		"tmp":    open(unix.O_RDWR | unix.O_TMPFILE),
		"path":   open(unix.O_PATH),
		"stat": func(path string) string {
			var st unix.Stat_t
			return outcome(unix.Fstatat(unix.AT_FDCWD, path, &st, 0))
		},
		"mkdir":   func(path string) string { return outcome(unix.Mkdirat(unix.AT_FDCWD, path, 0o700)) },
		"remove":  func(path string) string { return outcome(unix.Unlinkat(unix.AT_FDCWD, path, 0)) },
		"symlink": func(path string) string { return outcome(unix.Symlinkat("/", unix.AT_FDCWD, path)) },
		"link": func(path string) string {
			return outcome(unix.Linkat(unix.AT_FDCWD, path, unix.AT_FDCWD, path+".link", 0))
		},
		"rename": func(path string) string {
			return outcome(unix.Renameat(unix.AT_FDCWD, path, unix.AT_FDCWD, path+".new"))
		},
		"fifo":  func(path string) string { return outcome(unix.Mknodat(unix.AT_FDCWD, path, unix.S_IFIFO|0o600, 0)) },
		"chmod": func(path string) string { return outcome(unix.Fchmodat(unix.AT_FDCWD, path, 0o777, 0)) },
		"chown": func(path string) string { return outcome(unix.Fchownat(unix.AT_FDCWD, path, -1, -1, 0)) },
		"xattr": func(path string) string { return outcome(unix.Setxattr(path, "user.x", []byte("x"), 0)) },
		"escape": func(dir string) string {
			return open(unix.O_RDONLY)(dir + strings.Repeat("/..",
				16) + "/etc/passwd")
		},
		"control": func(path string) string { // signals by a descriptor
			fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err != nil {
				return outcome(err)
			}
			_, err = unix.FcntlInt(uintptr(fd), unix.F_SETOWN, 1)
			return outcome(err)
		},
	}
}
