package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxLinks is how many symbolic links are followed, as the kernel has it.
const maxLinks = 40

// follow returns the absolute name that name leads to, through symbolic links even
// where the last of them leads to nothing yet, and up to a link of /proc that only the
// kernel can follow. It is not cleaned: what is behind a link and ".." is for the file
// system to say.
func follow(name string) (string, error) {
	target := name
	if !filepath.IsAbs(name) {
		dir, err := os.Getwd()
		if err != nil {
			return "", err
		}
		target = dir + "/" + name
	}
	for range maxLinks {
		dir, base := cut(target)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			dir = real
		}
		target = strings.TrimSuffix(dir, "/") + "/" + base
		if isDescriptor(target) {
			return target, nil
		}
		next, _ := os.Readlink(strings.TrimSuffix(target, "/")) // "": no link
		if next == "" {
			return target, nil
		}
		if !filepath.IsAbs(next) {
			next = dir + "/" + next
		}
		target = next
	}
	return "", syscall.ELOOP
}

// cut splits a path into its folder and its last part, with the slashes behind that.
func cut(path string) (dir, base string) {
	bare := strings.TrimRight(path, "/")
	i := strings.LastIndex(bare, "/")
	if i < 0 {
		return "/", path
	}
	return path[:i+1], path[i+1:]
}

// isDescriptor reports whether a path without links in its folder names an open
// descriptor of a process.
func isDescriptor(path string) bool {
	dir, base := cut(path)
	_, err := strconv.ParseUint(base, 10, 31)
	return err == nil && (dir == "/dev/fd/" || strings.HasPrefix(dir, "/proc/") && strings.HasSuffix(dir, "/fd/"))
}

// openDescriptor opens a regular file that is open already, by its descriptor's name. It
// is written on from where its descriptor stands, where that is this process's own.
func openDescriptor(name, target string) (*File, error) {
	dir, base := cut(target)
	if own, err := filepath.EvalSymlinks("/proc/self/fd"); dir == "/dev/fd/" || err == nil && dir == own+"/" {
		n, err := strconv.Atoi(base)
		if err != nil {
			return nil, writeError(name, err)
		}
		fd, err := syscall.Dup(n)
		if err != nil {
			return nil, writeError(name, err)
		}
		syscall.CloseOnExec(fd)
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err != nil ||
			flags&unix.O_ACCMODE == unix.O_RDONLY {
			_ = syscall.Close(fd)
			return nil, writeError(name, syscall.EBADF)
		}
		return &File{file: os.NewFile(uintptr(fd), name), name: name, target: target}, nil
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return nil, writeError(name, err)
	}
	return &File{file: f, name: name, target: target}, nil
}
