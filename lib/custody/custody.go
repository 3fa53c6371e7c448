// Package custody says whose hands a file is in: who, beside root and the user who
// asks, could have put it where it is, and so decides what is found there. It is for
// those who look at another user's files with more rights than that user has: what
// is in such hands is opened by descriptors from the root of the file system on,
// never by a path twice, through no link of theirs that leads elsewhere unnoticed,
// and without waiting; and Become gives up root's rights before more is done there.
package custody

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Nobody is in the place of a user ID where there is no other user.
const Nobody = -1

// maxLinks is how many symbolic links are followed, as the kernel has it.
const maxLinks = 40

// maxPath is the longest target of a link, in bytes.
const maxPath = 4096

// Folder is an open folder. Close closes it.
type Folder struct {
	// Other is the one user beside root and the caller who could have put there
	// what is in the folder, or Nobody.
	Other int

	caller int
	path   string // without links
	fd     int
	open   bool // whether others than its owner may put names into it
}

// Open walks from the root to dir, and through the links on the way, and opens it.
// It refuses
//
//   - a folder that others than its owner may write to (a group that is not the
//     owner's alone, or everybody), without the sticky bit: they could replace what
//     is in it;
//   - in one with the sticky bit, where others may put new names, what belongs to
//     neither root nor the caller;
//   - what belongs to a second user beside these two.
//
// The first other user met, in a folder that is not open to others, was given it by
// its owner: that is a service's user. From there on it is Other who decides.
func Open(caller int, dir string) (*Folder, error) {
	f := &Folder{Other: Nobody, caller: caller, fd: -1}
	if err := f.toRoot(); err != nil {
		return nil, err
	}
	if err := f.walk(dir); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Of returns who beside root and the caller holds a file or folder, and what it is
// reached through: Nobody, or that user. Of a path whose end is not there it is who
// holds what is there of it. An error is Open's.
func Of(caller int, path string) (int, error) {
	f, name, err := Find(caller, path)
	if errors.Is(err, fs.ErrNotExist) && path != "/" {
		return Of(caller, filepath.Dir(path))
	}
	if err != nil {
		return Nobody, err
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); err == nil {
		err = f.owned(filepath.Join(f.path, name), int(st.Uid))
		return f.Other, err
	}
	return f.Other, nil
}

// Find opens the folder of the file or folder that path leads to, through links, and
// returns the name there, which is no link. It need not exist.
func Find(caller int, path string) (*Folder, string, error) {
	f := &Folder{Other: Nobody, caller: caller, fd: -1}
	if err := f.toRoot(); err != nil {
		return nil, "", err
	}
	for range maxLinks {
		dir, name := filepath.Split(path)
		if name == "" || name == "." || name == ".." {
			dir, name = path, "."
		}
		err := f.walk(dir)
		var target string
		if err == nil {
			target, err = f.link(name)
		}
		switch {
		case err != nil:
			f.Close()
			return nil, "", err
		case target == "":
			return f, name, nil
		}
		path = target
		if filepath.IsAbs(target) {
			if err := f.toRoot(); err != nil {
				f.Close()
				return nil, "", err
			}
		}
	}
	f.Close()
	return nil, "", &fs.PathError{Op: "open", Path: path, Err: syscall.ELOOP}
}

// Close closes the folder.
func (f *Folder) Close() {
	if f.fd >= 0 {
		_ = unix.Close(f.fd) // it was only looked through
	}
	f.fd = -1
}

// Path is where the folder is, without links.
func (f *Folder) Path() string { return f.path }

// toRoot begins again at the root of the file system.
func (f *Folder) toRoot() error {
	fd, err := unix.Open("/", openFolder, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: "/", Err: err}
	}
	f.Close()
	f.fd, f.path, f.open = fd, "/", false
	return nil
}

// walk goes on to dir, which is absolute or below the folder.
func (f *Folder) walk(dir string) error {
	rest := split(dir)
	for links := 0; len(rest) > 0; {
		target, err := f.link(rest[0])
		if err != nil {
			return err
		}
		if target == "" {
			if err := f.enter(rest[0]); err != nil {
				return err
			}
			rest = rest[1:]
			continue
		}
		links++
		if links > maxLinks {
			return &fs.PathError{Op: "open", Path: dir, Err: syscall.ELOOP}
		}
		if filepath.IsAbs(target) {
			if err := f.toRoot(); err != nil {
				return err
			}
		}
		rest = append(split(target), rest[1:]...)
	}
	return nil
}

// split returns the names in a path.
func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// link returns where a name in the folder leads to, and "" for what is no link, or is
// not there.
func (f *Folder) link(name string) (string, error) {
	var st unix.Stat_t
	path := filepath.Join(f.path, name)
	err := unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", &fs.PathError{Op: "lstat", Path: path, Err: err}
	case st.Mode&unix.S_IFMT != unix.S_IFLNK:
		return "", nil
	}
	if err := f.owned(path, int(st.Uid)); err != nil {
		return "", err
	}
	target := make([]byte, maxPath)
	n, err := unix.Readlinkat(f.fd, name, target)
	if err == nil && n == 0 {
		err = syscall.ENOENT
	}
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: path, Err: err}
	}
	return string(target[:n]), nil
}

