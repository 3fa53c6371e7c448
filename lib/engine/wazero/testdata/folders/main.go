//go:build wasip1

// The guest of TestFolders: it uses the folders /rw and /ro as programs do,
// through Go's os package and, where that would tidy a path up first, through
// WASI itself. It prints a line for each check, and exits with 1 if one failed.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The descriptors of the two folders.
const (
	rwFD = 3
	roFD = 4
)

const (
	followLinks = 1
	oCreat      = 1
	rightRead   = 1 << 1
	rightWrite  = 1 << 6
)

//go:wasmimport wasi_snapshot_preview1 path_open
func pathOpen(fd int32, dirflags uint32, path string, oflags uint32, rights, inheriting uint64, fdflags uint32,
	opened *int32) uint32

//go:wasmimport wasi_snapshot_preview1 path_filestat_get
func pathFilestatGet(fd int32, flags uint32, path string, buf *[64]byte) uint32

//go:wasmimport wasi_snapshot_preview1 path_filestat_set_times
func pathFilestatSetTimes(fd int32, flags uint32, path string, atim, mtim uint64, fstflags uint32) uint32

//go:wasmimport wasi_snapshot_preview1 path_readlink
func pathReadlink(fd int32, path string, buf *[64]byte, size uint32, used *uint32) uint32

//go:wasmimport wasi_snapshot_preview1 path_symlink
func pathSymlink(target string, fd int32, path string) uint32

//go:wasmimport wasi_snapshot_preview1 path_link
func pathLink(fd int32, flags uint32, path string, toFD int32, to string) uint32

//go:wasmimport wasi_snapshot_preview1 path_rename
func pathRename(fd int32, path string, toFD int32, to string) uint32

//go:wasmimport wasi_snapshot_preview1 path_create_directory
func pathCreateDirectory(fd int32, path string) uint32

//go:wasmimport wasi_snapshot_preview1 path_remove_directory
func pathRemoveDirectory(fd int32, path string) uint32

//go:wasmimport wasi_snapshot_preview1 path_unlink_file
func pathUnlinkFile(fd int32, path string) uint32

//go:wasmimport wasi_snapshot_preview1 fd_allocate
func fdAllocate(fd int32, offset, size uint64) uint32

//go:wasmimport wasi_snapshot_preview1 fd_datasync
func fdDatasync(fd int32) uint32

//go:wasmimport wasi_snapshot_preview1 fd_filestat_set_times
func fdFilestatSetTimes(fd int32, atim, mtim uint64, fstflags uint32) uint32

//go:wasmimport wasi_snapshot_preview1 fd_filestat_set_size
func fdFilestatSetSize(fd int32, size uint64) uint32

//go:wasmimport wasi_snapshot_preview1 fd_fdstat_set_flags
func fdFdstatSetFlags(fd int32, flags uint32) uint32

func main() {
	failed := false
	for _, c := range []struct {
		name string
		run  func() error
	}{
		{"create and read", createAndRead},
		{"append", appendTo},
		{"append by fcntl", appendByFlags},
		{"seek, readat and writeat", seek},
		{"truncate", truncate},
		{"times", times},
		{"stat", stat},
		{"mkdir and rmdir", mkdir},
		{"rename", rename},
		{"links", links},
		{"list", list},
		{"walk", walk},
		{"remove all", removeAll},
		{"relative to a folder", relative},
		{"escape", escape},
		{"escape by own links", escapeByLinks},
		{"read-only reads", readOnlyReads},
		{"read-only refuses", readOnlyRefuses},
		{"between two folders", between},
	} {
		if err := c.run(); err != nil {
			failed = true
			fmt.Printf("FAIL %s: %v\n", c.name, err)
			continue
		}
		fmt.Printf("ok %s\n", c.name)
	}
	if failed {
		os.Exit(1)
	}
}

