package wazero

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero/experimental/sys"
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

// TestDirFSReadOnly tries to change a read-only folder in every way there is.
func TestDirFSReadOnly(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, true)
	before := snapshot(t, root)
	for _, name := range []string{"file", "link", "dir", "empty", "missing", "dangling", "new/", ".", "dir/in", "out", "../x", ""} {
		for what, got := range everyChange(d, name, "other") {
			if name != "" || got != sys.EINVAL { // opening looks at the name first
				wantErrno(t, what+" "+name, got, sys.EROFS)
			}
		}
	}
	for _, name := range []string{"file", "dir"} {
		f := openFile(t, d, name, sys.O_RDONLY)
		for what, got := range map[string]sys.Errno{
			"write":        second(f.Write([]byte("x"))),
			"write none":   second(f.Write(nil)),
			"pwrite":       second(f.Pwrite([]byte("x"), 0)),
			"truncate":     f.Truncate(0),
			"utimens":      f.Utimens(1, 1),
			"utimens none": f.Utimens(sys.UTIME_OMIT, sys.UTIME_OMIT),
		} {
			wantErrno(t, what+" open "+name, got, sys.EROFS)
		}
		wantErrno(t, "sync "+name, f.Sync(), 0)
		wantErrno(t, "datasync "+name, f.Datasync(), 0)
		wantErrno(t, "close", f.Close(), 0)
		wantErrno(t, "write closed "+name, second(f.Write([]byte("x"))), sys.EBADF)
	}
	if diff := cmp.Diff(before, snapshot(t, root)); diff != "" {
		t.Errorf("it changed:\n%s", diff)
	}
}

// TestDirFSReadOnlyReads does what a read-only folder is for.
func TestDirFSReadOnlyReads(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, true)
	if got := readAll(t, openFile(t, d, "dirlink/up", sys.O_RDONLY)); got != "inside" {
		t.Errorf("read: got %q", got)
	}
	f := openFile(t, d, "file", sys.O_RDONLY)
	wantErrno(t, "append mode", f.SetAppend(true), 0)
	wantErrno(t, "stat", second(d.Stat("link")), 0)
	wantErrno(t, "lstat", second(d.Lstat("dangling")), 0)
	wantErrno(t, "readlink", second(d.Readlink("link")), 0)
	if entries, errno := openFile(t, d, "dir", sys.O_RDONLY|sys.O_DIRECTORY).Readdir(-1); len(entries) != 3 || errno != 0 {
		t.Errorf("readdir: got %v, %v", entries, errno)
	}
}
