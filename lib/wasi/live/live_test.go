package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"plasm/lib/wasi"

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
		"1":   "file",
		"out": "../outside/secret", "outdir": "../outside", "outnew": "../outside/new",
		"abs": filepath.Join(root, "file"), "absout": filepath.Join(base, "outside", "secret"),
		"absdir": filepath.Join(base, "outside"), "magic": "/proc/self/root", "self": filepath.Join(root, "dir"),
	} {
		must(t, os.Symlink(target, filepath.Join(root, name)))
	}
	for i := range 40 {
		must(t, os.Symlink(strconv.Itoa(i+1), filepath.Join(root, strconv.Itoa(i+2))))
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
func openTree(t *testing.T, readOnly bool) (d *mounted, root string) {
	t.Helper()
	root = tree(t)
	return openDir(t, root, readOnly), root
}

func openDir(t *testing.T, root string, readOnly bool) *mounted {
	t.Helper()
	d, err := Open(root, readOnly)
	must(t, err)
	t.Cleanup(func() { wantErrno(t, "close", d.Close(), 0) })
	return &mounted{d}
}

func wantErrno(t *testing.T, what string, got, want wasi.Errno) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v (%d), want %v (%d)", what, got, got, want, want)
	}
}

func readHost(t *testing.T, elem ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elem...))
	must(t, err)
	return string(text)
}

func TestOpenFolder(t *testing.T) {
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
		{filepath.Join(root, "file", "x"), "cannot open folder: " + filepath.Join(root, "file", "x") +
			": not a directory", job.CodeIO},
		{"a\x00b", "cannot open folder: a\x00b: invalid argument", job.CodeIO},
	} {
		d, err := Open(c.path, false)
		if c.message == "" {
			must(t, err)
			wantErrno(t, "close", d.Close(), 0)
			continue
		}
		je, ok := errors.AsType[*job.Error](err)
		if !ok || je.Message != c.message || je.Code != c.code {
			t.Errorf("%q: got %#v, want %s: %s", c.path, err, c.code, c.message)
		}
	}
}

// everyChange does all that changes something on paths, and returns the errors.
func everyChange(d *mounted, name, other string) map[string]wasi.Errno {
	return map[string]wasi.Errno{
		"write":    tryOpen(d, name, write),
		"rdwr":     tryOpen(d, name, both),
		"creat":    tryOpen(d, name, create),
		"excl":     tryOpen(d, name, create|exclusive|both),
		"trunc":    tryOpen(d, name, truncate),
		"mkdir":    d.Mkdir(name),
		"utimens":  d.Utimens(name, at(0, 0)),
		"lutimens": d.Lutimens(name, at(0, 0)),
		"symlink":  d.Symlink("x", name),
		"link":     d.Link(name, other),
		"link to":  d.Link(other, name),
		"rename":   d.Rename(name, other),
		"rename 2": d.Rename(other, name),
		"rmdir":    d.Rmdir(name),
		"unlink":   d.Unlink(name),
	}
}

func second[T any](_ T, errno wasi.Errno) wasi.Errno { return errno }

func TestStat(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	when := time.Date(2001, 2, 3, 4, 5, 6, 789, time.UTC)
	must(t, os.Chtimes(filepath.Join(root, "file"), when.Add(time.Hour), when))
	must(t, os.Link(filepath.Join(root, "file"), filepath.Join(root, "twin")))

	st, errno := d.Stat("link")
	wantErrno(t, "stat", errno, 0)
	f := openFile(t, d, "file", read)
	fst, errno := f.Stat()
	wantErrno(t, "fstat", errno, 0)
	if diff := cmp.Diff(st, fst); diff != "" {
		t.Errorf("stat and fstat differ:\n%s", diff)
	}
	if st.Size != 6 || st.Links != 2 || st.Type != wasi.TypeRegular || st.Mtime != when.UnixNano() ||
		st.Atime != when.Add(time.Hour).UnixNano() || st.Ctime == 0 || st.Inode == 0 {
		t.Errorf("got %+v", st)
	}

	st, errno = d.Lstat("link")
	wantErrno(t, "lstat", errno, 0)
	if st.Type != wasi.TypeSymlink || st.Size != 4 {
		t.Errorf("lstat of a link: got %+v", st)
	}
	if st, _ = d.Stat("dir"); st.Type != wasi.TypeDirectory {
		t.Errorf("stat of a folder: got %+v", st)
	}
	if target, _ := d.Readlink("dir/up"); target != "../file" {
		t.Errorf("readlink: got %q", target)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	for name, look := range map[string]func(string) (wasi.Stat, wasi.Errno){
		"file": d.Stat, "dir": d.Stat,
		"link": d.Lstat, "dangling": d.Lstat,
	} {
		sets := map[string]func(wasi.Times) wasi.Errno{"itself": func(t wasi.Times) wasi.Errno {
			return d.Lutimens(name,
				t)
		}}
		if name == "file" || name == "dir" {
			sets["path"] = func(t wasi.Times) wasi.Errno { return d.Utimens(name, t) }
			sets["open"] = openNode(t, d, name, read).SetTimes
		}
		for what, set := range sets {
			for _, step := range [][4]int64{ // set these, get those
				{1_000_000_001_000, 2_000_000_002_000, 1_000_000_001_000, 2_000_000_002_000},
				{omit, 5_000_000_000, 1_000_000_001_000, 5_000_000_000},
				{7_000_000_000, omit, 7_000_000_000, 5_000_000_000},
				{omit, omit, 7_000_000_000, 5_000_000_000},
				{0, 0, 0, 0},
			} {
				wantErrno(t, what, set(at(step[0], step[1])), 0)
				if st, _ := look(name); st.Atime != step[2] || st.Mtime != step[3] {
					t.Errorf("%s %s: set %v, got %d and %d", what, name, step, st.Atime, st.Mtime)
				}
			}
		}
	}
	wantErrno(t, "through a link", d.Utimens("dirlink/up", at(9, 9_000_000_000)), 0)
	if st, _ := d.Stat("file"); st.Mtime != 9_000_000_000 {
		t.Errorf("through a link: got %d", st.Mtime)
	}
	before := time.Now().Add(-time.Minute)
	wantErrno(t, "now", d.Utimens("file", wasi.Times{Mtime: wasi.SetTime{Set: true, Now: true}}), 0)
	if info, err := os.Stat(filepath.Join(root, "file")); err != nil || info.ModTime().Before(before) {
		t.Errorf("now: %v, %v", info, err)
	}
}

// TestMode holds that what a program makes is its owner's alone.
func TestMode(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	wantErrno(t, "mkdir", d.Mkdir("newdir"), 0)
	wantErrno(t, "open", tryOpen(d, "new", create|both), 0)
	for name, want := range map[string]fs.FileMode{"newdir": fs.ModeDir | 0o700, "new": 0o600} {
		info, err := os.Stat(filepath.Join(root, name))
		must(t, err)
		if got := info.Mode(); got != want {
			t.Errorf("%s: got mode %v", name, got)
		}
	}
}