// enter goes on to a folder in this one.
func (f *Folder) enter(name string) error {
	path := filepath.Join(f.path, name)
	fd, err := unix.Openat(f.fd, name, openFolder|unix.O_NOFOLLOW, 0)
	if err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	if err == nil {
		err = f.owned(path, int(st.Uid))
	}
	shared := err == nil && writable(&st)
	if shared && st.Mode&unix.S_ISVTX == 0 {
		err = fmt.Errorf("others than its owner may write to %s (mode %04o)", path, st.Mode&0o7777)
	}
	if err != nil {
		_ = unix.Close(fd)
		return err
	}
	f.Close()
	f.fd, f.path, f.open = fd, path, shared
	return nil
}

// owned refuses what belongs to a second other user, and to any where others may
// put names: it was not given to them.
func (f *Folder) owned(path string, uid int) error {
	switch {
	case uid == 0 || uid == f.caller || uid == f.Other:
		return nil
	case !f.open && f.Other == Nobody && uid > 0:
		f.Other = uid
		return nil
	}
	return fmt.Errorf("%s belongs to user %d", path, uid)
}

// OpenFile opens a file in the folder, by its name: no link, and nothing that can
// keep a caller waiting. flags are those of os.OpenFile.
func (f *Folder) OpenFile(name string, flags int, mode fs.FileMode) (*os.File, error) {
	path := filepath.Join(f.path, name)
	fd, err := unix.Openat(f.fd, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, uint32(mode.Perm()))
	switch {
	case errors.Is(err, syscall.ELOOP):
		return nil, errors.New("it is a symbolic link")
	case errors.Is(err, syscall.ENXIO): // a FIFO that is written to, or a socket
		return nil, errors.New("it is not a regular file")
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	file := os.NewFile(uintptr(fd), path)
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		_ = file.Close() // nothing was written to it
		return nil, err
	}
	return file, nil
}

// ReadFile reads a regular file in the folder, of at most limit bytes and one, which
// nobody but its owner may write to. Where the folder is in another user's hands the
// file may be theirs or root's, and nobody else's.
func (f *Folder) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return nil, err
	}
	if err := f.trusts(file.Name(), &st); err != nil {
		return nil, err
	}
	if writable(&st) {
		return nil, fmt.Errorf("others than its owner may write to %s (mode %04o)", file.Name(), st.Mode&0o7777)
	}
	return io.ReadAll(io.LimitReader(file, limit+1))
}

// writable reports whether others than its owner may write to a file or folder.
func writable(st *unix.Stat_t) bool {
	return st.Mode&0o002 != 0 || st.Mode&0o020 != 0 && !private(int(st.Uid), int(st.Gid))
}

// Shared reports whether path is a folder that others than its owner may write to,
// and its mode.
func Shared(path string) (shared bool, mode fs.FileMode, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return false, 0, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	return st.Mode&unix.S_IFMT == unix.S_IFDIR && writable(&st), fs.FileMode(st.Mode & 0o777), nil
}

// trusts refuses what belongs to none of those who hold the folder.
func (f *Folder) trusts(path string, st *unix.Stat_t) error {
	if uid := int(st.Uid); uid != 0 && uid != f.caller && uid != f.Other {
		return fmt.Errorf("%s belongs to user %d", path, uid)
	}
	return nil
}

// Create makes a file in the folder that was not there.
func (f *Folder) Create(name string) (*os.File, error) {
	return f.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

// Rename gives a file in the folder another name there, in the place of what has it.
func (f *Folder) Rename(from, to string) error {
	if err := unix.Renameat(f.fd, from, f.fd, to); err != nil {
		return &os.LinkError{Op: "rename", Old: filepath.Join(f.path, from), New: filepath.Join(f.path, to), Err: err}
	}
	return nil
}

// Remove removes a file from the folder.
func (f *Folder) Remove(name string) error {
	if err := unix.Unlinkat(f.fd, name, 0); err != nil {
		return &fs.PathError{Op: "remove", Path: filepath.Join(f.path, name), Err: err}
	}
	return nil
}

// File opens the folder itself, to be locked or synced.
func (f *Folder) File() (*os.File, error) {
	fd, err := unix.Openat(f.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: f.path, Err: err}
	}
	return os.NewFile(uintptr(fd), f.path), nil
}

// Name is how messages call a user: by name, where the system has one, and number.
func Name(uid int) string {
	if name, _, _ := account(uid); name != "" {
		return fmt.Sprintf("%s (user %d)", name, uid)
	}
	return fmt.Sprintf("user %d", uid)
}
