package wazero

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"

	"plasm/lib/job"
)

// tree makes a folder "root" with a bit of everything, beside a folder
// "outside" with one file, "secret", and returns the path of root.
func tree(t *testing.T) string {
	t.Helper()
	base := t.TempDir()
	root := filepath.Join(base, "root")
	for _, dir := range []string{"outside", "root/dir/sub", "root/empty", "root/full"} {
		must(t, os.MkdirAll(filepath.Join(base, dir), 0o700))
	}
	for name, text := range map[string]string{
		"outside/secret": "outside", "root/file": "inside", "root/dir/in": "in", "root/full/x": "x",
	} {
		must(t, os.WriteFile(filepath.Join(base, name), []byte(text), 0o600))
	}
	for name, target := range map[string]string{
		"link": "file", "dirlink": "dir", "dangling": "new", "dir/up": "../file", "loop": "loop",
		"1": "file", "2": "1", "3": "2", "4": "3", "5": "4", "6": "5", "7": "6", "8": "7", "9": "8",
		"out": "../outside/secret", "outdir": "../outside", "outnew": "../outside/new",
		"abs": filepath.Join(root, "file"), "absout": filepath.Join(base, "outside", "secret"),
		"absdir": filepath.Join(base, "outside"), "magic": "/proc/self/root", "self": filepath.Join(root, "dir"),
	} {
		must(t, os.Symlink(target, filepath.Join(root, name)))
	}
	return root
}

// outsideOf returns the folder beside root.
func outsideOf(root string) string {
	return filepath.Join(filepath.Dir(root), "outside")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openTree is tree, opened.
func openTree(t *testing.T, readOnly bool) (d *dirFS, root string) {
	t.Helper()
	root = tree(t)
	return openDir(t, root, readOnly), root
}

func openDir(t *testing.T, root string, readOnly bool) *dirFS {
	t.Helper()
	d, err := newDirFS(root, readOnly)
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	return d
}

func wantErrno(t *testing.T, what string, got, want sys.Errno) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v (%d), want %v (%d)", what, got, got, want, want)
	}
}

// openFile opens a file that can be opened, and closes it with the test.
func openFile(t *testing.T, d *dirFS, name string, flag sys.Oflag) *dirFile {
	t.Helper()
	f, errno := d.OpenFile(name, flag, 0o600)
	if errno != 0 {
		t.Fatalf("open %s: %v", name, errno)
	}
	t.Cleanup(func() { _ = f.Close() })
	file, ok := f.(*dirFile)
	if !ok {
		t.Fatalf("open %s: got a %T", name, f)
	}
	return file
}

// open opens and closes, for the error.
func open(d *dirFS, name string, flag sys.Oflag) sys.Errno {
	f, errno := d.OpenFile(name, flag, 0o600)
	if errno == 0 {
		errno = f.Close()
	}
	return errno
}

func readAll(t *testing.T, f sys.File) string {
	t.Helper()
	var text []byte
	buf := make([]byte, 4)
	for {
		n, errno := f.Read(buf)
		if errno != 0 {
			t.Fatal(errno)
		}
		if n == 0 {
			return string(text)
		}
		text = append(text, buf[:n]...)
	}
}

func readHost(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	must(t, err)
	return string(text)
}

func TestNewDirFS(t *testing.T) {
	t.Parallel()
	root := tree(t)
	must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	for _, c := range []struct {
		path, message string
		code          job.Code
	}{
		{root, "", ""},
		{filepath.Join(root, "dirlink"), "", ""},
		{filepath.Join(root, "missing"), "no such folder: " + filepath.Join(root, "missing"), job.CodeNotFound},
		{"", "no such folder: ", job.CodeNotFound},
		{filepath.Join(root, "file"), "not a folder: " + filepath.Join(root, "file"), job.CodeIO},
		{filepath.Join(root, "fifo"), "not a folder: " + filepath.Join(root, "fifo"), job.CodeIO},
		{filepath.Join(root, "file", "x"), "cannot open folder: " + filepath.Join(root, "file", "x") + ": not a directory", job.CodeIO},
		{"a\x00b", "cannot open folder: a\x00b: invalid argument", job.CodeIO},
	} {
		d, err := newDirFS(c.path, false)
		if c.message == "" {
			must(t, err)
			must(t, d.Close())
			continue
		}
		je, ok := errors.AsType[*job.Error](err)
		if !ok || je.Message != c.message || je.Code != c.code {
			t.Errorf("%q: got %#v, want %s: %s", c.path, err, c.code, c.message)
		}
	}
}

func TestDirFSClosed(t *testing.T) {
	t.Parallel()
	d, err := newDirFS(tree(t), false)
	must(t, err)
	f := openFile(t, d, "file", sys.O_RDONLY)
	must(t, d.Close())
	must(t, d.Close())
	if got := readAll(t, f); got != "inside" {
		t.Errorf("an open file: got %q", got)
	}
	for name, errno := range everyChange(d, "file", "new") {
		wantErrno(t, name, errno, sys.EBADF)
	}
	_, errno := d.Stat("file")
	wantErrno(t, "stat", errno, sys.EBADF)
	_, errno = d.Readlink("link")
	wantErrno(t, "readlink", errno, sys.EBADF)
	wantErrno(t, "open", open(d, "file", sys.O_RDONLY), sys.EBADF)
	wantErrno(t, "open without following", open(d, "file", sys.O_RDONLY|sys.O_NOFOLLOW), sys.EBADF)
	// wazero opens the folder itself like this, and panics on any other error.
	wantErrno(t, "open .", open(d, ".", sys.O_RDONLY), sys.ENOENT)
}

