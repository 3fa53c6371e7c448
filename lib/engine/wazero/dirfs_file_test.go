package wazero

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
)

// Both are what wazero looks for.
var (
	_ sys.FS           = (*dirFS)(nil)
	_ sys.PollableFile = (*dirFile)(nil)
)

func TestDirFileReadWrite(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f := openFile(t, d, "file", sys.O_RDWR)
	buf := make([]byte, 3)

	n, errno := f.Pread(buf, 4)
	wantErrno(t, "pread", errno, 0)
	if got := string(buf[:n]); got != "de" {
		t.Errorf("pread to the end: got %q", got)
	}
	n, errno = f.Pread(buf, 100)
	if n != 0 || errno != 0 {
		t.Errorf("pread past the end: got %d, %v", n, errno)
	}
	_, errno = f.Pread(buf, -1)
	wantErrno(t, "pread before the start", errno, sys.EINVAL)

	n, errno = f.Write([]byte("OUT"))
	if n != 3 || errno != 0 {
		t.Errorf("write: got %d, %v", n, errno)
	}
	if got := readAll(t, f); got != "ide" {
		t.Errorf("the rest: got %q", got)
	}
	n, errno = f.Pwrite([]byte("Y"), 8)
	if n != 1 || errno != 0 {
		t.Errorf("pwrite: got %d, %v", n, errno)
	}
	_, errno = f.Pwrite([]byte("Y"), -1)
	wantErrno(t, "pwrite before the start", errno, sys.EINVAL)
	if got := readHost(t, root, "file"); got != "OUTide\x00\x00Y" {
		t.Errorf("the file: got %q", got)
	}

	for _, c := range []struct {
		off    int64
		whence int
		want   int64
		errno  sys.Errno
	}{
		{4, io.SeekStart, 4, 0},
		{1, io.SeekCurrent, 5, 0},
		{-2, io.SeekEnd, 7, 0},
		{-1, io.SeekStart, 0, sys.EINVAL},
		{0, 3, 0, sys.EINVAL}, // SEEK_DATA
		{0, -1, 0, sys.EINVAL},
	} {
		at, errno := f.Seek(c.off, c.whence)
		if errno != c.errno || (errno == 0 && at != c.want) {
			t.Errorf("seek %d, %d: got %d, %v", c.off, c.whence, at, errno)
		}
	}

	wantErrno(t, "truncate", f.Truncate(2), 0)
	wantErrno(t, "extend", f.Truncate(4), 0)
	wantErrno(t, "truncate below zero", f.Truncate(-1), sys.EINVAL)
	wantErrno(t, "sync", f.Sync(), 0)
	wantErrno(t, "datasync", f.Datasync(), 0)
	if got := readHost(t, root, "file"); got != "OU\x00\x00" {
		t.Errorf("the file: got %q", got)
	}
}

func TestDirFileAccessMode(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	r, w := openFile(t, d, "file", sys.O_RDONLY), openFile(t, d, "file", sys.O_WRONLY)
	wantErrno(t, "write", second(r.Write([]byte("x"))), sys.EBADF)
	wantErrno(t, "pwrite", second(r.Pwrite([]byte("x"), 0)), sys.EBADF)
	wantErrno(t, "truncate", r.Truncate(0), sys.EINVAL)
	wantErrno(t, "read", second(w.Read(make([]byte, 1))), sys.EBADF)
	wantErrno(t, "pread", second(w.Pread(make([]byte, 1), 0)), sys.EBADF)
}

func TestDirFileAppend(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	write := func(f sys.File, text string) {
		t.Helper()
		if n, errno := f.Write([]byte(text)); n != len(text) || errno != 0 {
			t.Errorf("write: got %d, %v", n, errno)
		}
	}
	f := openFile(t, d, "file", sys.O_RDWR|sys.O_APPEND)
	if !f.IsAppend() {
		t.Error("not in append mode")
	}
	write(f, "+1")
	_, errno := f.Seek(0, io.SeekStart)
	wantErrno(t, "seek", errno, 0)
	write(f, "+2")
	if n, errno := f.Pwrite([]byte("IN"), 0); n != 2 || errno != 0 { // neither appends nor ends append mode
		t.Errorf("pwrite: got %d, %v", n, errno)
	}
	must(t, appendHost(filepath.Join(root, "file"), "+host"))
	write(f, "+3")
	wantErrno(t, "leave append mode", f.SetAppend(false), 0)
	wantErrno(t, "leave it again", f.SetAppend(false), 0)
	_, errno = f.Seek(2, io.SeekStart)
	wantErrno(t, "seek", errno, 0)
	write(f, "S")
	wantErrno(t, "enter append mode", f.SetAppend(true), 0)
	write(f, "+4")
	if got := readHost(t, root, "file"); got != "INSide+1+2+host+3+4" {
		t.Errorf("got %q", got)
	}
}

