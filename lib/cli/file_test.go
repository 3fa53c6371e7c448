package cli

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"plasm/lib/job"
)

// content returns what a file holds, "absent" when there is none.
func content(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "absent"
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names lists what is in a folder.
func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileAppearsWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	f, err := CreateFile(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	if got := content(t, name); got != "absent" {
		t.Errorf("before Commit: %q", got)
	}
	if err := f.Commit(); err != nil || content(t, name) != "text" || names(t, dir) != "out" {
		t.Errorf("after Commit: %v, %q, %s", err, content(t, name), names(t, dir))
	}
}

func TestFileDiscard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "old"), "old")
	for _, name := range []string{"new", "old"} {
		f, err := CreateFile(t.Context(), filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("text")); err != nil {
			t.Fatal(err)
		}
		f.Discard()
	}
	if names(t, dir) != "old" || content(t, filepath.Join(dir, "old")) != "old" {
		t.Errorf("left: %s, %q", names(t, dir), content(t, filepath.Join(dir, "old")))
	}
}

// TestFileThatFailed does not appear, and Commit does not say again what Write
// has said.
func TestFileThatFailed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	write(t, name, "old")
	f, err := CreateFile(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.file.Close()
	if _, err := f.Write([]byte("text")); AsError(err).Code != job.CodeIO ||
		!strings.HasPrefix(err.Error(), "writing "+name+": ") {
		t.Errorf("Write: %v", err)
	}
	if err := f.Commit(); err != nil || content(t, name) != "old" || names(t, dir) != "out" {
		t.Errorf("Commit: %v, %q, %s", err, content(t, name), names(t, dir))
	}
}

func TestFileThatCannotAppear(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "out")
	f, err := CreateFile(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(name, 0o700); err != nil {
		t.Fatal(err)
	}
	kept := filepath.Base(f.temp)
	if err := f.Commit(); AsError(err).Code != job.CodeIO || !strings.Contains(AsError(err).Hint, kept) ||
		names(t, dir) != kept+" out" {
		t.Errorf("Commit: %v, %s", err, names(t, dir))
	}
}

func TestFileKeepsMode(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "out")
	for _, mode := range []fs.FileMode{0o600, 0o640, 0o666, 0o777} {
		write(t, name, "old")
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if err := WriteFile(name, []byte("new")); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(name); err != nil || info.Mode() != mode {
			t.Errorf("mode %v has become %v, %v", mode, info.Mode(), err)
		}
	}
}

func TestFileFollowsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	links := map[string]string{
		"there": "data/there", "dangling": "data/dangling", "twice": "hop", "hop": "data/twice",
		"absolute": filepath.Join(dir, "data", "absolute"), "folder": "data",
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "data", "there"), "old")
	for link, target := range links {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, target := range map[string]string{
		"there": "there", "dangling": "dangling", "twice": "twice", "absolute": "absolute", "folder/in": "in",
		"folder/../data/up": "up",
	} {
		if err := WriteFile(filepath.Join(dir, name), []byte(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := content(t, filepath.Join(dir, "data", target)); got != name {
			t.Errorf("%s: %q", name, got)
		}
	}
	for link := range links {
		if info, err := os.Lstat(filepath.Join(dir, link)); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", link)
		}
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("loop", filepath.Join(dir, "loop")); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "file"), "")
	for name, want := range map[string]string{
		"":             "is a directory",
		"no/such/file": "no such file or directory",
		"loop":         "too many levels of symbolic links",
		"file/below":   "not a directory",
	} {
		name = filepath.Join(dir, name)
		err := WriteFile(name, []byte("x"))
		if e := AsError(err); e.Code != job.CodeIO || e.Message != "writing "+name+": "+want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := WriteFile("/dev/full", []byte("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("/dev/full: %v", err)
	}
	if err := WriteFile("/dev/null", []byte("x")); err != nil {
		t.Errorf("/dev/null: %v", err)
	}
}

// TestStreamDeadline: a pipe whose reader has stopped is left at the deadline.
func TestStreamDeadline(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	s := newStream(w, standardOutput)
	var n int
	written := make(chan error, 1)
	go func() {
		var err error
		n, err = s.Write(make([]byte, 4<<20))
		written <- err
	}()
	if _, err := io.ReadFull(r, make([]byte, 1)); err != nil { // then the write is under way
		t.Fatal(err)
	}
	if err := s.SetWriteDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := <-written; !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 4<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	var b strings.Builder
	plain := newStream(&b, standardOutput)
	if _, err := plain.Write([]byte("x")); err != nil || plain.SetWriteDeadline(time.Now()) != nil ||
		b.String() != "x" {
		t.Errorf("what is no file: %q, %v", b.String(), err)
	}
}