// everyChange does all that changes something on paths, and returns the errors.
func everyChange(d *dirFS, name, other string) map[string]sys.Errno {
	return map[string]sys.Errno{
		"write":    open(d, name, sys.O_WRONLY),
		"rdwr":     open(d, name, sys.O_RDWR),
		"creat":    open(d, name, sys.O_CREAT),
		"excl":     open(d, name, sys.O_CREAT|sys.O_EXCL|sys.O_RDWR),
		"trunc":    open(d, name, sys.O_TRUNC),
		"append":   open(d, name, sys.O_APPEND|sys.O_WRONLY),
		"mkdir":    d.Mkdir(name, 0o700),
		"chmod":    d.Chmod(name, 0o700),
		"utimens":  d.Utimens(name, 0, 0),
		"symlink":  d.Symlink("x", name),
		"link":     d.Link(name, other),
		"link to":  d.Link(other, name),
		"rename":   d.Rename(name, other),
		"rename 2": d.Rename(other, name),
		"rmdir":    d.Rmdir(name),
		"unlink":   d.Unlink(name),
	}
}

func second[T any](_ T, errno sys.Errno) sys.Errno { return errno }

func TestDirFSStat(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	when := time.Date(2001, 2, 3, 4, 5, 6, 789, time.UTC)
	must(t, os.Chtimes(filepath.Join(root, "file"), when.Add(time.Hour), when))
	must(t, os.Link(filepath.Join(root, "file"), filepath.Join(root, "twin")))

	st, errno := d.Stat("link")
	wantErrno(t, "stat", errno, 0)
	f := openFile(t, d, "file", sys.O_RDONLY)
	fst, errno := f.Stat()
	wantErrno(t, "fstat", errno, 0)
	if diff := cmp.Diff(st, fst); diff != "" {
		t.Errorf("stat and fstat differ:\n%s", diff)
	}
	dev, _ := f.Dev()
	ino, _ := f.Ino()
	if st.Size != 6 || st.Nlink != 2 || st.Mode != 0o600 || st.Mtim != when.UnixNano() ||
		st.Atim != when.Add(time.Hour).UnixNano() || st.Ctim == 0 || st.Dev != dev || st.Ino != ino || ino == 0 {
		t.Errorf("got %+v", st)
	}

	st, errno = d.Lstat("link")
	wantErrno(t, "lstat", errno, 0)
	if st.Mode.Type() != fs.ModeSymlink || st.Size != 4 {
		t.Errorf("lstat of a link: got %+v", st)
	}
	if st, _ = d.Stat("dir"); !st.Mode.IsDir() {
		t.Errorf("stat of a folder: got %+v", st)
	}
	if target, _ := d.Readlink("dir/up"); target != "../file" {
		t.Errorf("readlink: got %q", target)
	}
}

func TestDirFSUtimens(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	for _, name := range []string{"file", "dir"} {
		f := openFile(t, d, name, sys.O_RDONLY)
		for what, set := range map[string]func(atim, mtim int64) sys.Errno{
			"path": func(atim, mtim int64) sys.Errno { return d.Utimens(name, atim, mtim) },
			"file": f.Utimens,
		} {
			for _, step := range [][4]int64{ // set these, get those
				{1_000_000_001_000, 2_000_000_002_000, 1_000_000_001_000, 2_000_000_002_000},
				{sys.UTIME_OMIT, 5_000_000_000, 1_000_000_001_000, 5_000_000_000},
				{7_000_000_000, sys.UTIME_OMIT, 7_000_000_000, 5_000_000_000},
				{sys.UTIME_OMIT, sys.UTIME_OMIT, 7_000_000_000, 5_000_000_000},
				{0, 0, 0, 0},
			} {
				wantErrno(t, what, set(step[0], step[1]), 0)
				if st, _ := d.Stat(name); st.Atim != step[2] || st.Mtim != step[3] {
					t.Errorf("%s %s: set %v, got %d and %d", what, name, step, st.Atim, st.Mtim)
				}
			}
		}
	}
	wantErrno(t, "utimens through a link", d.Utimens("dirlink/up", 9, 9_000_000_000), 0)
	if st, _ := d.Stat("file"); st.Mtim != 9_000_000_000 {
		t.Errorf("through a link: got %d", st.Mtim)
	}
}

// TestDirFSMode holds that a guest sets no bit beyond the permissions.
func TestDirFSMode(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	const all = fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky | 0o7000 | 0o700
	wantErrno(t, "chmod", d.Chmod("file", all), 0)
	wantErrno(t, "mkdir", d.Mkdir("newdir", all), 0)
	for name, flag := range map[string]sys.Oflag{"new": sys.O_CREAT, "new2": sys.O_CREAT | sys.O_NOFOLLOW} {
		f, errno := d.OpenFile(name, flag|sys.O_RDWR, all)
		wantErrno(t, "open "+name, errno, 0)
		wantErrno(t, "close", f.Close(), 0)
	}
	for _, name := range []string{"file", "newdir", "new", "new2"} {
		info, err := os.Stat(filepath.Join(root, name))
		must(t, err)
		if got := info.Mode() &^ fs.ModeDir; got != 0o700 {
			t.Errorf("%s: got mode %v", name, got)
		}
	}
}
