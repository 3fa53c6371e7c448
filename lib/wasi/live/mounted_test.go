package live

import (
	"testing"

	"plasm/lib/wasi"
)

// flags say how mounted.OpenFile opens.
type flags uint

const (
	write flags = 1 << iota
	readWrite
	create
	exclusive
	truncate
	nofollow
	directory

	read flags = 0
	both       = write | readWrite
)

// mounted is a folder that a program has, and what it can do to paths in it: all of package
// wasi's functions of paths.
type mounted struct{ dir wasi.Dir }

func (d *mounted) OpenFile(name string, f flags) (wasi.Node, wasi.Errno) {
	return wasi.Open(d.dir, name, f&nofollow == 0, options(f))
}

func options(f flags) wasi.OpenOptions {
	return wasi.OpenOptions{
		Read: f&both != write, Write: f&write != 0, Create: f&create != 0, Exclusive: f&exclusive != 0,
		Truncate: f&truncate != 0, Directory: f&directory != 0,
	}
}

func (d *mounted) Stat(name string) (wasi.Stat, wasi.Errno) { return wasi.StatPath(d.dir, name, true) }

func (d *mounted) Lstat(name string) (wasi.Stat, wasi.Errno) {
	return wasi.StatPath(d.dir, name, false)
}

func (d *mounted) Readlink(name string) (string, wasi.Errno) { return wasi.ReadlinkPath(d.dir, name) }
func (d *mounted) Mkdir(name string) wasi.Errno              { return wasi.MkdirPath(d.dir, name) }
func (d *mounted) Rmdir(name string) wasi.Errno              { return wasi.RmdirPath(d.dir, name) }
func (d *mounted) Unlink(name string) wasi.Errno             { return wasi.UnlinkPath(d.dir, name) }
func (d *mounted) Link(from, to string) wasi.Errno           { return wasi.LinkPath(d.dir, from, d.dir, to) }

func (d *mounted) Rename(from, to string) wasi.Errno { return wasi.RenamePath(d.dir, from, d.dir, to) }

func (d *mounted) Symlink(target, name string) wasi.Errno {
	return wasi.SymlinkPath(target, d.dir, name)
}

func (d *mounted) Utimens(name string, t wasi.Times) wasi.Errno {
	return wasi.SetTimesPath(d.dir, name, true, t)
}

func (d *mounted) Lutimens(name string, t wasi.Times) wasi.Errno {
	return wasi.SetTimesPath(d.dir, name, false, t)
}

// at is times of access and change in nanoseconds; omit leaves one alone.
func at(atime, mtime int64) wasi.Times {
	of := func(ns int64) wasi.SetTime { return wasi.SetTime{Set: ns != omit, At: ns} }
	return wasi.Times{Atime: of(atime), Mtime: of(mtime)}
}

const omit = -1 << 63

// openFile opens a file that can be opened, and closes it with the test.
func openFile(t *testing.T, d *mounted, name string, f flags) wasi.File {
	t.Helper()
	file, ok := openNode(t, d, name, f).(wasi.File)
	if !ok {
		t.Fatalf("%s is no file", name)
	}
	return file
}

// openFolder is openFile for a folder.
func openFolder(t *testing.T, d *mounted, name string) wasi.Dir {
	t.Helper()
	dir, ok := openNode(t, d, name, directory).(wasi.Dir)
	if !ok {
		t.Fatalf("%s is no folder", name)
	}
	return dir
}

func openNode(t *testing.T, d *mounted, name string, f flags) wasi.Node {
	t.Helper()
	n, errno := d.OpenFile(name, f)
	if errno != 0 {
		t.Fatalf("open %s: %v", name, errno)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

// tryOpen opens and closes, for the error.
func tryOpen(d *mounted, name string, f flags) wasi.Errno {
	n, errno := d.OpenFile(name, f)
	if errno == 0 {
		errno = n.Close()
	}
	return errno
}

// readAll returns the content of a file.
func readAll(t *testing.T, n wasi.Node) string {
	t.Helper()
	f, ok := n.(wasi.File)
	if !ok {
		t.Fatalf("a %T is no file", n)
	}
	var text []byte
	buf := make([]byte, 4)
	for {
		n, errno := f.ReadAt(buf, int64(len(text)))
		if errno != 0 {
			t.Fatal(errno)
		}
		if n == 0 {
			return string(text)
		}
		text = append(text, buf[:n]...)
	}
}
