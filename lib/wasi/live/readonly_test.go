package live

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"plasm/lib/wasi"
)

// snapshot describes everything below dir but the times of access.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		text := fs.FormatFileInfo(info) + info.ModTime().String()
		switch e.Type() {
		case 0:
			text += readHost(t, path)
		case fs.ModeSymlink:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += target
		default:
		}
		all[path] = text
		return nil
	}))
	return all
}

// TestReadOnly tries to change a read-only folder in every way there is.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, true)
	before := snapshot(t, root)
	for _, name := range []string{
		"file", "link", "dir", "empty", "missing", "dangling", "new/", ".", "dir/in", "out",
		"../x", "",
	} {
		for what, got := range everyChange(d, name, "other") {
			if got == 0 {
				t.Errorf("%s %s: got 0", what, name)
			}
		}
	}
	for what, got := range everyChange(d, "file", "other") {
		switch {
		case (what == "link to" || what == "rename 2") && got == wasi.ENOENT: // there is no other
		default:
			wantErrno(t, what, got, wasi.EROFS)
		}
	}
	f := openFile(t, d, "file", read)
	_, _, appended := f.Append([]byte("x"))
	for what, got := range map[string]wasi.Errno{
		"write":      second(f.WriteAt([]byte("x"), 0)),
		"write none": second(f.WriteAt(nil, 0)),
		"append":     appended,
		"cut":        f.SetSize(0),
		"times":      f.SetTimes(at(1, 1)),
		"no times":   f.SetTimes(wasi.Times{}),
	} {
		wantErrno(t, what, got, wasi.EROFS)
	}
	for what, n := range map[string]wasi.Node{"file": f, "folder": openFolder(t, d, "dir")} {
		wantErrno(t, "times of the "+what, n.SetTimes(at(1, 1)), wasi.EROFS)
		wantErrno(t, "sync "+what, n.Sync(false), 0)
		wantErrno(t, "datasync "+what, n.Sync(true), 0)
	}
	if diff := cmp.Diff(before, snapshot(t, root)); diff != "" {
		t.Errorf("it changed:\n%s", diff)
	}
}

// TestReadOnlyReads does what a read-only folder is for.
func TestReadOnlyReads(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, true)
	if got := readAll(t, openFile(t, d, "dirlink/up", read)); got != "inside" {
		t.Errorf("read: got %q", got)
	}
	wantErrno(t, "stat", second(d.Stat("link")), 0)
	wantErrno(t, "lstat", second(d.Lstat("dangling")), 0)
	wantErrno(t, "readlink", second(d.Readlink("link")), 0)
	if entries, errno := openFolder(t, d, "dir").List(); len(entries) != 3 || errno != 0 {
		t.Errorf("list: got %v, %v", entries, errno)
	}
}

// TestBetween holds that nothing goes from one folder that a program has to another.
func TestBetween(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	other := openDir(t, filepath.Join(root, "dir"), false)
	wantErrno(t, "rename", wasi.RenamePath(d.dir, "file", other.dir, "file"), wasi.EXDEV)
	wantErrno(t, "link", wasi.LinkPath(d.dir, "file", other.dir, "file"), wasi.EXDEV)
}