func appendHost(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(text); err != nil {
		return err
	}
	return f.Close()
}

// TestDirFileEnds holds what folders and closed files answer to everything.
func TestDirFileEnds(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	dir, closed := openFile(t, d, "dir", sys.O_RDONLY), openFile(t, d, "file", sys.O_RDWR)
	wantErrno(t, "close", closed.Close(), 0)
	wantErrno(t, "close again", closed.Close(), 0)
	buf := []byte("x")
	for _, c := range []struct {
		what        string
		do          func(f *dirFile) sys.Errno
		dir, closed sys.Errno
	}{
		{"read", func(f *dirFile) sys.Errno { return second(f.Read(buf)) }, sys.EISDIR, sys.EBADF},
		{"pread", func(f *dirFile) sys.Errno { return second(f.Pread(buf, 0)) }, sys.EISDIR, sys.EBADF},
		{"write", func(f *dirFile) sys.Errno { return second(f.Write(buf)) }, sys.EISDIR, sys.EBADF},
		{"pwrite", func(f *dirFile) sys.Errno { return second(f.Pwrite(buf, 0)) }, sys.EISDIR, sys.EBADF},
		{"truncate", func(f *dirFile) sys.Errno { return f.Truncate(0) }, sys.EISDIR, sys.EBADF},
		{"append", func(f *dirFile) sys.Errno { return f.SetAppend(true) }, sys.EISDIR, sys.EBADF},
		{"poll", func(f *dirFile) sys.Errno { return second(f.Poll(sys.POLLIN, 0)) }, sys.EISDIR, sys.EBADF},
		{"seek", func(f *dirFile) sys.Errno { return second(f.Seek(1, io.SeekStart)) }, sys.EISDIR, sys.EBADF},
		{"tell", func(f *dirFile) sys.Errno { return second(f.Seek(0, io.SeekCurrent)) }, sys.EISDIR, sys.EBADF},
		{"rewind", func(f *dirFile) sys.Errno { return second(f.Seek(0, io.SeekStart)) }, 0, sys.EBADF},
		{"readdir", func(f *dirFile) sys.Errno { return second(f.Readdir(1)) }, 0, sys.EBADF},
		{"stat", func(f *dirFile) sys.Errno { return second(f.Stat()) }, 0, sys.EBADF},
		{"dev", func(f *dirFile) sys.Errno { return second(f.Dev()) }, 0, sys.EBADF},
		{"ino", func(f *dirFile) sys.Errno { return second(f.Ino()) }, 0, sys.EBADF},
		{"isdir", func(f *dirFile) sys.Errno { return second(f.IsDir()) }, 0, sys.EBADF},
		{"sync", func(f *dirFile) sys.Errno { return f.Sync() }, 0, sys.EBADF},
		{"datasync", func(f *dirFile) sys.Errno { return f.Datasync() }, 0, sys.EBADF},
		{"nonblock", func(f *dirFile) sys.Errno { return f.SetNonblock(true) }, 0, sys.EBADF},
		{"utimens", func(f *dirFile) sys.Errno { return f.Utimens(1, 1) }, 0, sys.EBADF},
	} {
		wantErrno(t, c.what+" a folder", c.do(dir), c.dir)
		wantErrno(t, c.what+" a closed file", c.do(closed), c.closed)
	}
	if is, _ := dir.IsDir(); !is {
		t.Error("the folder isn't one")
	}
	f := openFile(t, d, "file", sys.O_RDONLY)
	wantErrno(t, "readdir a file", second(f.Readdir(1)), sys.EBADF)
	if is, _ := f.IsDir(); is {
		t.Error("the file is a folder")
	}
}