func createAndRead() error {
	text := bytes.Repeat([]byte("plasm "), 100_000)
	f, err := os.Create("/rw/big")
	if err != nil {
		return err
	}
	n, err := f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	got, err := os.ReadFile("/rw/big")
	if err != nil || !bytes.Equal(got, text) {
		return fmt.Errorf("wrote %d bytes, read %d: %w", n, len(got), err)
	}
	_, err = os.OpenFile("/rw/big", os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	_, missing := os.Open("/rw/missing")
	return errors.Join(want(err, fs.ErrExist), want(missing, fs.ErrNotExist))
}

func appendTo() error {
	for _, text := range []string{"one,", "two,", "three"} {
		f, err := os.OpenFile("/rw/log", os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.WriteString(text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return holds("/rw/log", "one,two,three")
}

func appendByFlags() error {
	f, err := os.OpenFile("/rw/log", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	const fdAppend = 1
	fd := int32(f.Fd())
	if errno := fdFdstatSetFlags(fd, fdAppend); errno != 0 {
		return fmt.Errorf("set append: %d", errno)
	}
	if _, err := f.WriteString(",four"); err != nil {
		return err
	}
	if errno := fdFdstatSetFlags(fd, 0); errno != 0 {
		return fmt.Errorf("clear append: %d", errno)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := f.WriteString("ONE"); err != nil {
		return err
	}
	return holds("/rw/log", "ONE,two,three,four")
}

func seek() error {
	f, err := os.Create("/rw/seek")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("world"), 6); err != nil {
		return err
	}
	if _, err := f.WriteString("hello,"); err != nil {
		return err
	}
	if at, err := f.Seek(-5, io.SeekEnd); at != 6 || err != nil {
		return fmt.Errorf("seek: %d, %w", at, err)
	}
	buf := make([]byte, 64)
	n, err := f.Read(buf)
	if string(buf[:n]) != "world" || err != nil {
		return fmt.Errorf("read: %q, %w", buf[:n], err)
	}
	if n, err := f.Read(buf); n != 0 || err != io.EOF {
		return fmt.Errorf("read at the end: %d, %w", n, err)
	}
	n, err = f.ReadAt(buf[:5], 0)
	if string(buf[:n]) != "hello" || err != nil {
		return fmt.Errorf("readat: %q, %w", buf[:n], err)
	}
	return nil
}

func truncate() error {
	if err := errors.Join(os.WriteFile("/rw/cut", []byte("123456"), 0o600), os.Truncate("/rw/cut", 3)); err != nil {
		return err
	}
	f, err := os.OpenFile("/rw/cut", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(5); err != nil {
		return err
	}
	if errno := fdAllocate(int32(f.Fd()), 0, 6); errno != 0 {
		return fmt.Errorf("allocate: %d", errno)
	}
	if errno := fdDatasync(int32(f.Fd())); errno != 0 {
		return fmt.Errorf("datasync: %d", errno)
	}
	if err := holds("/rw/cut", "123\x00\x00\x00"); err != nil {
		return err
	}
	if err := os.WriteFile("/rw/cut", nil, 0o600); err != nil { // O_TRUNC
		return err
	}
	return holds("/rw/cut", "")
}

func times() error {
	atime, mtime := time.Unix(1_000_000_000, 1000), time.Unix(1_100_000_000, 2000)
	if err := errors.Join(os.WriteFile("/rw/timed", nil, 0o600), os.Chtimes("/rw/timed", atime, mtime)); err != nil {
		return err
	}
	info, err := os.Stat("/rw/timed")
	if err != nil || !info.ModTime().Equal(mtime) {
		return fmt.Errorf("mtime %v, %w", info.ModTime(), err)
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok || sys.Atime != uint64(atime.UnixNano()) {
		return fmt.Errorf("atime %v", sys.Atime)
	}
	f, err := os.Open("/rw/timed")
	if err != nil {
		return err
	}
	defer f.Close()
	const setMtime = 4
	if errno := fdFilestatSetTimes(int32(f.Fd()), 0, 7_000_000_000, setMtime); errno != 0 {
		return fmt.Errorf("by descriptor: %d", errno)
	}
	info, err = f.Stat()
	if err != nil || info.ModTime().UnixNano() != 7_000_000_000 {
		return fmt.Errorf("by descriptor: %v, %w", info.ModTime(), err)
	}
	return nil
}

func stat() error {
	if err := errors.Join(os.WriteFile("/rw/stat", []byte("12345"), 0o600),
		os.Link("/rw/stat", "/rw/stat2")); err != nil {
		return err
	}
	a, err := os.Stat("/rw/stat")
	if err != nil {
		return err
	}
	b, err := os.Stat("/rw/stat2")
	if err != nil {
		return err
	}
	sys, ok := a.Sys().(*syscall.Stat_t)
	if !ok || a.Size() != 5 || !a.Mode().IsRegular() || sys.Nlink != 2 || !os.SameFile(a, b) {
		return fmt.Errorf("got %v %+v", a, sys)
	}
	if dir, err := os.Stat("/rw"); err != nil || !dir.IsDir() {
		return fmt.Errorf("the folder: %v, %w", dir, err)
	}
	return nil
}

func mkdir() error {
	return errors.Join(
		os.MkdirAll("/rw/a/b/c", 0o700),
		want(os.Mkdir("/rw/a", 0o700), fs.ErrExist),
		want(os.Mkdir("/rw/none/x", 0o700), fs.ErrNotExist),
		want(syscall.Rmdir("/rw/a"), syscall.ENOTEMPTY),
		want(syscall.Rmdir("/rw/log"), syscall.ENOTDIR),
		want(syscall.Unlink("/rw/a"), syscall.EISDIR),
		os.Remove("/rw/a/b/c"),
		want(os.Remove("/rw/a/b/c"), fs.ErrNotExist),
	)
}

func rename() error {
	return errors.Join(
		os.WriteFile("/rw/old", []byte("old"), 0o600),
		os.WriteFile("/rw/new", []byte("new"), 0o600),
		os.Rename("/rw/old", "/rw/new"),
		holds("/rw/new", "old"),
		os.MkdirAll("/rw/from/x", 0o700),
		os.Mkdir("/rw/to", 0o700),
		syscall.Rename("/rw/from", "/rw/to"), // os.Rename has rules of its own
		want(syscall.Rename("/rw/to", "/rw/new"), syscall.ENOTDIR),
		want(syscall.Rename("/rw/new", "/rw/to"), syscall.EISDIR),
		want(syscall.Rename("/rw/a", "/rw/to"), syscall.ENOTEMPTY),
		want(os.Rename("/rw/none", "/rw/x"), fs.ErrNotExist),
	)
}

func links() error {
	err := errors.Join(
		os.Symlink("new", "/rw/soft"),
		os.Symlink("../new", "/rw/to/soft"),
		holds("/rw/soft", "old"),
		holds("/rw/to/soft", "old"),
		want(os.Symlink("x", "/rw/soft"), fs.ErrExist),
		want(os.Symlink("/etc/passwd", "/rw/absolute"), syscall.EPERM),
		want(os.Link("/rw/none", "/rw/y"), fs.ErrNotExist),
	)
	target, e := os.Readlink("/rw/to/soft")
	if target != "../new" || e != nil {
		err = errors.Join(err, fmt.Errorf("readlink: %q, %w", target, e))
	}
	if info, e := os.Lstat("/rw/soft"); e != nil || info.Mode().Type() != fs.ModeSymlink {
		err = errors.Join(err, fmt.Errorf("lstat: %v, %w", info, e))
	}
	_, e = os.OpenFile("/rw/soft", os.O_RDONLY|syscall.O_NOFOLLOW, 0)
	return errors.Join(err, want(e, syscall.ELOOP))
}

func list() error {
	var names []string
	for i := range 1500 { // several calls of fd_readdir
		names = append(names, fmt.Sprintf("a file with a name that is not short %04d", i))
	}
	if err := os.Mkdir("/rw/many", 0o700); err != nil {
		return err
	}
	for _, name := range names {
		if err := os.WriteFile("/rw/many/"+name, nil, 0o600); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir("/rw/many")
	if err != nil {
		return err
	}
	var got []string
	for _, e := range entries {
		if e.Type() != 0 {
			return fmt.Errorf("%s is %v", e.Name(), e.Type())
		}
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		return fmt.Errorf("got %d names: %q", len(got), got)
	}
	if _, err := os.ReadDir("/rw/log"); err == nil {
		return errors.New("listed a file")
	}
	return nil
}

func walk() error {
	var got []string
	err := filepath.WalkDir("/rw/to", func(path string, e fs.DirEntry, err error) error {
		got = append(got, path+" "+e.Type().String())
		return err
	})
	if text := strings.Join(got, ","); text != "/rw/to d---------,/rw/to/soft L---------,/rw/to/x d---------" {
		return fmt.Errorf("%q, %w", text, err)
	}
	return err
}

func removeAll() error {
	return errors.Join(os.RemoveAll("/rw/many"), os.RemoveAll("/rw/a"), want(exists("/rw/many"), fs.ErrNotExist))
}

// relative names files by the descriptor of a folder that isn't mounted itself. Links lead
// no further up than that.
func relative() error {
	const eperm = uint32(syscall.EPERM)
	var dir, fd int32
	for path, names := range map[string]map[string]uint32{
		"to":  {"x": 0, "soft": eperm, "../new": eperm, "x/..": 0, "../outside/secret": eperm},
		"to/": {"x": 0, "soft": eperm},
		".":   {"to/soft": 0, "to/../new": 0, "../outside/secret": eperm},
		"./":  {"to/soft": 0},
	} {
		if errno := pathOpen(rwFD, followLinks, path, 0, rightRead, 0, 0, &dir); errno != 0 {
			return fmt.Errorf("open %s: %d", path, errno)
		}
		for name, want := range names {
			errno := pathOpen(dir, followLinks, name, 0, rightRead, 0, 0, &fd)
			if errno != want {
				return fmt.Errorf("open %s in %s: %d, want %d", name, path, errno, want)
			}
			if errno == 0 {
				syscall.Close(int(fd))
			}
		}
		syscall.Close(int(dir))
	}
	return nil
}

// everyPath does everything to one path, and reports what succeeded.
func everyPath(fd int32, path string) (done []string) {
	var opened int32
	var buf [64]byte
	var used uint32
	for what, errno := range map[string]uint32{
		"open":      pathOpen(fd, followLinks, path, 0, rightRead, 0, 0, &opened),
		"nofollow":  pathOpen(fd, 0, path, 0, rightRead, 0, 0, &opened),
		"create":    pathOpen(fd, followLinks, path, oCreat, rightRead|rightWrite, 0, 0, &opened),
		"stat":      pathFilestatGet(fd, followLinks, path, &buf),
		"lstat":     pathFilestatGet(fd, 0, path, &buf),
		"set times": pathFilestatSetTimes(fd, followLinks, path, 0, 0, 5),
		"set ltime": pathFilestatSetTimes(fd, 0, path, 0, 0, 5),
		"readlink":  pathReadlink(fd, path, &buf, 64, &used),
		"symlink":   pathSymlink("x", fd, path),
		"link":      pathLink(fd, 0, path, fd, "stolen"),
		"link to":   pathLink(fd, 0, "new", fd, path),
		"rename":    pathRename(fd, path, fd, "stolen"),
		"rename to": pathRename(fd, "cut", fd, path),
		"mkdir":     pathCreateDirectory(fd, path),
		"rmdir":     pathRemoveDirectory(fd, path),
		"unlink":    pathUnlinkFile(fd, path),
	} {
		if errno == 0 {
			done = append(done, what)
		}
	}
	return done
}

func escape() error {
	var err error
	for _, path := range []string{
		"", "..", "../", "../..", "../outside", "../outside/secret", "../outside/new", "to/../../outside/secret",
		"/", "/etc/passwd", "/rw/new", "//etc/passwd", "./../outside/secret", "new\x00", "\x00",
		strings.Repeat("n", 64<<10),
		"leak/secret", "leak/new", "absleak/secret", "magic/etc/passwd", "magic/",
		strings.Repeat("../", 100) + "etc/passwd",
	} {
		done := everyPath(rwFD, path)
		if len(done) > 0 {
			err = errors.Join(err, fmt.Errorf("%.40q: %q", path, done))
		}
	}
	for _, path := range []string{"leak", "absleak", "magic", "secretleak"} {
		var opened int32
		var buf [64]byte
		for what, errno := range map[string]uint32{
			"open":      pathOpen(rwFD, followLinks, path, 0, rightRead, 0, 0, &opened),
			"create":    pathOpen(rwFD, followLinks, path, oCreat, rightRead|rightWrite, 0, 0, &opened),
			"stat":      pathFilestatGet(rwFD, followLinks, path, &buf),
			"set times": pathFilestatSetTimes(rwFD, followLinks, path, 0, 0, 5),
		} {
			if errno == 0 {
				err = errors.Join(err, fmt.Errorf("%q: %s", path, what))
			}
		}
	}
	return err
}

func escapeByLinks() error {
	var err error
	for i, target := range []string{
		"..", "../outside", "../outside/secret", "to/../../outside",
		"../../../../../../../../../../etc",
	} {
		name := fmt.Sprintf("/rw/leak%d", i)
		if e := os.Symlink(target, name); e != nil {
			return e
		}
		for _, path := range []string{
			name, name + "/outside/secret", name + "/secret", name + "/passwd",
			name + "/new",
		} {
			if _, e := os.ReadFile(path); e == nil {
				err = errors.Join(err, fmt.Errorf("read %s", path))
			}
			if e := os.WriteFile(path, []byte("changed"), 0o600); e == nil {
				err = errors.Join(err, fmt.Errorf("wrote %s", path))
			}
		}
	}
	return err
}

func readOnlyReads() error {
	entries, err := os.ReadDir("/ro")
	if err != nil || len(entries) != 2 {
		return fmt.Errorf("list: %v, %w", entries, err)
	}
	return errors.Join(holds("/ro/file", "read me"), holds("/ro/link", "read me"), exists("/ro/file"))
}

func readOnlyRefuses() error {
	var err error
	for _, path := range []string{"file", "link", "new", "new/x", "."} {
		done := everyPath(roFD, path)
		done = slices.DeleteFunc(done, func(what string) bool {
			return slices.Contains([]string{"open", "nofollow", "stat", "lstat", "readlink"}, what)
		})
		if len(done) > 0 {
			err = errors.Join(err, fmt.Errorf("%q: %q", path, done))
		}
	}
	f, e := os.Open("/ro/file")
	if e != nil {
		return errors.Join(err, e)
	}
	defer f.Close()
	fd := int32(f.Fd())
	return errors.Join(err,
		want(syscall.Errno(fdFilestatSetSize(fd, 0)), syscall.EINVAL), // it is not open for writing
		want(syscall.Errno(fdAllocate(fd, 0, 100)), syscall.EBADF),
		want(syscall.Errno(fdFilestatSetTimes(fd, 0, 0, 5)), syscall.EROFS),
		want(second(f.Write([]byte("x"))), syscall.EBADF),
		want(second(f.WriteAt([]byte("x"), 0)), syscall.EBADF),
		want(os.WriteFile("/ro/file", nil, 0o600), syscall.EROFS),
		want(os.Mkdir("/ro/new", 0o700), syscall.EROFS),
		want(os.Remove("/ro/file"), syscall.EROFS),
		want(os.Rename("/ro/file", "/ro/x"), syscall.EROFS),
		want(os.Symlink("x", "/ro/x"), syscall.EROFS),
		want(os.Link("/ro/file", "/ro/x"), syscall.EROFS),
		want(os.Chtimes("/ro/file", time.Unix(1, 0), time.Unix(1, 0)), syscall.EROFS),
		want(os.Truncate("/ro/file", 0), syscall.EROFS),
	)
}

func between() error {
	return errors.Join(
		want(os.Rename("/ro/file", "/rw/stolen"), syscall.EXDEV),
		want(os.Rename("/rw/new", "/ro/new"), syscall.EXDEV),
		want(os.Link("/ro/file", "/rw/stolen"), syscall.EXDEV),
	)
}

func second(_ int, err error) error { return err }

func exists(path string) error {
	_, err := os.Stat(path)
	return err
}

func holds(path, text string) error {
	got, err := os.ReadFile(path)
	if err == nil && string(got) != text {
		err = fmt.Errorf("%s holds %q, not %q", path, got, text)
	}
	return err
}

// want returns nil when err is target.
func want(err, target error) error {
	if errors.Is(err, target) {
		return nil
	}
	return fmt.Errorf("got %w, want %w", err, target)
}
