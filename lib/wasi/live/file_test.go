package live

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"plasm/lib/wasi"
)

func TestFileReadWrite(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f := openFile(t, d, "file", both)
	buf := make([]byte, 3)

	n, errno := f.ReadAt(buf, 4)
	wantErrno(t, "read", errno, 0)
	if got := string(buf[:n]); got != "de" {
		t.Errorf("read to the end: got %q", got)
	}
	n, errno = f.ReadAt(buf, 100)
	if n != 0 || errno != 0 {
		t.Errorf("read past the end: got %d, %v", n, errno)
	}
	n, errno = f.WriteAt([]byte("OUT"), 0)
	if n != 3 || errno != 0 {
		t.Errorf("write: got %d, %v", n, errno)
	}
	n, errno = f.WriteAt([]byte("Y"), 8)
	if n != 1 || errno != 0 {
		t.Errorf("write past the end: got %d, %v", n, errno)
	}
	if got := readHost(t, root, "file"); got != "OUTide\x00\x00Y" {
		t.Errorf("the file: got %q", got)
	}
	wantErrno(t, "cut", f.SetSize(2), 0)
	wantErrno(t, "extend", f.SetSize(4), 0)
	wantErrno(t, "sync", f.Sync(false), 0)
	wantErrno(t, "datasync", f.Sync(true), 0)
	if got := readHost(t, root, "file"); got != "OU\x00\x00" {
		t.Errorf("the file: got %q", got)
	}
	wantErrno(t, "sync a folder", openFolder(t, d, "dir").Sync(false), 0)
}

func TestFileAccessMode(t *testing.T) {
	t.Parallel()
	d, _ := openTree(t, false)
	r, w := openFile(t, d, "file", read), openFile(t, d, "file", write)
	wantErrno(t, "write", second(r.WriteAt([]byte("x"), 0)), wasi.EBADF)
	_, _, errno := r.Append([]byte("x"))
	wantErrno(t, "append", errno, wasi.EBADF)
	wantErrno(t, "cut", r.SetSize(0), wasi.EINVAL)
	wantErrno(t, "read", second(w.ReadAt(make([]byte, 1), 0)), wasi.EBADF)
}

func TestFileAppend(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f := openFile(t, d, "file", both)
	appended := func(text string, want int64) {
		t.Helper()
		if n, end, errno := f.Append([]byte(text)); n != len(text) || end != want || errno != 0 {
			t.Errorf("append: got %d, %d, %v", n, end, errno)
		}
	}
	appended("+1", 8)
	if n, errno := f.WriteAt([]byte("IN"), 0); n != 2 || errno != 0 { // not at the end
		t.Errorf("write: got %d, %v", n, errno)
	}
	must(t, appendHost(filepath.Join(root, "file"), "+host"))
	appended("+2", 15)
	if n, errno := f.WriteAt([]byte("S"), 2); n != 1 || errno != 0 {
		t.Errorf("write: got %d, %v", n, errno)
	}
	appended("+3", 17)
	if got := readHost(t, root, "file"); got != "INSide+1+host+2+3" {
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

// TestFileRenamed holds that what is open stays that file or folder.
func TestFileRenamed(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f, dir := openFile(t, d, "dir/in", both), &mounted{openFolder(t, d, "dir")}
	must(t, os.Rename(filepath.Join(root, "dir"), filepath.Join(root, "moved")))
	must(t, os.MkdirAll(filepath.Join(root, "dir"), 0o700))
	must(t, os.WriteFile(filepath.Join(root, "dir", "in"), []byte("other"), 0o600))
	if got := readAll(t, f); got != "in" {
		t.Errorf("the file: %q", got)
	}
	wantErrno(t, "unlink", dir.Unlink("in"), 0)
	wantErrno(t, "create", tryOpen(dir, "new", create|write), 0)
	wantErrno(t, "above it", tryOpen(dir, "../file", read), wasi.EPERM)
	if got := readHost(t, root, "dir", "in") + readHost(t, root, "moved", "new"); got != "other" {
		t.Errorf("the new folder's file: %q", got)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	d := openDir(t, root, false)
	var want []string
	for i := range 600 { // more than are read at once
		name := fmt.Sprintf("%03d-%0200d", i, i)
		must(t, os.WriteFile(filepath.Join(root, name), nil, 0o600))
		want = append(want, name)
	}
	f := openFolder(t, d, ".")
	names := func() (names []string) {
		t.Helper()
		entries, errno := f.List()
		wantErrno(t, "list", errno, 0)
		for _, e := range entries {
			names = append(names, e.Name)
		}
		return names
	}
	for range 2 {
		if diff := cmp.Diff(want, names()); diff != "" {
			t.Error(diff)
		}
	}
	must(t, os.WriteFile(filepath.Join(root, "600"), nil, 0o600))
	must(t, os.Remove(filepath.Join(root, want[0])))
	want = append(want[1:], "600")
	if diff := cmp.Diff(want, names()); diff != "" {
		t.Errorf("after a change:\n%s", diff)
	}
}

func TestListTypes(t *testing.T) {
	t.Parallel()
	root := tree(t)
	must(t, syscall.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	entries, errno := openDir(t, root, true).dir.List()
	wantErrno(t, "list", errno, 0)
	types := map[wasi.FileType]int{}
	for _, e := range entries {
		st, errno := openDir(t, root, true).Lstat(e.Name)
		wantErrno(t, "lstat "+e.Name, errno, 0)
		if e.Type != st.Type || e.Inode != st.Inode {
			t.Errorf("%s: got inode %d and type %v, want %d and %v", e.Name, e.Inode, e.Type, st.Inode, st.Type)
		}
		types[e.Type]++
	}
	want := map[wasi.FileType]int{wasi.TypeRegular: 1, wasi.TypeDirectory: 3, wasi.TypeUnknown: 1, wasi.TypeSymlink: 53}
	if diff := cmp.Diff(want, types); diff != "" {
		t.Error(diff)
	}
}

// TestListGone lists a folder that has been removed, and one whose entries can't be looked
// at or are gone.
func TestListGone(t *testing.T) {
	t.Parallel()
	d, root := openTree(t, false)
	f := openFolder(t, d, "empty")
	must(t, os.Remove(filepath.Join(root, "empty")))
	if entries, errno := f.List(); len(entries) != 0 || (errno != 0 && errno != wasi.ENOENT) {
		t.Errorf("removed: got %v, %v", entries, errno)
	}
	got := top(t, d).entries([]string{"gone", "file/x"})
	if diff := cmp.Diff([]wasi.Entry{{Name: "file/x"}}, got); diff != "" {
		t.Error(diff)
	}
}