func TestDirFileNonblock(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	f := openFile(t, d, "file", sys.O_RDONLY|sys.O_NONBLOCK)
	if !f.IsNonblock() {
		t.Error("O_NONBLOCK is forgotten")
	}
	wantErrno(t, "set", f.SetNonblock(false), 0)
	if f.IsNonblock() {
		t.Error("still set")
	}
	if ready, errno := f.Poll(sys.POLLIN|sys.POLLOUT, -1); !ready || errno != 0 {
		t.Errorf("poll: got %v, %v", ready, errno)
	}
	if got := readAll(t, f); got != "inside" {
		t.Errorf("got %q", got)
	}
}

func TestDirFileReaddir(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d := openDir(t, root, false)
	var want []string
	for i := range 600 { // more than are read at once
		name := fmt.Sprintf("%03d", i)
		must(t, os.WriteFile(filepath.Join(root, name), nil, 0o600))
		want = append(want, name)
	}
	f := openFile(t, d, ".", sys.O_RDONLY)
	list := func(step int) (names []string) {
		t.Helper()
		for {
			entries, errno := f.Readdir(step)
			wantErrno(t, "readdir", errno, 0)
			for _, e := range entries {
				names = append(names, e.Name)
			}
			if step <= 0 || len(entries) < step {
				slices.Sort(names)
				return names
			}
		}
	}
	for _, step := range []int{-1, 0, 1, 7, 256, 600, 1 << 30} {
		if diff := cmp.Diff(want, list(step)); diff != "" {
			t.Errorf("%d at once:\n%s", step, diff)
		}
		if entries, errno := f.Readdir(1); len(entries) != 0 || errno != 0 {
			t.Errorf("past the end: got %v, %v", entries, errno)
		}
		_, errno := f.Seek(0, io.SeekStart)
		wantErrno(t, "rewind", errno, 0)
	}

	must(t, os.WriteFile(filepath.Join(root, "600"), nil, 0o600))
	must(t, os.Remove(filepath.Join(root, "000")))
	want = append(want[1:], "600")
	if diff := cmp.Diff(want, list(-1)); diff != "" {
		t.Errorf("after a change and a rewind:\n%s", diff)
	}
}

func TestDirFileReaddirTypes(t *testing.T) {
	t.Parallel()
	root := tree(t)
	must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	must(t, err)
	defer func() { _ = syscall.Close(socket) }()
	short, err := os.MkdirTemp("", "") //nolint:usetesting // a socket's path must be short
	must(t, err)
	defer func() { _ = os.RemoveAll(short) }()
	must(t, syscall.Bind(socket, &syscall.SockaddrUnix{Name: filepath.Join(short, "socket")}))

	for dir, count := range map[string]int{root: 26, short: 1, "/dev": 3} {
		d := openDir(t, dir, true)
		entries, errno := openFile(t, d, ".", sys.O_RDONLY).Readdir(-1)
		wantErrno(t, "readdir", errno, 0)
		for _, e := range entries {
			st, errno := d.Lstat(e.Name)
			if errno == sys.ENOENT && dir == "/dev" {
				continue // it changes
			}
			wantErrno(t, "lstat "+e.Name, errno, 0)
			if e.Type != st.Mode.Type() || (e.Ino != st.Ino && !st.Mode.IsDir()) { // a mount point has two inodes
				t.Errorf("%s: got inode %d and type %v, want %d and %v", e.Name, e.Ino, e.Type, st.Ino, st.Mode.Type())
			}
		}
		if len(entries) < count || (len(entries) > count && dir != "/dev") {
			t.Errorf("%s: got %d entries: %v", dir, len(entries), entries)
		}
	}
}

// TestDirFileReaddirGone lists a folder that has been removed, and one whose
// entries can't be looked at or are gone.
func TestDirFileReaddirGone(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f := openFile(t, d, "empty", sys.O_RDONLY)
	must(t, os.Remove(filepath.Join(root, "empty")))
	if entries, errno := f.Readdir(1); len(entries) != 0 || (errno != 0 && errno != sys.ENOENT) {
		t.Errorf("removed: got %v, %v", entries, errno)
	}
	f = openFile(t, d, "dir", sys.O_RDONLY)
	if e, ok := f.dirent("gone"); ok {
		t.Errorf("a name that is gone: got %v", e)
	}
	if e, ok := f.dirent("in/x"); !ok || e.Name != "in/x" || e.Type != fs.ModeIrregular || e.Ino != 0 {
		t.Errorf("a name that can't be looked at: got %v, %v", e, ok)
	}
}
